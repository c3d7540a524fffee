"""`LiveRequest`: one thing the user sends, and what may be in it (contract 2.5, 2.6, 2.7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import ConfigDict, Field, model_validator

from antiphon.errors import InvalidContent, UnknownMimeType
from antiphon.types.model import Model, later

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.types import ActivityEnd, ActivityStart, Blob, Content
else:
    ActivityEnd = later("antiphon.types.realtime", "ActivityEnd")
    ActivityStart = later("antiphon.types.realtime", "ActivityStart")
    Blob = later("antiphon.types.media", "Blob")
    Content = later("antiphon.types.content", "Content")

__all__ = ["KNOWN_MIME_TYPES", "LiveRequest", "Playback", "check_blob", "check_content", "pcm_rate", "read"]

_M = TypeVar("_M", bound=Model)

KNOWN_MIME_TYPES = ("audio/pcm", "image/jpeg", "image/png")
DEFAULT_RATE = 16_000

_CARRIED = (
    "content",
    "blob",
    "activity_start",
    "activity_end",
    "audio_stream_end",
    "stop",
    "playback",
    "close",
)
_WAV = ("audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave")
_SAYS = (
    "text",
    "inline_data",
    "file_data",
    "function_call",
    "function_response",
    "executable_code",
    "code_execution_result",
    "tool_call",
    "tool_response",
)
"""The fields of a part that say something by themselves; the others describe it."""


@lru_cache(maxsize=256)
def pcm_rate(mime_type: str) -> int | None:
    """The sample rate in hertz of `audio/pcm;rate=…` (16000 when unsaid), or `None` for an image.

    Raises `UnknownMimeType` for anything that is not 16-bit PCM, JPEG or PNG (contract 2.7).
    """
    kind, *parameters = (piece.strip().lower() for piece in mime_type.split(";"))
    if kind not in KNOWN_MIME_TYPES:
        trouble = f"{mime_type!r} cannot be sent in real time."
        if not kind:
            trouble = 'A blob needs its type: give mime_type, such as "audio/pcm;rate=16000".'
        elif kind in _WAV:
            trouble += " Strip the header and send the PCM, e.g. what wave.open(…).readframes(…) gives."
        raise UnknownMimeType(
            f"{trouble} Known types: {', '.join(KNOWN_MIME_TYPES)} "
            "(audio is 16-bit little-endian mono; say its rate as audio/pcm;rate=16000)."
        )
    if kind != "audio/pcm":
        return None
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "rate":
            if not value.isdigit() or not 1_000 <= int(value) <= 192_000:
                raise UnknownMimeType(f"{mime_type!r}: the rate must be a number of hertz, 1000 to 192000.")
            return int(value)
    return DEFAULT_RATE


class Playback(Model):
    """How far the client has played an answer: what the user has heard of it (contract 4.5)."""

    model_config = ConfigDict(extra="forbid")

    played_ms: float = Field(ge=0, allow_inf_nan=False)
    """Milliseconds from the first audio chunk of the answer to what is being heard now."""
    turn: int | None = Field(default=None, ge=0)
    """Which answer: how many `turn_complete` events came before it. Unset, the newest with audio."""


class LiveRequest(Model):
    """One message from the user: exactly one of the eight, else it is refused (contract 2.6)."""

    model_config = ConfigDict(extra="forbid")

    content: Content | None = None
    blob: Blob | None = None
    activity_start: ActivityStart | None = None
    activity_end: ActivityEnd | None = None
    audio_stream_end: bool = False
    stop: bool = False
    """No more of the answer that is being heard (contract 3.6)."""
    playback: Playback | None = None
    close: bool = False
    partial: bool = False
    """With `content`: more of the same turn follows, the model does not answer yet."""
    state_delta: dict[str, Any] | None = None
    """Changes to the session's state that land when this request is taken."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        said = [name for name in _CARRIED if getattr(self, name) not in (None, False)]
        if len(said) != 1:
            raise ValueError(
                f"a LiveRequest carries exactly one of {', '.join(_CARRIED)}; "
                f"this one has {', '.join(said) or 'none'}."
            )
        if self.partial and self.content is None:
            raise ValueError("partial goes with content only.")
        if self.content is not None:
            check_content(self.content)
        if self.blob is not None:
            check_blob(self.blob)
        return self


def check_content(content: Content) -> None:
    """Raises `InvalidContent` unless a user may send this (contract 2.5)."""
    if not content.parts:
        raise InvalidContent("Content without parts says nothing; give it at least one Part.")
    if any(part.function_call for part in content.parts):
        raise InvalidContent(
            "A user's content may not hold a function_call: only the model calls tools. "
            "To answer a long-running call, send a part with function_response."
        )
    if content.role not in (None, "user"):
        raise InvalidContent(
            f"The queue speaks for the user, not for {content.role!r}: use role='user', or leave it out."
        )
    if not any(getattr(part, name) for part in content.parts for name in _SAYS):
        raise InvalidContent("All parts of this content are empty; give one of them text, data or a file.")
    for number, part in enumerate(content.parts):
        for text in _strings(part.model_dump(exclude={"inline_data": {"data"}}, exclude_none=True)):
            try:
                text.encode()
            except UnicodeEncodeError as half:
                raise InvalidContent(
                    f"Part {number} holds half a character ({text[half.start]!r} at {half.start} of a text), "
                    "which no model can be sent: decode it as UTF-16 surrogate pairs, or replace it."
                ) from None


def _strings(value: object) -> Iterator[str]:
    """Every string in there, names of fields and keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _strings(key)
            yield from _strings(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _strings(inner)


def read(kind: type[_M], given: object, advice: str) -> _M:
    """`given` as ours: it is one, is an equally named object of another package, or a dict (contract 2.5)."""
    if isinstance(given, kind):
        return given
    if isinstance(given, Mapping) or any(each.__name__ == kind.__name__ for each in type(given).__mro__):
        return kind.model_validate(given)
    raise InvalidContent(f"{advice} This is of type {type(given).__name__}.")


def check_blob(blob: Blob) -> float:
    """Seconds of audio in the blob, 0 for an image.

    Raises `UnknownMimeType`, or `InvalidContent` when the blob is empty.
    """
    rate = pcm_rate(blob.mime_type or "")
    if not blob.data:
        raise InvalidContent("A blob without data says nothing.")
    return len(blob.data) / (2 * rate) if rate else 0.0
