import asyncio

import pytest

from antiphon.models.liveness import CLOSE_TIMEOUT, PING_AFTER, SILENT_AFTER, Liveness

pytestmark = pytest.mark.virtual_clock


class Watched:
    """What a peer's liveness did, and when."""

    def __init__(self) -> None:
        self.pings: list[float] = []
        self.silences: list[float] = []
        self.cuts: list[float] = []
        self.liveness = Liveness(lambda: self.pings.append(now()), self.silences.append)

    def cut(self) -> None:
        self.cuts.append(now())


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_peer_that_is_heard_of_is_left_alone() -> None:
    watched = Watched()
    watched.liveness.begin()
    for _ in range(100):
        await asyncio.sleep(PING_AFTER / 2 - 1)
        watched.liveness.heard()
    assert watched.pings == watched.silences == []
    watched.liveness.stop()


async def test_silence_is_asked_into_and_told_once() -> None:
    watched = Watched()
    watched.liveness.begin()
    await asyncio.sleep(10 * SILENT_AFTER)
    assert watched.pings == [20, 30, 40, 50, 60, 70]
    assert watched.silences == [80]


async def test_an_answer_begins_it_anew() -> None:
    watched = Watched()
    watched.liveness.begin()
    await asyncio.sleep(SILENT_AFTER - 1)
    watched.liveness.heard()
    await asyncio.sleep(SILENT_AFTER - 1)
    assert watched.silences == []
    await asyncio.sleep(SILENT_AFTER)
    assert len(watched.silences) == 1


async def test_an_ending_is_bounded_and_no_longer_watched() -> None:
    watched = Watched()
    watched.liveness.begin()
    watched.liveness.end_by(watched.cut)
    await asyncio.sleep(10 * SILENT_AFTER)
    assert watched.cuts == [CLOSE_TIMEOUT]
    assert watched.pings == watched.silences == []


async def test_stopped_it_calls_nothing() -> None:
    never_begun, watched = Watched(), Watched()
    never_begun.liveness.stop()
    watched.liveness.end_by(watched.cut)
    watched.liveness.stop()
    watched.liveness.stop()
    await asyncio.sleep(10 * SILENT_AFTER)
    assert watched.cuts == watched.pings == []
