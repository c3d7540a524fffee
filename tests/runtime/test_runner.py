"""How `run_live()` begins and ends (contract 1.4 to 1.6): every ending leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import random
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import (
    Agent,
    InMemoryArtifactService,
    InMemoryRunner,
    LiveRequestQueue,
    Retry,
    RunConfig,
    SequentialAgent,
    ToolContext,
    types,
)
from antiphon.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionLost,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    QueueClosed,
    QueueInUse,
    SessionNotFound,
    SetupTimeout,
    UnknownModel,
    UnsupportedByModel,
    UsageError,
)
from antiphon.models.gemini import Gemini
from antiphon.sessions import InMemorySessionService, Session
from antiphon.testing.live_server import Call, LiveServer, Timing

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon import Event
    from tests.runtime.conftest import Conversation, Converse

NO_RETRY = RunConfig(retry=Retry(attempts=0))


def closed_by(events: list[Event]) -> tuple[str | None, str | None]:
    last = events[-1].lifecycle
    assert last is not None
    assert last.kind == "closed"
    return last.by, last.reason


# Refused before anything is opened: contract 1.4, 6.2.


async def test_an_unknown_session_is_refused_before_anything_is_opened(converse: Converse) -> None:
    """contract 1.4"""
    async with converse() as talk:
        for user, session in (("ann", "other"), ("bob", "s1")):
            running = talk.runner.run_live(user_id=user, session_id=session, live_request_queue=talk.queue)
            with pytest.raises(SessionNotFound, match="create_session"):
                await anext(running)
        assert talk.server.connections == []


async def test_a_queue_serves_one_conversation(converse: Converse) -> None:
    """contract 1.4"""
    async with converse() as talk:
        async with aclosing(talk.events()) as events:
            await anext(events)
            second = talk.runner.run_live(user_id="ann", session_id="s1", live_request_queue=talk.queue)
            with pytest.raises(QueueInUse, match="one per conversation"):
                await anext(second)
        assert len(talk.server.connections) == 1


async def test_what_the_model_cannot_do_is_refused_before_connecting(converse: Converse) -> None:
    """contract 6.2"""
    async with converse(config=RunConfig(response_modalities=["TEXT"])) as talk:
        with pytest.raises(UnsupportedByModel, match="output_transcription"):
            await talk.all()
        assert talk.server.connections == []


async def test_a_missing_key_is_refused_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GOOGLE_GENAI_USE_VERTEXAI"):
        monkeypatch.delenv(name, raising=False)
    runner = InMemoryRunner(Agent(name="helper", model="gemini-3.8-live"), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
    with pytest.raises(MissingCredentials, match="GOOGLE_API_KEY"):
        await anext(runner.run_live(user_id="ann", session_id="s1", live_request_queue=LiveRequestQueue()))


def test_an_unknown_model_name_is_refused_when_the_runner_is_built() -> None:
    with pytest.raises(UnknownModel, match="gemini-"):
        InMemoryRunner(Agent(name="helper", model="gipity"))


def test_an_agent_without_a_model_is_refused_when_the_runner_is_built() -> None:
    with pytest.raises(ConfigurationError, match="has no model"):
        InMemoryRunner(Agent(name="helper"))


# Endings: contract 1.5.


async def test_closing_the_queue_ends_it_in_good_order(converse: Converse) -> None:
    """contract 1.5"""
    async with converse() as talk:
        async for event in talk.events():
            if event.lifecycle and event.lifecycle.kind == "ready":
                talk.queue.close()
        assert closed_by(talk.seen)[0] == "user"
        assert talk.server.connections[0].close_code == 1000


async def test_the_model_ending_the_session_ends_it(converse: Converse) -> None:
    """contract 1.5, 1.6: what was said is flushed first"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.output_transcription("Good")
        await call.output_transcription("bye")
        await call.close(1000)

    async with converse(script) as talk:
        events = await talk.all()
        assert closed_by(events)[0] == "model"
        session = await talk.session()
        said = [e.output_transcription.text for e in session.events if e.output_transcription]
        assert said == ["Goodbye"]


async def test_the_consumer_leaving_ends_it_and_stores_what_was_said(converse: Converse) -> None:
    """contract 1.5, 1.6"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.output_transcription("Half a sen")
        assert await call.closed() == 1000

    async with converse(script) as talk:
        await talk.until(lambda e: e.output_transcription)
        session = await talk.session()
        assert [e.output_transcription.text for e in session.events if e.output_transcription] == [
            "Half a sen"
        ]


async def test_the_last_agent_of_a_sequence_ends_it(converse: Converse) -> None:
    """contract 5.9, 1.5: one stream, each agent with its own instruction, nothing slept"""
    names: list[str] = []

    async def script(call: Call) -> None:
        setup = await call.setup()
        names.append(setup["systemInstruction"]["parts"][0]["text"])
        declared = [f["name"] for tool in setup["tools"] for f in tool["functionDeclarations"]]
        assert declared == ["task_completed"]
        await call.tool_call("task_completed")
        await call.closed()

    steps = [Agent(name=name, instruction=name) for name in ("first", "second", "third")]
    async with LiveServer(script, timing=Timing.instant()) as server:
        live = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        steps = [step.model_copy(update={"model": live}) for step in steps]
        runner = InMemoryRunner(SequentialAgent(name="all", sub_agents=steps), app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        queue = LiveRequestQueue()
        events = [e async for e in runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue)]
    assert names == ["first", "second", "third"]
    assert closed_by(events) == ("agent", "task_completed")
    assert not any(tool.name == "task_completed" for step in steps for tool in step.tools)


async def test_a_transfer_goes_on_in_the_same_stream(converse: Converse) -> None:
    """contract 5.8: the target is told the conversation, and answers what the user asked"""

    async def script(call: Call) -> None:
        setup = await call.setup()
        if setup["systemInstruction"]["parts"][0]["text"] == "greet":
            assert await call.receive_text() == "my bill"
            await call.tool_call("transfer_to_agent", {"agent_name": "nobody"})
            [refused] = await call.receive_tool_response()
            assert refused["response"]["error"]["code"] == "INVALID_ARGUMENTS"
            await call.tool_call("transfer_to_agent", {"agent_name": "billing"})
            await call.closed()
        else:
            assert await call.receive_text() == "my bill"
            await call.turn("You owe nothing.")
            await call.closed()

    async with LiveServer(script, timing=Timing.instant()) as server:
        live = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        billing = Agent(name="billing", instruction="bill", description="bills")
        root = Agent(name="greeter", model=live, instruction="greet", sub_agents=[billing])
        runner = InMemoryRunner(root, app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        queue = LiveRequestQueue()
        queue.send_content("my bill")
        events = []
        async for event in runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue):
            events.append(event)
            if event.turn_complete:
                queue.close()
    assert [e.author for e in events if e.turn_complete] == ["billing"]
    transfers = [e.actions.transfer_to_agent for e in events if e.actions.transfer_to_agent]
    assert transfers == ["billing"]


# Errors: contract 1.5, 3.10, 7.4.


@pytest.mark.parametrize(
    ("code", "reason", "error"),
    [
        (1007, "API key not valid. Please pass a valid API key.", AuthenticationRefused),
        (1008, "models/x is not found for API version v1, or is not supported", ModelNotFound),
    ],
)
async def test_what_cannot_pass_is_raised_at_once(
    converse: Converse, code: int, reason: str, error: type[ModelConnectionError]
) -> None:
    """contract 7.4: code, reason, retryable, and a cure"""

    async def script(call: Call) -> None:
        await call.setup(answer=False)
        await call.close(code, reason)

    async with converse(script) as talk:
        with pytest.raises(error) as raised:
            await talk.all()
        assert (raised.value.code, raised.value.reason, raised.value.retryable) == (code, reason, False)
        assert len(talk.server.connections) == 1


@pytest.mark.virtual_clock
async def test_a_failure_that_may_pass_is_retried_and_then_raised_after_the_last_event(
    converse: Converse,
) -> None:
    """contract 1.5, 3.10"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.output_transcription("I")
        await call.close(1011, "Internal error encountered.")

    async with converse(script, config=RunConfig(retry=Retry(attempts=3))) as talk:
        with pytest.raises(ModelUnavailable) as raised:
            await talk.all()
        assert raised.value.retryable
        assert len(talk.server.connections) == 4
        tries = [e.lifecycle.attempt for e in talk.seen if e.lifecycle and e.lifecycle.kind == "reconnecting"]
        assert tries == [1, 2, 3]
        assert closed_by(talk.seen)[0] == "error"


@pytest.mark.virtual_clock
async def test_a_model_that_hangs_in_setup_is_a_named_error(converse: Converse) -> None:
    async def script(call: Call) -> None:
        await call.setup(answer=False)
        await call.closed()

    config = RunConfig(retry=Retry(attempts=0), connect_timeout=4.0)
    async with converse(script, config=config) as talk:
        with pytest.raises(SetupTimeout, match="connect_timeout"):
            await talk.all()
        assert asyncio.get_running_loop().time() == pytest.approx(4.0, abs=2.5)


async def test_a_refused_connection_is_a_named_error() -> None:
    async with LiveServer() as server:
        gone = server.base_url
    runner = InMemoryRunner(Agent(name="helper", model=Gemini("gemini-3.8-live", api_key="k", base_url=gone)))
    await runner.session_service.create_session(app_name=runner.app_name, user_id="ann", session_id="s1")
    with pytest.raises(ConnectionLost, match="Check the address"):
        async for _ in runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=LiveRequestQueue(), run_config=NO_RETRY
        ):
            pass


@pytest.mark.virtual_clock
async def test_a_dropped_connection_is_resumed_and_nothing_is_said_twice(converse: Converse) -> None:
    """contract 7.1, 7.3"""

    async def first(call: Call) -> None:
        await call.setup()
        await call.handle("h1")
        assert await call.receive_text() == "one"
        await call.turn("One.")
        await call.abort()

    async def second(call: Call) -> None:
        setup = await call.setup()
        assert setup["sessionResumption"] == {"handle": "h1"}
        assert await call.receive_text() == "two"
        await call.turn("Two.")
        await call.closed()

    config = RunConfig(session_resumption=types.SessionResumptionConfig())
    async with converse([first, second], config=config) as talk:
        talk.queue.send_content("one")
        turns = 0
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.lifecycle and event.lifecycle.kind == "reconnecting":
                    talk.queue.send_content("two")
                turns += bool(event.turn_complete)
                if turns == 2:
                    break
    kinds = [e.lifecycle.kind for e in talk.seen if e.lifecycle]
    assert [kind for kind in kinds if kind != "generation_complete"] == [
        "ready",
        "reconnecting",
        "reconnected",
    ]


# Nothing is left: contract 1.6.


@pytest.mark.virtual_clock
async def test_a_store_that_is_slow_is_waited_for_at_the_end(converse: Converse) -> None:
    """contract 1.6: what was said is stored, within the shutdown timeout"""
    from antiphon.sessions import InMemorySessionService

    class Slow(InMemorySessionService):
        async def append_event(self, session: Session, event: Event) -> Event:
            await asyncio.sleep(0.3)
            return await super().append_event(session, event)

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.turn("Answer.")
        await call.closed()

    async with converse(script, sessions=Slow()) as talk:
        talk.queue.send_content("question")
        await talk.until(lambda e: e.turn_complete)
        session = await talk.session()
    assert session.events[-1].turn_complete


@pytest.mark.virtual_clock
async def test_a_store_of_50_ms_does_not_delay_audio(converse: Converse) -> None:
    """contract 4.1: stored as things happen, off the audio path; by the clock, less than 1 ms"""
    from antiphon.sessions import InMemorySessionService

    loop = asyncio.get_running_loop()
    sent_at: list[float] = []

    class Slow(InMemorySessionService):
        async def append_event(self, session: Session, event: Event) -> Event:
            await asyncio.sleep(0.05)
            return await super().append_event(session, event)

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        for _ in range(25):
            await call.send({"usageMetadata": {"totalTokenCount": 1}})
            sent_at.append(loop.time())
            await call.audio(bytes(1920))
            await call.pause(0.040)
        await call.turn_complete()
        await call.closed()

    async with converse(script, sessions=Slow()) as talk:
        talk.queue.send_content("go")
        delays: list[float] = []
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.content and event.content.role == "model":
                    delays.append(loop.time() - sent_at[len(delays)])
                if event.turn_complete:
                    break
    assert len(delays) == 25
    assert max(delays) < 0.001


async def test_being_cancelled_leaves_nothing_running(converse: Converse) -> None:
    """contract 1.5, 1.6"""
    async with converse() as talk:
        started = asyncio.Event()

        async def run() -> None:
            async for _ in talk.events():
                started.set()

        async with asyncio.TaskGroup() as group:
            task = group.create_task(run())
            await started.wait()
            task.cancel()
        assert (await talk.server.connected(1)).close_code == 1000


ENDINGS = ("queue", "break", "error", "cancel", "model", "drop", "tool")


@pytest.mark.virtual_clock
@pytest.mark.timeout(120)
async def test_a_thousand_conversations_ended_in_every_way_leave_nothing(converse: Converse) -> None:
    """contract 1.6: no task, socket or thread, and memory stays flat"""
    seed = 20261121
    chance = random.Random(seed)

    async def script(call: Call) -> None:
        await call.setup()
        ending = await call.receive_text()
        await call.tool_call("leave" if ending == "tool" else "wait")
        for _ in range(chance.randint(0, 6)):
            await call.audio(bytes(1920))
            await call.output_transcription("la")
            await call.pause(0.040)
        if ending == "model":
            await call.close(1000)
        elif ending == "drop":
            await call.abort()
        await call.closed()

    async def wait() -> str:
        await asyncio.sleep(chance.random() * 0.3)
        return "waited"

    async def leave(tool_context: ToolContext) -> None:
        await asyncio.sleep(chance.random() * 0.3)
        tool_context.end_invocation = True

    async def one(talk: Conversation, ending: str) -> None:
        service, queue = talk.runner.session_service, LiveRequestQueue()
        session = await service.create_session(app_name="app", user_id="ann")
        queue.send_content(ending)
        enough = chance.randint(1, 3)
        running = talk.runner.run_live(
            user_id="ann", session_id=session.id, live_request_queue=queue, run_config=NO_RETRY
        )
        try:
            async with asyncio.timeout(chance.random() * 0.3 if ending == "cancel" else None):
                async with aclosing(running) as events:
                    async for _ in events:
                        enough -= 1
                        if enough > 0 or ending not in ("queue", "break", "error"):
                            continue
                        if ending == "break":
                            break
                        if ending == "error":
                            raise LookupError
                        queue.close()
                    else:
                        queue.close()
        except (TimeoutError, LookupError, ConnectionLost):
            pass
        await service.delete_session(app_name="app", user_id="ann", session_id=session.id)

    async with converse(script, agent=Agent(name="helper", tools=[wait, leave])) as talk:
        sizes: list[int] = []
        for batch in range(20):
            async with asyncio.TaskGroup() as group:
                for number in range(50):
                    group.create_task(one(talk, ENDINGS[number % len(ENDINGS)]))
            assert all(c.close_code is not None for c in talk.server.connections), (
                f"seed {seed}, batch {batch}"
            )
            talk.server.connections.clear()
            gc.collect()
            sizes.append(len(gc.get_objects()))
        kept = sizes[-1] - sizes[4]
        assert kept < 750, f"seed {seed}: an object or more kept of each of 750 conversations: {sizes}"


# Refused with advice.


async def test_a_queue_that_was_closed_and_read_is_refused(converse: Converse) -> None:
    """contract 1.4, 2.4"""
    async with converse() as talk:
        talk.queue.close()
        await asyncio.wait_for(talk.all(), 5)
        with pytest.raises(QueueClosed, match="make one for each"):
            await asyncio.wait_for(talk.all(), 5)


@pytest.mark.parametrize("queue", [None, asyncio.Queue, "queue"], ids=repr)
async def test_what_is_no_queue_is_refused(converse: Converse, queue: Any) -> None:
    """contract 1.4"""
    async with converse() as talk:
        with pytest.raises(UsageError, match=r"live_request_queue=LiveRequestQueue\(\)"):
            await anext(talk.runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue))
        assert talk.server.connections == []


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (Retry(), r"not antiphon\.config\.Retry"),
        ({"nonsense": 1}, "nonsense"),
        ({"streaming_mode": "sometimes"}, "streaming_mode"),
    ],
    ids=repr,
)
async def test_what_is_no_run_config_is_refused(converse: Converse, config: Any, complaint: str) -> None:
    """contract 1.4, 6.1; the dict of one is one"""
    async with converse(config=config) as talk:
        with pytest.raises(ConfigurationError, match=complaint):
            await talk.all()
        assert talk.server.connections == []


@pytest.mark.parametrize("field", ["save_live_blob", "record_conversation"])
async def test_a_recording_that_nobody_would_keep_is_refused(converse: Converse, field: str) -> None:
    """contract 4.3"""
    async with converse(config={field: True}) as talk:
        with pytest.raises(ConfigurationError, match="give the Runner an artifact_service"):
            await talk.all()
        assert talk.server.connections == []


async def test_a_conversation_cannot_be_recorded_without_the_extra(
    converse: Converse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 4.3: said before anything is opened"""
    monkeypatch.setattr("antiphon.runtime.stereo.find_spec", lambda name: None)
    async with converse(config=RunConfig(record_conversation=True)) as talk:
        talk.runner.artifact_service = InMemoryArtifactService()
        with pytest.raises(MissingExtra, match=r"antiphon\[recording\]"):
            await talk.all()
        assert talk.server.connections == []


async def test_a_recorded_turn_is_told_of_over_a_real_connection(converse: Converse, tmp_path: Path) -> None:
    """contract 4.3: with a service that knows nothing of files"""
    spoken = bytes(range(256)) * 64

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.audio(spoken)
        await call.turn_complete()
        await call.closed()

    config = RunConfig(save_live_blob=True, recording_spool=tmp_path)
    async with converse(script, config=config) as talk:
        talk.runner.artifact_service = kept = InMemoryArtifactService()
        talk.queue.send_content("hello")
        event = await talk.until(lambda event: event.actions.artifact_delta)
        [(name, version)] = event.actions.artifact_delta.items()
        loaded = await kept.load_artifact(
            app_name="app", user_id="ann", session_id="s1", filename=name, version=version
        )
        assert loaded
        assert loaded.inline_data
        assert (loaded.inline_data.data or b"")[44:] == spoken
        stored = (await talk.session()).events
        assert [each.id for each in stored if each.actions.artifact_delta] == [event.id]


async def test_a_state_change_sent_with_media_is_stored_and_ends_nothing(converse: Converse) -> None:
    """contract 2.6"""
    async with converse() as talk:
        blob = types.Blob(data=b"\0\0" * 160, mime_type="audio/pcm")
        talk.queue.send({"blob": blob, "state_delta": {"seen": 1}})
        talk.queue.send_content("hello")
        talk.queue.close()
        await asyncio.wait_for(talk.all(), 5)
        session = await talk.session()
        assert session.state["seen"] == 1
        assert any(event.content and event.author == "user" for event in session.events)


async def test_a_live_run_by_sse_ends_after_the_turn_and_closes_its_queue(converse: Converse) -> None:
    """contract 6.3"""
    async with converse(config=RunConfig(streaming_mode="sse")) as talk:
        talk.queue.send_content("hello")
        events = await asyncio.wait_for(talk.all(), 5)
        assert [event.turn_complete for event in events if event.turn_complete] == [True]
        assert events[-1].lifecycle and events[-1].lifecycle.reason == "the turn is complete"
        assert talk.queue.closed and talk.server.connections[0].close_code == 1000


async def test_a_model_for_turn_based_runs_only_is_refused_in_a_live_one() -> None:
    """contract 6.2"""
    runner = InMemoryRunner(Agent(name="a", model="openai/any"), app_name="app")
    with pytest.raises(UnknownModel, match="openai/any"):
        await anext(runner.run_live(user_id="ann", session_id="s1", live_request_queue=LiveRequestQueue()))


# What is stored: contract 4.7.


class Slow(InMemorySessionService):
    """Takes events when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.open = asyncio.Event()

    async def append_event(self, session: Session, event: Event) -> Event:
        await self.open.wait()
        return await super().append_event(session, event)


async def test_an_application_can_wait_until_what_was_yielded_is_stored(converse: Converse) -> None:
    """contract 4.7"""
    sessions = Slow()
    async with converse(sessions=sessions) as talk:
        where = {"user_id": "ann", "session_id": "s1"}
        talk.queue.send_content("Hello")
        async with aclosing(talk.events()) as events:
            async for event in events:
                if event.turn_complete:
                    waiting = asyncio.ensure_future(talk.runner.flush(**where))
                    for _ in range(20):
                        await asyncio.sleep(0)
                    assert not waiting.done()
                    sessions.open.set()
                    await waiting
                    assert (await talk.session()).events[-1].id == event.id
                    await talk.runner.flush(user_id="ann", session_id="another")
                    break
        await talk.runner.flush(**where)
        assert talk.runner._conversations._running == {}
