"""The user's half of a tape, played into a queue."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any, assert_never

from antiphon.core.signals import (
    AppLeft,
    UserActivity,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.errors import QueueClosed
from antiphon.requests import LiveRequest, Playback
from antiphon.types import ActivityEnd, ActivityStart

if TYPE_CHECKING:
    from antiphon.models.replay_script import Script, UserRequest
    from antiphon.queue import LiveRequestQueue

__all__ = ["RecordedUser"]


class RecordedUser:
    """What the user did, each thing once all it followed on has come to pass; into `queue`, if any."""

    def __init__(self, script: Script, speed: float | None) -> None:
        self.queue: LiveRequestQueue | None = None
        self._deeds = deque(script.user)
        self._ahead = deque(script.milestones)
        self._early: set[int] = set()
        self._speed = speed
        self._started = False
        self._waiting: asyncio.Handle | None = None
        self._delta: dict[str, Any] | None = None

    def start(self) -> None:
        """The conversation has begun."""
        if not self._started:
            self._started = True
            self._next()

    def passed(self, *places: int) -> None:
        """These have come to pass."""
        self._early.update(places)
        while self._ahead and self._ahead[0] in self._early:
            self._early.remove(self._ahead.popleft())
        self._next()

    def _next(self) -> None:
        if self.queue is None or not self._started or self._waiting is not None or not self._deeds:
            return
        deed = self._deeds[0]
        if self._ahead and self._ahead[0] < deed.place:
            return
        loop = asyncio.get_running_loop()
        wait = deed.gap / self._speed if self._speed is not None else 0.0
        self._waiting = loop.call_later(wait, self._do) if wait else loop.call_soon(self._do)

    def _do(self) -> None:
        self._waiting = None
        queue, deed = self.queue, self._deeds.popleft()
        signal = deed.signal
        if isinstance(signal, UserState):  # what it came with is next
            self._delta = signal.delta
        elif queue is not None:
            with suppress(QueueClosed):  # the application has closed it: then the user says nothing more
                queue.send(_request(signal, self._delta))
            self._delta = None
        self._next()


def _request(signal: UserRequest, delta: dict[str, Any] | None) -> LiveRequest:
    """`delta`: changes of the state that came with it."""
    match signal:
        case UserMedia(blob):
            return LiveRequest(blob=blob, state_delta=delta)
        case UserTurn(content, partial, own):
            return LiveRequest(content=content, partial=partial, state_delta=own)
        case UserActivity("start"):
            return LiveRequest(activity_start=ActivityStart(), state_delta=delta)
        case UserActivity("stop"):
            return LiveRequest(stop=True, state_delta=delta)
        case UserActivity():
            return LiveRequest(activity_end=ActivityEnd(), state_delta=delta)
        case UserStreamEnd():
            return LiveRequest(audio_stream_end=True, state_delta=delta)
        case UserPlayed(played_ms, turn):
            return LiveRequest(playback=Playback(played_ms=played_ms, turn=turn), state_delta=delta)
        case UserLeft() | AppLeft():
            return LiveRequest(close=True, state_delta=delta)
        case _:
            assert_never(signal)
