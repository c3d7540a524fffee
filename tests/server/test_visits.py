"""Who may come in, and what is left of a client that has gone."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from antiphon.server.access import Access, BearerTokens
from antiphon.server.limits import ServerLimits
from tests.server.conversing import CHUNK, served


async def test_who_may_not_come_in_is_told_why() -> None:
    """protocol 7.2, contract 8.7"""
    access = Access(authenticator=BearerTokens({"secret": "ada"}))
    async with served(access=access) as app:
        async with app.v1() as stranger:
            assert (await stranger.next())["code"] == "not_allowed"  # type: ignore[call-overload]
            assert (await stranger.closed())[0] == 1008
        async with app.v1(additional_headers={"Authorization": "Bearer secret"}) as ada:
            assert (await ada.greet())["type"] == "hello"
        async with app.v1(user="bob", additional_headers={"Authorization": "Bearer secret"}) as thief:
            assert (await thief.closed())[0] == 1008
        async with app.v1(origin="https://evil.example") as page:
            assert (await page.closed())[0] == 1008


async def test_a_session_has_a_decent_name() -> None:
    """contract 8.3"""
    async with served() as app:
        for name in ("x" * 257, "%00"):
            async with app.v1(session=name) as client:
                assert (await client.closed())[0] == 1008


@pytest.mark.virtual_clock
async def test_who_takes_nothing_cannot_keep_a_socket_open() -> None:
    """contract 8.3: neither when the conversation is over, nor when nothing comes from it."""
    async with served() as app, app.v1() as client, app.v1(session="s2") as idle:
        for each in (client, idle):
            await each.greet()
            each.websocket.transport.pause_reading()
        for number in (1, 2):
            await app.says(*[CHUNK * 20] * 100, number=number)
        (room, _) = app.rooms
        room.close("test")
        await asyncio.sleep(15)
        assert app.rooms.sockets == 1
        await asyncio.sleep(320)
        assert app.rooms.sockets == 0
        for each in (client, idle):
            each.websocket.transport.resume_reading()


async def test_sockets_are_counted() -> None:
    """contract 8.3"""
    async with served(ServerLimits(sockets=1)) as app, app.v1():
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{app.port}/ws/bob/s1", proxy=None)
    assert refused.value.response.status_code == 503
