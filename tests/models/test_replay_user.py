"""The user's half of a tape (contract 9.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon import LiveRequestQueue, types
from antiphon.core.signals import (
    AppLeft,
    Received,
    Signal,
    UserActivity,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.models.replay_script import script_of
from antiphon.models.replay_user import RecordedUser
from antiphon.models.tape import Dialled, Fed, Started
from tests.models.test_replay import heard, tape_of

BLOB = types.Blob(data=bytes(320), mime_type="audio/pcm;rate=16000")
WORDS = types.Content(role="user", parts=[types.Part(text="Hello")])


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def user_of(*signals: Signal, speed: float | None = None, every: float = 0.0) -> RecordedUser:
    records = [Fed(at * every, signal) for at, signal in enumerate(signals, 1)]
    return RecordedUser(script_of(tape_of(Started(0.0), Dialled(0.0, 1, "helper"), *records)), speed)


def taken(queue: LiveRequestQueue) -> list[Any]:
    out = []
    while (request := queue.lanes.take()) is not None:
        out.append(request if isinstance(request, types.Blob) else request.model_dump(exclude_defaults=True))
    return out


@pytest.mark.parametrize(
    ("signal", "request_"),
    [
        (UserMedia(BLOB), BLOB),
        (UserTurn(WORDS), {"content": WORDS.model_dump(exclude_defaults=True)}),
        (
            UserTurn(WORDS, True, {"a": 1}),
            {"content": WORDS.model_dump(exclude_defaults=True), "partial": True, "state_delta": {"a": 1}},
        ),
        (UserActivity("start"), {"activity_start": {}}),
        (UserActivity("end"), {"activity_end": {}}),
        (UserActivity("stop"), {"stop": True}),
        (UserStreamEnd(), {"audio_stream_end": True}),
        (UserLeft(), {"close": True}),
        (AppLeft(), {"close": True}),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_the_user_did_is_done_again(signal: Signal, request_: Any) -> None:
    user = user_of(signal)
    user.queue = queue = LiveRequestQueue()
    await settle()
    assert queue.depth == 0, "not before the conversation begins"
    user.start()
    user.start()
    await settle()
    assert taken(queue) == [request_]


async def test_playback_reports_are_made_again() -> None:
    """contract 4.5"""
    user = user_of(UserPlayed(120.0, 1))
    user.queue = queue = LiveRequestQueue()
    user.start()
    await settle()
    report = queue.lanes.take_playback()
    assert report is not None and (report.played_ms, report.turn) == (120.0, 1)


async def test_state_goes_with_what_it_came_with() -> None:
    """contract 2.6"""
    user = user_of(UserState({"a": 1}), UserActivity("start"), UserActivity("end"))
    user.queue = queue = LiveRequestQueue()
    user.start()
    await settle()
    assert taken(queue) == [{"activity_start": {}, "state_delta": {"a": 1}}, {"activity_end": {}}]


async def test_the_user_waits_for_all_that_came_before() -> None:
    """contract 9.4"""
    script = script_of(
        tape_of(
            Started(0.0),
            Dialled(0.0, 1, "helper"),
            heard("A"),
            heard("B"),
            Fed(0.0, UserTurn(WORDS)),
            Fed(0.0, Received(1, ())),
            Fed(0.0, UserLeft()),
        )
    )
    user = RecordedUser(script, None)
    user.queue = queue = LiveRequestQueue()
    user.start()
    user.passed(3)
    await settle()
    assert queue.depth == 0
    user.passed(2)
    await settle()
    assert len(taken(queue)) == 1
    user.passed(5)
    await settle()
    assert taken(queue) == [{"close": True}]


@pytest.mark.virtual_clock
@pytest.mark.parametrize("speed", [1.0, 4.0])
async def test_the_user_takes_the_time_of_the_tape(speed: float) -> None:
    """contract 9.4"""
    user = user_of(*[UserStreamEnd()] * 3, speed=speed, every=1.0)
    user.queue = queue = LiveRequestQueue()
    user.start()
    await asyncio.sleep(2.5 / speed)
    assert len(taken(queue)) == 2
    await asyncio.sleep(1.0 / speed)
    assert len(taken(queue)) == 1


async def test_a_queue_that_the_application_has_closed_is_left_alone() -> None:
    user = user_of(UserTurn(WORDS), UserTurn(WORDS))
    user.queue = queue = LiveRequestQueue()
    queue.close()
    user.start()
    await settle()
    assert taken(queue) == [{"close": True}]


async def test_without_a_queue_nothing_is_done() -> None:
    user = user_of(UserTurn(WORDS))
    user.start()
    user.passed(0)
    await settle()
    assert user.queue is None
