"""`AudioInput`: the user's audio on its way from the event loop to a `Microphone`, which listens on a thread.

Rule 1  What comes is listened to in its order, at most `_BATCH` seconds at a time.
Rule 2  When listening does not keep up, audio is left out (`backlog`) and that is told, at most every
        `TELL_AGAIN` seconds.
Rule 3  Media that cannot be listened to is left out, and each reason for that told once.
"""

from __future__ import annotations

import asyncio
import logging
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from antiphon.errors import UnknownMimeType
from antiphon.events import ErrorCode
from antiphon.models.liveness import CLOSE_TIMEOUT
from antiphon.models.local.backlog import FULL, Backlog, Late, Speaking
from antiphon.models.local.framing import HIGHEST_RATE, LOWEST_RATE
from antiphon.models.local.lanes import Lane
from antiphon.requests import pcm_rate

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded
    from antiphon.models.local.microphone import Microphone, News, Report

__all__ = ["REASONS", "TELL_AGAIN", "AudioInput", "Owner"]

log = logging.getLogger(__name__)

TELL_AGAIN: Final = 5.0
REASONS: Final = 16
"""Different reasons that are told, at most."""
_BATCH: Final = 0.5
"""So that a burst does not hold up what is marked in it."""
_CHANNELS: Final = re.compile(r";\s*channels\s*=\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom it tells, on the event loop."""

    news: Callable[[News], None]
    trouble: Callable[[ErrorCode, str], None]
    ready: Callable[[], None]
    """It listens, or never will."""
    writable: Callable[[], None]


class AudioInput:
    """One conversation's. To be made, used and closed on its event loop."""

    def __init__(self, owner: Owner) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._lane = Lane(self._failed)
        self._backlog = Backlog()
        self._microphone: Microphone | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._over = False
        self._deaf = False
        """There is nothing to listen with."""
        self._shed = 0.0
        """Seconds that were left out, and not told of yet."""
        self._told_at = float("-inf")
        self._told: set[str] = set()
        self.full = False
        """More audio had better wait elsewhere."""

    def open(self, listen: Callable[[], Microphone]) -> None:
        """Has the microphone made, off the event loop; `ready` follows."""
        self._lane.do(listen, self._opened)

    def add(self, pcm: bytes, mime_type: str) -> None:
        """Audio of the user's, of any length."""
        try:
            rate = _rate(mime_type)
        except UnknownMimeType as unknown:
            self.refuse(str(unknown))
            return
        if self._deaf:
            return
        now = self._loop.time()
        self._shed += self._backlog.add(pcm, rate, now)
        self.full = self.full or self._backlog.seconds > FULL  # until `_listened` has told that it is not
        if self._shed and now - self._told_at > TELL_AGAIN:
            told = (
                f"This machine does not keep up: {self._shed:.1f} s of what came from the microphone were "
                "not listened to. Hold fewer conversations at once, or choose a faster recogniser."
            )
            self._shed, self._told_at = 0.0, now
            self._owner.trouble(ErrorCode.RESOURCE_EXHAUSTED, told)
        self._go_on()

    def mark(self, item: Speaking | ActivityStarted | ActivityEnded | StreamEnded) -> None:
        """Something happened at this place of the audio."""
        if not self._deaf:
            self._backlog.mark(item)
            self._go_on()

    def refuse(self, why: str, code: ErrorCode = ErrorCode.INVALID_REQUEST) -> None:
        """Tells that something is left out, and why (rule 3)."""
        if why not in self._told and len(self._told) < REASONS:
            self._told.add(why)
            self._owner.trouble(code, why)

    def leave(self) -> None:
        """Listens no more. Twice is fine."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._lane.leave()

    async def close(self) -> None:
        """The same, and waits for what is being listened to; a bounded time."""
        self.leave()
        await self._lane.close(CLOSE_TIMEOUT)

    def _opened(self, microphone: Microphone) -> None:
        self._microphone = microphone
        self._owner.ready()
        self._go_on()

    def _go_on(self) -> None:
        if self._microphone is not None and self._backlog and not (self._lane.busy or self._over):
            self._lane.do(partial(self._microphone.take, self._backlog.take(_BATCH)), self._listened)

    def _listened(self, report: Report) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._relieved()
        if report.error is not None:
            self._tell(report.error)
        for news in report.news:
            if not self._over:
                self._owner.news(news)
        if report.deadline is not None and not (self._backlog or self._over):
            self._timer = self._loop.call_at(report.deadline, self._nothing_comes, report.deadline)
        self._go_on()

    def _nothing_comes(self, deadline: float) -> None:
        self._timer = None
        self._backlog.mark(Late(deadline))
        self._go_on()

    def _relieved(self) -> None:
        if self.full and self._backlog.seconds < FULL / 2:
            self.full = False
            self._owner.writable()

    def _failed(self, error: Exception) -> None:
        """There is no microphone: the conversation goes on as it can, by text."""
        self._deaf = True
        self._tell(error)
        self._backlog = Backlog()
        self._relieved()
        self._owner.ready()

    def _tell(self, error: Exception) -> None:
        log.error("Listening failed.", exc_info=error)
        said = f"What came from the microphone could not be listened to: {type(error).__name__}: {error}"
        self.refuse(said, ErrorCode.UNAVAILABLE)


def _rate(mime_type: str) -> int:
    """Hertz of mono PCM. Raises `UnknownMimeType` for anything else."""
    rate = pcm_rate(mime_type)
    many = _CHANNELS.search(mime_type)
    if many is not None and many[1] != "1":
        raise UnknownMimeType(f"{mime_type!r}: send one channel; {many[1]} are not told apart here.")
    if rate is None or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise UnknownMimeType(
            f"{mime_type!r}: send PCM between {LOWEST_RATE} and {HIGHEST_RATE} Hz, best of 16000 Hz."
        )
    return rate
