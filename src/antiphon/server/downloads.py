"""An artifact as a file: with its type, in parts where a player asks for them, and harmless in a browser.

Rule 1  Nothing that an agent or a tool has saved may run in the server's origin: only sound, pictures, films
        and plain text are shown, all else is saved; a type is believed as it is told, and never guessed.
Rule 2  One range of bytes is answered by that part (206), so that a recording can be played from the middle.
        A request for several is answered by the whole (RFC 9110, 14.2).
Rule 3  A recording of hours holds up no conversation: it is sent in pieces, as fast as the client takes them,
        and hashed in a thread.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from antiphon.types import Part

__all__ = ["byte_range", "download"]

LONG: Final = 1024 * 1024
"""Bytes; less is hashed at once, in about a millisecond."""
PIECE: Final = 256 * 1024

_SHOWN: Final = re.compile(r"(audio|video)/[\w.+-]+|image/(png|jpeg|gif|webp)|text/plain")
_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def download(part: Part, filename: str, headers: Mapping[str, str]) -> Response:
    """The content of an artifact, as `Range`, `If-Range` and `If-None-Match` in the `headers` ask for it.

    Raises:
        HTTPException: 416 for a range that is not in it, 409 for an artifact that is kept elsewhere.
    """
    data, mime_type = _content(part)
    etag = _etag(data) if len(data) <= LONG else await asyncio.to_thread(_etag, data)
    answer = {"ETag": etag, "Accept-Ranges": "bytes", "Cache-Control": "private, no-cache"}
    if etag in headers.get("if-none-match", ""):
        return Response(status_code=304, headers=answer)
    answer |= {
        "Content-Disposition": _disposition(filename, mime_type),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
    }
    asked = headers.get("range") if headers.get("if-range", etag) == etag else None
    chosen = None if asked is None else byte_range(asked, len(data))
    if chosen is None:
        return _sent(memoryview(data), 200, answer, mime_type)
    if not chosen:
        raise HTTPException(
            416,
            f"The artifact has {len(data)} bytes: ask for some of them.",
            {"Content-Range": f"bytes */{len(data)}"},
        )
    answer["Content-Range"] = f"bytes {chosen.start}-{chosen.stop - 1}/{len(data)}"
    return _sent(memoryview(data)[chosen.start : chosen.stop], 206, answer, mime_type)


def byte_range(asked: str, size: int) -> range | None:
    """The bytes that a `Range` header asks for; an empty range if there are none, `None` if all are meant."""
    found = _RANGE.fullmatch(asked.replace(" ", ""))
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:  # so many of the last
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, size) if last else size)


def _etag(data: bytes) -> str:
    return f'"{hashlib.blake2b(data, digest_size=16).hexdigest()}"'


def _sent(data: memoryview, status: int, headers: dict[str, str], mime_type: str) -> Response:
    async def pieces() -> AsyncIterator[memoryview]:
        for start in range(0, len(data), PIECE):
            yield data[start : start + PIECE]

    length = {"Content-Length": str(len(data))}
    return StreamingResponse(pieces(), status, headers | length, mime_type)


def _content(part: Part) -> tuple[bytes, str]:
    if part.inline_data is not None:
        return part.inline_data.data or b"", part.inline_data.mime_type or "application/octet-stream"
    if part.text is not None:
        return part.text.encode("utf-8", "replace"), "text/plain; charset=utf-8"
    raise HTTPException(409, "The artifact is kept elsewhere: read it without /content, which tells where.")


def _disposition(filename: str, mime_type: str) -> str:
    shown = _SHOWN.fullmatch(mime_type.partition(";")[0].strip().lower()) is not None
    name = filename.rpartition("/")[2].removeprefix("user:")
    return f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(name, safe='')}"
