"""One conversation with a live model under test: what it was told, what it said, how it ended."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Final

from antiphon.core.messages import Media, Message, Opening, ToolResults, Turn
from antiphon.core.signals import (
    ModelAudio,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
)
from antiphon.models.base import Setup
from antiphon.types import Blob, Content, FunctionCall, FunctionDeclaration, FunctionResponse, Part, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.config import RunConfig
    from antiphon.errors import ModelConnectionError
    from antiphon.models.base import ModelConnection

__all__ = ["LOOKUP", "Talk", "count", "is_content", "names", "words"]

LOOKUP: Final = Tool(
    function_declarations=[
        FunctionDeclaration(
            name="lookup",
            description="Looks up how a city is.",
            parameters={"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
        )
    ]
)
CYCLES: Final = 20
"""Turns of the loop in which what must not be said would be."""


def words(text: str, role: str = "user") -> Content:
    return Content(role=role, parts=[Part(text=text)])


def is_content(signal: ModelSignal) -> bool:
    match signal:
        case ModelText(text, thought):
            return bool(text) and not thought
        case OutputTranscript(text):
            return bool(text)
        case ModelAudio(data):
            return bool(data)
    return isinstance(signal, ModelPart)


def count(kind: type[ModelSignal], said: Sequence[ModelSignal]) -> int:
    return sum(isinstance(signal, kind) for signal in said)


def names(said: Sequence[ModelSignal]) -> str:
    return ", ".join(type(signal).__name__ for signal in said) or "nothing"


class Talk:
    """A listener that keeps what it is told, and the connection that it listens to."""

    connection: ModelConnection

    def __init__(self, config: RunConfig, patience: float) -> None:
        self.config = config
        self.said: list[ModelSignal] = []
        self.losses: list[tuple[ModelConnectionError | None, tuple[Message, ...]]] = []
        self.strays: list[str] = []
        """What was reported when, or where, nothing may be."""
        self.reaction: Callable[[ModelSignal], None] | None = None
        self.times_writable = 0
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._news = asyncio.Event()

    # What the connection calls.

    def received(self, said: Sequence[ModelSignal]) -> None:
        self._reported(names(said))
        self.said.extend(said)
        if self.reaction is not None:
            for signal in said:
                self.reaction(signal)

    def writable(self) -> None:
        self._reported("writable")
        self.times_writable += 1

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        self._reported("lost")
        self.losses.append((error, unsent))

    def _reported(self, what: str) -> None:
        if self.losses:
            self.strays.append(f"{what} after the loss")
        if threading.get_ident() != self._thread:
            self.strays.append(f"{what} in another thread")
        self._loop.call_soon_threadsafe(self._news.set)

    # What the tests call.

    async def begin(self, **setup: Any) -> None:
        self.connection.begin(Setup(self.config, tools=[LOOKUP], **setup))
        await self.until("ModelReady", lambda: count(ModelReady, self.said) > 0)

    def say(self, text: str, *, complete: bool = True) -> int:
        """Returns where in `said` the answer can begin."""
        since = len(self.said)
        self.connection.send(Turn(words(text), complete))
        return since

    def show(self, data: bytes, mime_type: str) -> None:
        self.connection.send(Media(Blob(data=data, mime_type=mime_type)))

    async def until(self, what: str, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(self._patience):
                while not condition():
                    assert not self.losses, f"lost with {self.losses[0][0]!r} before {what}; {self}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"no {what} within {self._patience:g} s; {self}") from None

    async def content(self, since: int) -> None:
        await self.until("content", lambda: any(map(is_content, self.said[since:])))

    async def turn(self, since: int) -> list[ModelSignal]:
        """What is said from there on, with the `TurnComplete` that follows content."""

        def end() -> int:
            began = False
            for at, signal in enumerate(self.said[since:], since):
                began = began or is_content(signal)
                if began and isinstance(signal, TurnComplete):
                    return at + 1
            return 0

        await self.until("content and TurnComplete", lambda: end() > 0)
        return self.said[since : end()]

    async def call(self, since: int) -> FunctionCall:
        """The call that is asked for, which is the first thing answered from there on."""
        await self.until("ToolCalls", lambda: count(ToolCalls, self.said[since:]) > 0)
        heard = self.said[since:]
        (at, calls), *_ = ((at, each.calls) for at, each in enumerate(heard) if isinstance(each, ToolCalls))
        before = heard[:at]
        assert not count(TurnComplete, before), f"something else was answered before: {names(before)}"
        assert not count(ModelInterrupted, before), f"something else was cut off: {names(before)}"
        (call,) = calls
        return call

    def answer(self, call: FunctionCall) -> int:
        since = len(self.said)
        response = FunctionResponse(id=call.id, name=call.name, response={"output": "sunny"})
        self.connection.send(ToolResults((response,)))
        return since

    async def close(self) -> None:
        async with asyncio.timeout(self._patience):
            await self.connection.close()
        await self.until("lost", lambda: bool(self.losses))

    async def settle(self) -> None:
        for _ in range(CYCLES):
            await asyncio.sleep(0)

    def __str__(self) -> str:
        return f"heard {names(self.said)}"
