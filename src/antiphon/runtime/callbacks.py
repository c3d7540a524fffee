"""Calls the application's callbacks: sync ones in threads, none longer than it may take (contract 5.10)."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from antiphon.agents.callbacks import CALLBACKS, arguments
from antiphon.errors import CallbackFailed
from antiphon.events import EventActions
from antiphon.runtime.threads import Threads
from antiphon.tools import CallbackContext
from antiphon.tools.result import check_state, stored_copy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from antiphon.runtime.tasks import TaskOwner

__all__ = ["Callbacks", "taken"]

log = logging.getLogger(__name__)


class Callbacks:
    """The callbacks of one conversation, each called with `timeout` seconds to come to a result."""

    def __init__(self, tasks: TaskOwner, timeout: float) -> None:
        self._tasks = tasks
        self._timeout = timeout
        self._threads = Threads("antiphon-callback")

    async def first(self, field: str, callbacks: Iterable[Callable[..., Any]], *given: Any) -> Any:
        """What the first of them returns that is not `None`, tried in order.

        `field` says what they are called with, which is `given`. Raises `CallbackFailed`.
        """
        for callback in callbacks:
            value = await self._call(field, callback, given)
            if value is not None:
                return value
        return None

    async def _call(self, field: str, callback: Callable[..., Any], given: tuple[Any, ...]) -> Any:
        named = arguments(callback, CALLBACKS[field])
        made = (
            partial(callback, **dict(zip(CALLBACKS[field], given, strict=True)))
            if named
            else partial(callback, *given)
        )
        told = f"{field} {getattr(callback, '__name__', repr(callback))}"
        task = self._tasks.spawn(self._made(made), f"antiphon-callback {told}")
        try:
            await asyncio.wait([task], timeout=self._timeout)
        finally:
            self._tasks.cancel(task)
        for each in given:
            if isinstance(each, CallbackContext):
                each.state.settle()
        if not task.done():
            error: BaseException | None = TimeoutError()
            value, why = None, f"took longer than {self._timeout:g} s"
        elif task.cancelled():
            value, error, why = None, asyncio.CancelledError(), "was cancelled"
        else:
            value, error = task.result()
            why = f"raised {type(error).__name__}: {error}"
        if error is None:
            return value
        failed = CallbackFailed(f"The {told} {why}.")
        log.error("%s", failed, exc_info=error)
        raise failed from error

    async def _made(self, made: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """The result, or what was raised: a callback that exits or cancels ends nothing but itself."""
        try:
            if _is_async(made):
                return await made(), None
            run = partial(contextvars.copy_context().run, _returned, made)
            value = await asyncio.get_running_loop().run_in_executor(self._threads, run)
            return (await value if inspect.isawaitable(value) else value), None
        except (KeyboardInterrupt, asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:
            return None, error


def _is_async(made: Callable[[], Any]) -> bool:
    function = made.func if isinstance(made, partial) else made
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__
    )


def _returned(made: Callable[[], Any]) -> Any:
    try:
        return made()
    except (StopIteration, GeneratorExit, KeyboardInterrupt) as odd:  # to the loop they mean something else
        raise RuntimeError(f"it raised {type(odd).__name__}") from odd


def taken(actions: EventActions) -> EventActions:
    """A copy of what callbacks wrote, to be stored: what they go on writing changes it no more.

    Raises `CallbackFailed` for state that cannot be stored.
    """
    try:
        check_state(actions.state_delta)
    except ValueError as error:
        raise CallbackFailed(str(error).replace("The tool", "A callback")) from error
    return EventActions.trusted(
        state_delta=stored_copy(actions.state_delta), artifact_delta=dict(actions.artifact_delta)
    )
