"""Contract 8.1: the same conversation, by whatever way frames reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import websockets
from picows import WSMsgType

from antiphon.core.signals import ModelInterrupted, TurnComplete
from antiphon.server.direct import DirectWebSockets
from antiphon.server.direct_socket import DirectSocket
from antiphon.server.lines import DirectLine
from tests.runtime.near_model import until
from tests.server.conversing import CHUNK, Frame, served

if TYPE_CHECKING:
    from picows import WSTransport

WAYS = pytest.mark.parametrize("ws", [DirectWebSockets, "websockets-sansio"])


def flush(came: Any) -> bool:
    return isinstance(came, dict) and came["type"] == "flush"


@WAYS
async def test_a_conversation(ws: Any) -> None:
    async with served(ws=ws) as app, app.v1() as client:
        await client.greet()
        await client.tell("text", text="Hello")
        connection = await app.connection()
        await until(lambda: connection.heard)
        await app.says(CHUNK, CHUNK)
        await client.until(lambda came: isinstance(came, Frame) and came.number == 1)
        await app.says(ModelInterrupted())
        await client.until(flush)
        assert [frame.number for frame in client.frames] == [0, 1]
        await app.says(TurnComplete(), "And so on.")
        await client.tell("close")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.until(lambda came: False)
        assert closed.value.rcvd is not None and closed.value.rcvd.code == 1000
        await until(lambda: not len(app.rooms))


@WAYS
async def test_who_breaks_the_protocol_is_told_why(ws: Any) -> None:
    """protocol 7.1, 7.2"""
    async with served(ws=ws) as app, app.v1() as client:
        await client.greet()
        for _ in range(10):
            await client.say(type="nonsense")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.until(lambda came: False)
    told: list[Any] = client.came
    assert [came["code"] for came in told if came["type"] == "error"] == ["unknown_type"] * 10
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 1008


class Wire:
    """What a client's socket sends through: it takes two frames, and then nothing until there is room."""

    def __init__(self) -> None:
        self.sent: list[str | bytes] = []
        self.socket = DirectSocket(lambda: None, 1000)
        self.socket.on_ws_connected(cast("WSTransport", self))

    def send(self, kind: WSMsgType, frame: str | bytes) -> None:
        assert kind is WSMsgType.TEXT
        self.sent.append(frame)
        if len(self.sent) == 2:
            self.socket.pause_writing()


class End:
    """The server's end, in memory: answers each frame by two."""

    def __init__(self) -> None:
        self.waiting: list[str | bytes] = ["hello"]
        self.wire = Wire()
        self.line = DirectLine(self.wire.socket)
        self.stalls: list[bool] = []
        self.errors: list[BaseException] = []
        self.code: int | None = None

    def heard(self, frame: str | bytes) -> None:
        for _ in range(2):
            self.waiting.append(frame)
            self.line.rouse()
        assert frame != "bad"

    def gone(self, code: int) -> None:
        self.code = code

    def next(self) -> str | bytes | None:
        return self.waiting.pop(0) if self.waiting else None

    def stalled(self, stalled: bool) -> None:
        self.stalls.append(stalled)

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)


async def test_what_is_sent_waits_while_the_client_takes_nothing() -> None:
    end = End()
    sent = end.wire.sent
    end.line.begin(end, cast("Any", None))
    assert sent == ["hello"]
    end.line.heard("one")
    assert (sent, end.waiting, end.stalls) == (["hello", "one"], ["one"], [True])
    end.wire.socket.resume_writing()
    assert (sent, end.stalls) == (["hello", "one", "one"], [True, False])
    end.line.heard("bad")
    assert [type(error) for error in end.errors] == [AssertionError]
    end.line.gone(1006)
    end.line.gone(1006)
    end.line.heard("too late")
    end.line.writable()
    end.line.rouse()
    assert end.code == 1006 and "too late" not in end.waiting
