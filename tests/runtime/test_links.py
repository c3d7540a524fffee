"""All links of a conversation: the newest session decides, and none is kept that is gone (contract 7)."""

from __future__ import annotations

from antiphon.core.signals import LinkLost
from antiphon.errors import ConnectionLost
from antiphon.models import Setup
from tests.runtime.linking import CONFIG, Bench, turns


async def test_an_open_link_says_so_and_then_what_the_model_says(bench: Bench) -> None:
    await bench.dialled()


async def test_a_session_is_not_begun_on_a_link_that_is_gone(bench: Bench) -> None:
    """An instruction callable may take longer than the link lasts."""
    bench.board.dial(1, "guide")
    assert not bench.board.begin(1, Setup(CONFIG)), "it is not open yet"
    await turns()
    bench.model.connections[0].drop(ConnectionLost("broken"))
    await turns()
    assert not bench.board.begin(1, Setup(CONFIG))
    assert bench.model.connections[0].setup is None


async def test_a_lost_link_is_forgotten(bench: Bench) -> None:
    """A conversation of many reconnects does not grow by them."""
    for number in range(1, 20):
        connection = await bench.dialled(number)
        connection.drop(ConnectionLost("broken"))
        await turns()
        assert bench.lost().link == number
        assert len(bench.board) == 0


async def test_a_model_that_does_not_keep_up_keeps_messages_back(bench: Bench) -> None:
    """contract 2.2"""
    connection = await bench.dialled()
    assert bench.board.writable
    connection.is_writable = False
    assert not bench.board.writable
    connection.is_writable = True
    connection.listener.writable()
    assert (bench.board.writable, bench.drained) == (True, 1)


async def test_what_waited_for_a_link_is_taken_when_it_is_lost(bench: Bench) -> None:
    """contract 2.2, 7.3: else a text sent just before waits until the user sends another"""
    connection = await bench.dialled()
    connection.is_writable = False
    connection.drop(ConnectionLost("broken"))
    await turns()
    assert (bench.board.writable, bench.drained) == (True, 1)


async def test_the_newest_session_decides_and_a_spare_does_not(bench: Bench) -> None:
    """contract 7.2"""
    first = await bench.dialled(1)
    bench.board.dial(2, "guide")
    await turns()
    first.is_writable = False
    assert not bench.board.writable
    bench.board.begin(2, Setup(CONFIG))
    assert bench.board.writable


async def test_hanging_up_says_code_and_reason_and_is_reported_as_an_end_in_good_order(bench: Bench) -> None:
    """contract 1.5"""
    connection = await bench.dialled()
    bench.board.hang_up(1, 1000, "transfer")
    await turns()
    assert connection.closed == (1000, "transfer")
    assert bench.lost() == LinkLost(1, None)
    bench.board.hang_up(1, 1000, "again")
    await turns()
    assert bench.told() == []
