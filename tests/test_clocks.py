import asyncio
import time

import pytest

from antiphon.clocks import Stopwatch, clock_of
from antiphon.testing.clock import VirtualClockLoop


def test_an_ordinary_loop_has_the_systems_clock() -> None:
    loop = asyncio.new_event_loop()
    try:
        assert clock_of(loop) is time.monotonic
        assert abs(clock_of(loop)() - loop.time()) < 1
    finally:
        loop.close()


def test_a_loop_with_a_clock_of_its_own_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    virtual, ordinary = VirtualClockLoop(), asyncio.new_event_loop()
    try:
        assert clock_of(virtual)() == 0.0
        monkeypatch.setattr(ordinary, "time", lambda: 42.0)
        assert clock_of(ordinary)() == 42.0
    finally:
        virtual.close()
        ordinary.close()


@pytest.mark.virtual_clock
async def test_a_stopwatch_begins_when_it_is_made() -> None:
    await asyncio.sleep(3)
    watch = Stopwatch(clock_of(asyncio.get_running_loop()))
    assert watch.seconds == 0
    await asyncio.sleep(2)
    assert watch.seconds == pytest.approx(2)
