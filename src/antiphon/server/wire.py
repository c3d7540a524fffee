"""The codec of `antiphon.v1` (docs/protocol.md), for both ends and both directions: pure, no sockets.

A text frame is a `str`, a binary frame is bytes. `decode_up` and `decode_down` make a message of either and
raise nothing but `Malformed`; `encode` makes the frame, and trusts the program that made the message.
"""

from __future__ import annotations

import re
import struct
import typing
from dataclasses import MISSING, fields, is_dataclass
from math import isfinite
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    TypeAlias,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

from pydantic_core import from_json, to_json

from antiphon.server import messages
from antiphon.server.messages import JPEG, PCM, PNG, Buffer, Media

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from antiphon.server.messages import ControlDown, ControlUp, Down, Limits, Unknown, Up

__all__ = ["DEEPEST", "HEADER_BYTES", "Malformed", "decode_down", "decode_up", "encode", "pcm_frame"]

DEEPEST: Final = 16
"""Levels of JSON that a client may send (protocol 7.4)."""
HEADER_BYTES: Final = 16

_HEADER: Final = struct.Struct(">BxHIII")
_KINDS: Final = {PCM: "PCM", JPEG: "JPEG", PNG: "PNG"}
_RATES: Final = range(8000, 48001, 100)
_NUMBERS: Final = get_args(messages.Number)[1]
_LIMITS: Final = messages.Limits()
_REPORT: Final = re.compile(r'\{"type":"playback","stream":([1-9][0-9]{0,8}),"played":(0|[1-9][0-9]{0,8})\}')
_READY_EVENT: Final = re.compile(r'\{"type":"event","seq":([1-9]\d{0,15}),"event":(\{.*\})\}', re.DOTALL)


class Malformed(ValueError):
    """A frame that breaks the protocol; its text says what to send instead.

    `code` is one of protocol 7.1; `close` the closing code (7.2) where the conversation cannot go on with it,
    `None` where an `error` is answer enough; `n` the number of the message, where it had one.
    """

    def __init__(self, code: str, message: str, close: int | None = None, n: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.close = close
        self.n = n


def decode_up(frame: str | Buffer, limits: Limits = _LIMITS) -> Up:
    """What a client sent: a text frame as `str`, a binary frame as bytes. Raises `Malformed`.

    The sound or image of a binary frame is a view of `frame`, not a copy.
    """
    if not isinstance(frame, str):
        _fits("binary", len(frame), limits.media_bytes)
        return _media_up(frame)
    if report := _REPORT.fullmatch(frame):  # several a second: read without a parser
        return messages.Playback(int(report[1]), int(report[2]))
    _fits("text", len(frame) if frame.isascii() else len(frame.encode("utf-8", "replace")), limits.text_bytes)
    said = _object(frame)
    if _deeper(said, DEEPEST):
        raise Malformed("bad_message", f"Send JSON of at most {DEEPEST} levels.", 1007)
    kind = said.get("type")
    if reader := _UP.get(kind) if isinstance(kind, str) else None:
        return cast("Up", _read(reader, said))
    n = _number_of(said)
    if isinstance(kind, str):
        raise Malformed("unknown_type", f"{kind[:40]!r} is none of the types {', '.join(_UP)}.", n=n)
    raise Malformed("bad_message", "Send an object with a `type`, a string.", n=n)


def decode_down(frame: str | Buffer) -> Down | Unknown:
    """What a server sent: a text frame as `str`, a binary frame as bytes. Raises `Malformed`.

    The sound of a binary frame is a view of `frame`, not a copy.
    """
    if not isinstance(frame, str):
        return _media_down(frame)
    if (ready := _READY_EVENT.fullmatch(frame)) and int(ready[1]) in _NUMBERS:
        try:
            _object(ready[2])
        except Malformed:
            pass  # further fields, or no JSON at all: the long way tells
        else:
            return messages.Event(int(ready[1]), ready[2])
    said = _object(frame)
    kind = said.get("type")
    if not isinstance(kind, str):
        raise Malformed("bad_message", "Send an object with a `type`, a string.")
    if reader := _DOWN.get(kind):
        return cast("Down", _read(reader, said))
    return messages.Unknown(kind, seq if type(seq := said.get("seq")) is int else None)


@overload
def encode(message: Media) -> bytes: ...
@overload
def encode(message: ControlUp | ControlDown) -> str: ...
@overload
def encode(message: Up | Down) -> str | bytes: ...
def encode(message: Up | Down) -> str | bytes:
    """The frame of a message: bytes for `Media`, else `str`.

    Raises `ValueError` for sound at a rate that the header has no number for.
    """
    match message:
        case Media(kind, data, rate, stream, number, at):
            if rate % 100:
                raise ValueError(f"Sound at {rate} Hz: resample it to a multiple of 100 Hz.")
            return b"".join((_HEADER.pack(kind, rate // 100, stream, number, at), data))
        case messages.Event(seq, event):
            return f'{{"type":"event","seq":{seq},"event":{event}}}'
    return to_json({"type": _TYPES[type(message)], **_fields_of(message)}).decode()


def pcm_frame(data: bytes, rate: int, stream: int, number: int, at: int) -> bytes:
    """The frame of a chunk of sound at a multiple of 100 Hz: `encode` of such a `Media`."""
    return _HEADER.pack(PCM, rate // 100, stream, number, at) + data


# --- binary frames ------------------------------------------------------------------------------------


def _media_up(frame: Buffer) -> Media:
    media = _media(frame)
    if media.stream:
        raise Malformed("bad_message", f"Send media with stream 0, not {media.stream}.")
    if media.kind != PCM and media.rate:
        raise Malformed("bad_message", f"Send a {_KINDS[media.kind]} with rate 0, not {media.rate // 100}.")
    return media


def _media_down(frame: Buffer) -> Media:
    media = _media(frame)
    if media.kind != PCM or not media.stream:
        raise Malformed("bad_message", "Send only PCM, and say which answer it belongs to.")
    return media


def _media(frame: Buffer) -> Media:
    if len(frame) <= HEADER_BYTES:
        raise Malformed(
            "bad_message", f"Send a header of {HEADER_BYTES} bytes and a payload; {len(frame)} bytes came."
        )
    kind, rate, stream, number, at = _HEADER.unpack_from(frame)
    data = memoryview(frame)[HEADER_BYTES:]
    if kind not in _KINDS:
        raise Malformed("bad_message", f"Send media of kind 1 (PCM), 2 (JPEG) or 3 (PNG), not {kind}.")
    if kind == PCM and rate * 100 not in _RATES:
        raise Malformed("bad_message", f"Send sound at 8 to 48 kHz (a rate of 80 to 480), not {rate}.")
    if kind == PCM and len(data) % 2:
        raise Malformed("bad_message", f"Send whole samples of 16 bits; {len(data)} bytes came.")
    return Media(kind, data, rate * 100, stream, number, at)


# --- text frames --------------------------------------------------------------------------------------


def _fits(kind: str, size: int, most: int) -> None:
    if size > most:
        raise Malformed("too_long", f"Send {kind} frames of at most {most} bytes; {size} came.", 1009)


def _object(text: str) -> dict[str, Any]:
    try:
        said = from_json(text, allow_inf_nan=False, cache_strings="keys")
    except (ValueError, TypeError) as error:  # TypeError: half of a surrogate pair
        raise Malformed("bad_message", f"Send JSON in UTF-8 ({error}).", 1007) from None
    if not isinstance(said, dict):
        raise Malformed("bad_message", "Send a JSON object.", 1007)
    return said


def _number_of(said: dict[str, Any]) -> int | None:
    n = said.get("n")
    return n if type(n) is int and n in _NUMBERS else None


def _deeper(said: Any, levels: int) -> bool:
    """Whether arrays and objects lie more than `levels` deep. The parser bounds how deep this can get."""
    inside: Iterable[Any]
    match said:
        case dict():
            inside = said.values()
        case list():
            inside = said
        case _:
            return False
    return levels == 0 or any(_deeper(each, levels - 1) for each in inside)


def _fields_of(message: Any) -> dict[str, Any]:
    """What is not `None`, nor an object of nothing else."""
    found = {each.name: getattr(message, each.name) for each in fields(message)}
    found = {name: _fields_of(value) if is_dataclass(value) else value for name, value in found.items()}
    return {name: value for name, value in found.items() if value is not None and value != {}}


# --- what a field may hold, by its type hint ------------------------------------------------------------


class _Unfit(Exception):
    """A value that its field cannot have: what it must be, and the way to it, innermost name first."""


Reader: TypeAlias = "Callable[[Any], Any]"


def _holding(words: str, holds: Callable[[Any], bool]) -> Reader:
    def read(value: Any) -> Any:
        if not holds(value):
            raise _Unfit(words)
        return value

    return read


_TEXT: Final = _holding("a string", lambda value: isinstance(value, str))
_FLAG: Final = _holding("true or false", lambda value: isinstance(value, bool))
_AMOUNT: Final = _holding(
    "a number from 0", lambda value: type(value) in (int, float) and isfinite(value) and value >= 0
)


def _reader(hint: Any) -> Reader:
    """Reads what the hint of a field says; a hint that is not among these is a mistake in `messages`."""
    if hint in (str, bool, float):
        return {str: _TEXT, bool: _FLAG, float: _AMOUNT}[hint]
    if is_dataclass(hint):
        return _object_of(cast("type", hint))
    match get_origin(hint), get_args(hint):
        case typing.Annotated, (_, range() as bounds):
            return _integer(bounds)
        case typing.Annotated, _:
            return _ready_json
        case typing.Literal, choices:
            words = " or ".join(f'"{each}"' for each in choices)
            return _holding(words, lambda value: value in choices)
        case origin, (one, other) if origin is tuple:
            return _pair(_reader(one), _reader(other))
    optional, _ = get_args(hint)
    return _reader(optional)


def _integer(bounds: range) -> Reader:
    words = f"an integer from {bounds[0]} to {bounds[-1]}"
    return _holding(words, lambda value: type(value) is int and value in bounds)


def _ready_json(value: Any) -> str:
    if not isinstance(value, dict):
        raise _Unfit("an object")
    return to_json(value).decode()


def _pair(one: Reader, other: Reader) -> Reader:
    def read(value: Any) -> tuple[Any, Any]:
        if not isinstance(value, list) or len(value) != 2:
            raise _Unfit("an array of two")
        return one(value[0]), other(value[1])

    return read


def _object_of(kind: type) -> Reader:
    """Reads an object as the dataclass `kind`; what has a default there may be left out, or `null`."""
    hints = get_type_hints(kind, include_extras=True)
    readers = {each.name: _reader(hints[each.name]) for each in fields(kind)}
    optional = {
        each.name for each in fields(kind) if (each.default, each.default_factory) != (MISSING, MISSING)
    }

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _Unfit("an object")
        found = {}
        for name, reader in readers.items():
            if (given := value.get(name)) is not None or name not in optional:
                try:
                    found[name] = reader(given)
                except _Unfit as unfit:
                    raise _Unfit(*unfit.args, name) from None
        return kind(**found)

    return read


def _read(reader: Reader, said: dict[str, Any]) -> Any:
    try:
        return reader(said)
    except _Unfit as unfit:
        words, *way = unfit.args
        place = ".".join(reversed(way))
        raise Malformed(
            "bad_message", f"In {said['type']!r}, `{place}` must be {words}.", n=_number_of(said)
        ) from None


_UP: Final = {name: _object_of(kind) for name, kind in messages.UP.items()}
_DOWN: Final = {name: _object_of(kind) for name, kind in messages.DOWN.items()}
_TYPES: Final = {kind: name for name, kind in (*messages.UP.items(), *messages.DOWN.items())}
