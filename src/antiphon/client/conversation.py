"""A conversation with a server by `antiphon.v1` (docs/protocol.md), over as many sockets as it takes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Literal, Self
from uuid import uuid4

from antiphon.client.door import Door
from antiphon.client.downlink import Downlink
from antiphon.client.link import Link
from antiphon.client.uplink import Uplink
from antiphon.config import Retry
from antiphon.server import messages
from antiphon.server.messages import JPEG, PCM, PNG, Limits
from antiphon.server.wire import HEADER_BYTES, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from ssl import SSLContext

    from antiphon.client.door import Token
    from antiphon.client.items import Item
    from antiphon.server.messages import Buffer, Numbered, ServerHello

__all__ = ["Conversation", "connect"]

KEEP: Final = 5.0
"""Seconds of sound that wait for a socket before the oldest is shed."""
SLICE: Final = 0.1
"""Seconds of sound in one frame, at most."""
_IMAGES: Final = {"image/jpeg": JPEG, "image/png": PNG}


@asynccontextmanager
async def connect(
    url: str,
    *,
    user_id: str,
    session_id: str | None = None,
    token: Token = None,
    modality: Literal["AUDIO", "TEXT"] | None = None,
    proactivity: bool | None = None,
    affective_dialog: bool | None = None,
    manual_activity: bool | None = None,
    watch: bool = False,
    retry: Retry | None = None,
    ssl: SSLContext | None = None,
) -> AsyncIterator[Conversation]:
    """A conversation at the server `url`, open as long as the `async with` block.

    `session_id` is made up when it is `None`. `token` is sent as a bearer token; a function that returns
    one is asked for each socket. `modality` and what follows count where the conversation is new; `watch`
    comes without taking the floor. `retry` says how a lost server is tried again.

    Raises `ConversationRefused` and, where the server cannot be reached at first, `ConversationLost`; later
    both are raised by iterating. `ValueError` for an address that is none.
    """
    config = messages.Config(modality, proactivity, affective_dialog, manual_activity)
    session_id = uuid4().hex if session_id is None else session_id
    door = Door(url, user_id, session_id, token, ssl)
    link = Link(door, Uplink(KEEP), Downlink(config, watch), retry or Retry(attempts=12))
    try:
        await link.begin()
        yield Conversation(link, session_id)
    finally:
        await link.leave()


class Conversation:
    """What `connect` gives: iterate over it, in one task, for what comes; call the `send_…` methods for
    what goes.

    Sending never waits: while there is no socket, messages are kept and sent later, in order and once; of
    sound the newest five seconds are. After the end it does nothing. Everything is for the event loop it was
    made in.
    """

    def __init__(self, link: Link, session_id: str) -> None:
        self.session_id = session_id
        self._link = link
        self._uplink = link.uplink

    @property
    def hello(self) -> ServerHello | None:
        """What the server says of itself: capabilities, rates, limits; `None` as long as it did not."""
        return self._link.hello

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        """The next event or item. Raises `ConversationLost` and `ConversationRefused`."""
        return await anext(self._link.inbox)

    def send_text(self, text: str) -> int:
        """A typed turn. Returns its number, which a `Refused` would name.

        Raises `ValueError` for text that is too long or no Unicode, `BacklogFull` when a thousand messages
        wait.
        """
        size, most = len(encode(messages.Text(2**53 - 1, text)).encode()), self._limits.text_bytes
        if size > most:
            raise ValueError(
                f"The server takes messages of {most} bytes; this one has {size}: send it in parts."
            )
        return self._say(lambda n: messages.Text(n, text))

    def send_audio(self, pcm: Buffer, rate: int) -> None:
        """What the microphone hears: 16-bit little-endian mono PCM at `rate` hertz, a piece of any length.

        Raises `ValueError` for half a sample, or a rate that is no multiple of 100 from 8000 to 48000.
        """
        if rate % 100 or not 8000 <= rate <= 48000:
            raise ValueError(f"Sound at {rate} Hz: resample it to a multiple of 100 Hz from 8000 to 48000.")
        if len(pcm) % 2:
            raise ValueError(f"{len(pcm)} bytes of 16-bit samples: half a sample is missing.")
        now = asyncio.get_running_loop().time()
        size = 2 * min(round(rate * SLICE), (self._limits.media_bytes - HEADER_BYTES) // 2)
        for begin in range(0, len(pcm), size):
            self._uplink.add_media(PCM, bytes(pcm[begin : begin + size]), rate, now)
        self._link.wake()

    def send_image(self, data: Buffer, mime_type: str = "image/jpeg") -> None:
        """What the camera sees: a JPEG or PNG; at most `hello.limits.images_per_second`.

        Raises `ValueError` for another type, or more bytes than the server takes.
        """
        if mime_type not in _IMAGES:
            raise ValueError(f"{mime_type!r}: send an image/jpeg or image/png.")
        most = self._limits.media_bytes - HEADER_BYTES
        if not 0 < len(data) <= most:
            raise ValueError(f"An image of {len(data)} bytes: send one of at most {most}.")
        self._uplink.add_media(_IMAGES[mime_type], bytes(data), 0, asyncio.get_running_loop().time())
        self._link.wake()

    def send_activity_start(self) -> int:
        """The user begins to speak, where `manual_activity` was asked for."""
        return self._say(messages.ActivityStart)

    def send_activity_end(self) -> int:
        """The user has spoken, where `manual_activity` was asked for."""
        return self._say(messages.ActivityEnd)

    def send_audio_end(self) -> int:
        """The microphone is off for now."""
        return self._say(messages.AudioEnd)

    def stop(self, stream: int, played: int) -> int:
        """The user wants no more of an answer, of which `played` milliseconds were heard."""
        return self._say(lambda n: messages.Stop(n, stream, played))

    def take_floor(self) -> int:
        """A watcher speaks from now on."""
        return self._say(messages.Take)

    def report_playback(self, stream: int, played: int) -> None:
        """So many milliseconds of an answer were heard: after 250 ms, then every 500 ms, and after a `Flush`.

        Without it the record of an answer that was cut off says what was sent, not what was heard.
        `Player` reports by itself.
        """
        self._uplink.report_playback(stream, played)
        self._link.wake()

    def close(self) -> int:
        """The conversation is over, for a watcher only its own part. Iterating ends when the server
        agrees."""
        return self._say(messages.Close)

    @property
    def shed(self) -> int:
        """Frames of sound and images that were not sent, since there was no socket for too long."""
        return self._uplink.shed

    @property
    def _limits(self) -> Limits:
        return self._link.hello.limits if self._link.hello is not None else Limits()

    def _say(self, make: Callable[[int], Numbered]) -> int:
        n = self._uplink.say(make)
        self._link.wake()
        return n
