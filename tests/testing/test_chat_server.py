"""The scripted chat server, by a plain HTTP client."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from antiphon.testing.chat_server import ChatReply, ChatRequest, ChatServer

ASKED = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}


async def post(server: ChatServer, path: str = "/v1/chat/completions", body: Any = ASKED) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(server.url + path, json=body)


async def test_it_follows_its_script_and_then_repeats_what_it_is_told() -> None:
    async with ChatServer([ChatReply("Hello.")]) as server:
        first, second = await post(server), await post(server)
    assert "Hello." in first.text and "You " in second.text and '"hi"' in second.text
    assert first.headers["content-type"] == "text/event-stream"
    assert [request.body for request in server.requests] == [ASKED, ASKED] and server.connected == 2


async def test_a_function_may_answer() -> None:
    def answer(request: ChatRequest) -> ChatReply:
        return ChatReply(request.headers["host"])

    async with ChatServer(answer) as server:
        assert "127.0.0.1" in (await post(server)).text


async def test_both_wires_streamed_or_not() -> None:
    gemini = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    async with ChatServer() as server:
        at_once = await post(server, "/v1beta/models/m:generateContent", gemini)
        streamed = await post(server, "/v1beta/models/m:streamGenerateContent?alt=sse", gemini)
        whole = await post(server, body=ASKED | {"stream": False})
    assert at_once.json()["candidates"][0]["content"]["parts"] == [{"text": "You said: hi"}]
    assert streamed.text.startswith("data: ")
    assert whole.json()["choices"][0]["message"]["content"] == "You said: hi"


async def test_refusals_and_other_paths() -> None:
    async with ChatServer([ChatReply(status=429, headers={"retry-after": "7"})]) as server:
        refused = await post(server)
        assert (await post(server, "/v1/models")).status_code == 404
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "7")
    assert json.loads(refused.text)["error"]["message"] == "scripted"


async def test_faults() -> None:
    async with ChatServer([ChatReply("a b c", cut_after=2), ChatReply("a b c", garble_after=2)]) as server:
        with pytest.raises(httpx.RemoteProtocolError):
            await post(server)
        assert '{"what": ' in (await post(server)).text
    async with ChatServer([ChatReply("a b c", stop_after=2)]) as server:
        assert "[DONE]" not in (await post(server)).text


async def test_it_pauses_until_it_may_go_on() -> None:
    async with ChatServer([ChatReply("a b c", pause_after=1), ChatReply("a b c", pause_after=1)]) as server:
        asking = asyncio.ensure_future(post(server))
        request = await server.asked(1)
        request.go_on()
        request.go_on()
        assert "[DONE]" in (await asking).text and not request.gone.is_set()
        leaving = asyncio.ensure_future(post(server))
        request = await server.asked(2)
        leaving.cancel()
        await request.gone.wait()
        request.go_on()


async def test_what_comes_in_pieces_is_put_together() -> None:
    async with ChatServer([ChatReply("Hello.")]) as server:
        port = int(server.url.rsplit(":", 1)[1])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        body = json.dumps(ASKED).encode()
        head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for piece in (head[:20], head[20:], body[:9]):
            writer.write(piece)
            await writer.drain()
        assert not server.requests
        writer.write(body[9:])
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        await writer.wait_closed()


async def test_ending_drops_what_is_open() -> None:
    async with ChatServer([ChatReply("a", pause_after=0)]) as server:
        asking = asyncio.ensure_future(post(server))
        await server.asked(1)
    with pytest.raises(httpx.HTTPError):
        await asking
    assert server.openai_url.endswith("/v1") and server.gemini_url == server.url
