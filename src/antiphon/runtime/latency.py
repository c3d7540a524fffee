"""How long the user waits for an answer, in parts that add up. Pure: moments are seconds on one clock.

Rule 1  An answer has five moments: the user has stopped (`stopped`), the model is to answer (`asked`), it
        says the first of it (`began`), the application takes the first that can be heard or read (`sent`),
        the client plays it (`played`).
Rule 2  A part lies between two moments that are known and have none known between them, and is named for the
        later one: `endpointing`, `model`, `delivery`, `playback`. So parts always add up to the whole.
Rule 3  Only what the user asked for is measured. What the user has taken back by speaking on, and what was
        said while another answer went on to its end, was not asked for.
Rule 4  An answer is reported once: when its playback is known, or when it no longer can be.
Rule 5  A model that first calls tools and says nothing goes on with the same answer in its next turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.events import Event

__all__ = ["PARTS", "Input", "Latency", "Measured"]

Input = Literal["speech", "text"]
PARTS: Final = ("endpointing", "model", "delivery", "playback")
_MOMENTS: Final = ("stopped", "asked", "began", "sent", "played")


@dataclass(frozen=True, slots=True)
class Measured:
    """One answer: seconds by part, in order; they sum up to `total`."""

    input: Input
    parts: dict[str, float]
    total: float


@dataclass(slots=True)
class _Answer:
    input: Input
    moments: dict[str, float]
    shown: Event | None = None
    turn: int | None = None

    def measured(self) -> Measured:
        known = [(name, self.moments[name]) for name in _MOMENTS if name in self.moments]
        parts = {PARTS[_MOMENTS.index(name) - 1]: at - before for (_, before), (name, at) in pairwise(known)}
        return Measured(self.input, parts, known[-1][1] - known[0][1])


@dataclass(slots=True)
class Latency:
    """The answers of one conversation; `report` is given each one that is measured."""

    report: Callable[[Measured], None]
    _pending: _Answer | None = None
    _answer: _Answer | None = None
    _open: bool = False
    _completed: int = 0
    _first: float | None = None
    _reported: dict[str, float] = field(default_factory=dict)

    @property
    def waiting(self) -> bool:
        """Whether the first word of an answer is waited for."""
        return self._pending is not None and not self._open and self._first is None

    @property
    def settled(self) -> bool:
        """Whether more of the turn that goes on changes nothing."""
        return self._open and (self._answer is None or self._answer.shown is not None)

    @property
    def asked(self) -> float | None:
        """The first known moment of what waits for an answer."""
        return next(iter(self._pending.moments.values())) if self._pending is not None else None

    @property
    def parts(self) -> dict[str, float]:
        """What is known of the answer that is given in this turn, in seconds."""
        return self._reported if self._answer is None else self._answer.measured().parts

    def prompted(self, kind: Input, now: float, stopped: float | None = None) -> None:
        """The model is to answer, who stopped speaking then."""
        moments = {"asked": now} if stopped is None else {"stopped": min(stopped, now), "asked": now}
        self._pending, self._first = _Answer(kind, moments), None

    def withdrawn(self) -> None:
        """The user speaks on (rule 3)."""
        self._pending = self._first = None

    def received(self, now: float) -> None:
        """The model says something, which may be kept back, or not count."""
        if self.waiting:
            self._first = now

    def said(self, now: float) -> None:
        """It counts."""
        if not self._open and self._pending is not None:
            self._finish()
            self._answer, self._pending = self._pending, None
            self._answer.moments["began"] = now if self._first is None else self._first
        self._open, self._first = True, None

    def shows(self, event: Event) -> None:
        """The event has something to hear or to read."""
        if self._answer is not None and self._answer.shown is None:
            self._answer.shown, self._answer.turn = event, self._completed

    def took(self, event: Event, now: float) -> None:
        """The application takes the event."""
        answer = self._answer
        if answer is not None and answer.shown is event:
            answer.moments.setdefault("sent", now)

    def played(self, milliseconds: float, turn: int | None, now: float) -> None:
        """The client has played so much of the answer that has `turn` complete ones before it."""
        answer = self._answer
        if answer is None or "sent" not in answer.moments or milliseconds <= 0:
            return
        if turn is None or turn == answer.turn:
            answer.moments["played"] = max(answer.moments["sent"], now - milliseconds / 1000)
            self._finish()

    def completed(self, *, cut: bool, unfinished: bool = False) -> None:
        """A turn is over; `unfinished` ones go on when tools have answered."""
        self._completed += 1
        self._open, self._first, self._reported = False, None, {}
        if not cut and self._pending is not None and self._pending.input == "speech":
            self._pending = None
        if not unfinished and self._answer is not None and self._answer.shown is None:
            self._answer = None  # nothing of it was ever seen

    def close(self) -> None:
        """Nothing more comes."""
        self._finish()
        self._pending = None

    def _finish(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and answer.shown is not None:
            measured = answer.measured()
            self._reported = measured.parts if self._open else {}
            self.report(measured)
