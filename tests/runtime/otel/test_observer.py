"""Whole conversations as OpenTelemetry sees them (contract 1.7)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode

from antiphon import Agent, InMemoryRunner, KeywordBrain, RunConfig, ToolContext
from antiphon.core.signals import (
    GenerationComplete,
    InputTranscript,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
    Usage,
    VoiceActivityChanged,
)
from antiphon.errors import ConnectionLost, ModelConnectionError
from antiphon.types import (
    AutomaticActivityDetection,
    Blob,
    FunctionCall,
    RealtimeInputConfig,
    UsageMetadata,
    VoiceActivity,
    VoiceActivityType,
)
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from tests.runtime.otel.conftest import Talking, Told

pytestmark = pytest.mark.virtual_clock

SOUND = ModelAudio(bytes(960), "audio/pcm;rate=24000")
MANUAL = RunConfig(
    realtime_input_config=RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection(disabled=True)
    )
)


def voice(kind: str, offset: str | None = None) -> VoiceActivityChanged:
    found = VoiceActivityType(f"ACTIVITY_{kind}")
    return VoiceActivityChanged(VoiceActivity(voice_activity_type=found, audio_offset=offset))


def call(name: str, id: str = "c1", **args: Any) -> ToolCalls:
    return ToolCalls((FunctionCall(id=id, name=name, args=args),))


async def test_a_conversation_is_a_tree_of_spans(talking: Talking, told: Told) -> None:
    """contract 1.7"""

    async def look(city: str) -> str:
        with told.tracers.get_tracer("application").start_as_current_span("database"):
            await asyncio.sleep(1)
        return "sunny"

    def count() -> int:
        with told.tracers.get_tracer("application").start_as_current_span("abacus"):
            return 1

    async with talking(Agent(name="helper", tools=[look, count])) as talk:
        talk.queue.send_content("Weather?")
        await talk.settle()
        await asyncio.sleep(0.5)
        await talk.say(call("look", city="Rome"))
        await asyncio.sleep(1)
        await until(lambda: talk.model.connections[0].heard[1:])
        await talk.say(call("count", "c2"))
        await until(lambda: talk.model.connections[0].heard[2:])
        await talk.say(SOUND, OutputTranscript("Sunny.", finished=True))
        usage = UsageMetadata(prompt_token_count=7, response_token_count=5, thoughts_token_count=2)
        await talk.say(Usage(usage), TurnComplete())
    root = "invoke_agent helper"
    assert told.tree() == [
        root,
        f"{root} / chat near",
        f"{root} / chat near / execute_tool count",
        f"{root} / chat near / execute_tool count / abacus",
        f"{root} / chat near / execute_tool look",
        f"{root} / chat near / execute_tool look / database",
        f"{root} / connect near",
    ]
    asked = {"gen_ai.conversation.id": "s1", "gen_ai.agent.name": "helper"}
    model = {"gen_ai.provider.name": "custom", "gen_ai.request.model": "near"}
    used = {"gen_ai.usage.input_tokens": 7, "gen_ai.usage.output_tokens": 7}
    whole = told.about(root)
    assert whole.pop("antiphon.invocation.id") == talk.seen[0].invocation_id
    assert whole == {
        **asked,
        **model,
        **used,
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.output.type": "speech",
        "antiphon.app.name": "InMemoryRunner",
        "antiphon.ended.by": "user",
        "antiphon.ended.reason": "the queue was closed",
    }
    assert [event.name for event in told.span("connect near").events] == ["opened", "ready"]
    turn = told.about("chat near")
    assert turn.items() >= {**asked, **model, **used, "gen_ai.operation.name": "chat"}.items()
    assert told.span("chat near").kind is SpanKind.CLIENT
    tool = told.about("execute_tool look")
    assert tool.items() >= {**asked, "gen_ai.operation.name": "execute_tool"}.items()
    assert tool["gen_ai.tool.name"] == "look"
    assert tool["gen_ai.tool.type"] == "function"
    assert tool["gen_ai.tool.call.id"]
    assert took(told, "execute_tool look") == pytest.approx(1.0)
    assert took(told, "chat near") == pytest.approx(1.5, abs=0.01)  # from the question on


def took(told: Told, name: str) -> float:
    span = told.span(name)
    assert span.start_time and span.end_time
    return (span.end_time - span.start_time) / 1e9


async def test_no_content_unless_it_is_asked_for(talking: Talking, told: Told) -> None:
    """contract 1.7"""

    async def look(city: str) -> str:
        raise ValueError("the secret word")

    async def hold(content: bool | None) -> None:
        async with talking(Agent(name="helper", tools=[look]), content=content) as talk:
            talk.queue.send_content("the secret word")
            await talk.settle()
            await talk.say(InputTranscript("the secret word", finished=True))
            await talk.say(call("look", city="the secret word"))
            await until(lambda: talk.model.connections[0].heard[1:])
            await talk.say(SOUND, OutputTranscript("the secret word", finished=True))
            await talk.say(ModelText("the secret word"), ModelError("SAFETY", "the secret word"))
            await talk.say(TurnComplete())

    await hold(None)
    assert "the secret word" not in "".join(span.to_json() for span in told.spans)
    before = len(told.spans)
    await hold(True)
    found: dict[str, dict[str, Any]] = {
        span.name: dict(span.attributes or {}) for span in told.spans[before:]
    }
    turn, tool = found["chat near"], found["execute_tool look"]
    part = {"type": "text", "content": "the secret word the secret word"}
    assert json.loads(turn["gen_ai.input.messages"]) == [{"role": "user", "parts": [part]}]
    assert json.loads(turn["gen_ai.output.messages"]) == [{"role": "assistant", "parts": [part]}]
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"city": "the secret word"}
    assert "the secret word" in tool["gen_ai.tool.call.result"]


async def test_latency_adds_up(talking: Talking, told: Told) -> None:
    """contract 1.7: by voice, with every moment known."""
    async with talking() as talk:
        await talk.say(voice("START", "0.1s"))
        await asyncio.sleep(1.3)
        talk.queue.send_realtime(Blob(data=bytes(41_600), mime_type="audio/pcm;rate=16000"))  # 1.3 s
        await talk.settle()
        await talk.say(voice("END", "0.9s"))
        await asyncio.sleep(0.5)
        await talk.say(SOUND)
        await asyncio.sleep(0.5)
        talk.queue.send_playback(200)
        await talk.settle()
        await talk.say(TurnComplete())
    parts = told.measured("antiphon.answer.part", "antiphon.part")
    assert parts == pytest.approx({"endpointing": 0.4, "model": 0.5, "delivery": 0.0, "playback": 0.3})
    total = told.measured("antiphon.answer.latency", "antiphon.input", "gen_ai.agent.name")
    assert total == {("speech", "helper"): pytest.approx(sum(parts.values()))}
    known = {f"antiphon.answer.{part}": took for part, took in parts.items()}
    assert told.about("chat near").items() >= known.items()
    assert took(told, "chat near") == pytest.approx(1.4)  # the user has waited from there


async def test_a_turn_based_run_is_told_alike(told: Told) -> None:
    runner = InMemoryRunner(Agent(name="helper", model=KeywordBrain()), telemetry=told.settings())
    await runner.session_service.create_session(app_name=runner.app_name, user_id="ann", session_id="s1")
    async for _ in runner.run_async(user_id="ann", session_id="s1", new_message="Hello"):
        pass
    model = KeywordBrain().name
    root = "invoke_agent helper"
    assert told.tree() == [root, f"{root} / chat {model}", f"{root} / connect {model}"]
    assert told.about(root)["gen_ai.output.type"] == "text"
    assert told.about(f"chat {model}")["gen_ai.provider.name"] == "antiphon"
    assert list(told.measured("antiphon.answer.latency", "antiphon.input")) == ["text"]


async def test_where_a_turn_stands_is_on_its_span(talking: Talking, told: Told) -> None:
    async with talking() as talk:
        talk.queue.send_content("Hello")
        await talk.settle()
        await asyncio.sleep(0.5)
        await talk.say(ModelText("Hi"), GenerationComplete(), TurnComplete())
    turn = told.about("chat near")
    assert turn["antiphon.answer.model"] == pytest.approx(0.5)
    assert turn["antiphon.turn"] == 0


async def test_speech_that_the_application_marks(talking: Talking, told: Told) -> None:
    async with talking(config=MANUAL) as talk:
        talk.queue.send_activity_start()
        talk.queue.send_activity_end()
        talk.queue.send_activity_start()  # goes on
        await talk.settle()
        await asyncio.sleep(3)
        talk.queue.send_activity_end()
        await talk.settle()
        await asyncio.sleep(0.5)
        await talk.say(SOUND, TurnComplete())
    assert told.measured("antiphon.answer.latency", "antiphon.input") == {"speech": pytest.approx(0.5)}


async def test_an_interruption_is_marked_and_the_next_turn_its_own(talking: Talking, told: Told) -> None:
    async with talking() as talk:
        await talk.say(SOUND)
        await talk.say(voice("START"), ModelInterrupted(), SOUND)  # what comes late is dropped
        await talk.say(TurnComplete(), voice("END"))
        await asyncio.sleep(0.25)
        await talk.say(SOUND, TurnComplete())
    first, second = [dict(span.attributes or {}) for span in told.spans if span.name == "chat near"]
    assert first["antiphon.interrupted"] is True
    assert "antiphon.interrupted" not in second
    assert second["antiphon.answer.model"] == pytest.approx(0.25)
    assert told.measured("antiphon.interruptions", "gen_ai.agent.name") == {"helper": 1}
    assert told.measured("antiphon.turns", "gen_ai.agent.name") == {"helper": 2}


async def test_words_that_come_after_their_turn_open_none(talking: Talking, told: Told) -> None:
    async with talking() as talk:
        await talk.say(SOUND, TurnComplete())
        await talk.say(OutputTranscript("late", finished=True))
    assert [span.name for span in told.spans].count("chat near") == 1


async def test_each_agent_of_a_turn_has_a_span(talking: Talking, told: Told) -> None:
    """A turn that is handed over goes on as another agent's."""
    other = Agent(name="other", description="Knows more.")
    async with talking(Agent(name="helper", sub_agents=[other])) as talk:
        await talk.say(SOUND, call("transfer_to_agent", agent_name="other"))
        await until(lambda: len(talk.model.connections) > 1)
        await talk.settle()
        await talk.say(SOUND, Usage(UsageMetadata(prompt_token_count=3)), TurnComplete())
    turns = [dict(span.attributes or {}) for span in told.spans if span.name == "chat near"]
    assert [turn["gen_ai.agent.name"] for turn in turns] == ["helper", "other"]
    assert "gen_ai.usage.input_tokens" not in turns[0]
    assert turns[1]["gen_ai.usage.input_tokens"] == 3
    assert [span.name for span in told.spans].count("connect near") == 2
    assert told.measured("antiphon.hand_overs", "gen_ai.agent.name") == {"other": 1}


async def test_a_conversation_inside_a_tool_is_the_tools_own(talking: Talking, told: Told) -> None:
    """contract 1.7: across agents and tools"""

    async def ask() -> str:
        async with talking(Agent(name="expert")) as inner:
            await inner.say(SOUND, TurnComplete())
        return "asked"

    async with talking(Agent(name="helper", tools=[ask])) as talk:
        await talk.say(call("ask"))
        await until(lambda: talk.model.connections[0].heard)
        await talk.say(TurnComplete())
    above = "invoke_agent helper / chat near / execute_tool ask / invoke_agent expert"
    assert {f"{above} / chat near", f"{above} / connect near"} <= set(told.tree())


async def test_a_conversation_is_part_of_what_the_application_does(talking: Talking, told: Told) -> None:
    with told.tracers.get_tracer("application").start_as_current_span("request"):
        async with talking() as talk:
            await talk.say(SOUND, TurnComplete())
    assert "request / invoke_agent helper / chat near" in told.tree()


async def test_what_callbacks_do_belongs_to_the_conversation(talking: Talking, told: Told) -> None:
    async def before(context: Any, request: Any) -> None:
        with told.tracers.get_tracer("application").start_as_current_span("callback"):
            pass

    async with talking(Agent(name="helper", before_model_callback=before)) as talk:
        talk.queue.send_content("Hello")
        await until(lambda: talk.model.connections[0].heard)
    assert "invoke_agent helper / callback" in told.tree()


async def test_errors_are_recorded(talking: Talking, told: Told) -> None:
    """contract 1.7"""

    async def look() -> str:
        raise ValueError("no")

    async with talking(Agent(name="helper", tools=[look])) as talk:
        await talk.say(call("look"))
        await until(lambda: talk.model.connections[0].heard)
        await talk.say(ModelError("SAFETY", "no"), TurnComplete())
    assert told.about("execute_tool look")["error.type"] == "ValueError"
    assert told.about("chat near")["error.type"] == "SAFETY"
    for name in ("execute_tool look", "chat near"):
        assert told.span(name).status.status_code is StatusCode.ERROR
    assert told.span("invoke_agent helper").status.status_code is StatusCode.UNSET
    assert told.measured("antiphon.tool_errors", "gen_ai.agent.name") == {"helper": 1}


async def test_an_answer_that_never_came_is_a_turn_that_failed(talking: Talking, told: Told) -> None:
    async with talking() as talk:
        talk.queue.send_content("Hello")
        await talk.settle()
        await talk.say(ModelError("UNAVAILABLE", "later"))
    assert told.about("chat near")["error.type"] == "UNAVAILABLE"


async def test_a_conversation_that_fails_says_by_what(talking: Talking, told: Told) -> None:
    model = NearModel(connect_error=ModelConnectionError("refused for key=abcdefgh", code=1008))
    with pytest.raises(BaseExceptionGroup):
        async with talking(model=model):
            pass
    for name in ("invoke_agent helper", "connect near"):
        span = told.span(name)
        assert (span.attributes or {})["error.type"] == "ModelConnectionError"
        assert span.status.description == "refused for key=[secret]"
    assert told.about("connect near")["antiphon.connection.close_code"] == 1008
    assert told.about("invoke_agent helper")["antiphon.ended.by"] == "error"


async def test_each_connection_has_a_span(talking: Talking, told: Told) -> None:
    """contract 1.7: and reconnects are counted"""
    async with talking() as talk:
        await talk.say(SOUND, TurnComplete())
        talk.model.connections[0].drop(ConnectionLost("gone", code=1006))
        await talk.settle()
        await asyncio.sleep(10)
        await talk.say(SOUND, TurnComplete())
    first, second = [span for span in told.spans if span.name == "connect near"]
    assert (first.attributes or {})["error.type"] == "ConnectionLost"
    assert "error.type" not in (second.attributes or {})
    assert told.measured("antiphon.reconnecting", "gen_ai.agent.name") == {"helper": 1}
    assert [span.name for span in told.spans].count("chat near") == 2


async def test_leaving_early_ends_every_span(talking: Talking, told: Told) -> None:
    async def wait(tool_context: ToolContext) -> None:
        await asyncio.sleep(3600)

    async with talking(Agent(name="helper", tools=[wait])) as talk:
        await talk.say(SOUND, call("wait"))
    assert told.about("execute_tool wait")["antiphon.tool.cancelled"] is True
    assert {span.name for span in told.spans} == {
        "invoke_agent helper",
        "connect near",
        "chat near",
        "execute_tool wait",
    }


async def test_what_is_counted_is_what_the_runner_counts(talking: Talking, told: Told) -> None:
    async with talking() as talk:
        assert told.measured("antiphon.live") == {(): 1}
        await talk.say(SOUND, Usage(UsageMetadata(total_token_count=12)), TurnComplete())
    assert told.measured("antiphon.live") == {(): 0}
    for name, count in {"conversations": 1, "turns": 1, "tokens": 12, "ended.user": 1}.items():
        assert list(told.measured(f"antiphon.{name}").values()) == [count]
