"""Artifacts as files (contract 8.9)."""

from __future__ import annotations

import asyncio

import pytest
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from antiphon.server.downloads import LONG, PIECE, byte_range, download
from antiphon.types import Part

WAV = Part.from_bytes(data=bytes(range(100)), mime_type="audio/wav")


async def body(answer: Response) -> bytes:
    assert isinstance(answer, StreamingResponse)
    return b"".join([bytes(piece) async for piece in answer.body_iterator])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("bytes=0-9", range(10)),
        ("bytes = 0 - 9", range(10)),
        ("bytes=90-", range(90, 100)),
        ("bytes=90-1000", range(90, 100)),
        ("bytes=-10", range(90, 100)),
        ("bytes=-1000", range(100)),
        ("bytes=100-", range(0)),
        ("bytes=-0", range(0)),
        ("bytes=0-1,5-6", None),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("chapters=1-2", None),
        ("bytes=" + "9" * 19 + "-", None),
    ],
)
def test_ranges(asked: str, meant: range | None) -> None:
    found = byte_range(asked, 100)
    assert found == meant and (found is None) == (meant is None)


async def test_a_range_that_is_not_in_it_is_refused_with_the_size() -> None:
    with pytest.raises(HTTPException) as caught:
        await download(WAV, "a.wav", {"range": "bytes=100-"})
    assert caught.value.status_code == 416
    assert caught.value.headers == {"Content-Range": "bytes */100"}


async def test_what_the_browser_has_is_not_sent_again() -> None:
    etag = (await download(WAV, "a.wav", {})).headers["etag"]
    again = await download(WAV, "a.wav", {"if-none-match": f'"x", {etag}'})
    assert again.status_code == 304 and again.body == b""


async def test_parts_of_another_version_are_not_mixed() -> None:
    etag = (await download(WAV, "a.wav", {})).headers["etag"]
    asked = {"range": "bytes=0-9", "if-range": etag}
    assert (await download(WAV, "a.wav", asked)).status_code == 206
    assert (await download(WAV, "a.wav", asked | {"if-range": '"older"'})).status_code == 200


@pytest.mark.parametrize(
    ("mime_type", "how"),
    [
        ("audio/wav", "inline"),
        ("image/png", "inline"),
        ("text/plain; charset=utf-8", "inline"),
        ("text/html", "attachment"),
        ("image/svg+xml", "attachment"),
        ("application/xhtml+xml", "attachment"),
        ("", "attachment"),
    ],
)
async def test_nothing_that_was_saved_runs_in_the_servers_origin(mime_type: str, how: str) -> None:
    part = Part.from_bytes(data=b"<script>", mime_type=mime_type)
    headers = (await download(part, 'user:notes/a b".html', {})).headers
    assert headers["content-disposition"] == f"{how}; filename*=UTF-8''a%20b%22.html"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


async def test_text_is_a_file_too() -> None:
    answer = await download(Part.from_text(text="Grüß"), "a.txt", {})
    assert await body(answer) == "Grüß".encode()
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_recording_of_hours_holds_up_nobody() -> None:
    """It is hashed in a thread, and sent in pieces."""
    long = Part.from_bytes(data=bytes(3 * LONG), mime_type="audio/wav")
    turns = 0

    async def converse() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    conversation = asyncio.create_task(converse())
    answer = await download(long, "a.wav", {"range": "bytes=1-"})
    conversation.cancel()
    assert turns > 1
    assert isinstance(answer, StreamingResponse)
    pieces = [len(piece) async for piece in answer.body_iterator]
    assert max(pieces) == PIECE and sum(pieces) == 3 * LONG - 1
    assert answer.headers["content-length"] == str(3 * LONG - 1)
    await asyncio.get_running_loop().shutdown_default_executor()
