"""Frames on a socket, and what can happen to them (wire 1.3, 1.11)."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosed

from antiphon.testing import live_frames as frames
from antiphon.testing.live_server import (
    Abort,
    Call,
    Close,
    Faults,
    Freeze,
    Garbage,
    GoAway,
    Inject,
    LiveServer,
    Oversized,
)
from tests.testing.live_client import Client, dial, steps


async def one_turn(call: Call) -> None:
    await call.setup()
    await call.handle("h1")
    while True:
        await call.receive_text()
        await call.say("one two three four")
        await call.generation_complete()
        await call.turn_complete()


async def test_frames_are_binary_json() -> None:
    """Wire 1.3."""
    async with LiveServer(one_turn) as server, dial(server) as client:
        await client.send(setup={"model": "m"})
        assert await client.socket.recv() == b'{"setupComplete":{}}'


async def test_or_text_if_so_wished() -> None:
    async with LiveServer(one_turn, text_frames=True) as server, dial(server) as client:
        await client.send(setup={"model": "m"})
        assert await client.socket.recv() == '{"setupComplete":{}}'


async def test_binary_frames_of_clients_are_read_too() -> None:
    async with LiveServer(one_turn) as server, dial(server) as client:
        await client.socket.send(b'{"setup": {"model": "m"}}')
        assert await client.receive() == {"setupComplete": {}}


async def test_both_directions_are_logged() -> None:
    async with LiveServer(one_turn) as server, dial(server) as client:
        await client.setup()
        await client.text("hi")
        await client.turn()
        connection = await server.connected()
        assert [message.kind for message in connection.received] == ["setup", "realtimeInput"]
        assert [message.time for message in connection.sent] == sorted(m.time for m in connection.sent)
        assert steps([*connection.sent])[-1] == "turn_complete"
        assert json.loads(connection.sent[0].raw) == connection.sent[0]


async def fails(client: Client) -> tuple[int, str]:
    """Talks until the connection ends."""
    try:
        await client.setup()
        while True:
            await client.text("hi")
            await client.turn()
    except ConnectionClosed:
        return await client.closed()


@pytest.mark.parametrize(
    "step",
    [
        "connect",
        "setup",
        "setup_complete",
        "handle",
        "text:2",
        "model_turn:3",
        "generation_complete",
        "turn_complete:2",
    ],
)
async def test_a_close_at_any_step(step: str) -> None:
    faults = Faults(at={step: Close(1011, "Internal error encountered.")})
    async with LiveServer(one_turn, faults=faults) as server, dial(server) as client:
        assert await fails(client) == (1011, "Internal error encountered.")
        assert await server.connections[0].closed() == 1011


@pytest.mark.parametrize("step", ["setup", "model_turn:2", "text:2"])
async def test_a_reset_at_any_step(step: str) -> None:
    async with LiveServer(one_turn, faults=Faults(at={step: Abort()})) as server, dial(server) as client:
        assert (await fails(client))[0] == 1006
        assert await server.connections[0].closed() == 1006


async def test_what_was_sent_before_a_reset_arrives() -> None:
    """However much it is."""
    faults = Faults(at={"generation_complete": Abort()})

    async def script(call: Call) -> None:
        await call.setup()
        await call.audio(30.0)
        await call.generation_complete()

    async with LiveServer(script, faults=faults) as server, dial(server) as client:
        await client.setup()
        frames = await client.until("generation_complete")
        assert len(frames) == 46
        assert (await client.closed())[0] == 1006


async def test_a_reset_does_not_wait_for_who_does_not_read() -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.send_bytes(bytes(400_000))
        call.abort()

    async with LiveServer(script) as server, dial(server, max_queue=1) as client:
        client.socket.transport.pause_reading()
        await client.send(setup={"model": "m"})
        assert await server.connections[0].closed() == 1006


async def test_reasons_are_cut() -> None:
    """Wire 1.9."""
    async with LiveServer(one_turn, faults=Faults(at={"setup": Close(1008, "x" * 200)})) as server:
        async with dial(server) as client:
            assert await fails(client) == (1008, "x" * 123)


async def test_the_setup_may_hang() -> None:
    async with LiveServer(one_turn, faults=Faults(setup_hangs=True)) as server, dial(server) as client:
        await client.send(setup={"model": "m"})
        connection = await server.connected()
        await client.text("anybody?")
        await connection.message("realtimeInput")
        assert (connection.sent, connection.close_code) == ([], None)


async def test_a_freeze_keeps_the_socket_up() -> None:
    """Wire 1.11: no frames, but pings are answered."""
    async with (
        LiveServer(one_turn, faults=Faults(at={"model_turn": Freeze()})) as server,
        dial(server) as client,
    ):
        await client.setup()
        await client.text("hi")
        await client.until("model_turn")
        await client.text("still there?")
        await (await client.socket.ping())
        connection = server.connections[0]
        await connection.message("realtimeInput", 2)
        assert "generation_complete" not in steps([*connection.sent])


async def test_frames_may_be_lost_for_a_while() -> None:
    async with LiveServer(one_turn) as server, dial(server) as client:
        await client.setup()
        await client.until("handle")
        server.faults.frozen = True
        await client.text("lost")
        await server.connections[0].message("realtimeInput")
        await (await client.socket.ping())
        server.faults.frozen = False
        await client.text("heard")
        assert steps(await client.turn()) == ["model_turn", "generation_complete", "turn_complete"]


async def test_go_away_and_then_the_end() -> None:
    """Wire 1.8."""
    then = Close(1011, "Deadline expired before operation could complete.")
    async with LiveServer(one_turn, faults=Faults(at={"handle": GoAway(0.01, then)})) as server:
        async with dial(server) as client:
            await client.setup()
            assert (await client.until("go_away"))[-1] == {"goAway": {"timeLeft": "0.01s"}}
            assert await client.closed() == (then.code, then.reason)


async def test_go_away_and_then_silence() -> None:
    faults = Faults(at={"handle": [GoAway(50.0), Freeze()]})
    async with LiveServer(one_turn, faults=faults) as server, dial(server) as client:
        await client.setup()
        assert (await client.until("go_away"))[-1] == {"goAway": {"timeLeft": "50s"}}
        await client.text("hello?")
        await server.connections[0].message("realtimeInput")
        assert steps([*server.connections[0].sent])[-1] == "go_away"


async def test_frames_in_between() -> None:
    """Wire 1.5, 1.11: empty frames, error objects, several keys."""
    error = frames.error(500, "Internal error")
    faults = Faults(empty_frames=True, at={"turn_complete": Inject(error)})
    async with LiveServer(one_turn, faults=faults) as server, dial(server) as client:
        await client.setup()
        await client.text("hi")
        got = await client.turn()
        assert {} in got
        assert {"serverContent": {}} in got
        assert await client.receive() == error


async def test_what_is_no_json() -> None:
    async with (
        LiveServer(one_turn, faults=Faults(at={"handle": Garbage(b"\0")})) as server,
        dial(server) as client,
    ):
        await client.setup()
        await client.until("handle")
        assert await client.socket.recv() == b"\0"


async def test_what_is_too_much() -> None:
    """Wire 1.3: the client closes with 1009."""
    async with (
        LiveServer(one_turn, faults=Faults(at={"handle": Oversized()})) as server,
        dial(server) as client,
    ):
        await client.setup()
        await client.until("handle")
        with pytest.raises(ConnectionClosed) as closed:
            await client.receive()
        assert closed.value.sent is not None
        assert closed.value.sent.code == 1009
        assert len(server.connections[0].sent[-1].raw) == Oversized().size


async def test_frames_that_are_no_json_close_the_connection() -> None:
    async with LiveServer() as server, dial(server) as client:
        await client.socket.send("not json")
        code, reason = await client.closed()
        assert code == 1007
        assert reason.startswith("Invalid JSON payload received.")
        assert server.connections[0].received[0].raw == b"not json"
