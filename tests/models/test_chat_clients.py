"""One client for each event loop, while anybody uses it."""

from __future__ import annotations

import asyncio
import threading

import httpx
import pytest

from antiphon.errors import ConnectionLost, ModelUnavailable
from antiphon.models.chat_clients import Clients, transport_error


class Client:
    def __init__(self) -> None:
        self.made_in = threading.current_thread()
        self.closed_on: asyncio.AbstractEventLoop | None = None

    async def close(self) -> None:
        self.closed_on = asyncio.get_running_loop()


async def test_users_share_a_client_and_the_last_closes_it() -> None:
    clients = Clients(Client, Client.close)
    async with clients.use() as one:
        async with clients.use() as two:
            assert one is two and len(clients) == 1
        assert one.closed_on is None
    assert one.closed_on is asyncio.get_running_loop() and len(clients) == 0
    assert one.made_in is not threading.current_thread()
    async with clients.use() as three:
        assert three is not one


async def test_users_that_come_at_once_share_a_client() -> None:
    clients = Clients(Client, Client.close)
    leave = asyncio.Event()

    async def user() -> Client:
        async with clients.use() as client:
            await leave.wait()
            return client

    users = [asyncio.ensure_future(user()) for _ in range(3)]
    leave.set()
    assert len({id(client) for client in await asyncio.gather(*users)}) == 1


async def test_each_loop_has_its_own() -> None:
    clients = Clients(Client, Client.close)

    async def other() -> Client:
        async with clients.use() as client:
            return client

    async with clients.use() as here:
        there = await asyncio.to_thread(asyncio.run, other())
        assert there is not here and there.closed_on is not None and here.closed_on is None


async def test_a_client_that_cannot_be_made_is_nobodys() -> None:
    def fail() -> Client:
        raise OSError("no certificates")

    clients = Clients(fail, Client.close)
    with pytest.raises(OSError, match="no certificates"):
        async with clients.use():
            raise AssertionError("there is none")
    assert len(clients) == 0


def test_what_a_broken_connection_is_told_as() -> None:  # contract 3.10
    lost = transport_error("m", httpx.RemoteProtocolError("cut"))
    assert isinstance(lost, ConnectionLost) and "RemoteProtocolError cut" in str(lost)
    late = transport_error("m", httpx.ReadTimeout(""))
    assert isinstance(late, ModelUnavailable) and late.code == 408
    assert transport_error("m", ValueError("odd")) is None
