"""The virtual clock: idle time is jumped over, and only idle time."""

from __future__ import annotations

import asyncio
import threading

import pytest

from antiphon.testing.clock import VirtualClockLoop

pytestmark = pytest.mark.virtual_clock


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_waiting_takes_no_time() -> None:
    begun = now()
    await asyncio.sleep(86_400)
    assert now() - begun == 86_400


async def test_timers_ring_in_order() -> None:
    rung: list[int] = []

    async def ring(number: int, delay: float) -> None:
        await asyncio.sleep(delay)
        rung.append(number)

    await asyncio.gather(ring(3, 30), ring(1, 10), ring(2, 20))
    assert rung == [1, 2, 3]


async def test_the_clock_stands_still_while_a_thread_works() -> None:
    begun = now()
    go = threading.Event()

    def work() -> str:
        assert go.wait(5)
        return "done"

    job = asyncio.get_running_loop().run_in_executor(None, work)
    asyncio.get_running_loop().call_later(1000, lambda: None)
    go.set()
    assert await job == "done"
    assert now() == begun


async def test_bytes_on_loopback_arrive_before_the_clock_jumps() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            await asyncio.sleep(10)
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        begun = now()
        for number in range(50):
            writer.write(b"%d\n" % number)
            assert await reader.readline() == b"%d\n" % number
        assert now() - begun == pytest.approx(500)
        writer.close()
        await writer.wait_closed()


async def test_timeouts_work() -> None:
    begun = now()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.Event().wait()
    assert now() - begun == 5


async def test_it_is_the_loop_of_marked_tests() -> None:
    assert isinstance(asyncio.get_running_loop(), VirtualClockLoop)
