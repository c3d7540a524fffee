import asyncio
import gc
import logging
import socket
import struct
import weakref
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from antiphon import types
from antiphon.config import RunConfig
from antiphon.core.messages import Media, Message, Opening, Turn
from antiphon.core.signals import ModelError, ModelReady, ModelText
from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    FrameTooLarge,
    MalformedFrame,
    ModelConnectionError,
    ModelUnavailable,
)
from antiphon.events import ErrorCode
from antiphon.models import Setup
from antiphon.models.liveness import CLOSE_TIMEOUT, SILENT_AFTER
from antiphon.models.receipts import RECEIPT_AFTER
from antiphon.models.socket_connection import SocketConnection
from tests.models.listening import Ears
from tests.models.sockets import (
    CLOSE,
    SETUP,
    TEXT,
    Peer,
    aborts,
    dialled,
    handmade,
    hangs_up,
    never_reads,
    raw,
    shake_hands,
    stop_reading,
    tcp,
    typed,
    waits,
    websocket,
    writing,
)

# --- speaking and hearing ------------------------------------------------------------------------------


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


# --- the peer ends it ----------------------------------------------------------------------------------


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


async def test_a_frame_over_the_limit() -> None:
    codes: list[int | None] = []

    async def peer(connection: ServerConnection) -> None:
        try:
            await connection.send(b"x" * 10_001)
            await connection.wait_closed()
        finally:
            codes.append(connection.close_code)

    async with websocket(peer) as url:
        ears = Ears()
        await dialled(url, ears, max_frame=10_000)
        error = await ears.lost_with()
    assert isinstance(error, FrameTooLarge) and not error.retryable and error.code == 1009
    assert codes == [1009] and ears.said == []


async def test_a_message_over_the_limit_in_pieces() -> None:
    data = b"".join(raw(TEXT if n == 0 else 0, b"x" * 5_000, fin=n == 3) for n in range(4)) + raw(
        TEXT, b"after"
    )
    async with websocket(writing(data)) as url:
        ears = Ears()
        await dialled(url, ears, max_frame=10_000)
        assert isinstance(await ears.lost_with(), FrameTooLarge)
    assert ears.said == []


# --- back-pressure -------------------------------------------------------------------------------------


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


# --- liveness ------------------------------------------------------------------------------------------


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


# --- what cannot be read, and faults of our own --------------------------------------------------------


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
        gone = weakref.ref(ears)
        del connection, ears
    await asyncio.sleep(1)  # the engine has timers of its own
    gc.collect()
    assert gone() is None and complaints == []


# --- receipts: contract 7.6 ----------------------------------------------------------------------------


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
