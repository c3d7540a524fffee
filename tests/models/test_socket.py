import asyncio
import contextlib
import gc
import logging
import socket
import struct
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import pytest
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.utils import accept_key

from antiphon import types
from antiphon.config import RunConfig
from antiphon.core.messages import Media, Message, Opening, Turn
from antiphon.core.signals import ModelError, ModelReady, ModelSignal, ModelText
from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    FrameTooLarge,
    InvalidSetup,
    MalformedFrame,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
)
from antiphon.events import ErrorCode
from antiphon.models import Setup, gemini_errors
from antiphon.models import socket as engine
from antiphon.models.liveness import CLOSE_TIMEOUT, SILENT_AFTER
from antiphon.models.receipts import RECEIPT_AFTER
from antiphon.models.socket import SocketConnection, connect
from antiphon.testing.live_certificate import certified
from tests.models.listening import Ears

Peer = Callable[[ServerConnection], Awaitable[None]]

SETUP = Setup(RunConfig())


class Words:
    """The least of a codec: a frame is a text. Pieces of a turn wait for its end."""

    def __init__(self) -> None:
        self.held: list[Message] = []

    def setup(self, setup: Setup) -> Iterable[str]:
        return ["setup"]

    def opening(self, setup: Setup) -> Iterable[str]:
        return ["history", "question"]

    def encode(self, message: Message) -> Iterable[str]:
        if isinstance(message, Turn):
            if not message.complete:
                self.held.append(message)
                return []
            return [part.text or "" for part in message.content.parts or ()]
        assert isinstance(message, Media)
        return [(message.blob.data or b"").decode()]

    def decode(self, frame: bytes) -> list[ModelSignal]:
        match frame:
            case b"garbled":
                raise MalformedFrame("garbled")
            case b"fault":
                raise RuntimeError("a fault of the codec")
            case b"nothing":
                return []
            case b"ready":
                return [ModelReady()]
        return [ModelText(frame.decode())]

    def close_error(self, code: int, reason: str) -> ModelConnectionError | None:
        return gemini_errors.close_error(code, reason)

    def handshake_error(self, status: int, body: str) -> ModelConnectionError:
        return gemini_errors.handshake_error(status, body)


def typed(words: str, *, complete: bool = True) -> Turn:
    return Turn(types.Content(role="user", parts=[types.Part(text=words)]), complete)


@contextlib.asynccontextmanager
async def websocket(peer: Peer, **options: Any) -> AsyncIterator[str]:
    """The address of a peer that does as it is told, once for each connection."""

    async def tolerant(connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await peer(connection)

    server: Server
    options = {"close_timeout": 1, "ping_interval": None} | options
    async with serve(tolerant, "127.0.0.1", 0, **options) as server:
        scheme = "wss" if options.get("ssl") else "ws"
        yield f"{scheme}://localhost:{server.sockets[0].getsockname()[1]}/ws/x"


@contextlib.asynccontextmanager
async def tcp(
    peer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of a peer that knows nothing of WebSockets."""

    async def closing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await peer(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(closing, "127.0.0.1", 0)
    async with server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/ws/x"


async def dialled(url: str, ears: Ears | None = None, codec: Words | None = None) -> SocketConnection:
    return await connect(url, {}, codec or Words(), ears or Ears())


async def waits(connection: ServerConnection) -> None:
    await connection.wait_closed()


# --- opening --------------------------------------------------------------------------------------------


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


# --- speaking and hearing -------------------------------------------------------------------------------


async def test_set_up_history_and_what_is_said_go_in_order() -> None:  # contract 2.2
    heard: list[str | bytes] = []

    async def peer(connection: ServerConnection) -> None:
        heard.append(await connection.recv())
        await connection.send("ready")
        while True:
            heard.append(await connection.recv())

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        assert connection.writable
        connection.begin(SETUP)
        await ears.ready()
        for n in range(100):
            connection.send(typed(str(n)))
        assert connection.writable
        await connection.close()
    assert heard == ["setup", "history", "question", *map(str, range(100))]
    assert ears.losses == [(None, ())]


async def test_history_is_told_once_before_anyone_hears_that_the_model_is_ready() -> None:
    async def peer(connection: ServerConnection) -> None:
        async for frame in connection:
            await connection.send(f"you said {frame!r}")
            if frame == "setup":
                await connection.send(["rea", "dy"])
                await connection.send("ready")

    class Eager(Ears):
        def received(self, said: Any) -> None:
            for _ in range(said.count(ModelReady())):
                connection.send(typed("at once"))
            super().received(said)

    async with websocket(peer) as url:
        ears = Eager()
        connection = await dialled(url, ears)
        connection.begin(SETUP)
        await ears.hear(7)
        await connection.close()
    told = [signal.text for signal in ears.said if isinstance(signal, ModelText)]
    assert told == [f"you said {frame!r}" for frame in ("setup", "history", "question", "at once", "at once")]


@pytest.mark.parametrize("close", [False, True])
async def test_what_comes_at_once_is_told_at_once_and_in_order(close: bool) -> None:
    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        frames = [b"\x81\x03one", b"\x89\x00", b"\x01\x01t", b"\x80\x02wo", b"\x81\x05three"]
        writer.write(b"".join(frames) + (b"\x88\x02\x03\xe8" if close else b""))
        await reader.read(1)

    class Counting(Ears):
        times_told = 0

        def received(self, said: Any) -> None:
            self.times_told += 1
            super().received(said)

    async with tcp(peer) as url:
        ears = Counting()
        connection = await dialled(url, ears)
        assert await ears.hear(3) == [ModelText("one"), ModelText("two"), ModelText("three")]
        assert ears.times_told == 1
        if close:
            assert await ears.lost_with() is None
        await connection.close()


@pytest.mark.parametrize("frame", ["text", b"binary", "größer als ASCII", "x" * 70_000])
async def test_frames_of_either_kind_are_heard(frame: str | bytes) -> None:  # wire reference 1.3
    async def peer(connection: ServerConnection) -> None:
        await connection.send(frame)
        await connection.wait_closed()

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        assert await ears.hear() == [ModelText(frame if isinstance(frame, str) else frame.decode())]
        await connection.close()


async def test_a_message_in_pieces_is_one_message_and_nothing_is_not_reported() -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.send("nothing")
        await connection.send(["Hel", "lo", "", " world"])
        await connection.send(["", "empty first"])
        await connection.wait_closed()

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        assert await ears.hear(2) == [ModelText("Hello world"), ModelText("empty first")]
        await connection.close()


async def test_pings_are_answered() -> None:
    async def peer(connection: ServerConnection) -> None:
        await (await connection.ping(b"there?"))
        await connection.send("there")
        await connection.wait_closed()

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        assert await ears.hear() == [ModelText("there")]
        await connection.close()


# --- the peer ends it -----------------------------------------------------------------------------------

CLOSES = [
    (1000, "", None),
    (1001, "", ConnectionLost),
    (1007, "API key not valid. Please pass a valid API key.", AuthenticationRefused),
    (1011, "Internal error encountered.", ModelUnavailable),
    (1011, "ä" * 61, ModelUnavailable),
    (4000, "of its own", ConnectionLost),
]


@pytest.mark.parametrize(("code", "reason", "kind"), CLOSES)
async def test_a_close_of_the_peer_is_told_after_all_it_said(  # contract 1.5
    code: int, reason: str, kind: type[ModelConnectionError] | None
) -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.send("last words")
        await connection.close(code, reason)

    async with websocket(peer) as url:
        ears = Ears()
        await dialled(url, ears)
        error = await ears.lost_with()
    assert ears.said == [ModelText("last words")]
    assert type(error) is (kind or type(None))
    if error is not None:
        assert (error.code, error.reason) == (code, reason)


def raw(opcode: int, payload: bytes = b"", fin: bool = True) -> bytes:
    """A frame as it is on the wire, from a server."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack("!H", size)
    return bytes([(0x80 if fin else 0) | opcode]) + length + payload


TEXT, CLOSE = 1, 8


def writing(data: bytes, *, then: Peer = waits) -> Peer:
    """A peer that writes bytes of its own, all at once."""

    async def peer(connection: ServerConnection) -> None:
        connection.transport.write(data)
        await then(connection)

    return peer


async def aborts(connection: ServerConnection) -> None:
    connection.transport.abort()


async def hangs_up(connection: ServerConnection) -> None:
    connection.transport.close()


@pytest.mark.parametrize(
    ("data", "then", "error"),
    [
        (b"", aborts, "broke off without a close frame"),
        (b"", hangs_up, "broke off without a close frame"),
        (raw(CLOSE), hangs_up, "close 1005"),
        (raw(3), waits, "broke the WebSocket protocol: .*opcode"),
        (raw(CLOSE, b"\x07"), waits, "broke the WebSocket protocol"),
        (raw(CLOSE, struct.pack("!H", 1015)), waits, "broke the WebSocket protocol"),
        (raw(CLOSE, struct.pack("!H", 1011) + b"\xff"), waits, "broke the WebSocket protocol"),
    ],
)
async def test_an_end_without_a_code_may_pass(data: bytes, then: Peer, error: str) -> None:  # contract 7.1
    async with websocket(writing(data, then=then)) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        with pytest.raises(ConnectionLost, match=error):
            raise await ears.lost_with() or AssertionError
        await connection.close()
    assert len(ears.losses) == 1


async def test_what_comes_after_the_peers_close_is_not_heard() -> None:
    data = raw(TEXT, b"before") + raw(CLOSE, struct.pack("!H", 1000)) + raw(TEXT, b"after")
    async with websocket(writing(data, then=hangs_up)) as url:
        ears = Ears()
        await dialled(url, ears)
        assert await ears.lost_with() is None
    assert ears.said == [ModelText("before")]


async def test_what_is_said_after_the_peers_close_is_reported_unsent() -> None:  # contract 7.3
    class Late(Ears):
        def received(self, said: Any) -> None:
            super().received(said)
            asyncio.get_running_loop().call_soon(lambda: connection.send(typed("late")))

    async def peer(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.write(raw(TEXT, b"x") + raw(CLOSE, struct.pack("!H", 1001)))
        connection.transport.close()

    async with websocket(peer) as url:
        ears = Late()
        connection = await dialled(url, ears)
        connection.send(typed("go on"))
        await ears.lost_with()
    ((_, unsent),) = ears.losses
    assert unsent == (typed("late"),)
    connection.send(typed("later still"))
    connection.begin(SETUP)
    await connection.close()
    assert len(ears.losses) == 1


async def test_a_frame_over_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_FRAME", 10_000)
    codes: list[int | None] = []

    async def peer(connection: ServerConnection) -> None:
        try:
            await connection.send(b"x" * 10_001)
            await connection.wait_closed()
        finally:
            codes.append(connection.close_code)

    async with websocket(peer) as url:
        ears = Ears()
        await dialled(url, ears)
        error = await ears.lost_with()
    assert isinstance(error, FrameTooLarge) and not error.retryable and error.code == 1009
    assert codes == [1009] and ears.said == []


async def test_a_message_over_the_limit_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_FRAME", 10_000)
    data = b"".join(raw(TEXT if n == 0 else 0, b"x" * 5_000, fin=n == 3) for n in range(4)) + raw(
        TEXT, b"after"
    )
    async with websocket(writing(data)) as url:
        ears = Ears()
        await dialled(url, ears)
        assert isinstance(await ears.lost_with(), FrameTooLarge)
    assert ears.said == []


# --- we end it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason", "told"), [(1000, "", ""), (4001, "moved", "moved"), (1000, "€" * 50, "€" * 41)]
)
async def test_our_close_is_told_after_all_that_was_said(
    code: int, reason: str, told: str
) -> None:  # contract 2.4
    heard: list[Any] = []

    async def peer(connection: ServerConnection) -> None:
        try:
            while True:
                heard.append(await connection.recv())
        finally:
            heard.append((connection.close_code, connection.close_reason))

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        connection.send(typed("last words"))
        await connection.close(code, reason)
        assert ears.losses == [(None, ())]
        await connection.close()
    assert heard == ["last words", (code, told)]
    assert len(ears.losses) == 1


async def test_closed_by_two_at_once_it_closes_once() -> None:
    async with websocket(waits) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        await asyncio.gather(connection.close(), connection.close(), connection.close())
    assert ears.losses == [(None, ())]


async def test_after_our_close_nothing_is_heard_and_what_is_said_is_unsent() -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.write(raw(TEXT, b"too late"))

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        connection.send(typed("speak"))
        closing = asyncio.create_task(connection.close())
        await asyncio.sleep(0)
        connection.send(typed("never"))
        await closing
    assert ears.said == [] and ears.losses == [(None, (typed("never"),))]


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    request = (await reader.readuntil(b"\r\n\r\n")).decode()
    key = next(line.split(": ")[1] for line in request.split("\r\n") if line.startswith("Sec-WebSocket-Key"))
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
    )


@contextlib.asynccontextmanager
async def handmade(
    then: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The address of a peer that does its WebSocket by hand; what it still does at the end is cancelled."""
    tasks: list[asyncio.Task[None]] = []

    async def peer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await shake_hands(reader, writer)
        await then(reader, writer)

    async def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(peer(reader, writer)))
        with contextlib.suppress(asyncio.CancelledError, ConnectionError):
            await tasks[-1]
        writer.transport.abort()

    async with tcp(accepted) as url:
        try:
            yield url
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_peer_that_breaks_the_protocol_in_the_end_ends_all_the_same() -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.recv()
        connection.transport.write(raw(3))
        await connection.wait_closed()

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        connection.send(typed("bye"))
        await connection.close()
    assert ears.losses == [(None, ())]


def stop_reading(writer: asyncio.StreamWriter) -> None:
    transport: Any = writer.transport
    transport.pause_reading()


async def never_reads(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    stop_reading(writer)
    await asyncio.get_running_loop().create_future()


@pytest.mark.virtual_clock
async def test_a_peer_that_never_answers_our_close_is_cut_off() -> None:  # contract 1.6
    async with handmade(never_reads) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        began = asyncio.get_running_loop().time()
        await connection.close()
        assert asyncio.get_running_loop().time() - began == pytest.approx(CLOSE_TIMEOUT)
    assert ears.losses == [(None, ())]


@pytest.mark.virtual_clock
async def test_a_close_that_is_cancelled_is_a_cut() -> None:
    async with handmade(never_reads) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT / 2):
                await connection.close()
        await ears.lost_with()
        assert asyncio.get_running_loop().time() == pytest.approx(CLOSE_TIMEOUT / 2)


# --- back-pressure --------------------------------------------------------------------------------------

LONG = "x" * 30_000


def filled(connection: SocketConnection) -> list[Turn]:
    """Speaks until the socket takes no more, and a little further."""
    said: list[Turn] = []
    further = 5
    while connection.writable or further:
        further -= not connection.writable
        said.append(typed(f"{len(said)} {LONG}"))
        assert len(said) < 10_000, "the peer reads after all"
        connection.send(said[-1])
    return said


@pytest.mark.virtual_clock
async def test_a_peer_that_does_not_read_makes_messages_wait_in_order() -> None:  # contract 2.2, 7.3
    read_on = asyncio.Event()
    received: list[int] = []

    async def peer(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await read_on.wait()
        connection.transport.resume_reading()
        while True:
            received.append(int(str(await connection.recv()).split()[0]))

    async with websocket(peer, max_queue=1) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        said = filled(connection)
        assert not connection.writable and ears.times_writable == 0
        read_on.set()
        await ears.until(lambda: ears.times_writable > 0)
        assert connection.writable
        connection.send(typed(f"{len(said)} more"))
        await connection.close()
    assert received == list(range(len(said) + 1))
    assert ears.losses == [(None, ())]


@pytest.mark.virtual_clock
@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="the system cannot be told")
async def test_little_waits_where_it_cannot_be_taken_back() -> None:  # contract 2.2
    async with handmade(never_reads) as url:
        connection = await dialled(url)
        said = filled(connection)
        assert connection._transport is not None
        assert connection._transport.underlying_transport.get_write_buffer_size() <= len(LONG) + 20
        assert len(said) * len(LONG) < 1_000_000, "the system holds as much as it likes"
        await connection.close()


@pytest.mark.virtual_clock
async def test_what_did_not_leave_is_reported_with_the_loss() -> None:  # contract 7.3
    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stop_reading(writer)
        await break_off.wait()

    break_off = asyncio.Event()
    async with handmade(breaks) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        piece = typed("piece", complete=False)
        connection.send(piece)
        said = filled(connection)
        break_off.set()
        error = await ears.lost_with()
    assert isinstance(error, ConnectionLost) and error.code == 1006
    ((_, unsent),) = ears.losses
    assert unsent[0] is piece
    assert list(unsent[1:]) == said[-len(unsent) + 1 :]
    assert len(unsent) == 1 + 1 + 5  # the piece, the one that left in part, and those that waited behind it


@pytest.mark.virtual_clock
async def test_a_close_waits_for_what_waits_and_reports_what_never_left() -> None:  # contract 2.4, 7.3
    async with handmade(never_reads) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        said = filled(connection)
        await connection.close()
        assert asyncio.get_running_loop().time() == pytest.approx(CLOSE_TIMEOUT)
    assert ears.losses == [(None, tuple(said[-6:]))]


@pytest.mark.virtual_clock
async def test_a_peer_that_closes_without_reading_ends_all_the_same() -> None:
    async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        stop_reading(writer)
        await close.wait()
        writer.write(raw(CLOSE, struct.pack("!H", 1012)))
        await asyncio.get_running_loop().create_future()

    close = asyncio.Event()
    async with handmade(closes) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        said = filled(connection)
        close.set()
        error = await ears.lost_with()
    assert isinstance(error, ModelUnavailable) and error.code == 1012
    assert asyncio.get_running_loop().time() == pytest.approx(CLOSE_TIMEOUT)
    assert ears.losses == [(error, tuple(said[-6:]))]


# --- liveness -------------------------------------------------------------------------------------------


@pytest.mark.virtual_clock
async def test_a_silent_peer_is_pinged_and_kept_while_it_answers() -> None:  # wire reference 1.8
    async with websocket(waits) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        await asyncio.sleep(20 * SILENT_AFTER)
        assert ears.losses == []
        await connection.close()


@pytest.mark.virtual_clock
async def test_a_peer_that_only_pings_is_there() -> None:
    async def pings(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(SILENT_AFTER / 2)
            writer.write(raw(9))

    async with handmade(pings) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        await asyncio.sleep(20 * SILENT_AFTER)
        assert ears.losses == []
        await connection.close()


@pytest.mark.virtual_clock
async def test_a_peer_that_is_gone_is_given_up_with_a_close_frame_for_when_it_comes_back() -> (
    None
):  # contract 7.1
    frames = bytearray()

    async def listens(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            frames.extend(data)
        hung_up.set()

    hung_up = asyncio.Event()
    async with handmade(listens) as url:
        ears = Ears()
        await dialled(url, ears)
        error = await ears.lost_with()
        assert isinstance(error, ConnectionLost) and "silent for 80 s" in str(error)
        assert asyncio.get_running_loop().time() == pytest.approx(80, abs=1)
        await hung_up.wait()
    assert frames[-8] == 0x88 and len(frames) == 6 * 6 + 8  # six pings, and the close


# --- what cannot be read, and faults of our own ---------------------------------------------------------


async def test_garbled_frames_are_reported_and_forgiven_up_to_a_point(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def peer(connection: ServerConnection) -> None:
        for frame in ("garbled", "garbled", "fine", "garbled", "garbled", "garbled", "never heard"):
            await connection.send(frame)
        await connection.wait_closed()
        closed_with.append(connection.close_code)

    closed_with: list[int | None] = []
    async with websocket(peer) as url:
        ears = Ears()
        await dialled(url, ears)
        error = await ears.lost_with()
    assert isinstance(error, MalformedFrame) and not error.retryable
    garbled = ModelError(ErrorCode.MALFORMED_FRAME, "garbled")
    assert ears.said == [garbled, garbled, ModelText("fine"), garbled, garbled]
    assert closed_with == [1007]
    assert sum("7 bytes that cannot be read" in message for message in caplog.messages) == 5
    assert "garbled" not in caplog.text  # contract 1.8: it may be what was said


class Faulty(Ears):
    """A listener that fails at one thing."""

    def __init__(self, at: str) -> None:
        super().__init__()
        self._at = at
        self.times_told = 0

    def received(self, said: Any) -> None:
        super().received(said)
        self.times_told += 1
        self._fail("received")

    def writable(self) -> None:
        super().writable()
        self._fail("writable")

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        super().lost(error, unsent, doubtful)
        self._fail("lost")

    def _fail(self, at: str) -> None:
        if self._at == at:
            raise ZeroDivisionError(f"in {at}")


@pytest.mark.parametrize(("frame", "at"), [("anything", "received"), ("fault", "")])
async def test_a_fault_on_this_side_ends_the_connection_aloud(
    caplog: pytest.LogCaptureFixture, frame: str, at: str
) -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.send(frame)
        await connection.send("never heard")
        await connection.wait_closed()
        closed_with.append(connection.close_code)

    closed_with: list[int | None] = []
    async with websocket(peer) as url:
        ears = Faulty(at)
        connection = await dialled(url, ears)
        error = await ears.lost_with()
        await connection.close()
    assert error is not None and not error.retryable
    assert isinstance(error.__cause__, ZeroDivisionError if at else RuntimeError)
    assert ears.times_told == bool(at) and closed_with == [1011]  # and nothing after it
    assert any(record.exc_info for record in caplog.records if record.levelno == logging.ERROR)


@pytest.mark.virtual_clock
async def test_a_fault_in_hearing_that_it_is_writable_is_one_too(caplog: pytest.LogCaptureFixture) -> None:
    read_on = asyncio.Event()

    async def peer(connection: ServerConnection) -> None:
        connection.transport.pause_reading()
        await read_on.wait()
        connection.transport.resume_reading()
        async for _ in connection:
            pass

    async with websocket(peer) as url:
        ears = Faulty("writable")
        connection = await dialled(url, ears)
        filled(connection)
        read_on.set()
        error = await ears.lost_with()
    assert error is not None and isinstance(error.__cause__, ZeroDivisionError)
    assert ears.times_writable == 1


async def test_a_fault_in_hearing_of_the_loss_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with websocket(aborts) as url:
        ears = Faulty("lost")
        connection = await dialled(url, ears)
        assert isinstance(await ears.lost_with(), ConnectionLost)
        await connection.close()
    assert "could not be reported" in caplog.text and "in lost" in caplog.text


@pytest.mark.virtual_clock
async def test_what_the_engine_objects_to_is_not_logged_again_as_never_retrieved() -> None:
    complaints: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: complaints.append(context))
    async with websocket(writing(raw(3))) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        await ears.lost_with()
        gone = weakref.ref(connection)
        del connection, ears
    await asyncio.sleep(1)  # the engine has timers of its own
    gc.collect()
    assert gone() is None and complaints == []


# --- receipts: contract 7.6 -----------------------------------------------------------------------------


@pytest.mark.virtual_clock
@pytest.mark.parametrize("lives", [0.05, 0.3])
async def test_what_was_said_just_before_the_loss_may_not_have_been_read(lives: float) -> None:
    async def peer(connection: ServerConnection) -> None:
        await connection.recv()
        await connection.send("ready")
        await asyncio.sleep(lives)
        connection.transport.abort()

    async with websocket(peer) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        connection.begin(Setup(RunConfig(), pending=types.Content(role="user", parts=[types.Part(text="?")])))
        await ears.ready()
        piece, said = typed("one", complete=False), typed("two")
        connection.send(piece)
        connection.send(Media(types.Blob(data=b"sound", mime_type="audio/pcm")))
        connection.send(said)
        await ears.lost_with()
    assert ears.doubtful == ((Opening(), said) if lives < RECEIPT_AFTER else ())


@pytest.mark.virtual_clock
async def test_who_answers_our_close_has_read_everything() -> None:
    async with websocket(waits) as url:
        ears = Ears()
        connection = await dialled(url, ears)
        connection.send(typed("one"))
        await connection.close()
    assert ears.losses == [(None, ())] and ears.doubtful == ()
