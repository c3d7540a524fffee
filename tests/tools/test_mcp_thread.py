"""A service on a thread of its own: shared, cancelled, closed, and gone when it is closed."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.tools import ToolError
from antiphon.tools.mcp_thread import SessionThread
from tests.runtime.near_model import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Desk:
    """A service that notes who comes and goes."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.threads: set[int] = set()

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Desk]:
        self.log.append("opened")
        try:
            yield self
        finally:
            self.log.append("closed")

    async def work(self) -> str:
        self.threads.add(threading.get_ident())
        return "done"

    async def stay(self) -> str:
        self.log.append("stays")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.log.append("cancelled")
            raise
        return "never"


def stay(desk: Any) -> Any:
    return desk.stay()


def work(desk: Any) -> Any:
    return desk.work()


async def test_it_runs_on_one_other_thread_until_it_is_closed() -> None:
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")
    assert desk.log == [], "nothing is opened before it is needed"
    assert [*await asyncio.gather(session.run(work), session.run(work))] == ["done", "done"]
    assert len(desk.threads) == 1 and threading.get_ident() not in desk.threads
    assert "antiphon-test" in [thread.name for thread in threading.enumerate()]
    await session.close()
    await session.close()
    assert desk.log == ["opened", "closed"]
    assert "antiphon-test" not in [thread.name for thread in threading.enumerate()]


async def test_it_opens_again_when_it_is_used_after_it_was_closed() -> None:
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")
    for _ in range(2):
        assert await session.run(work) == "done"
        await session.close()
    assert desk.log == ["opened", "closed"] * 2


def test_it_serves_one_loop_after_another() -> None:
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")
    assert asyncio.run(session.run(work)) == asyncio.run(session.run(work)) == "done"
    asyncio.run(session.close())
    assert desk.log == ["opened", "closed"]


async def test_cancelling_the_question_cancels_the_work_alone() -> None:
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")
    asking = asyncio.ensure_future(session.run(stay))
    await until(lambda: "stays" in desk.log)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(lambda: "cancelled" in desk.log)
    assert await session.run(work) == "done"
    await session.close()


async def test_what_is_asked_while_it_closes_is_answered_by_an_error() -> None:
    """A `CancelledError` would be taken for the call's own."""
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")
    asking = asyncio.ensure_future(session.run(stay))
    await until(lambda: "stays" in desk.log)
    await session.close()
    with pytest.raises(ToolError, match="has closed") as told:
        await asking
    assert told.value.code == "UNAVAILABLE"


async def test_a_service_that_does_not_start_is_told_to_everybody_who_asks() -> None:
    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        raise LookupError("no such thing")
        yield

    session = SessionThread(broken, "antiphon-test")
    for _ in range(2):
        with pytest.raises(LookupError, match="no such thing"):
            await session.run(work)
    await session.close()


async def test_a_service_that_breaks_on_leaving_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    @asynccontextmanager
    async def brittle() -> AsyncIterator[Desk]:
        yield Desk()
        raise LookupError("broke")

    session = SessionThread(brittle, "antiphon-test")
    await session.run(work)
    await session.close()
    assert "antiphon-test crashed" in caplog.text


async def test_a_loop_that_cannot_be_made_is_an_error_and_not_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()
    session = SessionThread(desk.serve, "antiphon-test")

    def no_more_files() -> asyncio.AbstractEventLoop:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(asyncio.events, "new_event_loop", no_more_files)
        with pytest.raises(OSError, match="Too many open files"):
            await session.run(work)
    assert await session.run(work) == "done", "the next one tries again"
    await session.close()
