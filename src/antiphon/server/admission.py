"""Admission: so many conversations at a time, and a line in which further clients wait (contract 8.6).

Rule 1  A place goes to who has waited longest; who comes while somebody waits goes to the end of the line.
Rule 2  A client that meets the provider's quota gives its place back and keeps its rank, which is before all
        that came later. Nobody is admitted until the back-off is over.
Rule 3  After that one is admitted at a time, until a conversation began: nobody says how much is left.
Rule 4  The line is bounded. Who leaves is gone at once, wherever it stood.

`Line` is the rules, without a loop or a clock; `Admission` and its `Ticket`s are the line on an event loop.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from itertools import count
from random import random
from typing import TYPE_CHECKING, NamedTuple, Self

from antiphon.config import Retry
from antiphon.errors import RuntimeLimitError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Admission", "AdmissionClosed", "Line", "LineFull", "Position", "Ticket"]


class LineFull(RuntimeLimitError):
    """Every place is taken and the line is as long as it may be: try later."""


class AdmissionClosed(RuntimeLimitError):
    """Nobody is admitted any more; the text says why."""


class Position(NamedTuple):
    """Where a client stands, from 1, and how many wait."""

    position: int
    length: int


class Line:
    """The rules. Clients are numbers in the order in which they came; times are seconds of any clock.

    After every call, and at `deadline`, `admit` tells who gets a place now.
    """

    def __init__(self, places: int, longest: int, retry: Retry, chance: Callable[[], float]) -> None:
        self._places = places
        self._longest = longest
        self._retry = retry
        self._chance = chance
        self._numbers = count(1)
        self._held: set[int] = set()
        self._waiting: list[int] = []
        self._refusals = 0
        self._on_trial: int | None = None
        self._not_before = 0.0

    @property
    def held(self) -> int:
        """Places that are taken."""
        return len(self._held)

    @property
    def waiting(self) -> tuple[int, ...]:
        """Who waits, first to last."""
        return tuple(self._waiting)

    def enter(self, now: float) -> int:
        """A client comes. Raises `LineFull`."""
        if (self._waiting or not self._may_admit(now)) and len(self._waiting) >= self._longest:
            raise LineFull(
                f"All {self._places} places are taken and {len(self._waiting)} clients wait: "
                "try again in a minute."
            )
        self._waiting.append(number := next(self._numbers))
        return number

    def leave(self, number: int) -> None:
        """A client is gone, from its place or from the line. Leaving twice is fine."""
        self._held.discard(number)
        if number == self._on_trial:
            self._on_trial = None
        if number in self._waiting:
            self._waiting.remove(number)

    def began(self, number: int) -> None:
        """The provider took the conversation of a client that has a place."""
        if number in self._held:
            self._on_trial = None
            self._refusals = 0

    def refused(self, number: int, now: float, at_least: float = 0) -> None:
        """The provider's quota did not allow the conversation of a client that has a place (rule 2).

        `at_least`: seconds that the provider asked to wait.
        """
        if number not in self._held:
            return
        if not self._refusals or number == self._on_trial:
            self._refusals += 1  # those that were on their way at the first refusal do not count again
        self.leave(number)
        insort(self._waiting, number)
        wait = min(self._retry.max_delay, self._retry.first_delay * 2.0 ** min(self._refusals - 1, 60))
        wait = max(at_least, wait * (1 - self._retry.jitter * self._chance()))
        self._not_before = max(self._not_before, now + wait)

    def admit(self, now: float) -> list[int]:
        """Who gets a place now, in order."""
        admitted = []
        while self._waiting and self._may_admit(now):
            admitted.append(number := self._waiting.pop(0))
            self._held.add(number)
            if self._refusals:
                self._on_trial = number
        return admitted

    def deadline(self) -> float | None:
        """When the back-off is over, if somebody waits for that."""
        return self._not_before if self._waiting and self._has_room() else None

    def _may_admit(self, now: float) -> bool:
        return self._has_room() and now >= self._not_before

    def _has_room(self) -> bool:
        return len(self._held) < self._places and self._on_trial is None


class Admission:
    """The line on an event loop: `enter`, wait for the `Ticket`, and have it `leave` at the end.

    `places` conversations at a time and at most `longest` clients in the line. `retry` has the back-off after
    a provider's refusal (`first_delay`, `max_delay`, `jitter`). `close` it when the server ends.
    """

    def __init__(
        self,
        places: int,
        longest: int,
        retry: Retry | None = None,
        chance: Callable[[], float] = random,
    ) -> None:
        self._line = Line(places, longest, retry or Retry(first_delay=1, max_delay=30), chance)
        self._tickets: dict[int, Ticket] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closed: str | None = None

    @property
    def held(self) -> int:
        """Places that are taken."""
        return self._line.held

    @property
    def waiting(self) -> int:
        """Clients in the line."""
        return len(self._line.waiting)

    def enter(self) -> Ticket:
        """A client comes. It may be admitted already when this returns.

        Raises `LineFull` and, after `close`, `AdmissionClosed`.
        """
        if self._closed is not None:
            raise AdmissionClosed(self._closed)
        number = self._line.enter(asyncio.get_running_loop().time())
        ticket = self._tickets[number] = Ticket(self, number)
        self._settle()
        return ticket

    def close(self, reason: str) -> None:
        """Nobody is admitted any more: who waits gets `AdmissionClosed(reason)`, who has a place keeps it."""
        self._closed = reason
        for number in self._line.waiting:
            self._line.leave(number)
            self._tickets.pop(number)._end(AdmissionClosed(reason))
        self._settle()

    def _leave(self, number: int) -> None:
        self._tickets.pop(number, None)
        self._line.leave(number)
        self._settle()

    def _began(self, number: int) -> None:
        self._line.began(number)
        self._settle()

    def _refused(self, number: int, at_least: float) -> None:
        self._line.refused(number, asyncio.get_running_loop().time(), at_least)
        if self._closed is not None:
            self._tickets[number]._end(AdmissionClosed(self._closed))
            self._line.leave(number)
        self._settle()

    def _settle(self) -> None:
        """Gives what places there are, tells everybody, and comes again when a back-off is over."""
        loop = asyncio.get_running_loop()
        for number in self._line.admit(loop.time()):
            self._tickets[number]._stand(None)
        waiting = self._line.waiting
        for position, number in enumerate(waiting, 1):
            self._tickets[number]._stand(Position(position, len(waiting)))
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._line.deadline()
        self._timer = None if deadline is None else loop.call_at(deadline, self._settle)


class Ticket:
    """One client's claim to a place. Iterate over it to wait; `leave` at the end, whatever happened.

    An iteration ends when the client has a place. It tells each `Position` that was not told yet, the newest
    if several came meanwhile, and raises `AdmissionClosed` when the line is closed. Iterate in one task.
    """

    def __init__(self, admission: Admission, number: int) -> None:
        self._admission = admission
        self._number = number
        self._position: Position | None = None
        self._told: Position | None = None
        self._ended: AdmissionClosed | None = None
        self._changed: asyncio.Future[None] | None = None

    @property
    def position(self) -> Position | None:
        """Where it stands in the line; `None` when it has a place, or left."""
        return self._position

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Position:
        while self._ended is None and self._position is not None and self._position == self._told:
            self._changed = asyncio.get_running_loop().create_future()
            await self._changed
        if self._ended is not None:
            raise self._ended
        self._told = self._position
        if self._position is None:
            raise StopAsyncIteration
        return self._position

    def leave(self) -> None:
        """Gives the place, or the one in the line, to those behind. Leaving twice is fine."""
        self._stand(None)
        self._admission._leave(self._number)

    def began(self) -> None:
        """The conversation is under way: to be said of each that was admitted, so that the line goes on
        after a provider's refusal."""
        self._admission._began(self._number)

    def refused(self, at_least: float = 0) -> None:
        """The provider's quota is used up: the place is free, and this client is the first to try again.

        Iterate again to wait for that. `at_least`: seconds that the provider asked to wait.
        """
        self._admission._refused(self._number, at_least)

    def _stand(self, position: Position | None) -> None:
        if position != self._position:
            self._position = position
            self._wake()

    def _end(self, error: AdmissionClosed) -> None:
        self._ended = error
        self._wake()

    def _wake(self) -> None:
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
