"""The model's half of a tape, played to real agents (contract 9.4)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, InMemoryRunner, LiveRequestQueue, ReplayModel, RunConfig
from antiphon.core.handover import Cast, Role
from antiphon.core.messages import ActivityStarted, Media, Message, ToolResults, Turn
from antiphon.core.signals import (
    LinkDialled,
    LinkLost,
    ModelReady,
    ModelText,
    Received,
    TurnComplete,
)
from antiphon.errors import (
    ConfigurationError,
    ConnectionLost,
    ReplayDiverged,
    TapeUnusable,
    UnsupportedByModel,
)
from antiphon.models import Setup
from antiphon.models.tape import Begun, Dialled, Fed, Finished, HungUp, Record, Started, Tape, Told, blank
from antiphon.types import Blob, Content, FunctionResponse, Part
from tests.models.listening import Ears
from tests.runtime.taped import SCENARIOS, Scenario, hold, record, told

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = RunConfig(response_modalities=["TEXT"])
PLAYED = [each for each in SCENARIOS if each.name != "voices kept"]
"""Files are saved by threads, in no order, under names of their own."""
TIMED = {"an open end", "tools"}
"""A turn that only time has ended, and a tool whose end the model is not told of."""


def scenario_named(name: str) -> Scenario:
    return next(each for each in SCENARIOS if each.name == name)


async def replayed(scenario: Scenario, model: ReplayModel, agent: Any = None, **options: Any) -> list[Any]:
    runner = InMemoryRunner(agent or scenario.agent(model), app_name="app")
    queue = LiveRequestQueue()
    model.play_user(queue)
    return await hold(runner, queue, scenario.config, **options)


@pytest.mark.virtual_clock
@pytest.mark.parametrize("scenario", PLAYED, ids=str)
async def test_the_agents_see_the_same_conversation(scenario: Scenario, tmp_path: Path) -> None:
    """contract 9.4: tools run, sessions are kept, and every event is as it was, at the speed of the tape"""
    path = tmp_path / "tape.jsonl"
    seen = await record(scenario, path)
    assert told(await replayed(scenario, ReplayModel(path, speed=1.0))) == told(seen)


@pytest.mark.virtual_clock
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lenient"])
@pytest.mark.parametrize("scenario", [each for each in PLAYED if each.name not in TIMED], ids=str)
async def test_without_pauses_it_is_the_same(scenario: Scenario, strict: bool, tmp_path: Path) -> None:
    """contract 9.4: by order, not by the clock"""
    path = tmp_path / "tape.jsonl"
    seen = await record(scenario, path)
    assert told(await replayed(scenario, ReplayModel(path, strict=strict))) == told(seen)


@pytest.mark.virtual_clock
async def test_the_pauses_are_those_of_the_tape_divided_by_the_speed(tmp_path: Path) -> None:
    """contract 9.4"""
    loop, path = asyncio.get_running_loop(), tmp_path / "tape.jsonl"
    scenario = scenario_named("tools")
    began = loop.time()
    await record(scenario, path)
    took = loop.time() - began
    assert took > 1.0
    scenario = scenario_named("thoughts")
    began = loop.time()
    await record(scenario, tmp_path / "other.jsonl")
    took = loop.time() - began
    for speed in (1.0, 2.0):
        began = loop.time()
        await replayed(scenario, ReplayModel(tmp_path / "other.jsonl", speed=speed))
        assert loop.time() - began == pytest.approx(took / speed, abs=0.01)


@pytest.mark.virtual_clock
async def test_each_agent_may_have_its_own_half(tmp_path: Path) -> None:
    """contract 9.4"""
    scenario, path = scenario_named("hand-over"), tmp_path / "tape.jsonl"
    seen = await record(scenario, path)
    greeter, billing = (ReplayModel(path, agent=name) for name in ("greeter", "billing"))
    below = Agent(name="billing", instruction="bill", description="bills", model=billing)
    root = Agent(name="greeter", model=greeter, instruction="greet", sub_agents=[below])

    def leave(event: Any, queue: LiveRequestQueue) -> None:
        if event.turn_complete:
            queue.close()

    queue = LiveRequestQueue()
    queue.send_content("Hello")
    runner = InMemoryRunner(root, app_name="app")
    assert told(await hold(runner, queue, scenario.config, leave)) == told(seen)


@pytest.mark.virtual_clock
async def test_an_agent_that_says_something_else_is_told_what_and_where(tmp_path: Path) -> None:
    """contract 9.4"""
    scenario, path = scenario_named("text"), tmp_path / "tape.jsonl"
    await record(scenario, path)
    model = ReplayModel(path)
    runner = InMemoryRunner(Agent(name="helper", model=model), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
    queue = LiveRequestQueue()
    queue.send_content("Howdy")
    with pytest.raises(ReplayDiverged) as diverged:
        async for _ in runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue):
            pass
    said = str(diverged.value)
    line = next(
        at for at, record in zip(model.tape.lines, model.tape.records, strict=True) if is_turn(record)
    )
    assert f"tape.jsonl, line {line}: " in said and "Howdy" in said and "Hello" in said
    assert not diverged.value.retryable


def is_turn(record: Record) -> bool:
    return isinstance(record, Told) and isinstance(record.message, Turn)


@pytest.mark.virtual_clock
async def test_another_instruction_is_another_conversation_unless_told_otherwise(tmp_path: Path) -> None:
    """contract 9.4: strict and not"""
    scenario, path = scenario_named("text"), tmp_path / "tape.jsonl"
    seen = await record(scenario, path)
    for strict in (True, False):
        model = ReplayModel(path, strict=strict)
        agent = Agent(name="helper", model=model, instruction="Be kind.")
        again = await replayed(scenario, model, agent)
        assert (told(again) == told(seen)) is not strict
        if strict:
            reason = again[-1].lifecycle.reason
            assert "set up with the instruction" in reason and "Be kind." in reason


# One connection at a time, by tapes made by hand.


def turn(words: str = "Hello") -> Turn:
    return Turn(Content(role="user", parts=[Part(text=words)]))


def result(call_id: str = "1", **response: Any) -> ToolResults:
    return ToolResults((FunctionResponse(id=call_id, name="look", response=response or {"a": 1}),), session=1)


def sound(seconds: float = 0.1) -> Media:
    return Media(Blob(data=bytes(int(32_000 * seconds)), mime_type="audio/pcm;rate=16000"))


IMAGE = Media(Blob(data=b"png", mime_type="image/png"))
READY = Fed(0.0, Received(1, (ModelReady(),)))
OPEN: list[Record] = [Started(0.0), Dialled(0.0, 1, "helper"), Fed(0.0, LinkDialled(1)), Begun(0.0, 1), READY]


def heard(text: str, now: float = 0.0, link: int = 1) -> Fed:
    return Fed(now, Received(link, (ModelText(text), TurnComplete())))


def tape_of(*records: Record) -> Tape:
    header = blank(
        Cast({"helper": Role("helper")}, "helper"),
        CONFIG,
        antiphon="0.1.0",
        recorded=0.0,
        invocation="e-1",
        note="",
        now=0.0,
    )
    return Tape(header, records, range(2, len(records) + 2), "by-hand.jsonl")


class Line:
    """An open connection to a replay, and what it reported."""

    def __init__(self, *records: Record, begin: bool = True, **options: Any) -> None:
        self.model = ReplayModel(tape_of(*OPEN, *records), **options)
        self.ear = Ears()
        self.begin = begin

    async def __aenter__(self) -> Line:
        self.connection = await self.model.connect(CONFIG, self.ear)
        if self.begin:
            self.connection.begin(Setup(CONFIG))
            await self.settle()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.connection.close()

    async def say(self, *messages: Message) -> list[str]:
        """The words of the model that follow."""
        before = len(self.ear.said)
        for message in messages:
            self.connection.send(message)
        await self.settle()
        return [each.text for each in self.ear.said[before:] if isinstance(each, ModelText)]

    async def settle(self) -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    @property
    def lost(self) -> Any:
        assert len(self.ear.losses) == 1, self.ear.losses
        return self.ear.losses[0]


async def test_what_is_said_waits_for_the_turn_it_answers() -> None:
    """contract 9.4"""
    async with Line(Told(1.0, 1, turn("a")), heard("A"), Told(2.0, 1, turn("b")), heard("B")) as line:
        assert isinstance(line.ear.said[0], ModelReady)
        assert len(line.ear.said) == 1
        assert await line.say(turn("a")) == ["A"]
        assert await line.say(turn("b")) == ["B"]
        assert line.connection.writable
    assert line.lost == (None, ())


async def test_audio_counts_by_its_length_and_not_by_its_chunks() -> None:
    """contract 9.4"""
    async with Line(*[Told(0.0, 1, sound(0.1))] * 3, Told(0.0, 1, IMAGE), heard("A")) as line:
        assert await line.say(sound(0.05), sound(0.2), IMAGE) == []
        assert await line.say(sound(0.05)) == ["A"]
        assert await line.say(sound(9.0), IMAGE) == [], "more of it is no harm"


async def test_audio_of_an_unknown_kind_counts_too() -> None:
    odd = Media(Blob(data=bytes(320), mime_type="audio/ogg"))
    async with Line(Told(0.0, 1, odd), heard("A")) as line:
        assert await line.say(odd) == ["A"]


async def test_results_may_come_in_another_order_than_they_did() -> None:
    """contract 9.4"""
    async with Line(Told(0.0, 1, result("1")), heard("A"), Told(0.0, 1, result("2")), heard("B")) as line:
        assert await line.say(result("2")) == []
        assert await line.say(result("1")) == ["A", "B"]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (turn("b"), "line 7: the model is told "),
        (ActivityStarted(), "line 7: the model is told "),
        (result("1", b=2), "line 8: the model is told "),
        (result("9"), "which is nowhere on the tape"),
    ],
)
async def test_what_differs_ends_it(message: Message, said: str) -> None:
    """contract 9.4"""
    async with Line(Told(0.0, 1, turn("a")), Told(0.0, 1, result("1")), heard("A")) as line:
        await line.say(message, turn("a"))
        error, unsent = line.lost
        assert isinstance(error, ReplayDiverged) and unsent == ()
        assert said in str(error) and "by-hand.jsonl" in str(error)


async def test_a_turn_more_than_there_was_ends_it() -> None:
    async with Line(heard("A")) as line:
        await line.say(turn("a"))
        assert "nowhere on the tape" in str(line.lost[0])


async def test_without_strictness_only_kind_and_order_count() -> None:
    """contract 9.4"""
    records = (Told(0.0, 1, turn("a")), heard("A"), Told(0.0, 1, result("1")), heard("B"))
    async with Line(*records, strict=False, begin=False) as line:
        line.connection.begin(Setup(CONFIG, "Another.", tools=[]))
        await line.settle()
        assert await line.say(ActivityStarted(), result("9")) == []
        assert await line.say(turn("something else")) == ["A"]
        assert await line.say(turn("one more")) == []
        assert await line.say(result("1", b=2)) == ["B"]


async def test_long_texts_are_shown_where_they_differ() -> None:
    long = "word " * 200
    async with Line(Told(0.0, 1, turn(long + "old"))) as line:
        await line.say(turn(long + "new"))
    said = str(line.lost[0])
    assert "…" in said and "old" in said and "new" in said and len(said) < 700


async def test_a_session_that_was_never_set_up_is_a_difference() -> None:
    model = ReplayModel(tape_of(*OPEN[:3]))
    ear = Ears()
    connection = await model.connect(CONFIG, ear)
    connection.begin(Setup(CONFIG))
    assert "a session is set up that was not" in str(ear.losses[0][0])


async def test_a_handle_has_another_name_on_the_tape() -> None:
    """contract 9.2"""
    begun = Begun(0.0, 1, handle="handle-1")
    for handle, fits in (("the real one", True), (None, False)):
        model, ear = ReplayModel(tape_of(*OPEN[:3], begun, READY)), Ears()
        connection = await model.connect(CONFIG, ear)
        connection.begin(Setup(CONFIG, handle=handle))
        await asyncio.sleep(0)
        assert [type(each) for each in ear.said] == [ModelReady] * fits
        assert bool(ear.losses) is not fits
        await connection.close()


async def test_a_loss_is_played_with_what_had_not_left() -> None:
    """contract 7.3, 9.4"""
    error = ConnectionLost("broken", code=1006)
    unsent = (sound(0.1), turn("b"), result("2"), IMAGE)
    records: tuple[Record, ...] = (
        Told(0.0, 1, turn("a")),
        Told(0.0, 1, result("1")),
        *[Told(0.0, 1, sound(0.1))] * 2,
        Told(0.0, 1, IMAGE),
        *(Told(0.0, 1, message) for message in unsent),
        Fed(1.0, LinkLost(1, error, unsent)),
    )
    async with Line(*records) as line:
        await line.say(turn("a"), result("1"), sound(0.1), sound(0.1), IMAGE)
        assert not line.ear.losses
        await line.say(sound(0.1), turn("b"), result("2"), IMAGE)
        assert line.lost == (error, unsent)
        line.connection.send(turn("late"))
        line.connection.send(sound())
        assert len(line.ear.losses) == 1


@pytest.mark.virtual_clock
async def test_hanging_up_takes_as_long_as_it_did_and_returns_what_had_not_left() -> None:
    """contract 7.2, 9.4"""
    loop = asyncio.get_running_loop()
    records = (
        Told(0.0, 1, turn("a")),
        HungUp(1.0, 1),
        heard("after that", 1.1),
        Fed(1.5, LinkLost(1, None, (turn("a"),))),
    )
    async with Line(*records, speed=1.0) as line:
        assert await line.say(turn("a")) == []
        began = loop.time()
        await asyncio.gather(line.connection.close(), line.connection.close())
        assert loop.time() - began == pytest.approx(0.5)
        assert line.lost == (None, (turn("a"),))


@pytest.mark.virtual_clock
async def test_an_application_that_does_not_go_on_is_told_what_is_waited_for() -> None:
    """contract 9.4"""
    loop = asyncio.get_running_loop()
    records = (Told(0.0, 1, turn("a")), Told(0.0, 1, sound(2.0)), Told(0.0, 1, result()), heard("A", 5.0))
    async with Line(*records, patience=10.0) as line:
        await asyncio.sleep(9.0)
        await line.say(sound(0.5))
        began = loop.time()
        while not line.ear.losses:
            line.connection.send(IMAGE)  # nothing that is waited for
            await asyncio.sleep(0.5)
    assert loop.time() - began == pytest.approx(15.0, abs=1.0), "patience, and what it took by the tape"
    wanted = (
        "line 10: the model waits for 1 turn or activity signal, 1 tool result, 1.50 s of audio; for 10 s"
    )
    assert wanted in str(line.lost[0])


@pytest.mark.virtual_clock
async def test_a_tape_that_is_over_does_not_hang_a_test() -> None:
    """contract 9.4"""
    async with Line(Finished(1.0)) as line:
        await asyncio.sleep(31.0)
        assert "has said all that is on the tape" in str(line.lost[0])


async def test_a_connection_that_is_not_on_the_tape_is_refused() -> None:
    model = ReplayModel(tape_of(*OPEN))
    connection = await model.connect(CONFIG, Ears())
    with pytest.raises(ReplayDiverged, match="not on the tape"):
        await model.connect(CONFIG, Ears())
    await connection.close()


@pytest.mark.virtual_clock
async def test_a_link_that_never_opened_does_not_open() -> None:
    """contract 7.1, 9.4"""
    loop, error = asyncio.get_running_loop(), ConnectionLost("nobody there")
    model = ReplayModel(
        tape_of(
            Started(0.0),
            Dialled(0.0, 1, "helper"),
            Fed(2.0, LinkLost(1, error)),
            Dialled(3.0, 2, "helper"),
            Fed(4.0, LinkLost(2, None)),
            Dialled(5.0, 3, "helper"),
            HungUp(15.0, 3),
            Fed(15.0, LinkLost(3, None)),
        ),
        speed=1.0,
    )
    with pytest.raises(ConnectionLost) as lost:
        await model.connect(CONFIG, Ears())
    assert lost.value is error and loop.time() == 2.0
    with pytest.raises(ReplayDiverged, match="nothing was opened"):
        await model.connect(CONFIG, Ears())
    with pytest.raises(TimeoutError):  # the application gave it up: it is to do so again
        async with asyncio.timeout(1000):
            await model.connect(CONFIG, Ears())


def test_a_replay_can_do_what_the_model_could_in_the_modality_of_the_tape() -> None:
    """contract 6.2, 9.4"""
    tape = tape_of(*OPEN)
    model = ReplayModel(tape)
    assert model.capabilities == tape.header.cast.roles["helper"].capabilities
    assert model.name == "replay of by-hand.jsonl"
    model.check(CONFIG)
    with pytest.raises(ConfigurationError, match=r"was recorded with response_modalities=\['TEXT'\]"):
        model.check(RunConfig())
    with pytest.raises(UnsupportedByModel):
        model.check(CONFIG.model_copy(update={"enable_affective_dialog": True}))


def test_what_cannot_be_played_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no agent 'waiter', but helper"):
        ReplayModel(tape_of(*OPEN), agent="waiter")
    with pytest.raises(ConfigurationError, match="above 0"):
        ReplayModel(tape_of(*OPEN), speed=0)
    with pytest.raises(TapeUnusable, match="cannot be read"):
        ReplayModel(tmp_path / "nothing.jsonl")
    with pytest.raises(TapeUnusable, match="line 2: link 3 was not dialled"):
        ReplayModel(tape_of(HungUp(0.0, 3)))
