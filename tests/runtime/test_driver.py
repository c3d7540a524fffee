"""The driver with a real socket: what the conversation commands is done in order, and nothing holds it up."""

from __future__ import annotations

import asyncio
import itertools
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, RunConfig, ToolContext, types
from antiphon.errors import ConfigurationError, ConsumerTooSlow
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


async def test_every_event_has_its_id_and_the_invocations(converse: Converse) -> None:
    """contract 3.2"""
    async with converse(config=RunConfig(custom_metadata={"call": 7})) as talk:
        talk.queue.send_content("Hello")
        await talk.until(lambda e: e.turn_complete)
    ids = [event.id for event in talk.seen]
    assert len(set(ids)) == len(ids)
    assert len({event.invocation_id for event in talk.seen}) == 1
    assert talk.seen[0].invocation_id.startswith("e-")
    assert all(event.custom_metadata == {"call": 7} for event in talk.seen)  # contract 6.1


async def test_audio_goes_up_as_it_was_sent(converse: Converse) -> None:
    """contract 2.2: never split, merged or reordered"""
    chunks = [bytes([n]) * (2 * n) for n in range(1, 9)]
    heard: list[bytes] = []

    async def script(call: Call) -> None:
        await call.setup()
        heard.extend([await call.receive_audio() for _ in chunks])
        assert await call.receive_text() == "done"
        await call.turn_complete()
        await call.closed()

    async with converse(script) as talk:
        for chunk in chunks:
            talk.queue.send_realtime(types.Blob(data=chunk, mime_type="audio/pcm;rate=16000"))
        talk.queue.send_content("done")
        await talk.until(lambda e: e.turn_complete)
    assert heard == chunks


async def test_what_was_sent_before_close_is_delivered_before_the_close_frame(converse: Converse) -> None:
    """contract 2.4, 1.5"""
    async with converse() as talk:
        talk.queue.send_content("last words")
        talk.queue.close()
        await talk.all()
        [connection] = talk.server.connections
        assert connection.close_code == 1000
        assert [message.text for message in connection.received if message.text] == ["last words"]


async def test_other_threads_may_send(converse: Converse) -> None:
    """contract 2.3"""
    async with converse() as talk:
        sender = threading.Thread(target=lambda: talk.queue.send_content("from a thread"))
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "ready":
                    sender.start()
                if event.turn_complete:
                    break
        sender.join()
        texts = [message.text for message in talk.server.connections[0].received if message.text]
        assert texts == ["from a thread"]


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


async def test_state_written_by_a_tool_lands_with_its_event(converse: Converse) -> None:
    """contract 4.6"""

    def remember(name: str, tool_context: ToolContext) -> str:
        tool_context.state["name"] = name
        tool_context.state["user:seen"] = 1
        tool_context.state["temp:scratch"] = 2
        return "noted"

    def recall(tool_context: ToolContext) -> str:
        return str(tool_context.state["name"])

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("remember", {"name": "Ann"})
        await call.receive_tool_response()
        await call.tool_call("recall")
        [answer] = await call.receive_tool_response()
        assert answer["response"] == {"result": "Ann"}
        await call.turn_complete()
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[remember, recall])) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        session = await talk.session()
    assert session.state == {"name": "Ann", "user:seen": 1}


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


async def test_the_instruction_is_filled_in_from_state(converse: Converse) -> None:
    """contract 6.1; DESIGN 6"""

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert setup["systemInstruction"]["parts"] == [{"text": "You help Ann."}]
        await call.closed()

    async with converse(script, agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        await talk.runner.session_service.delete_session(app_name="app", user_id="ann", session_id="s1")
        await talk.runner.session_service.create_session(
            app_name="app", user_id="ann", session_id="s1", state={"name": "Ann"}
        )
        await talk.until(lambda e: e.lifecycle)


async def test_an_instruction_that_cannot_be_filled_in_is_an_error_that_says_so(converse: Converse) -> None:
    async with converse(agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        with pytest.raises(ConfigurationError, match="'name'"):
            await talk.all()


async def test_a_new_invocation_is_told_the_stored_conversation(converse: Converse) -> None:
    """contract 4.4"""

    async def first(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.turn("Your name is Ann.")
        await call.closed()

    async def second(call: Call) -> None:
        setup = await call.setup()
        assert setup["historyConfig"] == {"initialHistoryInClientContent": True}
        told = await call.receive()
        assert [turn["parts"] for turn in told["clientContent"]["turns"]] == [
            [{"text": "I am Ann"}],
            [{"text": "Your name is Ann."}],
        ]
        await call.closed()

    async with converse([first, second]) as talk:
        talk.queue.send_content("I am Ann")
        await talk.until(lambda e: e.turn_complete)
        talk.queue = type(talk.queue)()
        await talk.until(lambda e: e.lifecycle)
        await talk.server.connected(2)


async def test_an_application_that_does_not_read_costs_audio_and_not_the_connection(
    converse: Converse,
) -> None:
    """contract 3.11 (overloaded)"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for _ in range(200):
            await call.audio(FRAME)
        await call.turn_complete()
        await call.closed()

    async with converse(script, config=RunConfig(event_buffer=32)) as talk:
        talk.queue.send_content("go")
        shed = chunks = 0
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "ready":
                    connection = await talk.server.connected(1)
                    await connection.until(lambda c: len(c.sent) >= 202)
                    for _ in range(50):
                        await asyncio.sleep(0)
                chunks += bool(audio_of(event))
                if event.lifecycle and event.lifecycle.kind == "overloaded":
                    shed = event.lifecycle.count or 0
                if event.turn_complete:
                    break
    assert shed > 0
    assert chunks + shed == 200


async def test_events_that_must_not_be_lost_end_a_conversation_nobody_reads(converse: Converse) -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for number in range(60):
            await call.send({"usageMetadata": {"totalTokenCount": number}})
        await call.closed()

    async with converse(script, config=RunConfig(event_buffer=32)) as talk:
        talk.queue.send_content("go")
        with pytest.raises(ConsumerTooSlow, match="event_buffer"):
            async for event in talk.events():
                if event.lifecycle and event.lifecycle.kind == "ready":
                    connection = await talk.server.connected(1)
                    await connection.until(lambda c: len(c.sent) >= 61)
                    for _ in range(50):
                        await asyncio.sleep(0)


async def test_state_that_comes_with_any_request_lands(converse: Converse) -> None:
    """contract 2.6"""
    blob = types.Blob(data=bytes(2), mime_type="audio/pcm;rate=16000")
    async with converse() as talk:
        talk.queue.send({"blob": blob, "state_delta": {"a": 1}})
        talk.queue.send({"audio_stream_end": True, "state_delta": {"b": 2}})
        talk.queue.send({"content": HELLO, "state_delta": {"c": 3}})
        talk.queue.send({"close": True, "state_delta": {"d": 4}})
        await talk.all()
        session = await talk.session()
    assert session.state == {"a": 1, "b": 2, "c": 3, "d": 4}
