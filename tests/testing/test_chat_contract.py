"""The contract of chat models: a right one keeps it, each wrong one breaks the clause it should."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from antiphon.events import LlmResponse
from antiphon.models import ChatModel
from antiphon.testing.chat_contract import ChatModelContract
from antiphon.testing.chat_wire import question_in
from antiphon.types import Content, FunctionCall, Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from antiphon.models import LlmRequest


class Right(ChatModel):
    name = "right"

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        said = request.model_dump(exclude_none=True)
        if question_in(said) == "lookup paris" and len(request.contents) == 1:
            yield self.whole(Part(function_call=FunctionCall(id="c", name="lookup", args={"city": "paris"})))
            return
        for word in ("Hello ", "there.") if stream else ():
            yield LlmResponse(content=Content(role="model", parts=[Part(text=word)]), partial=True)
        yield self.whole(Part(text="Hello there."))

    def whole(self, part: Part) -> LlmResponse:
        return LlmResponse(content=Content(role="model", parts=[part]), finish_reason="STOP")


class TestARightModel(ChatModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        yield Right()


class NoPieces(Right):
    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        async for response in super().generate(request, stream=False):
            yield response


class AlwaysPieces(Right):
    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        async for response in super().generate(request, stream=True):
            yield response


class NoReason(Right):
    def whole(self, part: Part) -> LlmResponse:
        return super().whole(part).model_copy(update={"finish_reason": None})


class ForgetsResults(Right):
    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        first = request.model_copy(update={"contents": request.contents[:1]})
        async for response in super().generate(first, stream=stream):
            yield response


class ChangesRequests(Right):
    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        async for response in super().generate(request.model_copy(), stream=stream):
            yield response
        request.contents.append(Content(role="user"))


class LeavesTasks(Right):
    tasks: set[asyncio.Task[None]] = set()  # noqa: RUF012 - kept on purpose

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        self.tasks.add(asyncio.get_running_loop().create_task(asyncio.Event().wait()))  # type: ignore[arg-type]
        async for response in super().generate(request, stream=stream):
            yield response


class OneLoop(Right):
    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        assert asyncio.get_running_loop() is self.loop
        async for response in super().generate(request, stream=stream):
            yield response


@pytest.mark.parametrize(
    ("wrong", "test"),
    [
        (NoPieces, "test_pieces_are_partial_and_add_up_to_the_whole"),
        (AlwaysPieces, "test_without_streaming_there_is_only_the_whole"),
        (NoReason, "test_the_whole_says_how_it_ended"),
        (ForgetsResults, "test_calls_come_whole_and_their_result_is_spoken_of"),
        (ChangesRequests, "test_a_request_stays_as_it_is"),
        (LeavesTasks, "test_leaving_early_leaves_nothing_open"),
        (OneLoop, "test_it_may_be_asked_on_another_event_loop"),
    ],
)
async def test_a_wrong_model_breaks_it(wrong: type[ChatModel], test: str) -> None:
    class Contract(ChatModelContract):
        @asynccontextmanager
        async def open(self) -> AsyncIterator[ChatModel]:
            yield wrong()

    try:
        with pytest.raises(AssertionError):
            await getattr(Contract(), test)()
    finally:
        for task in LeavesTasks.tasks:
            task.cancel()
        LeavesTasks.tasks.clear()


async def test_whoever_inherits_says_how_to_open() -> None:
    with pytest.raises(NotImplementedError):
        async with ChatModelContract().open():
            pass
