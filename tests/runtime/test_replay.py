"""A recorded conversation held again: the same events, byte for byte but for ids and times (contract 9.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, CallbackContext, InMemoryRunner, RunConfig, StreamingMode, Veto
from antiphon.core.commands import Dial, Send
from antiphon.models.tape import Dialled, Tape, Told
from antiphon.runtime.replay import replay
from antiphon.testing.chat_server import ChatCall, ChatReply, ChatServer
from tests.runtime.chat_models import chat_model
from tests.runtime.taped import SCENARIOS, Scenario, record, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from antiphon import Event
    from tests.runtime.conftest import Converse


@pytest.mark.virtual_clock
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
async def test_a_replay_gives_the_same_events_and_says_the_same_to_models(
    scenario: Scenario, tmp_path: Path
) -> None:
    """contract 9.3"""
    path = tmp_path / "tape.jsonl"
    seen = await record(scenario, path)
    tape = Tape.load(path)
    assert tape.complete and not tape.truncated
    steps = list(replay(tape))
    again = [event for step in steps for event in step.events]
    assert told(again) == told(seen)
    assert seen, "something happened"
    commands = [command for step in steps for command in step.commands]
    assert [command for command in commands if isinstance(command, Send)] == [
        Send(record.link, record.message) for record in tape.records if isinstance(record, Told)
    ]
    assert [command for command in commands if isinstance(command, Dial)] == [
        Dial(record.link, record.agent) for record in tape.records if isinstance(record, Dialled)
    ]


@pytest.mark.virtual_clock
async def test_a_replay_is_the_same_every_time_ids_and_times_included(tmp_path: Path) -> None:
    """contract 9.3"""
    path = tmp_path / "tape.jsonl"
    seen = await record(SCENARIOS[0], path)
    tape = Tape.load(path)
    once, again = (
        [event.model_dump_json() for step in replay(tape) for event in step.events] for _ in range(2)
    )
    assert once == again
    events = [event for step in replay(tape) for event in step.events]
    assert len({event.id for event in events}) == len(events)
    assert {event.invocation_id for event in events} == {seen[0].invocation_id}
    for event, original in zip(events, seen, strict=True):
        assert 0 <= event.timestamp - tape.header.recorded < 1000
        assert event.author == original.author


@pytest.mark.virtual_clock
async def test_chance_is_on_the_tape(tmp_path: Path) -> None:
    """contract 9.3: the wait before a retry is partly random, and comes out the same"""
    path = tmp_path / "tape.jsonl"
    await record(next(each for each in SCENARIOS if each.name == "reseeding"), path)
    tape = Tape.load(path)
    dialled = [record.now for record in tape.records if isinstance(record, Dialled)]
    dials = [step.at for step in replay(tape) for command in step.commands if isinstance(command, Dial)]
    assert dials == [now - tape.header.now for now in dialled]
    assert len(dials) == 2
    without = Tape(tape.header, [r for r in tape.records if type(r).__name__ != "Drawn"], [])
    assert len(without.records) < len(tape.records)
    assert any(True for _ in replay(without)), "a tape of other rules draws from the middle"


@pytest.mark.virtual_clock
async def test_half_a_tape_replays_as_far_as_it_goes(tmp_path: Path) -> None:
    """contract 9.5"""
    path = tmp_path / "tape.jsonl"
    seen = await record(SCENARIOS[0], path)
    data = path.read_bytes()
    tape = Tape.read(data[: len(data) // 2])
    assert tape.truncated and not tape.complete
    again = [event for step in replay(tape) for event in step.events]
    assert 0 < len(again) < len(seen)
    assert told(again) == told(seen)[: len(again)]


@pytest.mark.parametrize("mode", [StreamingMode.SSE, StreamingMode.NONE])
async def test_turn_based_runs_are_taped_with_callbacks_guardrails_and_streaming_tools(
    mode: StreamingMode, tmp_path: Path
) -> None:
    """contract 9.1, 9.3, 6.3"""

    def guard(callback_context: object, speaker: str, text: str) -> Veto | None:
        return Veto("a secret", reply="No.") if speaker == "model" and "code" in text else None

    def after(callback_context: CallbackContext, llm_response: object) -> None:
        callback_context.state["calls"] = callback_context.state.get("calls", 0) + 1

    async def count() -> AsyncIterator[int]:
        """Counts."""
        yield 1
        yield 2

    agent = Agent(name="helper", tools=[count], guardrails=guard, after_model_callback=after)
    async with ChatServer([ChatReply(calls=(ChatCall("count"),)), ChatReply("the code is 1")]) as server:
        agent = agent.model_copy(update={"model": chat_model("openai", server)})
        runner = InMemoryRunner(agent, app_name="app", tapes=tmp_path)
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        config = RunConfig(streaming_mode=mode)
        run = runner.run_async(user_id="ann", session_id="s1", new_message="Go", run_config=config)
        seen = [event async for event in run]
    again = _replayed(tmp_path)
    assert any(event.error_code == "GUARDRAIL" for event in seen)
    assert [_unnamed(event) for event in again] == [_unnamed(event) for event in seen]


def _replayed(folder: Path) -> list[Event]:
    """The events of the one tape in there."""
    (path,) = folder.iterdir()
    return [event for step in replay(Tape.load(path)) for event in step.events]


def _unnamed(event: Event) -> dict[str, Any]:
    """All but ids and times."""
    said = event.model_dump(exclude_none=True, exclude={"id", "timestamp"})
    said["actions"]["told"] = list((event.actions.told or {}).values())
    return said


async def test_pieces_that_the_application_did_not_want_are_not_replayed(
    converse: Converse, tmp_path: Path
) -> None:
    """contract 6.3, 9.3"""
    async with converse(config=RunConfig(streaming_mode=StreamingMode.NONE)) as talk:
        talk.runner.tapes = tmp_path
        talk.queue.send_content("Hello")
        await talk.all()
    again = _replayed(tmp_path)
    assert [_unnamed(event) for event in again] == [_unnamed(event) for event in talk.seen]
