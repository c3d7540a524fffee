import asyncio
import socket
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from antiphon.core.signals import ModelText
from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    InvalidSetup,
    MalformedFrame,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
)
from antiphon.models.socket import connect
from antiphon.testing.live_certificate import certified
from tests.models.listening import Ears
from tests.models.sockets import (
    Words,
    dialled,
    tcp,
    waits,
    websocket,
)


async def test_headers_are_sent() -> None:
    async def peer(connection: ServerConnection) -> None:
        request = connection.request
        assert request is not None
        await connection.send(request.headers["X-Goog-Api-Key"])

    async with websocket(peer) as url:
        ears = Ears()
        connection = await connect(url, {"x-goog-api-key": "k"}, Words(), ears)
        assert await ears.hear() == [ModelText("k")]
        await connection.close()


REFUSALS = [
    (401, AuthenticationRefused, False),
    (403, AuthenticationRefused, False),
    (404, ModelNotFound, False),
    (429, ModelUnavailable, True),
    (503, ModelUnavailable, True),
]


@pytest.mark.parametrize(("status", "kind", "retryable"), REFUSALS)
async def test_a_refused_handshake_is_typed(  # contract 7.4
    status: int, kind: type[ModelConnectionError], retryable: bool
) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        return connection.respond(status, "the reason\n")

    async with websocket(waits, process_request=refuse) as url:
        with pytest.raises(kind, match=f"HTTP {status}: the reason") as refused:
            await dialled(url)
    assert (refused.value.code, refused.value.retryable) == (status, retryable)


async def test_a_key_does_not_follow_a_redirect_to_another_host() -> None:
    visited: list[Request] = []

    def remember(connection: ServerConnection, request: Request) -> None:
        visited.append(request)

    async with websocket(waits, process_request=remember) as elsewhere:

        def redirect(connection: ServerConnection, request: Request) -> Response:
            response = connection.respond(302, "")
            response.headers["Location"] = elsewhere
            return response

        async with websocket(waits, process_request=redirect) as url:
            with pytest.raises(InvalidSetup, match="HTTP 302"):
                await connect(url, {"x-goog-api-key": "secret"}, Words(), Ears())
    assert visited == []


async def test_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}/ws/x"
        with pytest.raises(
            ConnectionLost, match=r"No connection to ws://127\.0\.0\.1:\d+: .*Check the address"
        ) as refused:
            await dialled(url)
    assert refused.value.retryable and refused.value.code is None


async def test_there_is_no_such_host(monkeypatch: pytest.MonkeyPatch) -> None:
    async def getaddrinfo(*args: Any, **options: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    with pytest.raises(ConnectionLost, match=r"wss://no\.example: .*not known.*Check the address"):
        await dialled("wss://no.example/ws/x?key=secret")


@pytest.mark.parametrize(
    "answer",
    [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"\xff" * 64 + b"\r\n\r\n"],
)
async def test_a_peer_that_does_not_speak_websocket(answer: bytes) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await reader.read()

    async with tcp(peer) as url:
        with pytest.raises(
            MalformedFrame, match=r"ws://127\.0\.0\.1:\d+ does not speak WebSocket"
        ) as refused:
            await dialled(url)
    assert not refused.value.retryable


async def test_a_gateway_that_fails_in_the_words_of_long_ago() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 502 Bad Gateway\r\n\r\nbusy")

    async with tcp(peer) as url:
        with pytest.raises(ModelUnavailable, match="HTTP 502"):
            await dialled(url)


async def test_a_peer_that_hangs_up_in_the_handshake() -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with tcp(peer) as url:
        with pytest.raises(ConnectionLost, match="hung up in the middle of the handshake"):
            await dialled(url)


@pytest.mark.virtual_clock
@pytest.mark.parametrize("secure", [False, True])
async def test_a_peer_that_says_nothing_leaves_nothing_open_when_given_up(
    secure: bool,
) -> None:  # contract 1.6
    hung_up = asyncio.Event()

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        hung_up.set()

    async with tcp(peer) as url:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await dialled(url.replace("ws:", "wss:") if secure else url)
        await hung_up.wait()


async def test_tls_is_trusted_by_the_authority_in_ssl_cert_file(monkeypatch: pytest.MonkeyPatch) -> None:
    with certified() as (context, authority):
        async with websocket(waits, ssl=context) as url:
            monkeypatch.delenv("SSL_CERT_FILE", raising=False)
            with pytest.raises(AuthenticationRefused, match=r"not trusted .*SSL_CERT_FILE") as refused:
                await dialled(url)
            assert not refused.value.retryable
            monkeypatch.setenv("SSL_CERT_FILE", authority)
            ears = Ears()
            connection = await dialled(url, ears)
            await connection.close()
            assert await ears.lost_with() is None
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo("127.0.0.1", int(url.split(":")[2].split("/")[0]))

            async def getaddrinfo(*args: Any, **options: Any) -> Any:
                return found[:1]

            monkeypatch.setattr(loop, "getaddrinfo", getaddrinfo)
            with pytest.raises(AuthenticationRefused, match=r"other\.example.*\(hostname mismatch"):
                await dialled(url.replace("localhost", "other.example"))


async def test_tls_to_a_plain_peer() -> None:
    async with websocket(waits) as url:
        with pytest.raises(ConnectionLost, match="No connection to wss://localhost"):
            await dialled(url.replace("ws:", "wss:"))
