"""The emulated model on a socket: replies of every form, beside what the user says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from antiphon.testing.live_server import Hold, Item, LiveServer, Prompt, Reply, Say, Timing, ToolCall
from antiphon.testing.live_speech import silence, tone
from tests.testing.live_client import dial, steps, words

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

TEXT = {"responseModalities": ["TEXT"]}
WEATHER = [{"functionDeclarations": [{"name": "get_weather"}]}]


def a_list(prompt: Prompt) -> list[Item]:
    return [Say("You said "), Say(prompt.text or "nothing")]


def a_generator(prompt: Prompt) -> Iterator[Item]:
    yield from a_list(prompt)


async def an_async_generator(prompt: Prompt) -> AsyncIterator[Item]:
    for item in a_list(prompt):
        await asyncio.sleep(0)
        yield item


@pytest.mark.parametrize("reply", [a_list, a_generator, an_async_generator])
async def test_a_reply_may_be_any_iterable(reply: Reply) -> None:
    async with LiveServer(reply=reply, timing=Timing.instant()) as server, dial(server) as client:
        await client.setup(generationConfig=TEXT)
        await client.text("Hello")
        got = await client.turn()
        assert words(got) == "You said Hello"
        assert steps(got) == ["model_turn", "generation_complete", "turn_complete"]


async def test_the_user_may_cut_in_on_a_reply_that_waits() -> None:
    """Wire 1.5: `interrupted`, `turnComplete`; the reply is closed, the next prompt is answered."""
    closed = asyncio.Event()

    async def reply(prompt: Prompt) -> AsyncIterator[Item]:
        yield Say(f"On {prompt.text}: ")
        try:
            if prompt.text == "stars":
                await asyncio.Event().wait()
        finally:
            if prompt.text == "stars":
                closed.set()

    async with LiveServer(reply=reply, timing=Timing.instant()) as server, dial(server) as client:
        await client.setup(generationConfig=TEXT)
        await client.text("stars")
        assert words(await client.until("model_turn")) == "On stars: "
        await client.text("tea")
        assert steps(await client.turn()) == ["interrupted", "turn_complete"]
        assert words(await client.turn()) == "On tea: "
        await closed.wait()


async def test_a_hold_keeps_the_floor_until_the_user_speaks() -> None:
    async with (
        LiveServer(reply=lambda prompt: [Say("Well"), Hold()], timing=Timing.instant()) as server,
        dial(server) as client,
    ):
        await client.setup()
        await client.text("?")
        await client.until("model_turn")
        await client.audio(tone(0.3))
        assert steps(await client.turn()) == ["voice_start", "interrupted", "turn_complete"]


async def test_a_tool_call_waits_for_its_response() -> None:
    def reply(prompt: Prompt) -> Iterator[Item]:
        if prompt.responses:
            yield Say(f"It is {prompt.responses[0].output}.")
        else:
            yield ToolCall("get_weather", {"city": "Paris"})

    async with LiveServer(reply=reply, timing=Timing.instant()) as server, dial(server) as client:
        await client.setup(generationConfig=TEXT, tools=WEATHER)
        await client.text("weather?")
        [call] = await client.until("tool_call")
        await client.answer(call, response={"output": "sunny"})
        assert words(await client.turn()) == "It is sunny."


async def test_a_mistake_in_a_reply_fails_the_test() -> None:
    def reply(prompt: Prompt) -> list[Item]:
        raise ValueError("my mistake")

    with pytest.raises(ValueError, match="my mistake"):
        async with LiveServer(reply=reply, timing=Timing.instant()) as server, dial(server) as client:
            await client.setup()
            await client.text("?")
            assert (await client.closed())[0] == 1011


@pytest.mark.virtual_clock
async def test_the_pace_is_that_of_the_service() -> None:
    """Wire 1.6."""
    loop = asyncio.get_running_loop()
    async with LiveServer() as server, dial(server) as client:
        begin = loop.time()
        await client.setup(outputAudioTranscription={})
        assert loop.time() - begin == pytest.approx(0.34, abs=0.01)
        begin = loop.time()
        await client.text("Say something long enough to last")
        await client.until("model_turn")
        first = loop.time()
        assert first - begin == pytest.approx(0.5, abs=0.01)
        await client.until("generation_complete")
        generated = loop.time() - first
        await client.turn()
        played = loop.time() - first
        assert 0.2 < generated < played / 3
        sound = sum(len(frame.raw) for frame in server.connections[0].sent) * 3 / 4 / 48_000
        assert played == pytest.approx(sound, rel=0.1)


@pytest.mark.virtual_clock
async def test_counting_can_be_interrupted_by_voice() -> None:
    async with LiveServer() as server, dial(server) as client:
        await client.setup(outputAudioTranscription={})
        await client.text("Please count to 100")
        got = (
            await client.until("model_turn")
            + await client.until("model_turn")
            + await client.until("model_turn")
        )
        await client.audio(tone(0.3))
        got += await client.turn()
        assert words(got).startswith("1 2 3 ")
        assert steps(got)[-2:] == ["interrupted", "turn_complete"]
        await client.audio(silence(1.3))
        assert "seconds of speech" in words(await client.turn())
