"""What a client has to send, and what of it the server has not acknowledged: pure, no sockets.

Rule 1  Messages and media keep the order in which they were given. Reports of playback and acknowledgements
        go before them, and only the newest counts.
Rule 2  A message is kept until the server has it. After a break those are sent again, before all else.
Rule 3  Sound beyond `keep` seconds, and images beyond two, are shed, oldest first. Messages beyond a thousand
        are refused: somebody talks to nobody.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from antiphon.client.errors import BacklogFull
from antiphon.server import messages
from antiphon.server.messages import PCM, Buffer, Media, Numbered
from antiphon.server.wire import encode

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Uplink"]

MOST_MESSAGES: Final = 1000
MOST_IMAGES: Final = 2
ACK_EVERY: Final = 32

Frame: TypeAlias = str | bytes


class Uplink:
    """Times are seconds of any clock."""

    def __init__(self, keep: float) -> None:
        self._keep = keep
        self._n = 0
        self._lane: deque[Numbered | Media] = deque()
        self._sent: deque[Numbered] = deque()
        self._seconds = 0.0
        self._playback: dict[int, int] = {}
        self._seq = 0
        self._acknowledged = 0
        self._frames = 0
        self._began: float | None = None
        self._closed = False
        self.shed = 0
        """Frames of sound and images that were never sent."""

    def say(self, make: Callable[[int], Numbered]) -> int:
        """Adds the message that `make` makes of its number; returns the number. Raises `BacklogFull`."""
        if self._closed:
            return self._n
        if len(self._sent) + sum(not isinstance(each, Media) for each in self._lane) >= MOST_MESSAGES:
            raise BacklogFull(f"{MOST_MESSAGES} messages wait for the server: wait for `Connected`.")
        self._n += 1
        self._lane.append(make(self._n))
        return self._n

    def add_media(self, kind: int, data: Buffer, rate: int, now: float) -> None:
        """Adds PCM at `rate` hertz, or an image at rate 0."""
        if self._closed:
            return
        self._began = now if self._began is None else self._began
        self._lane.append(Media(kind, data, rate, at=round(1000 * (now - self._began))))
        if kind != PCM:
            images = [each for each in self._lane if isinstance(each, Media) and each.kind != PCM]
            if len(images) > MOST_IMAGES:
                self._drop(images[0])
            return
        self._seconds += _seconds(self._lane[-1])
        while self._seconds > self._keep and self._seconds > _seconds(self._lane[-1]):
            self._drop(next(each for each in self._lane if isinstance(each, Media) and each.kind == PCM))

    def report_playback(self, stream: int, played: int) -> None:
        """So many milliseconds of an answer were heard."""
        self._playback[stream] = played

    def acknowledge(self, seq: int) -> None:
        """Everything down to `seq` was processed."""
        self._seq = seq

    @property
    def owes(self) -> bool:
        """Whether something was processed that the server does not know of."""
        return self._seq > self._acknowledged

    def next(self, idle: bool = False) -> Frame | None:
        """The next frame to send, `None` when there is none now.

        Acknowledgements come when many messages were processed, or any and it is `idle`.
        """
        if self.owes and (idle or self._seq - self._acknowledged >= ACK_EVERY):
            self._acknowledged = self._seq
            return encode(messages.Ack(self._seq))
        if self._playback:
            stream = next(iter(self._playback))
            return encode(messages.Playback(stream, self._playback.pop(stream)))
        if not self._lane:
            return None
        message = self._lane.popleft()
        if isinstance(message, Media):
            self._seconds -= _seconds(message)
            message = replace(message, number=self._frames)
            self._frames += 1
        else:
            self._sent.append(message)
        return encode(message)

    def received(self, n: int) -> None:
        """The server has all messages up to `n`."""
        while self._sent and self._sent[0].n <= n:
            self._sent.popleft()

    def come_back(self, received: int) -> None:
        """There is a new socket; the server has all messages up to `received`."""
        self.received(received)
        self._lane.extendleft(reversed(self._sent))
        self._sent.clear()
        self._acknowledged = self._seq  # by its hello

    def begin_anew(self) -> None:
        """The conversation is gone, and another begins: of what the server may not have, texts are said
        there."""
        texts = [each.text for each in (*self._sent, *self._lane) if isinstance(each, messages.Text)]
        self._lane.clear()
        self._sent.clear()
        self._playback.clear()
        self._began = None
        self._n, self._frames, self._seconds = len(texts), 0, 0.0
        self._seq = self._acknowledged = 0
        self._lane.extend(messages.Text(n, text) for n, text in enumerate(texts, 1))

    def close(self) -> None:
        """The conversation is over: what is said now is late, and not wrong."""
        self._closed = True
        self._lane.clear()

    def _drop(self, media: Media) -> None:
        self._lane.remove(media)
        self._seconds -= _seconds(media)
        self.shed += 1


def _seconds(message: Numbered | Media) -> float:
    return len(message.data) / 2 / message.rate if isinstance(message, Media) and message.rate else 0.0
