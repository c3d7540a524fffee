"""Conversations to be recorded and replayed: each with its model's script, its agents and its user."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import (
    Agent,
    Event,
    Gemini,
    InMemoryRunner,
    Limits,
    LiveRequestQueue,
    LongRunningFunctionTool,
    ModelConnectionError,
    Retry,
    RunConfig,
    SequentialAgent,
    ToolContext,
    types,
)
from antiphon.requests import LiveRequest
from antiphon.testing.live_frames import function_call, tool_call, usage
from antiphon.testing.live_server import Call, Faults, LiveServer, Timing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from antiphon.agents import BaseAgent
    from antiphon.models import LiveModel

__all__ = ["SCENARIOS", "Scenario", "hold", "record", "told"]

pytestmark = [pytest.mark.virtual_clock]  # the tools of these conversations wait


@dataclass
class Scenario:
    """One conversation, in which the user says `first` and reacts by `act`, until it ends."""

    name: str
    script: Any
    agent: Callable[[LiveModel], BaseAgent] = lambda model: Agent(name="helper", model=model)
    first: Callable[[LiveRequestQueue], None] = lambda queue: queue.send_content("Hello")
    act: Callable[[Event, LiveRequestQueue], None] = lambda event, queue: (
        queue.close() if event.turn_complete else None
    )
    config: RunConfig = field(default_factory=RunConfig)
    options: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


async def hold(
    runner: InMemoryRunner,
    queue: LiveRequestQueue,
    config: RunConfig,
    act: Callable[[Event, LiveRequestQueue], None] | None = None,
    tape: Path | None = None,
) -> list[Event]:
    """The events of one conversation, until it ends, also by an error."""
    with suppress(Exception):
        await runner.session_service.create_session(app_name=runner.app_name, user_id="ann", session_id="s1")
    running = runner.run_live(
        user_id="ann", session_id="s1", live_request_queue=queue, run_config=config, tape=tape
    )
    seen: list[Event] = []
    with suppress(ModelConnectionError):
        async with aclosing(running):
            async for event in running:
                seen.append(event)
                if act is not None:
                    act(event, queue)
    return seen


async def record(scenario: Scenario, tape: Path) -> list[Event]:
    """The events of the scenario, recorded with a real socket behind it."""
    async with LiveServer(scenario.script, timing=Timing.instant(), **scenario.options) as server:
        model = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        runner = InMemoryRunner(scenario.agent(model), app_name="app")
        queue = LiveRequestQueue()
        scenario.first(queue)
        return await hold(runner, queue, scenario.config, scenario.act, tape)


def told(events: list[Event]) -> list[str]:
    """Events as their JSON without what is unique to each: ids, times, and handles, which are ids too."""
    out, handles, ids = [], dict[str, int](), [event.id for event in events]
    for event in events:
        data = json.loads(
            event.model_dump_json(
                exclude_none=True, by_alias=True, exclude={"id", "invocation_id", "timestamp"}
            )
        )
        if update := data.get("liveSessionResumptionUpdate"):
            update["newHandle"] = handles.setdefault(update["newHandle"], len(handles))
        if "amends" in data:
            data["amends"] = ids.index(data["amends"])
        out.append(json.dumps(data, ensure_ascii=False))
    return out


# --- what models say ---


async def two_words(call: Call) -> None:
    await call.setup()
    while True:
        await call.receive_text()
        await call.turn("Hello yourself.", usage=usage({"TEXT": 3}, {"TEXT": 4}))


async def text_in_pieces(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.text("Let me think", thought=True)
    await call.text("Well, ")
    await call.pause(0.2)
    await call.text("yes.")
    await call.generation_complete()
    await call.turn_complete()
    await call.closed()


async def cut_off(call: Call) -> None:
    await call.setup()
    for _ in range(3):
        await call.receive_audio()
    await call.input_transcription("tell me ")
    await call.input_transcription("a story")
    for word in ("Once ", "upon ", "a "):
        await call.output_transcription(word)
        await call.audio(0.2)
        await call.pause(0.05)
    await call.receive_audio()
    await call.input_transcription("stop")
    await call.interrupted()
    await call.audio(0.04)
    await call.turn_complete()
    await call.turn("Sorry.")
    await call.closed()


async def calls_tools(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.send(tool_call(function_call("a", "quick", {"n": 1}), function_call("b", "slow", {"n": 2})))
    await call.receive_tool_response()
    await call.say("Just a moment. ")
    await call.receive_tool_response()
    await call.tool_call("broken", {}, id="c")
    await call.receive_tool_response()
    await call.tool_call("ask", {"what": "raise"}, id="d")
    await call.tool_call("forever", {}, id="e")
    await call.pause(0.5)
    await call.cancel_tool_calls("e")
    await call.turn("Done, all but one.")
    await call.receive_tool_response()
    await call.turn("Now all.")
    await call.closed()


async def hands_over(call: Call) -> None:
    setup = await call.setup()
    await call.receive_text()
    if setup["systemInstruction"]["parts"][0]["text"] == "greet":
        await call.say("One moment.")
        await call.tool_call("transfer_to_agent", {"agent_name": "billing"}, id="t")
        await call.closed()
    await call.turn("You owe nothing.")
    await call.closed()


async def steps_on(call: Call) -> None:
    await call.setup()
    await call.output_transcription("Here I am. ")
    await call.tool_call("task_completed")
    await call.closed()


async def lost_amid_an_answer(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.handle("handle one, secret")
    await call.say("As I was")
    await call.handle("handle two, secret")
    await call.abort()


async def goes_on(call: Call) -> None:
    setup = await call.setup()
    assert setup["sessionResumption"] == {"handle": "handle two, secret"}
    await call.say(" saying.")
    await call.generation_complete()
    await call.turn_complete()
    await call.receive_text()
    await call.turn("Bye.")
    await call.closed()


async def lost_when_asked(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.turn("Yes?")
    await call.handle("handle one, secret")
    await call.receive_text()
    await call.abort()


async def is_told_all(call: Call) -> None:
    setup = await call.setup()
    assert "handle" not in setup["sessionResumption"], "nobody knows whether the question was read"
    await call.receive_text()
    await call.turn("I am here.")
    await call.closed()


async def lost_for_good(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.say("I am")
    await call.close(1011, "Internal error encountered.")


async def begins_anew(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.turn("Again.")
    await call.closed()


async def goes_away(call: Call) -> None:
    await call.setup()
    await call.handle("first handle")
    await call.receive_text()
    await call.say("I must ")
    await call.go_away(20.0)
    await call.say("go soon.")
    await call.turn_complete()
    await call.closed()


async def after_going(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.turn("Here again.")
    await call.closed()


async def refuses(call: Call) -> None:
    await call.setup(answer=False)
    await call.close(1008, "models/x is not found for API version v1")


async def ends_itself(call: Call) -> None:
    await call.setup()
    await call.say("That is all.")
    await call.close(1000)


async def never_ends_its_turn(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    await call.say("And then")
    await call.interrupted()
    await call.closed()


async def listens(call: Call) -> None:
    await call.setup()
    await call.receive()
    await call.receive_audio()
    await call.receive()
    await call.turn("I heard you.")
    await call.closed()


async def looks(call: Call) -> None:
    await call.setup()
    await call.receive()
    await call.receive_text()
    await call.turn("A dot.")
    await call.closed()


# --- agents and users ---


def with_tools(model: LiveModel) -> Agent:
    def quick(n: int, tool_context: ToolContext) -> dict[str, int]:
        tool_context.state["n"] = n
        return {"n": n}

    async def slow(n: int) -> str:
        await asyncio.sleep(1.0)
        return f"{n} later"

    def broken() -> None:
        raise LookupError("nothing there")

    def ask(what: str) -> None:
        return None

    async def forever() -> AsyncIterator[str]:
        yield "began"
        await asyncio.Event().wait()

    tools = [quick, slow, broken, LongRunningFunctionTool(ask), forever]
    return Agent(name="helper", model=model, tools=tools)


def two_agents(model: LiveModel) -> Agent:
    billing = Agent(name="billing", instruction="bill", description="bills")
    return Agent(name="greeter", model=model, instruction="greet", sub_agents=[billing])


def in_a_row(model: LiveModel) -> SequentialAgent:
    steps = [Agent(name=name, model=model, instruction=name) for name in ("one", "two")]
    return SequentialAgent(name="all", sub_agents=steps)


def blob(seconds: float = 0.1) -> types.Blob:
    return types.Blob(data=bytes(int(32_000 * seconds)), mime_type="audio/pcm;rate=16000")


def speaks(queue: LiveRequestQueue) -> None:
    for _ in range(3):
        queue.send_realtime(blob())


def cuts_in(event: Event, queue: LiveRequestQueue) -> None:
    words = event.output_transcription
    if words is not None and event.partial and words.text == "a ":
        queue.send_playback(200.0)
        queue.send_realtime(blob(0.04))
    if event.turn_complete and not event.interrupted:
        queue.close()


def answers_later(event: Event, queue: LiveRequestQueue) -> None:
    words = event.output_transcription
    if words is not None and words.finished and words.text == "Done, all but one.":
        answer = types.FunctionResponse(id="d", name="ask", response={"granted": True})
        queue.send_content(types.Content(role="user", parts=[types.Part(function_response=answer)]))
    if words is not None and words.finished and words.text == "Now all.":
        queue.close()


def twice(event: Event, queue: LiveRequestQueue) -> None:
    if event.turn_complete:
        if not getattr(queue, "again", False):
            queue.again = True  # type: ignore[attr-defined]
            queue.send_content("Bye")
        else:
            queue.close()


def holds_to_talk(queue: LiveRequestQueue) -> None:
    queue.send(LiveRequest(activity_start=types.ActivityStart(), state_delta={"talking": True}))
    queue.send_realtime(blob())
    queue.send_activity_end()


def shows(queue: LiveRequestQueue) -> None:
    queue.send_realtime(types.Blob(data=b"\x89PNG", mime_type="image/png"))
    queue.send_content("What is it?")


def leaves_at_once(queue: LiveRequestQueue) -> None:
    queue.send_content("Hello")
    queue.close()


def nothing(*_: Any) -> None:
    """What the user says, or does about it."""


RESUMING = RunConfig(session_resumption=types.SessionResumptionConfig(), custom_metadata={"tenant": 7})
MANUAL = RunConfig(
    realtime_input_config=types.RealtimeInputConfig(
        automatic_activity_detection=types.AutomaticActivityDetection(disabled=True)
    )
)

SCENARIOS = [
    Scenario("text", two_words, act=twice),
    Scenario("emulated", None),
    Scenario("thoughts", text_in_pieces),
    Scenario("interruption", cut_off, first=speaks, act=cuts_in),
    Scenario("tools", calls_tools, agent=with_tools, act=answers_later),
    Scenario("hand-over", hands_over, agent=two_agents),
    Scenario("sequence", steps_on, agent=in_a_row, first=nothing, act=nothing),
    Scenario("resumption", [lost_amid_an_answer, goes_on], act=twice, config=RESUMING),
    Scenario("in doubt", [lost_when_asked, is_told_all], act=twice, config=RESUMING),
    Scenario("reseeding", [lost_for_good, begins_anew]),
    Scenario("going away", [goes_away, after_going], act=twice, config=RESUMING),
    Scenario("refused", refuses),
    Scenario("no retries", lost_for_good, config=RunConfig(retry=Retry(attempts=0))),
    Scenario("unreachable", two_words, options={"faults": Faults().on(1, http_status=503)}),
    Scenario("the model ends it", ends_itself, first=nothing, act=nothing),
    Scenario("an open end", never_ends_its_turn),
    Scenario("push to talk", listens, first=holds_to_talk, config=MANUAL),
    Scenario("an image", looks, first=shows),
    Scenario("leaving at once", two_words, first=leaves_at_once),
    Scenario("a limit", two_words, act=nothing, config=RunConfig(limits=Limits(max_duration=5.0))),
    Scenario("voices kept", cut_off, first=speaks, act=cuts_in, config=RunConfig(save_live_blob=True)),
    Scenario("quiet", two_words, config=RunConfig(lifecycle_events=False)),
]
