"""Where what the user sends waits for the model (contract, section 2).

One order, two lanes. *Control* (content, tool results, activity signals, close) is never dropped; *media*
(audio chunks and video frames) is bounded, and when the model cannot keep up the oldest is dropped and
counted. Whatever is left comes out in the order it went in.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from typing import TYPE_CHECKING

from antiphon.errors import QueueClosed, QueueInUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.requests import LiveRequest, Playback
    from antiphon.types import Blob

__all__ = ["Lanes", "MediaLane"]


class MediaLane:
    """Audio chunks and images, the oldest of which are shed when too much waits.

    `max_audio` is in seconds, the other limits are numbers of blobs, or infinite. `report` is called with the
    number of blobs shed so far when a burst of them begins.
    """

    def __init__(
        self, max_audio: float, max_frames: float, max_images: float, report: Callable[[int], None]
    ) -> None:
        self.waiting: deque[tuple[int, Blob, float]] = deque()
        """Each with its place in the order, and its seconds, 0 for an image."""
        self.report = report
        self.dropped = 0
        self.in_burst = False
        self.shed: deque[Blob] | None = None
        """What was shed, where it is kept: `max_frames` of it."""
        self.most_kept = int(min(max_frames, sys.maxsize))
        self._max_frames = max_frames
        self._max_audio = max_audio
        self._max_images = max_images
        self._audio = 0.0
        self._images = 0

    def put(self, order: int, media: Blob, seconds: float) -> bool:
        """Whether this begins a burst of shedding, to be told by `tell`."""
        self.waiting.append((order, media, seconds))
        self._audio += seconds
        self._images += not seconds
        begins = False
        while len(self.waiting) > 1 and (
            self._audio > self._max_audio
            or len(self.waiting) > self._max_frames
            or self._images > self._max_images
        ):
            oldest = self.pop()
            self.dropped += 1
            if self.shed is not None:
                self.shed.append(oldest)
            begins = begins or not self.in_burst
            self.in_burst = True
        return begins

    def tell(self) -> None:
        self.report(self.dropped)

    def pop(self) -> Blob:
        _, media, seconds = self.waiting.popleft()
        self._audio -= seconds
        self._images -= not seconds
        return media


class Lanes:
    """What waits in one `LiveRequestQueue`. Every method returns at once; any thread may call."""

    def __init__(self, media: MediaLane) -> None:
        self.closed = False
        self._lock = threading.Lock()
        self._control: deque[tuple[int, LiveRequest]] = deque()
        self.media = media
        self._order = 0
        self._playback: Playback | None = None
        self._wake: Callable[[], None] | None = None
        self._at_once: Callable[[Blob], bool] | None = None

    @property
    def depth(self) -> int:
        """Requests waiting for the model."""
        return len(self._control) + len(self.media.waiting)

    @property
    def dropped(self) -> int:
        """Media dropped so far, because the model could not keep up."""
        return self.media.dropped

    # What comes in.

    def put_media(self, media: Blob, seconds: float) -> None:
        """An audio chunk of so many seconds, or an image, of 0. Raises `QueueClosed`."""
        at_once, lane = self._at_once, self.media
        if at_once is not None and not (lane.waiting or self._control or self.closed or lane.shed):
            if at_once(media):
                lane.in_burst = False
                return
        with self._lock:
            self._refuse_if_closed()
            begins = lane.put(self._order, media, seconds)
            self._order += 1
            wake = self._wake
        if begins:
            lane.tell()
        if wake is not None:
            wake()

    def put_control(self, request: LiveRequest) -> None:
        """Anything else. Raises `QueueClosed`."""
        with self._lock:
            self._refuse_if_closed()
            self._control.append((self._order, request))
            self._order += 1
            wake = self._wake
        if wake is not None:
            wake()

    def put_playback(self, playback: Playback) -> None:
        """Goes before all that waits, since it is no news to the model; a newer report replaces an older.

        Raises `QueueClosed`.
        """
        with self._lock:
            self._refuse_if_closed()
            self._playback = playback
            wake = self._wake
        if wake is not None:
            wake()

    def close(self, request: LiveRequest) -> None:
        """Nothing comes in after this request; a second one is nothing."""
        with self._lock:
            if self.closed:
                return
            self.closed = True
            self._control.append((self._order, request))
            self._order += 1
            wake = self._wake
        if wake is not None:
            wake()

    # What goes out.

    def attach(
        self,
        wake: Callable[[], None],
        *,
        keep_shed: bool = False,
        at_once: Callable[[Blob], bool] | None = None,
    ) -> None:
        """Claims the queue; `wake` is called, from any thread, when there is something to `take`.

        Media for which nothing has to wait is given to `at_once`, from any thread; what that leaves with
        False goes into the queue. With `keep_shed` what is shed is kept for `take_shed`, `max_frames` of it.

        Raises `QueueInUse` when another invocation holds it (contract 1.4), and `QueueClosed` when it was
        closed and nothing waits in it any more: nothing could ever come out of it.
        """
        with self._lock:
            if self.closed and not self.depth:
                raise QueueClosed("This LiveRequestQueue has served its conversation; make one for each.")
            if self._wake is not None:
                raise QueueInUse(
                    "This LiveRequestQueue already serves a run_live(); make one per conversation."
                )
            self._wake, self._at_once = wake, at_once
            self.media.shed = deque(maxlen=self.media.most_kept) if keep_shed else None

    def detach(self) -> None:
        """Gives the queue back; what still waits in it stays."""
        with self._lock:
            self._wake = self._at_once = self.media.shed = None

    def take(self) -> LiveRequest | Blob | None:
        """The next request in order, or `None`. Media is a bare blob; what came with it stands before it."""
        with self._lock:
            media = self.media.waiting
            if media and (not self._control or media[0][0] < self._control[0][0]):
                return self.media.pop()
            self.media.in_burst = False
            return self._control.popleft()[1] if self._control else None

    def take_shed(self) -> Blob | None:
        """The oldest media that was dropped, if it was to be kept: it is older than what `take` gives."""
        shed = self.media.shed
        return shed.popleft() if shed else None

    def take_playback(self) -> Playback | None:
        """The newest report of what was heard, once."""
        if self._playback is None:  # nearly always, so without the lock
            return None
        with self._lock:
            playback, self._playback = self._playback, None
            return playback

    def _refuse_if_closed(self) -> None:
        if self.closed:
            raise QueueClosed("The queue is closed: nothing can be sent after close().")
