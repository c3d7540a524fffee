"""What goes wrong on the way out, or leads there: bounded, named, and nothing is left (contract 1.5, 1.6)."""

from __future__ import annotations

import asyncio
import gc
import threading
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from antiphon import (
    Agent,
    Event,
    InMemorySessionService,
    LiveRequestQueue,
    RunConfig,
    Runner,
    Session,
    ToolContext,
)
from antiphon.core.messages import Turn
from antiphon.core.signals import ModelText, OutputTranscript, ToolCalls
from antiphon.errors import ConnectionLost, SessionNotFound, StoreFailed
from antiphon.testing.clock import VirtualClockLoop
from antiphon.types import FunctionCall
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine

    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

T = TypeVar("T")

pytestmark = pytest.mark.virtual_clock

OWNER: Any = {"app_name": "app", "user_id": "ann"}


class Store(InMemorySessionService):
    """The real one; an append takes `takes` seconds."""

    takes = 0.0

    async def append_event(self, session: Session, event: Event) -> Event:
        if self.takes:
            await asyncio.sleep(self.takes)
        return await super().append_event(session, event)


class Bench:
    """An agent on a model in this process."""

    def __init__(self, *tools: Any, instruction: Any = "", **config: Any) -> None:
        self.model = NearModel()
        self.store = Store()
        self.queue = LiveRequestQueue()
        self.config = RunConfig(**config)
        agent = Agent(name="helper", model=self.model, tools=list(tools), instruction=instruction)
        self.runner = Runner(app_name="app", agent=agent, session_service=self.store)

    async def run(self) -> AsyncGenerator[Event, None]:
        await self.store.create_session(**OWNER, session_id="s1")
        return self.runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=self.queue, run_config=self.config
        )

    async def ready(self) -> AsyncGenerator[Event, None]:
        running = await self.run()
        event = await anext(running)
        assert event.lifecycle
        assert event.lifecycle.kind == "ready"
        return running

    def says(self, *said: Any) -> None:
        self.model.connections[-1].listener.received(said)

    def calls(self, name: str, call_id: str = "c1", /, **args: Any) -> None:
        self.says(ToolCalls((FunctionCall(id=call_id, name=name, args=args),)))

    async def stored(self) -> list[str | None]:
        session = await self.store.get_session(**OWNER, session_id="s1")
        assert session is not None
        return [e.output_transcription.text for e in session.events if e.output_transcription]

    def is_free(self) -> bool:
        """Whether the queue was given back."""
        self.queue.lanes.attach(lambda: None)
        self.queue.lanes.detach()
        return True


def run(main: Coroutine[Any, Any, T]) -> T:
    """`asyncio.run` on the virtual clock."""
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


# The generator: left, dropped, cancelled.


async def test_a_generator_closed_before_its_first_event_has_opened_nothing() -> None:
    """contract 1.5"""
    bench = Bench()
    running = await bench.run()
    await running.aclose()
    assert (bench.model.connections, bench.is_free()) == ([], True)


async def test_a_generator_left_by_break_and_dropped_is_ended_by_the_collector() -> None:
    """contract 1.5: without `aclosing`"""
    bench = Bench()
    async for _ in await bench.run():
        bench.says(OutputTranscript("Half a sen"))
        break
    gc.collect()
    await until(lambda: bench.model.connections[0].closed)
    await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
    assert bench.is_free()
    assert await bench.stored() == ["Half a sen"]


def test_a_loop_that_goes_down_meanwhile_ends_it_in_good_order() -> None:
    """contract 1.6: `asyncio.run` cancels every task, then closes the generators"""
    bench = Bench()
    kept: list[AsyncGenerator[Event, None]] = []

    async def main() -> None:
        bench.store.takes = 0.001
        kept.append(await bench.ready())
        for number in range(5):
            bench.says(OutputTranscript(f"{number}", finished=True))
        await asyncio.sleep(0)

    run(main())
    assert bench.model.connections[0].closed == (1000, "")
    assert run(bench.stored()) == ["0", "1", "2", "3", "4"]


def test_a_loop_that_goes_down_in_the_middle_of_ending_lets_it_end() -> None:
    """contract 1.6"""
    bench = Bench()
    ended: list[BaseException] = []

    async def consume(ready: asyncio.Event) -> None:
        try:
            async with aclosing(await bench.ready()):
                bench.says(OutputTranscript("Half a sen"))
                bench.store.takes = 0.01
                asyncio.get_running_loop().call_soon(ready.set)
        except asyncio.CancelledError as cancelled:
            ended.append(cancelled)
            raise

    async def main() -> None:
        ready = asyncio.Event()
        main.task = asyncio.create_task(consume(ready))  # type: ignore[attr-defined]
        await ready.wait()

    run(main())
    assert len(ended) == 1
    assert bench.model.connections[0].closed == (1000, "")
    bench.store.takes = 0.0
    assert run(bench.stored()) == ["Half a sen"]


async def test_a_consumer_cancelled_again_and_again_still_ends_everything_first() -> None:
    """contract 1.5, 1.6"""
    bench = Bench()
    bench.model.closing = lambda: asyncio.sleep(1.0)

    async def consume() -> None:
        async with aclosing(await bench.ready()) as events:
            bench.says(OutputTranscript("Half a sen"))
            async for _ in events:
                pass

    consumer = asyncio.create_task(consume())
    for _ in range(3):
        await asyncio.sleep(0.3)
        consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert bench.is_free()
    assert await bench.stored() == ["Half a sen"]
    assert now() == pytest.approx(1.3)


# Bounded, whatever is stuck: contract 1.6.


async def test_everything_stuck_at_once_takes_no_longer_than_the_shutdown_timeout(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """contract 1.6: in total; and what was not stored is not lost silently"""
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            with suppress(asyncio.CancelledError):
                await released.wait()

    bench = Bench(stubborn, shutdown_timeout=3.0)
    running = await bench.ready()
    bench.calls("stubborn")
    bench.model.closing = asyncio.Event().wait
    bench.store.takes = 1e6
    await asyncio.sleep(0.1)
    began = now()
    with pytest.raises(StoreFailed, match="not stored in time"):
        await running.aclose()
    assert now() - began == pytest.approx(3.0)
    assert "is cut off" in caplog.text
    assert "antiphon-tool stubborn did not end" in caplog.text
    released.set()
    bench.store.takes = 0.0


async def test_what_is_cut_off_has_time_to_let_go(caplog: pytest.LogCaptureFixture) -> None:
    """contract 1.6: such as a store that gives its database connection back"""
    let_go: list[float] = []

    class Stuck(Store):
        async def append_event(self, session: Session, event: Event) -> Event:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0.2)
                let_go.append(now())
            return event

    bench = Bench(shutdown_timeout=3.0)
    bench.store = bench.runner.session_service = Stuck()
    running = await bench.ready()
    bench.says(OutputTranscript("lost"))
    with pytest.raises(StoreFailed):
        await running.aclose()
    assert let_go
    assert now() < 3.0
    assert "did not end" not in caplog.text


async def test_a_connect_that_hangs_is_given_up_when_the_application_leaves() -> None:
    """contract 1.6"""
    bench = Bench(connect_timeout=1e6)
    bench.model.connecting = asyncio.Event().wait
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await anext(await bench.run())
    assert now() == pytest.approx(1.0)
    assert bench.is_free()


async def test_a_peer_that_never_answers_the_close_frame_is_cut_off(converse: Converse) -> None:
    """contract 1.6: with a real socket, which the test's end looks for"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.freeze()

    async with converse(script) as talk:
        await talk.until(lambda event: event.lifecycle)
        assert now() <= 5.0


async def test_a_shutdown_timeout_shorter_than_a_close_leaves_no_socket(converse: Converse) -> None:
    """contract 1.6"""

    async def script(call: Call) -> None:
        await call.setup()
        await call.freeze()

    async with converse(script, config=RunConfig(shutdown_timeout=0.5)) as talk:
        await talk.until(lambda event: event.lifecycle)
        assert now() <= 0.6


# Storing: contract 4.1.


async def test_a_store_that_fails_at_the_very_end_is_raised_out_of_the_loop() -> None:
    """contract 4.1"""
    bench = Bench()
    running = await bench.ready()
    await bench.store.delete_session(**OWNER, session_id="s1")
    bench.says(OutputTranscript("lost"))
    bench.queue.close()
    with pytest.raises(StoreFailed) as raised:
        async for _ in running:
            pass
    assert isinstance(raised.value.__cause__, SessionNotFound)


async def test_a_store_that_fails_in_the_middle_ends_the_conversation_by_that() -> None:
    """contract 4.1: the connection is not kept for what cannot be stored"""
    bench = Bench()
    running = await bench.ready()
    await bench.store.delete_session(**OWNER, session_id="s1")
    bench.says(OutputTranscript("lost", finished=True))
    said = await anext(running)
    assert said.output_transcription
    await until(lambda: bench.model.connections[0].closed)
    with pytest.raises(StoreFailed):
        async for _ in running:
            pass


async def test_what_was_not_stored_does_not_hide_why_the_application_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """contract 1.5: a cancelled consumer is a cancelled consumer; the log has the rest"""
    bench = Bench()

    async def consume() -> None:
        async with aclosing(await bench.ready()) as events:
            await bench.store.delete_session(**OWNER, session_id="s1")
            async for _ in events:
                pass

    consumer = asyncio.create_task(consume())
    await until(lambda: bench.model.connections and bench.model.connections[0].setup)
    for _ in range(5):
        await asyncio.sleep(0)
    bench.says(OutputTranscript("lost"))
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert "SessionNotFound" in caplog.text


async def test_state_written_by_one_tool_is_there_for_the_next_however_slow_the_store() -> None:
    """contract 4.6"""
    seen: list[object] = []

    def remember(name: str, tool_context: ToolContext) -> None:
        tool_context.state["name"] = name

    def recall(tool_context: ToolContext) -> None:
        seen.append((tool_context.state.get("name"), len(tool_context.session.events)))

    bench = Bench(remember, recall)
    async with aclosing(await bench.ready()) as events:
        bench.store.takes = 0.5
        bench.calls("remember", "c1", name="Ann")
        async for event in events:
            for answer in event.get_function_responses():
                if answer.name == "remember":
                    bench.calls("recall", "c2")
                else:
                    bench.queue.close()
    assert seen == [("Ann", 3)]  # two calls and an answer, of which none is stored yet


# Errors inside.


async def test_an_error_in_performing_a_command_ends_the_conversation_by_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not in the socket's callback, not in a timer: the application is told (contract 1.5)."""
    bench = Bench()
    running = await bench.ready()
    bench.model.send_error = LookupError("a bug")
    bench.queue.send_content("Hello")
    with pytest.raises(LookupError, match="a bug"):
        async for _ in running:
            pass
    assert "crashed" in caplog.text
    assert bench.model.connections[0].closed is not None


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_an_instruction_that_fails_is_raised_to_the_application(kind: str) -> None:
    async def unfound(context: object) -> str:
        raise LookupError("no instruction")

    def unfound_sync(context: object) -> str:
        raise LookupError("no instruction")

    bench = Bench(instruction=unfound if kind == "async" else unfound_sync)
    with pytest.raises(LookupError, match="no instruction"):
        await anext(await bench.run())
    assert bench.model.connections[0].closed is not None


async def test_an_instruction_that_takes_too_long_is_named_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def slow(context: object) -> str:
        await asyncio.sleep(15.0 if len(bench.model.connections) == 1 else 0.0)
        return "late"

    bench = Bench(instruction=slow, connect_timeout=10.0)
    running = await bench.run()
    kinds = [event.lifecycle.kind for event in [await anext(running) for _ in range(2)] if event.lifecycle]
    assert kinds[-1] == "ready"
    await asyncio.sleep(10.0)
    assert "The instruction of helper took 15.0 s" in caplog.text
    await running.aclose()


async def test_an_application_that_does_not_read_is_told_so_with_ids_or_not_at_all() -> None:
    """contract 3.2, 3.11: also the notice is an event of this invocation"""
    for told in (True, False):
        bench = Bench(event_buffer=16, lifecycle_events=told, custom_metadata={"call": 7})
        running = await bench.run()
        reading = asyncio.ensure_future(running.__anext__())
        await until(lambda: bench.model.connections and bench.model.connections[0].setup)  # noqa: B023
        for _ in range(40):
            bench.says(ModelText("la"))
        first = await reading
        bench.queue.close()
        events = [first, *[event async for event in running]]
        notices = [event for event in events if event.lifecycle and event.lifecycle.kind == "overloaded"]
        assert len(notices) == told
        for notice in notices:
            assert notice.invocation_id == events[-1].invocation_id
            assert (notice.author, notice.custom_metadata) == ("helper", {"call": 7})
            assert notice.id not in {event.id for event in events if event is not notice}


async def test_metadata_changed_on_one_event_is_not_changed_on_others() -> None:
    """contract 6.1: one RunConfig serves many conversations"""
    bench = Bench(custom_metadata={"call": 7})
    running = await bench.ready()
    bench.says(ModelText("la"), ModelText("la"))
    first = await anext(running)
    assert first.custom_metadata
    first.custom_metadata["call"] = 8
    assert (await anext(running)).custom_metadata == {"call": 7}
    await running.aclose()


# The user's queue.


async def test_what_the_model_had_no_room_for_is_taken_when_its_connection_breaks_off() -> None:
    """contract 7.3: and said on the next, without the user saying anything more"""
    bench = Bench(retry={"first_delay": 0.0})
    running = await bench.ready()
    first = bench.model.connections[0]
    first.is_writable = False
    bench.queue.send_content("Hello?")
    for _ in range(5):
        await asyncio.sleep(0)
    assert bench.queue.depth == 1
    first.drop(ConnectionLost("broken"))
    async for event in running:
        if event.lifecycle and event.lifecycle.kind == "reconnected":
            break
    setup = bench.model.connections[1].setup
    assert setup is not None
    told = [*(setup.history or ()), *([setup.pending] if setup.pending else [])]
    told += [message.content for message in bench.model.connections[1].heard if isinstance(message, Turn)]
    assert [part.text for content in told for part in content.parts or []] == ["Hello?"]
    await running.aclose()


async def test_what_comes_after_the_end_stays_in_the_queue() -> None:
    """contract 2.2: nobody takes it to throw it away"""

    def leave(tool_context: ToolContext) -> None:
        tool_context.end_invocation = True

    bench = Bench(leave)
    running = await bench.ready()
    bench.calls("leave")
    async for event in running:
        if event.lifecycle and event.lifecycle.kind == "closed":
            bench.queue.send_content("too late")
            for _ in range(5):
                await asyncio.sleep(0)
    assert bench.queue.depth == 1


def test_sending_to_a_loop_that_was_closed_under_the_conversation_is_no_error() -> None:
    """contract 2.3: whoever sends, from whatever thread, cannot know"""
    bench = Bench()
    loop = asyncio.new_event_loop()
    running = loop.run_until_complete(bench.ready())
    woken = bench.queue.lanes._wake
    assert woken is not None
    loop.run_until_complete(running.aclose())
    loop.close()
    bench.queue.lanes.attach(woken)  # as it is for a sender that was about to wake the loop when it closed
    bench.queue.send_content("anybody there?")
    sender = threading.Thread(target=bench.queue.send_content, args=("anybody there?",))
    sender.start()
    sender.join()
    assert bench.queue.depth == 2
