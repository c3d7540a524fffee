"""The driver with a real socket: what the conversation commands is done in order, and nothing holds it up."""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, ToolContext, types
from antiphon.testing.live_server import Call, frames

if TYPE_CHECKING:
    from antiphon import Event
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_a_text_turn_goes_up_and_the_answer_comes_down(converse: Converse) -> None:
    """contract 1.3, 3.3, 3.5, 3.13"""

    async def script(call: Call) -> None:
        await call.setup()
        assert await call.receive_text() == "Hello"
        await call.turn("Hello yourself.")
        await call.closed()

    async with converse(script) as talk:
        talk.queue.send_content("Hello")
        last = await talk.until(lambda e: e.turn_complete)
        assert last.author == "helper"
        assert last.content is None
        spoken = [e.output_transcription for e in talk.seen if e.output_transcription]
        assert spoken[-1].text == "Hello yourself."
        assert not any(e.content for e in talk.seen if e.author == "user"), (
            "the application has said it itself"
        )
        stored = [e for e in (await talk.session()).events if e.author == "user" and e.content]
        assert len(stored) == 1
        assert spoken[-1].finished


@pytest.mark.virtual_clock
async def test_an_async_tool_of_two_seconds_leaves_no_gap_in_the_audio(converse: Converse) -> None:
    """contract 5.3: no gap above 60 ms, and an interruption is yielded within 20 ms"""
    loop = asyncio.get_running_loop()
    said_stop = 0.0

    async def slow() -> str:
        await asyncio.sleep(2.0)
        return "done"

    async def script(call: Call) -> None:
        nonlocal said_stop
        await call.setup()
        await call.receive_text()
        await call.tool_call("slow")
        for number in range(75):  # three seconds
            await call.audio(FRAME)
            await call.pause(0.040)
            if number == 30:
                said_stop = loop.time()
                await call.interrupted()
                await call.turn_complete()
        await call.receive_tool_response()
        await call.turn_complete()
        await call.closed()

    times: list[float] = []
    interrupted_at = answered_at = 0.0
    async with converse(script, agent=Agent(name="helper", tools=[slow])) as talk:
        talk.queue.send_content("go")
        async with aclosing(talk.events()) as events:
            async for event in events:
                if audio_of(event):
                    times.append(loop.time())
                if event.interrupted and not event.turn_complete:
                    interrupted_at = loop.time()
                if event.get_function_responses():
                    answered_at = loop.time()
                if len(times) == 75:
                    break
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert max(gaps) <= 0.060
    assert interrupted_at - said_stop <= 0.020
    assert answered_at - times[0] == pytest.approx(2.0, abs=0.05)


async def test_a_sync_tool_that_blocks_holds_nothing_back(converse: Converse) -> None:
    """contract 5.3: it runs until all audio and the interruption have been seen, or it would never end"""
    seen_all = threading.Event()

    def stubborn() -> str:
        assert seen_all.wait(20), "the audio waited for the tool"
        return "done"

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("stubborn")
        for _ in range(50):
            await call.audio(FRAME)
        await call.interrupted()
        await call.turn_complete()
        [answer] = await call.receive_tool_response()
        assert answer["response"] == {"result": "done"}
        await call.turn("Fine.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[stubborn])) as talk:
        talk.queue.send_content("go")
        chunks = 0
        async with aclosing(talk.events()) as events:
            async for event in events:
                chunks += bool(audio_of(event))
                if event.interrupted and event.turn_complete:
                    assert chunks == 50
                    seen_all.set()
                elif event.turn_complete:
                    break


async def test_calls_run_in_parallel_and_answer_as_they_finish(converse: Converse) -> None:
    """contract 5.2: each waits for the other, so one after the other would never end"""
    first, second = asyncio.Event(), asyncio.Event()

    async def one() -> str:
        first.set()
        await second.wait()
        return "one"

    async def two() -> str:
        second.set()
        await first.wait()
        return "two"

    answers: list[dict[str, Any]] = []

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        calls = [frames.function_call("a", "one", {}), frames.function_call("b", "two", {})]
        await call.send(frames.tool_call(*calls))
        while len(answers) < 2:
            answers.extend(await call.receive_tool_response())
        await call.turn_complete()
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[one, two])) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
    assert {answer["id"]: answer["response"] for answer in answers} == {
        "a": {"result": "one"},
        "b": {"result": "two"},
    }


async def test_a_call_co_framed_with_turn_complete_is_executed(converse: Converse) -> None:
    """contract 5.2; and a call id that arrives twice is executed once (5.4)"""
    runs: list[int] = []

    def count() -> int:
        runs.append(1)
        return len(runs)

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("count", id="x", with_=frames.turn_complete())
        await call.tool_call("count", id="x")
        [answer] = await call.receive_tool_response()
        assert answer["response"] == {"result": 1}
        await call.turn("One.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[count])) as talk:
        talk.queue.send_content("go")
        turns = 0

        def second_turn(event: Event) -> bool:
            nonlocal turns
            turns += bool(event.turn_complete)
            return turns == 2

        await talk.until(second_turn)
    assert runs == [1]


async def test_an_exception_in_a_tool_is_an_answer_and_not_the_end(converse: Converse) -> None:
    """contract 5.4"""

    def broken(city: str) -> str:
        raise LookupError(f"no {city}")

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for name, args in (("broken", {"city": "Rome"}), ("broken", {"town": 1}), ("nothing", {})):
            await call.tool_call(name, args)
            [answer] = await call.receive_tool_response()
            assert "error" in answer["response"], answer
        await call.turn("Sorry.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[broken])) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
    codes = [r.response["error"]["code"] for e in talk.seen for r in e.get_function_responses() if r.response]
    assert codes == ["TOOL_FAILED", "INVALID_ARGUMENTS", "UNKNOWN_TOOL"]


@pytest.mark.virtual_clock
async def test_a_tool_over_its_timeout_is_stopped(converse: Converse) -> None:
    """contract 5.4"""
    from antiphon import FunctionTool

    stopped: list[str] = []

    async def endless() -> str:
        try:
            await asyncio.sleep(1e6)
        except asyncio.CancelledError:
            stopped.append("stopped")
            raise
        return "never"

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("endless")
        [answer] = await call.receive_tool_response()
        assert answer["response"]["error"]["code"] == "TIMEOUT"
        await call.turn_complete()
        await call.closed()

    async with converse(
        script, agent=Agent(name="helper", tools=[FunctionTool(endless, timeout=3.0)])
    ) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
    assert stopped == ["stopped"]


async def test_a_cancelled_call_stops_and_its_late_result_is_dropped(converse: Converse) -> None:
    """contract 5.5"""
    running, stopped = asyncio.Event(), asyncio.Event()

    async def patient() -> str:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return "late"

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        call_id = await call.tool_call("patient")
        await running.wait()
        await call.cancel_tool_calls(call_id)
        await stopped.wait()
        await call.turn("Never mind.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[patient])) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        sent = [message.kind for message in talk.server.connections[0].received]
        assert "toolResponse" not in sent
    assert [e.lifecycle.kind for e in talk.seen if e.lifecycle and e.lifecycle.call_ids] == ["tool_cancelled"]


async def test_a_tool_ends_the_invocation(converse: Converse) -> None:
    """contract 1.5"""

    def goodbye(tool_context: ToolContext) -> str:
        tool_context.end_invocation = True
        return "bye"

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("goodbye")
        assert await call.closed() == 1000

    async with converse(script, agent=Agent(name="helper", tools=[goodbye])) as talk:
        talk.queue.send_content("go")
        events = await talk.all()
    assert events[-1].lifecycle
    assert events[-1].lifecycle.by == "agent"


async def test_a_long_running_tool_is_answered_later_by_the_application(converse: Converse) -> None:
    """contract 5.6"""
    from antiphon import LongRunningFunctionTool

    def approve(amount: int) -> None:
        """Asks a person."""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("approve", {"amount": 5}, id="a1")
        await call.turn("I have asked.")
        [answer] = await call.receive_tool_response()
        assert (answer["id"], answer["response"]) == ("a1", {"approved": True})
        await call.turn("It is approved.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[LongRunningFunctionTool(approve)])) as talk:
        talk.queue.send_content("go")
        turns = 0
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.get_function_calls():
                    assert event.long_running_tool_ids == {"a1"}
                if event.turn_complete:
                    turns += 1
                    if turns == 2:
                        break
                    answer = types.FunctionResponse(id="a1", name="approve", response={"approved": True})
                    talk.queue.send_content(
                        types.Content(role="user", parts=[types.Part(function_response=answer)])
                    )
