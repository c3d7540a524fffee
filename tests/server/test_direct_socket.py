"""A client's socket, by real clients and by some that break the rules."""

from __future__ import annotations

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from antiphon.models import liveness
from tests.runtime.near_model import until
from tests.server.direct_sockets import BINARY, MOST, PING, TEXT, echoing, raw


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(TEXT, b"\xff")], 1007),
        ([(TEXT & 0x7F, b"\xc3"), (0x80, b"\x28")], 1007),
        ([(BINARY, bytes(MOST + 1))], 1009),
        ([(BINARY & 0x7F, bytes(MOST)), (0x80, b"\x00")], 1009),
        ([(0x80, b"goes on")], 1002),
        ([(TEXT & 0x7F, b"a"), (TEXT, b"b")], 1002),
        ([(TEXT | 0x40, b"packed")], 1002),
        ([(0x83, b"no such kind")], 1002),
    ],
)
async def test_what_breaks_the_protocol_closes_the_socket(frames: list[tuple[int, bytes]], code: int) -> None:
    """RFC 6455, 5.2, 5.4, 7.4.1; contract 8.3"""
    async with echoing() as (port, echoes), raw(port) as client:
        for first, payload in frames:
            client.frame(first, payload)
        assert await client.closed() == code
        client.frame(BINARY, b"too late")
        await until(lambda: echoes[0].code is not None)
        assert echoes[0].came == []


async def test_frames_without_a_mask_are_refused() -> None:
    """RFC 6455, 5.1"""
    async with echoing() as (port, echoes), raw(port) as client:
        client.frame(TEXT, b"hello", masked=False)
        assert await client.closed() == 1002
        await until(lambda: echoes[0].code is not None)


async def test_a_client_that_vanishes_is_gone() -> None:
    async with echoing() as (port, echoes), raw(port) as client:
        await until(lambda: bool(echoes))
        client.writer.transport.abort()
        await until(lambda: echoes[0].code is not None)
        assert echoes[0].code == 1006
        echoes[0].socket.send("nobody is there")


async def test_a_client_without_a_sign_of_life_is_pinged_and_then_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """contract 8.3"""
    monkeypatch.setattr(liveness, "PING_AFTER", 0.02)
    monkeypatch.setattr(liveness, "SILENT_AFTER", 0.2)
    async with echoing() as (port, echoes), raw(port) as client:
        assert (await client.answer())[0] == PING
        await until(lambda: echoes[0].code is not None)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            while True:
                await client.answer()


async def test_a_client_that_does_not_read_pauses_the_socket() -> None:
    """protocol 5.2"""
    async with echoing() as (port, echoes), raw(port) as client:
        await until(lambda: bool(echoes))
        echo = echoes[0]
        sent = 0
        while not echo.socket.paused:
            echo.socket.send(bytes(60_000))
            sent += 1
        reading = 0
        while reading < sent:
            first, size = await client.reader.readexactly(2)
            assert (first, size) == (BINARY, 126)
            await client.reader.readexactly(60_002)
            reading += 1
        await until(lambda: echo.relieved == 1)
        assert not echo.socket.paused


async def test_goodbye_waits_for_the_answer_but_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "CLOSE_TIMEOUT", 0.05)
    async with echoing() as (port, echoes), raw(port) as deaf:
        async with connect(f"ws://127.0.0.1:{port}/direct", proxy=None) as polite:
            await until(lambda: len(echoes) == 2)
            await asyncio.gather(*(echo.socket.close(4000, "that is all") for echo in echoes))
            with pytest.raises(ConnectionClosed) as closed:
                await polite.recv()
        assert closed.value.rcvd is not None and closed.value.rcvd.reason == "that is all"
        assert await deaf.closed() == 4000
        await echoes[0].socket.close(1000)
