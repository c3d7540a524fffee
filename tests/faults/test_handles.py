"""A resumption handle out of one run and into the next (contract 4.4, 7.1)."""

from __future__ import annotations

import pytest

from antiphon import types
from antiphon.testing.live_server import HandlePolicy
from tests.faults.talk import Talk, World, kinds

pytestmark = pytest.mark.virtual_clock

WORLDS = {
    "a session": World(),
    "a moment": World("gemini-2.5-flash-native-audio", handles=HandlePolicy.PER_TURN),
}


def handles_of(talk: Talk) -> list[str]:
    updates = (event.live_session_resumption_update for event in talk.seen)
    return [update.new_handle or "" for update in updates if update]


@pytest.mark.parametrize("world", WORLDS)
async def test_an_application_may_keep_the_newest_handle_and_come_back_with_it(world: str) -> None:
    async with Talk(WORLDS[world]) as talk:
        talk.say(1)
        await talk.wait_for_answer(1)
        handles = handles_of(talk)
        assert handles and all(handles)
        stored = await talk.stored()
        assert not any(event.live_session_resumption_update for event in stored), "never stored: contract 4.2"
        await talk.hang_up()
        await talk.again(types.SessionResumptionConfig(handle=handles[-1]))
        talk.say(2)
        await talk.wait_for_answer(2)
        await talk.finish()
    assert kinds(talk) == ["ready", "closed", "ready", "closed"]
    second = talk.server.connections[1]
    assert second.resumed_from == handles[-1]
    assert talk.memory.count("u1-") == 1, "it was told once, and is known"
    assert not any("u1-" in text for text in second.texts), "nothing is told again"


async def test_without_the_handle_the_next_run_is_told_what_is_stored() -> None:  # contract 4.4
    async with Talk(World()) as talk:
        talk.say(1)
        await talk.wait_for_answer(1)
        await talk.hang_up()
        await talk.again(types.SessionResumptionConfig())
        await talk.finish()
    assert talk.server.connections[1].resumed_from is None
    assert talk.memory.count("u1-") == 1


async def test_what_is_not_resumable_now_does_not_make_the_last_handle_bad() -> None:  # contract 7.1
    async with Talk(WORLDS["a moment"]) as talk:
        talk.say(1)
        await talk.wait_for_answer(1)
        good = handles_of(talk)[-1]
        talk.say(2, "look")
        await talk.until(lambda: talk.open_calls(), "the call")
        updates = [
            m["sessionResumptionUpdate"]
            for m in talk.server.connections[0].sent
            if "sessionResumptionUpdate" in m
        ]
        assert updates[-2:] == [{"newHandle": good, "resumable": True}, {"resumable": False}]
        await talk.server.calls[1].abort()
        await talk.wait_for_answer(2)
        await talk.finish()
    assert talk.server.connections[1].resumed_from == good
