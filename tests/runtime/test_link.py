"""A link: what its connection reports becomes signals, a loss exactly one (contract 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from antiphon.core.signals import LinkLost
from antiphon.errors import ConnectionLost
from tests.runtime.linking import Bench, turn, turns

if TYPE_CHECKING:
    from antiphon.core.messages import Message


async def test_a_loss_is_reported_once_with_what_was_not_sent(bench: Bench) -> None:
    """contract 7.3"""
    connection = await bench.dialled()
    error = ConnectionLost("broken")
    connection.drop(error, turn("one"))
    connection.drop(ConnectionLost("broken again"))
    await turns()
    assert bench.lost() == LinkLost(1, error, (turn("one"),))
    await bench.board.close_all()
    await turns()
    assert bench.told() == []


async def test_a_loss_may_be_told_by_lists(bench: Bench) -> None:
    """Connections that applications write are Python, and nobody checks their types."""
    connection = await bench.dialled()
    connection.listener.lost(None, cast("Any", [turn("one")]), cast("Any", [turn("two")]))
    await turns()
    assert bench.lost() == LinkLost(1, None, (turn("one"),), (turn("two"),))


async def test_what_is_said_on_a_link_that_has_just_been_lost_comes_back_in_order(bench: Bench) -> None:
    """contract 7.3: a connection takes nothing any more once it has reported its loss"""
    connection = await bench.dialled()
    connection.drop(ConnectionLost("broken"), turn("one"))
    said: list[Message] = [turn("two"), turn("three")]
    for message in said:
        bench.board.send(1, message)
    assert bench.told() == [], "reported in the middle of a command"
    await turns()
    assert bench.lost().unsent == (turn("one"), *said)
    assert connection.heard == []
