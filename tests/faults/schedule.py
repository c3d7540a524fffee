"""What goes wrong in a conversation, and when: drawn from a seed."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from antiphon.testing.live_server import (
    Abort,
    CallEnded,
    Close,
    Faults,
    GoAway,
    HandlePolicy,
    Mishap,
)
from tests.faults.oracle import judge
from tests.faults.talk import Talk, World, in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Schedule", "drawn", "run"]

pytestmark = pytest.mark.virtual_clock  # whatever waits in here waits on it

RETRYABLE = (1001, 1011, 1012, 1013, 1014)  # and 1006, which is an abort
STEPS = (
    *("connect", "setup", "setup_complete", "handle", "text", "text", "client_content", "client_content"),
    *("audio", "tool_response", "tool_response"),
    *("model_turn", "model_turn", "output_transcription", "tool_call", "interrupted"),
    *("generation_complete", "turn_complete", "go_away"),
)
WORLDS = (
    World(),
    World(resumption=False),
    World("some-model", "TEXT"),
    World("gemini-2.5-flash-native-audio", handles=HandlePolicy.PER_TURN),
    World("gemini-live-2.5-flash", "TEXT", HandlePolicy.PER_TURN, non_blocking=False),
)


@dataclass(frozen=True)
class Refusal:
    """The connection of this number is not taken: an HTTP status, or one of the names of `Faults`."""

    how: int | str


@dataclass(frozen=True)
class Stall:
    """The network swallows everything, in both directions, for so many seconds; then it resets."""

    seconds: float


@dataclass(frozen=True)
class Schedule:
    """All that happens in one conversation. Its `repr` says it all."""

    seed: int
    world: World
    says: Sequence[tuple[float, int, str]]
    """When, number, wish."""
    chunks: Sequence[tuple[float, int]]
    steps: Sequence[tuple[int, str, Mishap]]
    """Connection, step, what happens after it."""
    times: Sequence[tuple[float, Mishap | Stall]]
    """What happens to the newest connection at a time."""
    refusals: Sequence[tuple[int, Refusal]]
    patient: bool
    """Whether the user waits for each answer."""
    tool_seconds: float

    @property
    def texts(self) -> list[int]:
        return [number for _, number, _ in self.says]


def drawn(seed: int) -> Schedule:
    """The schedule of this seed, the same one every time."""
    chance = random.Random(seed)
    patient = chance.random() < 0.5
    wishes = ("say", "say", "say", "look", "look", "two", "one")
    span = chance.choice((1.0, 3.0, 12.0))
    times = sorted(round(chance.uniform(0, span), 2) for _ in range(chance.randint(2, 5)))
    says = [(time, number, chance.choice(wishes)) for number, time in enumerate(times, 1)]
    bursts = sorted(round(chance.uniform(0, span), 2) for _ in range(6))
    chunks = [(time, 4 * burst + n) for burst, time in enumerate(bursts) for n in range(1, 5)]
    steps = [
        (chance.choice((1, 1, 2, 2, 3)), f"{chance.choice(STEPS)}:{chance.randint(1, 3)}", mishap(chance))
        for _ in range(chance.randint(0, 3))
    ]
    refusals = [
        (chance.randint(2, 5), Refusal(chance.choice((429, 503, 500, "refuse_tcp", "handle_expired"))))
        for _ in range(chance.randint(0, 2))
    ]
    at = [
        (round(chance.uniform(0, span), 2), mishap(chance) if chance.random() < 0.85 else Stall(90.0))
        for _ in range(chance.randint(0 if steps else 1, 2))
    ]
    return Schedule(
        seed,
        chance.choice(WORLDS),
        says,
        chunks,
        steps,
        at,
        refusals,
        patient,
        round(chance.uniform(0.0, 3.0), 2),
    )


def mishap(chance: random.Random) -> Mishap:
    """Mostly a cut, abrupt or by a close frame; else notice of one."""
    end: Close | Abort = Abort() if chance.random() < 0.5 else Close(chance.choice(RETRYABLE))
    if chance.random() < 0.7:
        return end
    return GoAway(chance.choice((0.0, 0.5, 2.0, 8.0, 50.0)), end)


def run(schedule: Schedule) -> None:
    """Holds the conversation and judges it. What fails says how to have it again."""
    try:
        in_virtual_time(lambda: _run(schedule))
    except BaseException as failed:
        failed.add_note(f"again: python -m tests.faults.schedule {schedule.seed}\n{schedule}")
        raise


async def _run(schedule: Schedule) -> None:
    random.seed(schedule.seed)  # the jitter of retries
    faults = Faults()
    harmed = {number for number, _, _ in schedule.steps} | {number for number, _ in schedule.refusals}
    for connection in harmed:
        faults.on(connection, _faults_of(schedule, connection))
    talk = Talk(schedule.world, faults)
    talk.tool_seconds = schedule.tool_seconds
    async with talk:
        await asyncio.gather(_type(talk, schedule), _speak(talk, schedule), _harm(talk, schedule))
        await talk.finish()
    await judge(talk, schedule.texts)


def _faults_of(schedule: Schedule, connection: int) -> Faults:
    at: dict[str, list[Mishap]] = {}
    for number, step, harm in schedule.steps:
        if number == connection:
            at.setdefault(step, []).append(harm)
    faults = Faults(at=at)
    for number, refusal in schedule.refusals:
        if number == connection and isinstance(refusal.how, int):
            faults.http_status = refusal.how
        elif number == connection:
            setattr(faults, str(refusal.how), True)
    return faults


async def _type(talk: Talk, schedule: Schedule) -> None:
    for time, number, wish in schedule.says:
        await _at(time)
        talk.say(number, wish)
        if schedule.patient:
            await talk.wait_for_answer(number)


async def _speak(talk: Talk, schedule: Schedule) -> None:
    for time, number in schedule.chunks:
        await _at(time)
        talk.speak(number)


async def _harm(talk: Talk, schedule: Schedule) -> None:
    for time, harm in sorted(schedule.times, key=lambda each: each[0]):
        await _at(time)
        open_calls = [call for call in talk.server.calls.values() if call.line.open]
        if not open_calls:
            continue
        call = open_calls[-1]
        if isinstance(harm, Stall):
            call.line.freeze()
            call.line._socket.transport.pause_reading()
            now = asyncio.get_running_loop().time()
            talk.stalls.append((now, now + harm.seconds))
            await asyncio.sleep(harm.seconds)
            await call.abort()
        else:
            try:
                await call.suffer(harm)
            except CallEnded:
                pass


async def _at(time: float) -> None:
    loop = asyncio.get_running_loop()
    await asyncio.sleep(max(0.0, time - loop.time()))


if __name__ == "__main__":
    import sys

    for number in map(int, sys.argv[1:]):
        run(drawn(number))
