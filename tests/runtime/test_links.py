"""Links: what connections report becomes signals, a loss exactly one; nothing is left open (contract 7)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from antiphon import RunConfig
from antiphon.core.messages import Message, Turn
from antiphon.core.signals import LinkDialled, LinkLost, ModelReady, Received, Signal
from antiphon.errors import ConnectionLost, MissingCredentials, ModelConnectionError, ModelUnavailable
from antiphon.models import Setup
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.tasks import TaskOwner
from antiphon.types import Content, Part
from tests.runtime.near_model import NearConnection, NearModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = RunConfig()


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part(text=text)]))


class Bench:
    """A board, and what it told."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.crashes: list[BaseException] = []
        self.drained = 0
        self.model = NearModel()
        self.tasks = TaskOwner(self.crashes.append)
        self.board = LinkBoard(CONFIG, {"guide": self.model}, self.tasks, self.signals.append, self.drain)

    def drain(self) -> None:
        self.drained += 1

    async def dialled(self, number: int = 1) -> NearConnection:
        """A link that is open and begun."""
        self.board.dial(number, "guide")
        await turns()
        assert self.board.begin(number, Setup(CONFIG))
        assert self.told() == [LinkDialled(number), Received(number, [ModelReady()])]
        return self.model.connections[-1]

    def told(self) -> list[Signal]:
        """The signals since it was last asked."""
        told, self.signals[:] = self.signals.copy(), []
        return told

    def lost(self) -> LinkLost:
        [lost] = self.told()
        assert isinstance(lost, LinkLost)
        return lost


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.tasks.cancel_all(1.0)
    assert bench.crashes == []


# Opening.


async def test_an_open_link_says_so_and_then_what_the_model_says(bench: Bench) -> None:
    await bench.dialled()


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


async def test_a_session_is_not_begun_on_a_link_that_is_gone(bench: Bench) -> None:
    """An instruction callable may take longer than the link lasts."""
    bench.board.dial(1, "guide")
    assert not bench.board.begin(1, Setup(CONFIG)), "it is not open yet"
    await turns()
    bench.model.connections[0].drop(ConnectionLost("broken"))
    await turns()
    assert not bench.board.begin(1, Setup(CONFIG))
    assert bench.model.connections[0].setup is None


# Losing.


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


async def test_a_lost_link_is_forgotten(bench: Bench) -> None:
    """A conversation of many reconnects does not grow by them."""
    for number in range(1, 20):
        connection = await bench.dialled(number)
        connection.drop(ConnectionLost("broken"))
        await turns()
        assert bench.lost().link == number
        assert len(bench.board) == 0


# Keeping the user's messages back.


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


# Closing.


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
