import asyncio
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection

from antiphon.models.liveness import CLOSE_TIMEOUT
from tests.models.listening import Ears
from tests.models.sockets import (
    TEXT,
    dialled,
    handmade,
    never_reads,
    raw,
    typed,
    waits,
    websocket,
)


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
