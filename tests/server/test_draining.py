"""`SIGTERM` ends a server in good order (contract 8.8)."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.server.draining import drained_on_sigterm
from tests.runtime.near_model import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.server.rooms import Rooms


class Drained:
    """Rooms whose draining ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.done = asyncio.Event()
        self.error: Exception | None = None

    def __len__(self) -> int:
        return 1

    async def drain(self) -> None:
        self.begun += 1
        await self.done.wait()
        if self.error is not None:
            raise self.error


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """What the server's own handler was called with."""
    calls: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, before)


def rooms_of(drained: Any) -> Rooms:
    rooms: Rooms = drained
    return rooms


async def test_the_conversations_come_first(ended: list[int]) -> None:
    rooms = Drained()
    own = signal.getsignal(signal.SIGTERM)
    with drained_on_sigterm(rooms_of(rooms)):
        signal.raise_signal(signal.SIGTERM)
        await until(lambda: rooms.begun)
        assert not ended
        rooms.done.set()
        await until(lambda: ended)
    assert ended == [signal.SIGTERM] and rooms.begun == 1
    assert signal.getsignal(signal.SIGTERM) is own


async def test_a_second_signal_does_not_wait(ended: list[int]) -> None:
    rooms = Drained()
    with drained_on_sigterm(rooms_of(rooms)):
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        assert ended == [signal.SIGTERM]
        await until(lambda: rooms.begun)
        rooms.done.set()
        for _ in range(5):
            await asyncio.sleep(0)
    assert len(ended) == 1


async def test_a_failure_does_not_keep_the_server_from_ending(
    ended: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    rooms = Drained()
    rooms.error = OSError("the store")
    with drained_on_sigterm(rooms_of(rooms)):
        signal.raise_signal(signal.SIGTERM)
        rooms.done.set()
        await until(lambda: ended)
        await until(lambda: "Draining failed" in caplog.text)


async def test_without_a_signal_nothing_changes(ended: list[int]) -> None:
    own = signal.getsignal(signal.SIGTERM)
    with drained_on_sigterm(rooms_of(Drained())):
        pass
    assert signal.getsignal(signal.SIGTERM) is own


def test_on_another_thread_nothing_changes(ended: list[int]) -> None:
    seen = []

    async def look() -> None:
        with drained_on_sigterm(rooms_of(None)):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=lambda: asyncio.run(look()))
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
