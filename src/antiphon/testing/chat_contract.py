"""What a chat model is held to (contract 6.3; `antiphon.models.chat`)."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final

from antiphon.models.request import LlmRequest
from antiphon.types import (
    Content,
    FunctionCall,
    FunctionDeclaration,
    FunctionResponse,
    GenerateContentConfig,
    Part,
    Schema,
    Tool,
    Type,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.events import LlmResponse
    from antiphon.models.chat import ChatModel

__all__ = ["ChatModelContract"]

HELLO: Final = "hello"
LOOK_UP: Final = "lookup paris"
_LOOKUP: Final = FunctionDeclaration(
    name="lookup",
    description="Looks a city up.",
    parameters=Schema(type=Type.OBJECT, properties={"city": Schema(type=Type.STRING)}, required=["city"]),
)


class ChatModelContract:
    """Inherit, and say how to open the model, with its peer if it needs one.

        class TestMyModel(ChatModelContract):
            @asynccontextmanager
            async def open(self) -> AsyncIterator[ChatModel]:
                async with MyPeer() as peer:
                    yield MyModel(peer.address)

    The model behind it behaves like this:

    - to `hello` it answers in two words or more;
    - to `lookup paris` it calls the function `lookup` with `{"city": "paris"}`, and speaks of its result.
    """

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        """A model that can be asked."""
        raise NotImplementedError
        yield

    async def test_pieces_are_partial_and_add_up_to_the_whole(self) -> None:  # contract 3.4
        async with self.open() as model:
            *pieces, whole = await _asked(model, _request(HELLO))
        assert len(pieces) > 1 and all(piece.partial for piece in pieces) and not whole.partial
        assert _words(whole) and "".join(map(_words, pieces)) == _words(whole)

    async def test_without_streaming_there_is_only_the_whole(self) -> None:  # contract 6.1
        async with self.open() as model:
            responses = await _asked(model, _request(HELLO), stream=False)
        assert len(responses) == 1 and not responses[0].partial and _words(responses[0])

    async def test_the_whole_says_how_it_ended(self) -> None:  # contract 6.3
        async with self.open() as model:
            whole = (await _asked(model, _request(HELLO)))[-1]
        assert whole.finish_reason == "STOP" and whole.error_code is None and whole.content is not None
        assert whole.content.role == "model"

    async def test_calls_come_whole_and_their_result_is_spoken_of(self) -> None:  # contract 5.2
        async with self.open() as model:
            request = _request(LOOK_UP)
            whole = (await _asked(model, request))[-1]
            calls = _calls(whole)
            assert [(call.name, call.args) for call in calls] == [("lookup", {"city": "paris"})]
            results = [
                Part(function_response=FunctionResponse(id=call.id, name=call.name, response={"found": True}))
                for call in calls
            ]
            assert whole.content is not None
            request.contents += [whole.content, Content(role="user", parts=results)]
            answer = (await _asked(model, request))[-1]
        assert _words(answer) and not _calls(answer)

    async def test_a_request_stays_as_it_is(self) -> None:
        async with self.open() as model:
            request = _request(LOOK_UP)
            before = request.model_copy(deep=True)
            await _asked(model, request)
        assert request == before

    async def test_leaving_early_leaves_nothing_open(self) -> None:  # contract 1.6
        async with self.open() as model:
            tasks = asyncio.all_tasks()
            async with aclosing(model.generate(_request(HELLO), stream=True)) as responses:
                async for _ in responses:
                    break
            assert _words((await _asked(model, _request(HELLO)))[-1])
            await asyncio.sleep(0)
            assert asyncio.all_tasks() <= tasks

    async def test_many_ask_at_once(self) -> None:  # contract 1.2
        async with self.open() as model, model.kept_open():
            async with model.kept_open():
                answers = await asyncio.gather(*(_asked(model, _request(HELLO)) for _ in range(3)))
            assert all(_words(answer[-1]) for answer in answers)
            assert _words((await _asked(model, _request(HELLO)))[-1])

    async def test_it_may_be_asked_on_another_event_loop(self) -> None:  # contract 6.3: `run()` does
        async with self.open() as model, model.kept_open():
            answer = await asyncio.to_thread(lambda: asyncio.run(_asked(model, _request(HELLO))))
            assert _words(answer[-1])


def _request(text: str) -> LlmRequest:
    said = Content(role="user", parts=[Part(text=text)])
    config = GenerateContentConfig(tools=[Tool(function_declarations=[_LOOKUP])])
    return LlmRequest(contents=[said], config=config)


async def _asked(model: ChatModel, request: LlmRequest, *, stream: bool = True) -> list[LlmResponse]:
    request = request if request.model else request.model_copy(update={"model": model.name})
    async with aclosing(model.generate(request, stream=stream)) as responses:
        return [response async for response in responses]


def _words(response: LlmResponse) -> str:
    parts = (response.content.parts or []) if response.content else []
    return "".join(part.text or "" for part in parts if not part.thought)


def _calls(response: LlmResponse) -> list[FunctionCall]:
    parts = (response.content.parts or []) if response.content else []
    return [part.function_call for part in parts if part.function_call]
