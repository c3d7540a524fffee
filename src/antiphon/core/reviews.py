"""What the application's callbacks and guardrails look at, and what waits for them (contract 5.10, 5.13).

Rule 1  Nothing that is looked at holds back audio, interruptions, tool calls or what the user does. The
        model's words keep their order among themselves: while a whole piece is looked at, later words and the
        end of the turn wait in the line.
Rule 2  What the user writes waits for its look, one at a time, in order; it is stored at once.
Rule 3  Guardrails have one look at a time at each speaker's words; what is said meanwhile is in the next one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from antiphon.core.commands import About, Emit, Growing, Passage, Review, Spoken
from antiphon.core.messages import Turn
from antiphon.core.signals import Reviewed
from antiphon.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.core.commands import Speaker
    from antiphon.core.messages import ToolResults
    from antiphon.types import Content, Part

__all__ = ["PAUSE", "Asks", "Circle", "Pending", "Question", "Reviews", "Watch", "is_said"]

PAUSE: Final = 2.0
"""Seconds of silence after which words of the user are no longer those that were vetoed."""


@dataclass(frozen=True, slots=True)
class Asks:
    """What of an agent's conversation its application wants to look at."""

    before_model: bool = False
    after_model: bool = False
    model_error: bool = False
    guardrails: bool = False

    @property
    def typed(self) -> bool:
        return self.before_model or self.guardrails


@dataclass(frozen=True, slots=True)
class Circle:
    """An agent, or a group it belongs to, that is entered and left, with its callbacks for that."""

    name: str
    before: bool = False
    after: bool = False
    successor: str | None = None
    """Who goes on when it is passed over."""


@dataclass(slots=True, eq=False)
class Pending:
    """The place in the line of something that is looked at. `event` is what goes out if it passes."""

    id: int
    agent: str
    about: About
    event: Event | None = None
    outcome: Reviewed | None = None


@dataclass(slots=True, eq=False)
class Question:
    """What the user wrote, waiting for its look; `event` is how it is stored."""

    turn: Turn
    event: Event
    text: str
    id: int | None = None


class Watch:
    """One speaker's words, as guardrails see them (rule 3). `turn` numbers what they belong to.

    Words of a turn whose last look is still to come are looked at together with those of the next.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        """Where they are recorded, as far as they are whole."""
        self.agent = ""
        """Whose conversation it is that they were said in: its guardrails look at them."""
        self._pieces: list[str] = []
        self._turn = 0
        self._fresh = False
        self._looking: tuple[int, int] | None = None

    def add(self, text: str, turn: int) -> None:
        if turn != self._turn and self._looking is None:
            self._pieces, self.events = [], []
        self._turn = turn
        self._pieces.append(text)
        self._fresh = True

    @property
    def looking(self) -> bool:
        return self._looking is not None

    def look(self, review: int) -> str | None:
        """What is to be looked at now under this number, if anything."""
        if self._looking is not None or not self._fresh:
            return None
        self._looking, self._fresh = (review, self._turn), False
        return "".join(self._pieces)

    def looked(self, review: int) -> int | None:
        """The look of that number is over; the turn it was at. `None` if there was no such look."""
        if self._looking is None or self._looking[0] != review:
            return None
        turn, self._looking = self._looking[1], None
        return turn

    def forget(self) -> list[Event]:
        """Vetoed: nothing of it is looked at again. Returns where it is recorded."""
        events, self.events = self.events, []
        self._pieces, self._fresh = [], False
        return events


@dataclass(slots=True)
class _Bar:
    """The user's words that were vetoed, while they may go on."""

    on: bool = False
    finished: bool = False
    heard_at: float = 0.0


@dataclass(slots=True)
class _Way:
    """Which circles the conversation is in, and where it is going."""

    inside: list[Circle] = field(default_factory=list)
    target: str | None = None
    """The agent that is being entered."""


class Reviews:
    """Everything that is looked at in one conversation."""

    def __init__(self) -> None:
        self.line: list[Emit | Pending] = []
        """What goes out in this order, once the first of it has passed (rule 1)."""
        self.questions: list[Question] = []
        self.watches: dict[Speaker, Watch] = {"user": Watch(), "model": Watch()}
        self.bar = _Bar()
        self.way = _Way()
        self.withheld: list[ToolResults] = []
        """Answers to the calls of a vetoed turn: they would make the model go on, and wait for the user."""
        self.utterances = 0
        """What the user has said aloud so far."""
        self._spoken: dict[int, int] = {}
        self._written = ""
        self._reviews = 0

    def number(self) -> int:
        self._reviews += 1
        return self._reviews

    @property
    def waited_for(self) -> bool:
        """Whether an end in good order waits: the record is to say what passed and what did not."""
        return bool(self.line) or any(watch.looking for watch in self.watches.values())

    # The line.

    def put(self, agent: str, about: About, event: Event | None = None) -> Review:
        """Takes a place in the line for something that is to be looked at."""
        pending = Pending(self.number(), agent, about, event)
        self.line.append(pending)
        return Review(pending.id, agent, about)

    def settled(self, outcome: Reviewed) -> bool:
        """Notes what came of a place in the line; whether there is such a place."""
        for each in self.line:
            if isinstance(each, Pending) and each.id == outcome.id and each.outcome is None:
                each.outcome = outcome
                return True
        return False

    def passed(self) -> Emit | Pending | None:
        """Takes the first of the line, if it waits for nothing any more."""
        if self.line:
            first = self.line[0]
            if isinstance(first, Emit) or first.outcome is not None:
                return self.line.pop(0)
        return None

    # What the user writes.

    @property
    def asking(self) -> bool:
        """Whether what the user wrote waits for its look, or the agent for its own."""
        return bool(self.questions) or self.way.target is not None

    @property
    def held_parts(self) -> tuple[Part, ...]:
        """What the user wrote that waits here: no model is told of it yet."""
        return tuple(part for question in self.questions for part in question.turn.content.parts or [])

    def ask(self, turn: Turn, event: Event) -> None:
        """Takes over what the user wrote (rule 2)."""
        said = "".join(part.text or "" for part in turn.content.parts or [])
        self._written += said
        self.questions.append(Question(turn, event, self._written))
        if turn.complete:
            self._written = ""

    def answered(self, review: int) -> Question | None:
        """The question that was looked at under this number, no longer waiting."""
        if self.questions and self.questions[0].id == review:
            return self.questions.pop(0)
        return None

    # What the user says aloud, and guardrails.

    def spoken(self, agent: str, text: str) -> Review:
        """A whole utterance of the user; nothing waits for it."""
        number = self.number()
        self._spoken[number] = self.utterances - 1
        return Review(number, agent, Spoken(text))

    def heard(self, review: int) -> int | None:
        """The utterance that was looked at under this number, if there was one."""
        return self._spoken.pop(review, None)

    def grow(self, agent: str, speaker: Speaker, text: str, turn: int) -> list[Review]:
        """New words; the look that they call for, if none is under way."""
        self.watches[speaker].add(text, turn)
        self.watches[speaker].agent = agent
        return self.look(speaker)

    def look(self, speaker: Speaker) -> list[Review]:
        number, watch = self.number(), self.watches[speaker]
        text = watch.look(number)
        return [Review(number, watch.agent, Growing(speaker, text))] if text else []

    def begin_anew(self) -> None:
        """A fresh session is told what is recorded, results of calls included, and heard nothing else."""
        self.bar.on = False
        self.withheld.clear()

    # Ways.

    def passage(self, circles: Iterable[Circle]) -> Passage:
        """From where the conversation is to these circles; those that are left are left from now on."""
        ahead = list(circles)
        kept = [circle for circle in self.way.inside if circle in ahead]
        left = [circle.name for circle in reversed(self.way.inside) if circle not in kept and circle.after]
        entered = [circle.name for circle in ahead if circle not in kept and circle.before]
        self.way.inside = kept
        return Passage(tuple(left), tuple(entered))


def is_said(event: Event) -> bool:
    """Whether the event is words of the model, or the end of its turn: what keeps its order (rule 1)."""
    if event.turn_complete or event.output_transcription is not None:
        return True
    content = event.content
    return content is not None and content.role == "model" and _has_text(content)


def _has_text(content: Content) -> bool:
    return any(part.text is not None for part in content.parts or [])
