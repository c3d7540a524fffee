"""The connections to the model, one after the other, as the conversation sees them.

Rule 1 (contract 7.1)  A loss that may pass is retried with backoff, by the newest good handle if any.
Rule 2                 `resumable: false` does not make the last good handle bad.
Rule 3                 A handle that is refused, or fails `resume_attempts` times, is given up.
Rule 4                 A session that was idle is not resumed within `idle_resume_delay` of its loss.
Rule 5 (contract 7.2)  On notice that the model goes away, a spare socket is dialled; the switch is made when
                       the floor is quiet, or `MARGIN` seconds before the end at the latest. A spare that is
                       still being dialled when the old socket ends becomes the current link all the same.
                       One that says so again and again is followed ever more slowly, as after losses.
Rule 6                 The old socket is closed before its session is resumed elsewhere: else it is refused.
Rule 7 (contract 7.4)  What cannot pass is raised.
Rule 8 (contract 7.5)  A handle belongs to its agent.
Rule 9 (contract 7.6)  A handle that stands for a moment resumes a session that must be told what came later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from antiphon.core.backoff import Backoff
from antiphon.core.commands import Ask, Begin, Command, Dial, HangUp
from antiphon.core.deadlines import soonest
from antiphon.errors import ModelConnectionError, ResumptionRefused, SetupTimeout

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.config import Retry
    from antiphon.types import Part

__all__ = ["HANG_UP_TIMEOUT", "MARGIN", "Links", "Phase", "Verdict"]

MARGIN: Final = 3.0
"""Seconds before the announced end by which the switch is made, quiet or not."""
HANG_UP_TIMEOUT: Final = 2.0
"""Seconds that a close in good order may take before it is taken as done."""


class Phase(Enum):
    WAITING = auto()
    """No link; one will be dialled at the deadline."""
    DIALLING = auto()
    SETTING_UP = auto()
    LIVE = auto()
    LEAVING = auto()
    """The link is being closed; the spare takes over when it is."""
    OVER = auto()


class Verdict(Enum):
    """What a loss means."""

    STALE = auto()
    """Not the current link: nothing changes."""
    RETRY = auto()
    SWITCH = auto()
    """The spare takes over."""
    ENDED = auto()
    """The model ended the session in good order."""
    FAILED = auto()


@dataclass(slots=True)
class _Replacement:
    """What is prepared for a model that goes away."""

    leave_by: float
    link: int | None
    """`None` when it was lost: at `leave_by` a new link is dialled instead."""
    early: float | None = None
    """Until then no switch is made, quiet or not: this model has said `goAway` only just before."""
    dialled: bool = False


@dataclass(slots=True)
class Knowledge:
    """What the model's sessions know of the conversation."""

    session: int = 0
    """Numbers the model's sessions: one that goes on keeps its number, others get the next."""
    seeded: int = 0
    """The link on which the newest fresh session was begun: it was told all that was stored by then."""
    told: int = 0
    """The newest link on which a session was told what was stored: all, or what came after its handle."""
    spoke: bool = False
    """Whether the model has said anything on the current link."""
    stored: int = 0
    """Events stored in this conversation before the signal in hand."""
    stored_before: int = 0
    """How many of them there were when the handle was issued."""


class Links:
    """Which link is the current one, how far it is, and what is to be done about it."""

    def __init__(
        self, retry: Retry, connect_timeout: float, handle: str | None, chance: Callable[[], float]
    ) -> None:
        self._idle_resume_delay = retry.idle_resume_delay
        self._connect_timeout = connect_timeout
        self._backoff = Backoff(retry, chance)
        self._dialled_links = 0
        self._replacement: _Replacement | None = None
        self._due: float | None = None
        self.handle = handle
        self.known = Knowledge()
        self.current: int | None = None
        self.phase = Phase.WAITING
        self.again = False
        """Whether the link being opened replaces one that was lost."""

    # Asking.

    @property
    def live(self) -> bool:
        return self.phase is Phase.LIVE

    @property
    def session(self) -> int:
        """The number of the model's session."""
        return self.known.session

    @property
    def resumed(self) -> bool:
        """Whether the session on the current link was begun with a handle."""
        return self.current != self.known.seeded

    @property
    def attempt(self) -> int:
        return self._backoff.attempt

    def deadline(self) -> float | None:
        if not self.live:
            return self._due
        return soonest(self._replacement.early, self._replacement.leave_by) if self._replacement else None

    # Opening.

    def dial(self, agent: str, now: float) -> list[Command]:
        """Opens the next link; it is the current one from now on."""
        self._dialled_links += 1
        self.current = self._dialled_links
        self.phase = Phase.DIALLING
        self._due = now + self._connect_timeout
        return [Dial(self.current, agent)]

    def dialled(self, link: int) -> bool:
        """The socket is open; whether the session on it is to begin now."""
        if self._replacement and link == self._replacement.link:
            self._replacement.dialled = True
            return False
        return link == self.current and self.phase is Phase.DIALLING

    def begin(
        self,
        agent: str,
        now: float,
        ask: Ask,
        held: tuple[Part, ...],
        *,
        snapshot: bool = False,
        answers: tuple[str, ...] = (),
    ) -> list[Command]:
        """Sets the session up on the current link: resumed when there is a handle, else fresh and seeded.

        `snapshot`: the handle stands for the moment of its issue (rule 9); `answers` are then told by id.
        """
        assert self.current is not None
        self.phase = Phase.SETTING_UP
        self._due = now + self._connect_timeout
        known = self.known
        known.spoke = False
        if self.handle is not None and not snapshot:
            return [Begin(self.current, agent, self.handle, seed=False, ask=ask, held=held)]
        known.told = self.current
        if self.handle is not None:
            since = known.stored_before
            return [Begin(self.current, agent, self.handle, ask=ask, held=held, since=since, answers=answers)]
        known.session += 1
        known.seeded = self.current
        return [Begin(self.current, agent, None, seed=True, ask=ask, held=held)]

    def ready(self, link: int) -> bool:
        """The model is ready on this link; whether that is news."""
        if link != self.current or self.phase is not Phase.SETTING_UP:
            return False
        self.phase = Phase.LIVE
        self.again = False
        self._due = self._replacement = None
        self._backoff.resumed()
        return True

    # Handles and going away.

    def handle_update(self, handle: str | None, resumable: bool, stored: int) -> bool:
        """Keeps a good handle (rule 2), and how many events are stored by now; whether this was one."""
        if not handle or not resumable:
            return False
        self.handle = handle
        self.known.stored_before = stored
        return True

    def forget_handle(self) -> None:
        """It is not known what the session behind the handle knows: a fresh one is told everything."""
        self.handle = None

    def going_away(self, time_left: float, agent: str, now: float) -> list[Command]:
        """Prepares the replacement (rule 5)."""
        if not self.live or self._replacement:
            return []
        self._dialled_links += 1
        leave_by = now + max(time_left - MARGIN, time_left / 2)
        wait = self._backoff.failed(now)
        early = None
        if self._backoff.attempt > 1:
            early = leave_by if wait is None else min(now + wait, leave_by)
        self._replacement = _Replacement(leave_by, self._dialled_links, early)
        return [Dial(self._dialled_links, agent)]

    def may_switch(self) -> bool:
        """Whether a switch is wanted and could be made now."""
        spare = self._replacement
        return self.live and spare is not None and spare.dialled and spare.early is None

    def waited(self, now: float) -> bool:
        """Whether the time in which no switch was made is over, just now."""
        if self._replacement is None or self._replacement.early is None or now < self._replacement.early:
            return False
        self._replacement.early = None
        return True

    def switch(self, now: float) -> list[Command]:
        """Closes the current link; the replacement takes over when that is done (rule 6)."""
        assert self.current is not None
        self.phase = Phase.LEAVING
        self._due = now + HANG_UP_TIMEOUT
        return [HangUp(self.current, reason="going away")]

    # Losing.

    def lost(self, link: int, error: ModelConnectionError | None, now: float, *, idle: bool) -> Verdict:
        """Judges a loss. On RETRY the next link is dialled at the deadline; on SWITCH `take_over` at once."""
        spare = self._replacement
        if spare and link == spare.link:
            spare.link, spare.dialled = None, False
            return Verdict.STALE
        if link != self.current:
            return Verdict.STALE
        if spare and spare.link is not None:
            return Verdict.SWITCH
        self._replacement = None
        if error is None and spare is None:
            self.phase, self.current, self._due = Phase.OVER, None, None
            return Verdict.ENDED
        return self._retry_after(error, now, idle=idle)

    def take_over(self, now: float) -> bool:
        """Makes the replacement the current link; whether the session can `begin` on it already."""
        spare, self._replacement = self._replacement, None
        assert spare is not None
        self.current, self.phase, self.again = spare.link, Phase.DIALLING, True
        self._due = now + self._connect_timeout
        return spare.dialled

    def _retry_after(self, error: ModelConnectionError | None, now: float, *, idle: bool) -> Verdict:
        resuming = self.handle is not None and self.phase is Phase.SETTING_UP
        if isinstance(error, ResumptionRefused) or (resuming and self._backoff.resume_failed()):
            self.handle = None  # rule 3
        wait = self._backoff.failed(now) if error is None or error.retryable else None
        self.current, self.again = None, self.again or self.phase in (Phase.LIVE, Phase.LEAVING)
        if wait is None:
            self.phase, self._due = Phase.OVER, None
            return Verdict.FAILED
        if idle and self.handle is not None:
            wait = max(wait, self._idle_resume_delay)  # rule 4
        self.phase, self._due = Phase.WAITING, now + wait
        return Verdict.RETRY

    # Time.

    def overdue(self, now: float) -> ModelConnectionError | None:
        """The error of a link that has taken too long to open, if it has."""
        if self._due is None or now < self._due or self.phase not in (Phase.DIALLING, Phase.SETTING_UP):
            return None
        step = "accept the connection" if self.phase is Phase.DIALLING else "confirm the set-up"
        return SetupTimeout(
            f"The model did not {step} within {self._connect_timeout:g} s. Check the address and the "
            "network, or raise RunConfig.connect_timeout."
        )

    def should_dial(self, now: float) -> bool:
        return self.phase is Phase.WAITING and self._due is not None and now >= self._due

    def must_leave(self, now: float) -> bool:
        """Whether the announced end is so near that the switch cannot wait for a quiet moment."""
        return self.live and self._replacement is not None and now >= self._replacement.leave_by

    def left(self, now: float) -> bool:
        """Whether closing the old link has taken so long that it counts as done."""
        return self.phase is Phase.LEAVING and self._due is not None and now >= self._due

    # Leaving.

    def leave(self) -> list[Command]:
        """Turns away from the agent's model: the next has its own link, a fresh session, no handle."""
        closing = self.hang_up("transfer")
        self.handle, self.again = None, False
        self._backoff.resumed()
        return closing

    def hang_up(self, reason: str = "") -> list[Command]:
        """Closes every link there is."""
        links = [self.current, self._replacement.link if self._replacement else None]
        self.current = self._replacement = self._due = None
        self.phase = Phase.OVER
        return [HangUp(link, reason=reason) for link in links if link is not None]
