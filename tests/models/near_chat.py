"""A chat model in this process, which answers as it is told to, when it is told to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from antiphon.events import LlmResponse
from antiphon.models import ChatModel
from antiphon.testing.chat_wire import ChatCall, ChatReply, question_in
from antiphon.types import Content, FunctionCall, Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from antiphon.models import LlmRequest
    from antiphon.testing.chat_server import ChatRequest

__all__ = ["NearChat", "looks_up", "piece", "whole"]


def looks_up(request: ChatRequest) -> ChatReply:
    """Behaves as `ChatModelContract` wants it of the model behind."""
    asked = [*request.body.get("messages", ()), *request.body.get("contents", ())]
    if question_in(request.body) == "lookup paris" and len(asked) == 1:
        return ChatReply(calls=(ChatCall("lookup", {"city": "paris"}, "c1"),))
    return ChatReply("Hello there.")


def piece(text: str, *, thought: bool = False) -> LlmResponse:
    part = Part(text=text, thought=thought or None)
    return LlmResponse(content=Content(role="model", parts=[part]), partial=True)


def whole(text: str = "", *calls: FunctionCall) -> LlmResponse:
    parts = ([Part(text=text)] if text else []) + [Part(function_call=call) for call in calls]
    return LlmResponse(content=Content(role="model", parts=parts) if parts else None, finish_reason="STOP")


class NearChat(ChatModel):
    """Each request takes the next answer: responses in a row, an error to raise, or an event to wait for."""

    name = "near"

    def __init__(self, *answers: list[LlmResponse | Exception | asyncio.Event]) -> None:
        self.answers = list(answers)
        self.requests: list[LlmRequest] = []
        self.streamed: list[bool] = []
        self.closed = 0
        """Requests that were closed before their answer was whole."""
        self.open = 0
        """Conversations that keep it open."""
        self.leave_error: Exception | None = None

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        self.requests.append(request)
        self.streamed.append(stream)
        done = False
        try:
            for each in self.answers.pop(0):
                if isinstance(each, asyncio.Event):
                    await each.wait()
                elif isinstance(each, Exception):
                    raise each
                else:
                    done = not each.partial
                    yield each
        finally:
            self.closed += not done

    def kept_open(self) -> AbstractAsyncContextManager[object]:
        return self._kept()

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        self.open += 1
        yield
        self.open -= 1
        if self.leave_error is not None:
            raise self.leave_error
