"""The log of a connection, and waiting for what it tells."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.testing.live_connection import Changes, Connection
from antiphon.testing.live_wire import Message, encoded

PCM = {"audio": {"mimeType": "audio/pcm", "data": encoded(b"\1\0")}}


def connection(*messages: Message, limit: int = 100) -> Connection:
    made = Connection(1, "/?key=K", {"x": "y"}, Changes(), limit=limit)
    for message in messages:
        made.note(message, made.received)
    return made


def test_it_tells_what_came() -> None:
    made = connection(
        Message({"setup": {"sessionResumption": {"handle": "h1"}}}),
        Message({"realtimeInput": {"text": "a"}}),
        Message({"realtimeInput": PCM}),
        Message({"realtimeInput": PCM}),
        Message({"toolResponse": {"functionResponses": [{"id": "1"}]}}),
    )
    assert (made.api_key, made.resumed_from, made.texts) == ("K", "h1", ["a"])
    assert made.audio == b"\1\0\1\0"
    assert made.function_responses == [{"id": "1"}]
    assert repr(made) == (
        "<Connection 1 open; received 5: "
        "setup realtimeInput realtimeInput realtimeInput toolResponse; sent 0>"
    )


def test_before_the_setup_there_is_little() -> None:
    made = connection()
    assert (made.setup, made.resumed_from, made.close_code) == (None, None, None)
    assert connection(Message({"setup": 1})).setup == {}


def test_the_log_has_a_bound() -> None:
    made = connection(*(Message({"n": n}) for n in range(7)), limit=4)
    assert [message["n"] for message in made.received] == [4, 5, 6]


async def test_a_condition_is_awaited_not_polled() -> None:
    made = connection()
    waiting = asyncio.gather(made.message("toolResponse"), made.until(lambda c: len(c.received) == 2))
    await asyncio.sleep(0)
    made.note(Message({"realtimeInput": {}}), made.received)
    await asyncio.sleep(0)
    made.note(Message({"toolResponse": {}}), made.received)
    message, twice = await waiting
    assert (message, twice) == ({"toolResponse": {}}, True)


async def test_the_end_is_awaited_too() -> None:
    changes = Changes()
    made = Connection(1, "/", {}, changes)
    waiting = asyncio.gather(made.closed())
    await asyncio.sleep(0)
    made.close_code = 1011
    changes.tell()
    [code] = await waiting
    assert code == 1011
    assert "closed 1011" in repr(made)


async def test_patience_ends_with_an_explanation() -> None:
    with pytest.raises(
        TimeoutError, match=r"waited 0 s for toolResponse number 1 of <Connection 1 open; received 0"
    ):
        await connection().message("toolResponse", within=0)


async def test_nobody_waits_for_a_script_that_failed() -> None:
    changes = Changes()
    made = Connection(1, "/", {}, changes)
    waiting = asyncio.gather(made.closed(), return_exceptions=True)
    await asyncio.sleep(0)
    error = AssertionError("expected text")
    changes.fail(error)
    changes.fail(ValueError("the first error counts"))
    [raised] = await waiting
    assert raised is error
