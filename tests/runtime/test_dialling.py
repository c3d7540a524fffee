"""Links are opened and closed: whatever happens is told, and nothing is left open (contract 1.6, 7.4)."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.core.signals import LinkLost
from antiphon.errors import MissingCredentials, ModelConnectionError, ModelUnavailable
from tests.runtime.linking import Bench, turns


@pytest.mark.parametrize(
    ("raised", "told"),
    [
        (ModelUnavailable("full", code=1013), "full"),
        (MissingCredentials("set GOOGLE_API_KEY"), "set GOOGLE_API_KEY"),
    ],
)
async def test_a_link_that_cannot_be_opened_is_lost_with_the_reason(
    bench: Bench, raised: Exception, told: str
) -> None:
    """contract 7.4"""
    bench.model.connect_error = raised
    bench.board.dial(1, "guide")
    await turns()
    lost = bench.lost()
    assert (lost.link, str(lost.error), lost.unsent) == (1, told, ())
    assert raised in (lost.error, lost.error and lost.error.__cause__)
    assert len(bench.board) == 0


async def test_an_error_nobody_thought_of_is_lost_with_the_models_name_and_not_retried(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.model.connect_error = KeyError("oops")
    bench.board.dial(1, "guide")
    await turns()
    error = bench.lost().error
    assert str(error) == "Connecting to near failed: KeyError: 'oops'"
    assert error is not None
    assert not error.retryable
    assert "Traceback" in caplog.text


@pytest.mark.virtual_clock
async def test_hanging_up_on_a_connect_that_hangs_ends_it(bench: Bench) -> None:
    """contract 1.6"""
    bench.model.connecting = asyncio.Event().wait
    bench.board.dial(1, "guide")
    await turns()
    bench.board.hang_up(1, 1000, "")
    await turns(10)
    assert bench.lost() == LinkLost(1, None)
    assert bench.model.connections == []
    assert asyncio.get_running_loop().time() == 0.0


async def test_a_close_that_fails_neither_ends_the_conversation_nor_keeps_others_open(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 1.6"""
    first, second = await bench.dialled(1), await bench.dialled(2)
    bench.model.close_error = ModelConnectionError("no farewell")
    await bench.board.close_all()
    await turns()
    assert (first.closed, second.closed) == ((1000, ""), (1000, ""))
    assert {signal.link for signal in bench.told() if isinstance(signal, LinkLost)} == {1, 2}
    assert "Closing link 1 failed" in caplog.text


@pytest.mark.virtual_clock
async def test_all_links_are_closed_at_the_same_time(bench: Bench) -> None:
    """contract 1.6: bounded, however many there are"""
    bench.model.closing = lambda: asyncio.sleep(2.0)
    for number in (1, 2, 3):
        await bench.dialled(number)
    await bench.board.close_all()
    assert asyncio.get_running_loop().time() == pytest.approx(2.0)
    await turns()
    assert len(bench.board) == 0
