"""The socket killed at every step of the protocol: the conversation goes on, whole.

Four questions are asked, one after the other, with audio in between: a plain one, one that takes a tool, one
that has the user passed on to another agent, and one to that agent.
"""

from __future__ import annotations

import asyncio

import pytest

from antiphon.testing.live_server import Abort, Close, Faults, GoAway, HandlePolicy
from tests.faults.oracle import judge
from tests.faults.talk import Talk, World, in_virtual_time, kinds

pytestmark = pytest.mark.virtual_clock

GONE = Abort()
WORLDS = {
    "speech, resumed": World(),
    "speech, told anew": World(resumption=False),
    "text, resumed": World("some-model", "TEXT"),
    "speech, resumed from a moment": World("gemini-2.5-flash-native-audio", handles=HandlePolicy.PER_TURN),
}
WISHES = ("say", "look", "two", "say")


def converse(world: World, faults: Faults, tool_seconds: float = 0.5, pause: float = 0.0) -> Talk:
    """Holds the conversation and judges it."""
    talks: list[Talk] = []

    async def work() -> None:
        async with Talk(world, faults) as talk:
            talks.append(talk)
            talk.tool_seconds = tool_seconds
            for number, wish in enumerate(WISHES, 1):
                talk.speak(number)
                talk.say(number, wish)
                await talk.wait_for_answer(number)
                await asyncio.sleep(pause)
            await talk.finish()
        await judge(talk, [1, 2, 3, 4])

    in_virtual_time(work)
    return talks[0]


STEPS = {
    "before the set-up": (1, "connect"),
    "in the set-up": (1, "setup"),
    "as soon as it is set up": (1, "setup_complete"),
    "with a question on its way": (1, "text:1"),
    "with a question of content on its way": (1, "client_content:1"),
    "with audio on its way": (1, "audio:1"),
    "at the first word": (1, "model_turn:1"),
    "in mid-answer": (1, "model_turn:2"),
    "in mid-transcript": (1, "output_transcription:1"),
    "when all is generated": (1, "generation_complete:1"),
    "when the turn is over": (1, "turn_complete:1"),
    "with a tool running": (1, "tool_call:1"),
    "with a result on its way": (1, "tool_response:1"),
    "with a hand-over under way": (1, "tool_call:2"),
    "before the next agent is set up": (2, "connect"),
    "in the next agent's set-up": (2, "setup"),
    "as soon as the next agent is set up": (2, "setup_complete"),
    "while the next agent is told": (2, "client_content:1"),
    "in the next agent's answer": (2, "model_turn:1"),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("step", STEPS)
def test_killed_at_this_step(step: str, world: str) -> None:  # contract 7.1, 7.3, 7.6
    connection, name = STEPS[step]
    talk = converse(WORLDS[world], Faults().on(connection, at={name: GONE}))
    lost = any(c.close_code == 1006 for c in talk.server.connections) and step != "with a hand-over under way"
    assert ("reconnecting" in kinds(talk)) is lost, "the application sees every loss, and nothing else"


@pytest.mark.parametrize("world", WORLDS)
def test_a_result_that_finds_no_socket_waits(world: str) -> None:  # contract 7.3
    faults = Faults().on(1, at={"tool_call:1": GONE}).on(2, http_status=503).on(3, refuse_tcp=True)
    talk = converse(WORLDS[world], faults, tool_seconds=0.1)
    assert kinds(talk).count("reconnecting") == 3


LEAVING = {
    "in mid-answer, with time": (1, "model_turn:1", GoAway(50.0, Close(1011))),
    "in mid-answer, with none": (1, "model_turn:1", GoAway(0.0, GONE)),
    "in mid-answer, with little": (1, "model_turn:1", GoAway(0.1, GONE)),
    "with a tool running": (1, "tool_call:1", GoAway(1.0, GONE)),
    "when it is quiet": (1, "turn_complete:1", GoAway(50.0, Close(1001))),
    "as soon as it is set up": (1, "setup_complete", GoAway(8.0, GONE)),
    "with a hand-over under way": (1, "tool_call:2", GoAway(0.5, GONE)),
    "as soon as the next agent is set up": (2, "setup_complete", GoAway(0.5, GONE)),
}


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("when", LEAVING)
@pytest.mark.parametrize("killed", [None, "connect", "setup", "setup_complete"])
def test_a_model_that_goes_away(when: str, killed: str | None, world: str) -> None:  # contract 7.2
    connection, step, mishap = LEAVING[when]
    faults = Faults().on(connection, at={step: mishap})
    if killed is not None:  # and the replacement does not live long
        faults.on(connection + 1, at={killed: GONE})
    talk = converse(WORLDS[world], faults)
    assert "going_away" in kinds(talk)


@pytest.mark.parametrize("world", WORLDS)
def test_a_replacement_that_is_refused(world: str) -> None:  # contract 7.2
    faults = Faults().on(1, at={"turn_complete:1": GoAway(8.0, GONE)}).on(2, http_status=503)
    talk = converse(WORLDS[world], faults)
    assert "going_away" in kinds(talk)


def test_a_handle_that_is_refused_gives_way_to_what_is_stored() -> None:  # contract 7.1
    talk = converse(
        World(), Faults().on(1, at={"turn_complete:1": GONE}).on(2, handle_expired=True), pause=2.0
    )
    assert [bool(connection.resumed_from) for connection in talk.server.connections[:3]] == [
        False,
        True,
        False,
    ]
    assert kinds(talk).count("reconnected") == 1


def test_a_handle_that_fails_again_and_again_is_given_up() -> None:  # contract 7.1
    faults = Faults(hold_session=900.0).on(1, at={"turn_complete:1": GONE})
    talk = converse(World(), faults, pause=1.0)
    resumed_from = [connection.resumed_from for connection in talk.server.connections[1:5]]
    assert [bool(handle) for handle in resumed_from] == [True, True, True, False]


def test_an_idle_session_is_not_resumed_at_once() -> None:  # contract 7.1
    faults = Faults(early_resume=1.0).on(1, at={"turn_complete:1": GONE})
    talk = converse(World(), faults, pause=2.0)
    assert kinds(talk).count("reconnecting") == 1, "the first try, a second later, works"
    assert talk.server.connections[1].resumed_from is not None
