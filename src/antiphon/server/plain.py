"""The codec of the plain protocol (contract 8.1), which clients written for ADK's bidi-demo speak. Pure.

Up, a binary frame is PCM at 16 kHz, and a text frame is a JSON object with a `type`. Down, every event is
its JSON.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NoBase64
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import from_json

from antiphon.errors import UsageError
from antiphon.requests import LiveRequest, check_blob, check_content
from antiphon.server.wire import Malformed
from antiphon.types import ActivityEnd, ActivityStart, Blob, Content, Part

if TYPE_CHECKING:
    from antiphon.server.messages import Buffer

__all__ = ["decode", "read_object"]

PCM: Final = "audio/pcm;rate=16000"
ADVICE: Final = (
    'A message is {"type": "text", "text": …}, {"type": "image", "data": base64, "mimeType": "image/jpeg"}, '
    '{"type": "audio", …} likewise, {"type": "activity_start"}, {"type": "activity_end"} or '
    '{"type": "close"}.'
)


def decode(frame: str | Buffer) -> LiveRequest:
    """What a client said. Raises `Malformed`."""
    if not isinstance(frame, str):
        return _blob(bytes(frame), PCM)
    match read_object(frame):
        case {"type": "text", "text": str(words)}:
            content = Content(role="user", parts=[Part.from_text(text=words)])
            try:
                check_content(content)
            except UsageError as wrong:
                raise Malformed("bad_message", str(wrong)) from None
            return LiveRequest.trusted(content=content)
        case {"type": "image", "data": str(data), **rest}:
            return _blob(_bytes(data), _mime_type(rest, "image/jpeg"))
        case {"type": "audio", "data": str(data), **rest}:
            return _blob(_bytes(data), _mime_type(rest, PCM))
        case {"type": "activity_start"}:
            return LiveRequest.trusted(activity_start=ActivityStart())
        case {"type": "activity_end"}:
            return LiveRequest.trusted(activity_end=ActivityEnd())
        case {"type": "close"}:
            return LiveRequest.trusted(close=True)
    raise Malformed("bad_message", ADVICE)


def read_object(frame: str) -> dict[str, Any]:
    """A JSON object. Raises `Malformed` for anything else."""
    try:
        said = from_json(frame, allow_inf_nan=False, cache_strings="keys")
    except (ValueError, TypeError) as error:  # TypeError: half of a surrogate pair
        raise Malformed("bad_message", f"This is no JSON ({error}).") from None
    if not isinstance(said, dict):
        raise Malformed("bad_message", "A message is a JSON object.")
    return said


def _bytes(data: str) -> bytes:
    try:
        return b64decode(data.replace("-", "+").replace("_", "/") + "=" * (-len(data) % 4), validate=True)
    except (NoBase64, ValueError) as error:
        raise Malformed("bad_message", f"`data` is no base64 ({error}).") from None


def _mime_type(rest: dict[Any, Any], default: str) -> str:
    given = rest.get("mimeType") or rest.get("mime_type") or default
    if not isinstance(given, str):
        raise Malformed("bad_message", '`mimeType` is a string, such as "image/jpeg".')
    return given


def _blob(data: bytes, mime_type: str) -> LiveRequest:
    blob = Blob.trusted(data=data, mime_type=mime_type)
    try:
        check_blob(blob)
    except UsageError as wrong:
        raise Malformed("bad_message", str(wrong)) from None
    return LiveRequest.trusted(blob=blob)
