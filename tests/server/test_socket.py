"""Clients' WebSockets, by real clients on loopback."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.core.signals import TurnComplete
from antiphon.server.limits import ServerLimits
from tests.runtime.near_model import until
from tests.server.conversing import CHUNK, Frame, V1Client, served


def turn_complete(came: Any) -> bool:
    return isinstance(came, dict) and bool((came.get("event") or came).get("turnComplete"))


def is_frame(came: Any) -> bool:
    return isinstance(came, Frame)


def kind(name: str, **fields: Any) -> Any:
    return lambda came: isinstance(came, dict) and came["type"] == name and fields.items() <= came.items()


def text_of(came: list[Any]) -> list[str]:
    """The whole texts among what came."""
    events = [each["event"] for each in came if isinstance(each, dict) and each.get("type") == "event"]
    return [
        part["text"]
        for event in events
        if event.get("partial") is False
        for part in event.get("content", {}).get("parts", [])
        if "text" in part
    ]


async def test_who_comes_back_is_told_what_it_missed() -> None:
    """protocol 6.1, 6.2, contract 8.4: in order, nothing twice, and only the sound that still makes sense."""
    async with served() as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            await app.says("First.", CHUNK, CHUNK)
            await client.until(lambda came: is_frame(came) and came.number == 1)
            await client.break_off()
        await app.says(CHUNK, TurnComplete(), "Missed.", CHUNK, CHUNK)
        assert len(app.rooms) == 1 and len(app.model.connections) == 1
        async with app.v1() as again:
            hello = await again.greet(resume=token, seq=client.sequence[-1], audio=[1, 1])
            await app.says("Last.")
            came = await again.until(lambda came: text_of([came]) == ["Last."])

    assert hello["resumed"] and hello["conversation"] == client.hello["conversation"]
    sequence = client.sequence + again.sequence
    assert sequence == list(range(1, len(sequence) + 1))
    assert text_of(client.came) == ["First."] and text_of(came) == ["Missed.", "Last."]
    assert [(frame.stream, frame.number) for frame in again.frames] == [(2, 0), (2, 1)]


async def test_what_was_not_acknowledged_is_told_again() -> None:
    """protocol 3.4, 4.1, 6.2"""
    async with served() as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            await app.says("One.", "Two.")
            await client.until(lambda came: text_of([came]) == ["Two."])
            seen = client.sequence
            await client.say(type="ack", seq=seen[1])
            await client.tell("audio_end")
            await client.until(kind("received"))
            await client.break_off()
        async with app.v1() as again:
            await again.greet(resume=token, seq=seen[2])
            came = await again.until(lambda came: text_of([came]) == ["Two."])
    assert next(each["seq"] for each in came if "seq" in each) == seen[3]
    assert client.of("event")[3] == again.of("event")[0]


async def test_an_unknown_token_begins_nothing() -> None:
    """protocol 6.3: nor does one of another user's conversation."""
    async with served() as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            for user, given in (("ada", "no such"), ("bob", token)):
                async with app.v1(user=user) as other:
                    error = await other.greet(resume=given)
                    assert error["code"] == "unknown_conversation"
                    assert (await other.closed())[0] == 4004
        assert len(app.model.connections) == 1


async def test_the_same_client_by_another_socket() -> None:
    """protocol 7.2: 4001"""
    async with served() as app, app.v1() as client:
        token = (await client.greet())["resume"]
        async with app.v1() as again:
            assert (await again.greet(resume=token))["role"] == "speaker"
            assert (await client.closed())[0] == 4001
            await app.says("Hello.")
            await again.until(turn_complete)


async def test_a_second_client_takes_over() -> None:
    """protocol 6.4, 4.5"""
    async with served() as app, app.v1() as first, app.v1() as second:
        await first.greet()
        assert (await second.greet())["role"] == "speaker"
        await first.until(kind("role", role="watcher"))
        n = await first.tell("text", text="Me!")
        (*_, refused) = await first.until(kind("error"))
        assert (refused["code"], refused["n"]) == ("not_speaker", n)
        await app.says("For both.", CHUNK)
        for client in (first, second):
            await client.until(is_frame)
            assert text_of(client.came) == ["For both."]
        await first.tell("take")
        await first.until(kind("role", role="speaker"))
        await second.until(kind("role", role="watcher"))
        await first.tell("text", text="Me.")
        connection = await app.connection()
        await until(lambda: connection.heard)
    assert len(connection.heard) == 1


async def test_a_watcher_leaves_alone() -> None:
    """protocol 6.4: `close` is of its own socket."""
    async with served() as app, app.v1() as speaker:
        await speaker.greet()
        async with app.v1() as watcher:
            assert (await watcher.greet(watch=True))["role"] == "watcher"
            await watcher.tell("close")
            assert (await watcher.closed())[0] == 1000
        await app.says("Still here.")
        await speaker.until(turn_complete)
        assert not speaker.of("role")


async def test_close_ends_the_conversation() -> None:
    """protocol 3.2, 4.6"""
    async with served() as app, app.v1() as client, app.v1() as watcher:
        await client.greet()
        await watcher.greet(watch=True)
        await client.tell("close")
        for each in (client, watcher):
            assert (await each.closed())[0] == 1000
            assert each.texts[-1]["type"] == "closed"
        assert not len(app.rooms)
        connection = await app.connection()
    assert connection.closed == (1000, "")


async def test_leaving_for_good_ends_it_at_once() -> None:
    """protocol 6.1: 1000 has no grace; the agent is told."""
    async with served() as app:
        async with app.v1() as client:
            await client.greet()
        await until(lambda: not len(app.rooms))


@pytest.mark.virtual_clock
async def test_who_does_not_come_back_is_not_waited_for() -> None:
    """protocol 6.1, 6.3"""
    async with served(ServerLimits(grace=30)) as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            await client.break_off()
        await asyncio.sleep(29)
        assert len(app.rooms) == 1
        await asyncio.sleep(2)
        assert not len(app.rooms)
        async with app.v1() as again:
            assert (await again.greet(resume=token))["code"] == "unknown_conversation"


async def test_the_last_words_are_for_who_comes_back() -> None:
    """protocol 6.2: also when the conversation has ended meanwhile."""
    async with served() as app:
        async with app.v1() as client:
            token = (await client.greet())["resume"]
            await app.says("Hello.")
            await client.until(turn_complete)
            await client.break_off()
        connection = await app.connection()
        await app.says("Goodbye.")
        connection.listener.lost(None, ())
        await until(lambda: not len(app.rooms))
        async with app.v1() as again:
            await again.greet(resume=token, seq=client.sequence[-1])
            assert (await again.closed())[0] == 1000
    assert text_of(again.came) == ["Goodbye."] and again.texts[-1]["type"] == "closed"


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["[1]"], 1007),
        (["{"], 1007),
        (["[" * 20 + "]" * 20], 1007),
        (['{"type":"text","n":1,"text":"' + "x" * 70_000 + '"}'], 1009),
        ([b"\0" * 1_100_000], 1009),
        (['{"type":"text"}'] * 10, 1008),
        ([b"\1\2\3"] * 10, 1008),
    ],
)
async def test_garbage_has_a_named_end(frames: list[str | bytes], code: int) -> None:
    """protocol 7.2, 7.4, contract 8.3"""
    async with served() as app, app.v1() as client:
        await client.greet()
        for frame in frames:
            await client.websocket.send(frame)
        closed, reason = await client.closed()
    assert closed == code and reason
    assert client.of("error")


@pytest.mark.virtual_clock
async def test_hello_is_waited_for_and_idle_sockets_are_not() -> None:
    """protocol 1.1, 7.2: 4008"""
    async with served() as app:
        async with app.v1() as silent:
            await asyncio.wait_for(silent.websocket.wait_closed(), 11)
            assert silent.websocket.close_code == 4008
        async with app.v1() as idle:
            await idle.greet()
            await asyncio.wait_for(idle.websocket.wait_closed(), 310)
            assert idle.websocket.close_code == 4008


async def test_too_fast() -> None:
    """protocol 7.2, 7.3: 4029, and images beyond `images_per_second` are refused."""
    async with served(ServerLimits(frames_per_second=5)) as app, app.v1() as client:
        await client.greet()
        for number in range(3):
            await client.websocket.send(b"\2" + bytes(7) + number.to_bytes(4, "big") + bytes(4) + b"jpeg")
        await client.until(kind("error", code="too_fast"))
        for _ in range(60):
            await client.say(type="ack", seq=0)
        assert (await client.closed())[0] == 4029


async def test_a_slow_reader_loses_sound_and_never_control() -> None:
    """protocol 5.1, 5.3, 5.4"""
    async with served() as app:
        async with app.v1() as client, app.v1(session="s2") as quick:
            await client.greet()
            await quick.greet()
            client.websocket.transport.pause_reading()
            for turn in range(20):
                await app.says(*[CHUNK * 20] * 40, f"Turn {turn}.")
            client.websocket.transport.resume_reading()
            await client.until(lambda came: text_of([came]) == ["Turn 19."])
    assert text_of(client.came) == [f"Turn {turn}." for turn in range(20)]
    assert client.sequence == list(range(1, len(client.sequence) + 1))
    assert complete(client)


def complete(client: V1Client) -> bool:
    """Whether every gap in the frames was announced."""
    missing = {
        (each["stream"], number)
        for each in client.of("shed")
        for number in range(each["number"], each["number"] + each["frames"])
    }
    came = [(frame.stream, frame.number) for frame in client.frames]
    highest: dict[int, int] = {}
    for stream, number in [*came, *missing]:
        highest[stream] = max(highest.get(stream, 0), number)
    every = {(stream, number) for stream, most in highest.items() for number in range(most + 1)}
    return came == sorted(set(came)) and every == set(came) | missing and not set(came) & missing
