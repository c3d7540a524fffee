"""Calling callbacks: off the loop, within their time, and whatever they raise (contract 5.10)."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import CallbackFailed
from antiphon.events import EventActions
from antiphon.runtime.callbacks import Callbacks, taken
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FIELD = "before_agent_callback"


@pytest.fixture
async def callbacks() -> AsyncIterator[Callbacks]:
    crashes: list[BaseException] = []
    tasks = TaskOwner(crashes.append)
    yield Callbacks(tasks, 1.0)
    await tasks.cancel_all(1.0)
    assert crashes == []


async def test_sync_callbacks_run_in_threads_and_async_ones_on_the_loop(callbacks: Callbacks) -> None:
    here: list[bool] = []

    def sync(callback_context: Any) -> None:
        here.append(threading.current_thread() is threading.main_thread())

    async def coroutine(callback_context: Any) -> None:
        here.append(threading.current_thread() is threading.main_thread())

    class Both:
        async def __call__(self, callback_context: Any) -> None:
            await coroutine(callback_context)

    given: list[Any] = [sync, coroutine, Both(), lambda callback_context: coroutine(callback_context)]
    assert await callbacks.first(FIELD, given, "c") is None
    assert here == [False, True, True, True]


async def test_the_first_that_returns_something_counts(callbacks: Callbacks) -> None:
    seen: list[str] = []

    def say(name: str, value: object) -> Any:
        def callback(callback_context: str) -> object:
            seen.append(f"{name}:{callback_context}")
            return value

        return callback

    given = [say("a", None), say("b", {}), say("c", 1)]
    assert await callbacks.first(FIELD, given, "x") == {}
    assert seen == ["a:x", "b:x"]


async def test_arguments_are_given_by_name_or_in_order(callbacks: Callbacks) -> None:
    by_name = await callbacks.first("before_tool_callback", [lambda **given: given], 1, 2, 3)
    assert by_name == {"tool": 1, "args": 2, "tool_context": 3}
    assert await callbacks.first("before_tool_callback", [lambda *given: given], 1, 2, 3) == (1, 2, 3)


class Odd(BaseException):
    pass


@pytest.mark.parametrize("error", [ValueError("no"), SystemExit(1), StopIteration(), Odd("x")])
@pytest.mark.parametrize("is_async", [False, True])
async def test_whatever_a_callback_raises_is_one_failure(
    callbacks: Callbacks, error: BaseException, is_async: bool
) -> None:
    def sync(callback_context: Any) -> None:
        raise error

    async def coroutine(callback_context: Any) -> None:
        raise error

    with pytest.raises(
        CallbackFailed, match=f"before_agent_callback {'coroutine' if is_async else 'sync'} raised"
    ):
        await callbacks.first(FIELD, [coroutine if is_async else sync], None)


@pytest.mark.virtual_clock
async def test_a_callback_that_hangs_is_given_up(callbacks: Callbacks) -> None:
    async def hangs(callback_context: Any) -> None:
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            await asyncio.sleep(0.5)  # it takes its time to leave

    began = asyncio.get_running_loop().time()
    with pytest.raises(CallbackFailed, match="hangs took longer than 1 s"):
        await callbacks.first(FIELD, [hangs], None)
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0)


async def test_a_callback_that_cancels_itself_has_failed(callbacks: Callbacks) -> None:
    async def cancels(callback_context: Any) -> None:
        raise asyncio.CancelledError

    with pytest.raises(CallbackFailed, match="was cancelled"):
        await callbacks.first(FIELD, [cancels], None)


def test_what_was_written_is_taken_as_it_is() -> None:
    actions = EventActions(state_delta={"k": 1}, artifact_delta={"f": 0})
    copy = taken(actions)
    actions.state_delta["k"] = 2
    assert (copy.state_delta, copy.artifact_delta) == ({"k": 1}, {"f": 0})
    with pytest.raises(CallbackFailed, match=r"A callback wrote an object to state\['k'\]"):
        taken(EventActions(state_delta={"k": object()}))
