"""Tools that a model does not wait for, by family of models (contract 5.6, 5.7; wire reference 1.10)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, FunctionTool, LiveRequestQueue, ToolContext
from antiphon.testing.live_server import Prompt, Say, ToolCall
from antiphon.tools import stop_streaming

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon import Event
    from antiphon.testing.live_reply import Item
    from tests.runtime.conftest import Converse

ALL = [
    "gemini-3.8-live",
    "gemini-3.8-live-extended-thinking",
    "gemini-2.5-flash-native-audio-preview",
    "gemini-3.1-flash-live-preview",
]
SCHEDULING = ["gemini-3.8-live", "gemini-2.5-flash-native-audio-preview"]


def config_of(model: str) -> dict[str, Any]:
    """What an agent with this model needs."""
    if "thinking" in model:
        return {"generate_content_config": {"thinking_config": {"thinking_level": "LOW"}}}
    return {}


def words(event: Event) -> str | None:
    said = event.output_transcription
    return said.text if said is not None and said.finished else None


@pytest.mark.parametrize("model", SCHEDULING)
@pytest.mark.parametrize("how", ["WHEN_IDLE", "INTERRUPT", "SILENT"])
async def test_a_result_is_spoken_when_the_tool_says(converse: Converse, model: str, how: str) -> None:
    # contract 5.6
    ready, gate = asyncio.Event(), asyncio.Event()

    async def report(tool_context: ToolContext) -> int:
        """Takes a while."""
        await ready.wait()
        tool_context.scheduling = how
        return 7

    async def reply(prompt: Prompt) -> AsyncIterator[Item]:
        match prompt.text:
            case "go":
                yield Say("Looking.")
                yield ToolCall("report")
            case "talk":
                yield Say("Once")
                await gate.wait()
                yield Say(" more.")
            case "well?":
                yield Say("well")
            case _:
                yield Say(f"result {prompt.responses[0].output}")

    said: list[str] = []
    agent = Agent(name="helper", tools=[FunctionTool(report, behavior="NON_BLOCKING")])
    async with converse(agent=agent, model=model, reply=reply) as talk:
        talk.queue.send_content("go")
        asked = False
        async for event in talk.events():
            if event.turn_complete and not asked:
                asked = True
                talk.queue.send_content("talk")
            if event.output_transcription and event.output_transcription.text == "Once":
                ready.set()
            if event.get_function_responses() and how != "INTERRUPT":
                gate.set()
            if event.turn_complete and "Once more." in said and how == "SILENT":
                talk.queue.send_content("well?")
            if event.interrupted and "interrupted" not in said:
                said.append("interrupted")
            if text := words(event):
                said.append(text)
                if text.startswith(("result", "well")) and (how != "WHEN_IDLE" or "Once more." in said):
                    break
    assert (
        said
        == {
            "WHEN_IDLE": ["Looking.", "Once more.", "result 7"],
            "INTERRUPT": ["Looking.", "interrupted", "Once", "result 7"],
            "SILENT": ["Looking.", "Once more.", "well"],
        }[how]
    )
    [told] = talk.server.connections[0].function_responses
    assert (told["response"], told["scheduling"]) == ({"result": 7}, how)


@pytest.mark.parametrize("model", ALL)
async def test_every_value_of_a_stream_reaches_every_model_once(converse: Converse, model: str) -> None:
    # contract 5.7: by the call's id where the model takes several answers to it, else in words
    spoken = [asyncio.Event() for _ in range(3)]

    async def prices(input_stream: LiveRequestQueue) -> AsyncIterator[int]:
        """Tells prices."""
        for number, event in enumerate(spoken):
            yield number
            await event.wait()

    def reply(prompt: Prompt) -> list[Item]:
        if prompt.text == "go":
            return [ToolCall("prices")]
        told = prompt.text or f"{prompt.responses[0].name} {prompt.responses[0].output}"
        return [Say(told)]

    said: list[str] = []
    agent = Agent(name="helper", tools=[prices], **config_of(model))
    async with converse(agent=agent, model=model, reply=reply) as talk:
        talk.queue.send_content("go")
        async for event in talk.events():
            assert event.error_code is None
            if text := words(event):
                said.append(text)
            if event.turn_complete and said and not spoken[len(said) - 1].is_set():
                spoken[len(said) - 1].set()
            if len(said) == 3:
                break
    by_id = [f"prices {number}" for number in range(3)]
    in_words = [f"(The call of prices returned {{'result': {number}}}.)" for number in range(3)]
    assert said == (by_id if model in SCHEDULING else by_id[:1] + in_words[1:])


@pytest.mark.parametrize("model", ALL)
async def test_the_model_stops_a_stream(converse: Converse, model: str) -> None:
    # contract 5.7: the generator is closed, and each call has one last answer
    closed = asyncio.Event()

    async def prices() -> AsyncIterator[int]:
        """Tells prices."""
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            closed.set()

    def reply(prompt: Prompt) -> list[Item]:
        match prompt.text:
            case "go":
                return [ToolCall("prices", id="p")]
            case "stop":
                return [ToolCall("stop_streaming", {"function_name": "prices"}, id="s")]
        return [Say(f"{[each.name for each in prompt.responses]}")]

    agent = Agent(name="helper", tools=[prices, stop_streaming], **config_of(model))
    async with converse(agent=agent, model=model, reply=reply) as talk:
        talk.queue.send_content("go")
        asked = False
        async for event in talk.events():
            if event.turn_complete and not asked and any(e.get_function_responses() for e in talk.seen):
                asked = True
                talk.queue.send_content("stop")
            if words(event) == "['stop_streaming']":
                break
        await closed.wait()
    answers = [answer for event in talk.seen for answer in event.get_function_responses()]
    assert [(a.id, a.response, a.will_continue) for a in answers] == [
        ("p", {"result": 1}, True),
        ("p", {"status": "stopped"}, None),
        ("s", {"status": "stopped", "function_name": "prices", "calls": 1}, None),
    ]
