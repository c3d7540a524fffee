"""What goes over the wire, with the time in it: every frame of sound begins with when it was sent.

The first nine bytes of the sound are a stamp: `time.monotonic_ns()`, which all processes of a machine share,
and the frame's number, modulo 256. Nine bytes are twelve characters of base64, so that a frame is made by
writing these over the ones of a ready frame. Downstream, three more bytes tell the model's own number of the
conversation.
"""

from __future__ import annotations

import json
import time
from binascii import a2b_base64, b2a_base64
from struct import Struct
from typing import Any, Final

from benchmarks.work import CHUNK_MIME_TYPE, FRAME, PCM

__all__ = [
    "CHUNK_BYTES",
    "CHUNK_SECONDS",
    "FRAME_BYTES",
    "FRAME_SECONDS",
    "INTERRUPTED",
    "SETUP",
    "SETUP_COMPLETE",
    "TOOL_CALLS",
    "TURN_END",
    "Chunk",
    "Frame",
    "line_of",
    "stamp",
    "stamp_in",
    "stamp_of",
]

FRAME_BYTES: Final = len(PCM)
FRAME_SECONDS: Final = 0.04
CHUNK_BYTES: Final = 3_200
"""100 ms at 16 kHz, what a browser sends at once."""
CHUNK_SECONDS: Final = 0.1

_STAMP: Final = Struct("<QB")
_STAMPED: Final = 12
"""Characters of base64 that a stamp takes."""
_COMMON: Final = bytes.maketrans(b"-_", b"+/")


def _json(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


SETUP: Final = _json({"setup": {"model": "models/gemini-3.8-live"}})
SETUP_COMPLETE: Final = _json({"setupComplete": {}})
TURN_END: Final = (
    _json({"serverContent": {"generationComplete": True}}),
    _json({"serverContent": {"turnComplete": True}}),
)
INTERRUPTED: Final = _json({"serverContent": {"interrupted": True}})
TOOL_CALLS: Final = {
    ending: _json({"toolCall": {"functionCalls": [{"id": "call-%d", "name": name, "args": {}}]}})
    for ending, name in (("tool", "crunch"), ("tool_apart", "crunch_apart"))
}
"""Of a tool that computes in a thread, and of one in a process of its own, by the ending that has them."""


def stamp(number: int) -> bytes:
    """Of a frame that leaves now."""
    return _STAMP.pack(time.monotonic_ns(), number & 255)


def stamp_of(sound: bytes | memoryview, at: int = 0) -> tuple[int, int]:
    """Nanoseconds and number that the sound at this place begins with."""
    sent, number = _STAMP.unpack_from(sound, at)
    return sent, number


def stamp_in(message: bytes) -> tuple[int, int, int] | None:
    """Nanoseconds, number, and line of the sound in a message of JSON; `None` where there is none."""
    key = message.find(b'"data"')
    if key < 0:
        return None
    begin = message.index(b'"', key + 6) + 1
    sound = a2b_base64(message[begin : begin + _STAMPED + 4].translate(_COMMON))
    return (*stamp_of(sound), line_of(sound))


def line_of(sound: bytes | memoryview, at: int = 0) -> int:
    """The model's number of the conversation that this frame of it belongs to."""
    return int.from_bytes(sound[at + 9 : at + 12], "little")


class Frame:
    """Downstream: a line's frames, each 40 ms of the model's speech, in Gemini's JSON."""

    def __init__(self, line: int) -> None:
        self._head, _, rest = FRAME.partition(b2a_base64(PCM[:9], newline=False))
        self._tail = b2a_base64(line.to_bytes(3, "little"), newline=False) + rest[4:]

    def made(self, number: int) -> bytes:
        return b"".join((self._head, b2a_base64(stamp(number), newline=False), self._tail))


class Chunk:
    """Upstream: 100 ms of the microphone, in Gemini's JSON."""

    def __init__(self) -> None:
        data = b2a_base64(bytes(CHUNK_BYTES), newline=False).decode()
        whole = _json({"realtimeInput": {"audio": {"mimeType": CHUNK_MIME_TYPE, "data": data}}})
        self._head, key, rest = whole.partition(b'"data":"')
        self._head += key
        self._tail = rest[_STAMPED:]

    def made(self, number: int) -> bytes:
        return b"".join((self._head, b2a_base64(stamp(number), newline=False), self._tail))
