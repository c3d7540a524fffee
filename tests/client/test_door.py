from __future__ import annotations

import socket
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import serve

from antiphon.client.door import Broken, Door, Token
from antiphon.client.errors import ConversationRefused
from tests.client.peer import Line, Peer

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response


def a_door(url: str, token: Token = None) -> Door:
    return Door(url, "ada", "s1", token, None)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ws://localhost:8000", "ws://localhost:8000/ws/a%2Fda%20l/s%C3%A9"),
        ("http://localhost:8000/", "ws://localhost:8000/ws/a%2Fda%20l/s%C3%A9"),
        ("https://example.org/voice/?app=1", "wss://example.org/voice/ws/a%2Fda%20l/s%C3%A9?app=1"),
    ],
)
def test_the_address_is_that_of_one_session(url: str, address: str) -> None:
    assert Door(url, "a/da l", "sé", None, None).address == address


def test_what_is_no_address_is_refused() -> None:
    for url in ("localhost:8000", "ftp://example.org", "ws:///x", ""):
        with pytest.raises(ValueError, match="is no server: give one such as"):
            a_door(url)
    for user, session in (("", "s"), ("u", "")):
        with pytest.raises(ValueError, match="not empty"):
            Door("ws://localhost", user, session, None, None)


async def test_says_who_comes() -> None:
    async def script(line: Line) -> None:
        await line.until_closed()

    tokens = iter(["first", "second"])

    async def fresh() -> str:
        return next(tokens)

    async with Peer(script, script, script, script) as peer:
        door = a_door(peer.url, fresh)
        for opened in (door, door, a_door(peer.url, "fixed"), a_door(peer.url)):
            await (await opened.open()).close()
    sent = [request.headers.get("Authorization") for request in peer.requests]
    assert sent == ["Bearer first", "Bearer second", "Bearer fixed", None]
    assert peer.requests[0].path == "/ws/ada/s1"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (HTTPStatus.UNAUTHORIZED, ConversationRefused, "give a `token`.*401"),
        (HTTPStatus.FORBIDDEN, ConversationRefused, "not allowed"),
        (HTTPStatus.NOT_FOUND, ConversationRefused, "look at `url`"),
        (HTTPStatus.IM_A_TEAPOT, ConversationRefused, "refused.*418"),
        (HTTPStatus.SERVICE_UNAVAILABLE, Broken, "HTTP 503"),
    ],
)
async def test_what_a_status_means(status: HTTPStatus, error: type[Exception], words: str) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(status, "")

    async def never(connection: ServerConnection) -> None:
        raise AssertionError

    async with serve(never, "127.0.0.1", 0, process_request=refuse) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        with pytest.raises(error, match=words):
            await a_door(f"ws://127.0.0.1:{port}").open()


async def test_a_server_that_is_not_there_may_come_back() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(Broken, match="cannot be reached"):
            await a_door(f"ws://127.0.0.1:{port}").open()


async def test_a_proxy_is_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    async def script(line: Line) -> None:
        await line.until_closed()

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    async with Peer(script) as peer:
        await (await a_door(peer.url).open()).close()


async def test_a_server_of_another_protocol_is_refused() -> None:
    async def script(line: Line) -> None:
        assert await line.until_closed() == 1002

    async with Peer(script, subprotocol="other") as peer:
        with pytest.raises(ConversationRefused, match=r"does not speak antiphon\.v1: update the server"):
            await a_door(peer.url).open()
