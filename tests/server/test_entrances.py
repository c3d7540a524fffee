"""How clients come into a conversation, and wait for their place in it."""

from __future__ import annotations

from typing import Any

from antiphon.errors import QuotaExceeded
from antiphon.server.limits import ServerLimits
from tests.runtime.near_model import NearModel, until
from tests.server.conversing import served


def kind(name: str, **fields: Any) -> Any:
    return lambda came: isinstance(came, dict) and came["type"] == name and fields.items() <= came.items()


async def test_the_line() -> None:
    """protocol 1.2, contract 8.6"""
    async with served(ServerLimits(places=1, line=2)) as app, app.v1(user="a") as first:
        await first.greet()
        async with app.v1(user="b") as second, app.v1(user="c") as third:
            await second.say(type="hello")
            await second.until(kind("queue", position=1, length=1))
            await second.tell("text", text="Now?")
            await second.until(kind("error", code="not_ready", n=1))
            for number in range(20):  # a microphone that is on already: refused, and no reason to be closed
                await second.speak(bytes(640), number=number)
            await third.say(type="hello")
            await third.until(kind("queue", position=2, length=2))
            async with app.v1(user="d") as fourth:
                assert (await fourth.greet())["code"] == "queue_full"
                assert (await fourth.closed())[0] == 1013
            await second.websocket.close()
            await third.until(kind("queue", position=1, length=1))
            await first.tell("close")
            await third.until(kind("hello"))


async def test_a_quota_is_waited_for() -> None:
    """contract 8.6: refused by the provider is not refused by the server."""
    model = NearModel()
    model.connect_error = QuotaExceeded("no more")
    async with served(model=model) as app, app.v1() as client:
        await client.say(type="hello")
        await client.until(kind("queue", position=1, length=1))
        model.connect_error = None
        await client.until(kind("hello"))
        await client.tell("text", text="Hello")
        connection = await app.connection()
        await until(lambda: connection.heard)


async def test_wishes_that_cannot_be_granted() -> None:
    """protocol 1.1, 7.1"""
    async with served() as app, app.v1() as client:
        error = await client.greet(config={"proactivity": True})
        assert error["code"] == "unsupported" and "proactivity" in error["message"]
        assert (await client.closed())[0] == 1008
        assert not app.model.connections
