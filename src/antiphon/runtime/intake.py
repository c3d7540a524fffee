"""What the user sends, on its way from the queue to the conversation: in order, while the model keeps up."""

from __future__ import annotations

import asyncio
import contextlib
from threading import get_ident
from typing import TYPE_CHECKING, Final

from antiphon.core.signals import (
    Signal,
    UserActivity,
    UserLeaving,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.types import Blob

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.queue import LiveRequestQueue
    from antiphon.requests import LiveRequest
    from antiphon.runtime.streams import InputStreams

__all__ = ["BURST", "Intake"]

BURST: Final = 256
"""Requests taken from the user's queue before everyone else has a turn."""


class Intake:
    """Takes requests from the user's queue and gives them to `feed` as signals, media to `streams` too.

    To be made on the conversation's loop. While `writable` says that the model takes no more, requests stay
    in the queue, where the oldest media is shed; whoever sees that change calls `drain`. With `keep_shed`
    what is shed is fed all the same, marked as such: it is recorded.
    """

    def __init__(
        self,
        queue: LiveRequestQueue,
        feed: Callable[[Signal], None],
        writable: Callable[[], bool],
        streams: InputStreams,
        *,
        keep_shed: bool = False,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._home_thread = get_ident()
        self._lanes = queue.lanes
        self._feed = feed
        self._writable = writable
        self._keep_shed = keep_shed
        self._streams = streams
        self._copies = streams.copies
        self._draining = False
        self._stopped = False

    def open(self) -> None:
        """Claims the queue. Raises `QueueInUse`, `QueueClosed`."""
        self._lanes.attach(self._wake, keep_shed=self._keep_shed, at_once=self._take_at_once)

    def stop(self) -> None:
        """Takes nothing any more."""
        self._stopped = True

    def close(self) -> None:
        """Gives the queue back; what still waits in it stays."""
        self._lanes.detach()

    def _wake(self) -> None:
        """Something is in the queue; called from any thread. On the loop it is taken at once."""
        if self._draining:
            return
        if get_ident() == self._home_thread and self._loop.is_running():
            self.drain()
            return
        self._draining = True
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody takes anything any more
            self._loop.call_soon_threadsafe(self.drain)

    def _take_at_once(self, media: Blob) -> bool:
        """Takes media past the queue, as nearly all of it: nothing waits there. False on another thread."""
        if self._draining or self._stopped or get_ident() != self._home_thread or not self._loop.is_running():
            return False
        if not self._writable():
            return False
        if self._copies:
            self._streams.give(media)
        self._feed(UserMedia(media))
        return True

    def drain(self) -> None:
        """Takes what the user sent, while the model keeps up."""
        self._draining = False
        lanes = self._lanes
        if (playback := lanes.take_playback()) is not None and not self._stopped:
            self._feed(UserPlayed(playback.played_ms, playback.turn))
        for _ in range(BURST):
            if self._stopped:
                return
            if self._keep_shed and (shed := lanes.take_shed()) is not None:
                self._feed(UserMedia(shed, shed=True))
                continue
            if not self._writable():
                if lanes.closed:
                    self._feed(UserLeaving())
                return
            request = lanes.take()
            if isinstance(request, Blob):
                self._streams.give(request)
                self._feed(UserMedia(request))
            elif request is not None:
                if request.close:
                    self._streams.end()
                for signal in _signals(request):
                    self._feed(signal)
            if not lanes.depth:
                return
        self._draining = True
        self._loop.call_soon(self.drain)


def _signals(request: LiveRequest) -> list[Signal]:
    """What a request from the user means."""
    if request.content is not None:
        return [UserTurn(request.content, request.partial, request.state_delta)]
    before: list[Signal] = [UserState(request.state_delta)] if request.state_delta else []
    if request.activity_start is not None:
        return [*before, UserActivity("start")]
    if request.activity_end is not None:
        return [*before, UserActivity("end")]
    if request.stop:
        return [*before, UserActivity("stop")]
    if request.audio_stream_end:
        return [*before, UserStreamEnd()]
    if request.playback is not None:
        return [*before, UserPlayed(request.playback.played_ms, request.playback.turn)]
    return [*before, UserLeft()] if request.close else before
