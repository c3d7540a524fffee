"""What happens on the connections to the model, and what time brings to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from antiphon.capabilities import Capabilities
from antiphon.config import Retry, RunConfig
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask, Begin, Dial, HangUp, Send
from antiphon.core.handover import Role
from antiphon.core.links import HANG_UP_TIMEOUT
from antiphon.core.messages import ActivityEnded, Opening, StreamEnded, ToolResults, Turn
from antiphon.core.reviews import Asks
from antiphon.core.signals import (
    GenerationComplete,
    GoingAway,
    HandleUpdate,
    InputTranscript,
    LinkDialled,
    LinkLost,
    ModelAudio,
    ModelInterrupted,
    ModelReady,
    ModelText,
    Reviewed,
    Signal,
    ToolCalls,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    UserActivity,
)
from antiphon.core.turns import RE_ASK, RESUME_SETTLE
from antiphon.errors import ConnectionLost, InvalidSetup, ModelUnavailable, ResumptionRefused, SetupTimeout
from antiphon.testing.script import (
    ANYTHING,
    NOTHING,
    START,
    Script,
    after,
    at,
    conversation,
    emit,
    end,
    media,
    on,
    ready,
    script,
    send,
    store,
    user_media,
    user_turn,
)
from antiphon.types import (
    AutomaticActivityDetection,
    Content,
    FunctionCall,
    FunctionResponse,
    FunctionResponseScheduling,
    Part,
    RealtimeInputConfig,
    SessionResumptionConfig,
)

CABLE = ConnectionLost("the cable")
RETRY = Retry(attempts=3, first_delay=1.0, max_delay=4.0, idle_resume_delay=1.0, resume_attempts=2)
CONFIG = RunConfig(retry=RETRY, connect_timeout=10.0, held_audio=0.25)
MANUAL = RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(disabled=True))
CHUNK = b"\0\0" * 2_000  # an eighth of a second


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part.from_text(text=text)]))


def live(*, handle: bool = False) -> Script:
    """The first link is ready; with a handle, if one is wanted."""
    started = ready(config=CONFIG)
    return started >> HandleUpdate("h", resumable=True) << ANYTHING if handle else started


def down(*, handle: bool = False) -> Script:
    """The first link was lost."""
    return live(handle=handle) >> LinkLost(1, CABLE) << emit(lifecycle="reconnecting")


def back(script: Script, link: int = 2) -> Script:
    """The network is well again: the next link is ready, and what that entails is to be asserted."""
    script = script >> after(4) << ANYTHING >> LinkDialled(link) << ANYTHING
    return script >> ModelReady() << emit(lifecycle="reconnected")


def leaving(*, handle: bool = True) -> Script:
    """The model went away, its replacement is dialled, and the old link is being closed."""
    warned = live(handle=handle) >> GoingAway(60.0) << emit(lifecycle="going_away") << Dial(2, "agent")
    return warned >> LinkDialled(2) << HangUp(1, reason="going away")


# Opening.


def test_a_conversation_opens_its_first_link_step_by_step() -> None:
    # contract 3.11, 4.4
    opening = script(conversation()) >> START << Dial(1, "agent")
    opening = opening >> LinkDialled(1) << Begin(1, "agent", seed=True)
    assert opening >> ModelReady() << emit(author="agent", lifecycle="ready", resumed=None, stored=False)


def test_a_handle_of_an_earlier_run_is_used_and_nothing_is_told_twice() -> None:
    # contract 4.4, 7.1
    config = RunConfig(session_resumption=SessionResumptionConfig(handle="old"))
    opening = script(conversation(config=config)) >> START << ANYTHING >> user_turn("hi") << store(text="hi")
    opening = opening >> LinkDialled(1) << Begin(1, "agent", "old", held=(Part(text="hi"),))
    assert opening >> ModelReady() << emit(lifecycle="ready") << send(text="hi")


def test_what_is_said_before_the_model_is_ready_waits() -> None:
    # contract 7.3
    opening = script(conversation()) >> START << ANYTHING >> LinkDialled(1) << ANYTHING
    opening = opening >> user_turn("a") << store(text="a") >> user_media(CHUNK) << NOTHING
    assert opening >> ModelReady() << emit(lifecycle="ready") << send(text="a") << send(media=CHUNK)


def test_what_was_said_before_the_model_was_there_is_said_in_its_order() -> None:
    # contract 2.2, 4.4: and so it is left out of what the model is told
    opening = script(conversation()) >> START << ANYTHING >> user_turn("a") << store(text="a")
    opening = opening >> user_media(CHUNK) << NOTHING >> user_turn("b") << store(text="b")
    opening = opening >> LinkDialled(1) << Begin(1, "agent", seed=True, held=(Part(text="a"), Part(text="b")))
    opening = opening >> ModelReady() << emit(lifecycle="ready")
    assert opening << send(text="a") << send(media=CHUNK) << send(text="b")


def test_a_turn_that_is_not_complete_waits_for_the_model_like_any_other() -> None:
    # contract 2.6
    opening = script(conversation()) >> START << ANYTHING >> user_turn("a", partial=True) << store(text="a")
    opening = opening >> LinkDialled(1) << Begin(1, "agent", seed=True, held=(Part(text="a"),))
    assert opening >> ModelReady() << emit(lifecycle="ready") << send(text="a", complete=False)


def test_a_first_link_that_takes_a_second_try_is_ready_all_the_same() -> None:
    # contract 3.11, 7.1
    opening = script(conversation(config=CONFIG)) >> START << ANYTHING
    opening = opening >> LinkLost(1, CABLE) << emit(lifecycle="reconnecting", reason="the cable", attempt=1)
    opening = opening >> after(1) << Dial(2, "agent") >> LinkDialled(2) << ANYTHING
    assert opening >> ModelReady() << emit(lifecycle="ready")


@pytest.mark.parametrize("dialled", [False, True])
def test_a_link_that_takes_too_long_is_given_up_and_tried_again(dialled: bool) -> None:
    # contract 7.1
    slow = script(conversation(config=CONFIG)) >> START << ANYTHING
    if dialled:
        slow = slow >> LinkDialled(1) << ANYTHING
    slow = slow >> at(10) << HangUp(1, reason="timeout") << emit(lifecycle="reconnecting", attempt=1)
    slow = slow >> LinkLost(1, CABLE) << NOTHING
    assert slow >> after(1) << Dial(2, "agent")


def test_a_link_that_never_opens_is_an_error_in_the_end() -> None:
    # contract 1.5, 7.1
    slow = script(conversation(config=RunConfig(retry=Retry(attempts=0)))) >> START << ANYTHING
    slow = slow >> at(10) << HangUp(1, reason="timeout") << emit(lifecycle="closed", by="error")
    assert slow << end(by="error", error=SetupTimeout)


# Losing.


def test_a_lost_link_is_replaced_after_a_while() -> None:
    # contract 7.1
    lost = live() >> LinkLost(1, CABLE)
    lost = lost << emit(lifecycle="reconnecting", reason="the cable", attempt=1, stored=False)
    lost = lost >> after(0.9) << NOTHING >> after(0.1) << Dial(2, "agent")
    lost = lost >> LinkDialled(2) << Begin(2, "agent", seed=True)
    assert lost >> ModelReady() << emit(lifecycle="reconnected", resumed=False, stored=False)


def test_with_a_handle_the_session_goes_on() -> None:
    # contract 7.1
    lost = down(handle=True) >> after(1) << Dial(2, "agent") >> LinkDialled(2) << Begin(2, "agent", "h")
    assert lost >> ModelReady() << emit(lifecycle="reconnected", resumed=True)


def test_a_refused_handle_gives_way_to_a_fresh_session() -> None:
    # contract 7.1
    lost = down(handle=True) >> after(1) << Dial(2, "agent") >> LinkDialled(2) << Begin(2, "agent", "h")
    lost = lost >> LinkLost(2, ResumptionRefused("unknown")) << emit(lifecycle="reconnecting", attempt=2)
    assert lost >> after(2) << Dial(3, "agent") >> LinkDialled(3) << Begin(3, "agent", seed=True)


def test_retries_end_with_the_last_error() -> None:
    # contract 1.5, 7.1
    lost = down() >> after(1) << Dial(2, "agent") >> LinkLost(2, CABLE) << ANYTHING
    lost = (
        lost >> after(2) << Dial(3, "agent") >> LinkLost(3, CABLE) << ANYTHING >> after(4) << Dial(4, "agent")
    )
    busy = ModelUnavailable("busy", code=1013)
    lost = lost >> LinkLost(4, busy) << emit(lifecycle="closed", reason="busy", by="error")
    assert lost << end(reason="busy", by="error", error=ModelUnavailable)


def test_what_cannot_pass_is_raised_after_what_was_said() -> None:
    # contract 1.5, 7.4
    refused = live() >> ModelText("Hel") << ANYTHING >> LinkLost(1, InvalidSetup("bad argument", code=1007))
    refused = refused << emit(text="Hel", partial=False, stored=True) << emit(lifecycle="closed", by="error")
    assert refused << end(reason="bad argument", by="error", error=InvalidSetup)


def test_a_session_the_model_ends_in_good_order_ends_the_conversation() -> None:
    # contract 1.5
    ended = live() >> LinkLost(1, None) << emit(lifecycle="closed", by="model")
    assert ended << end(reason="the model ended the session", by="model", error=None)


def test_what_was_said_before_the_loss_is_made_whole_and_the_turn_goes_on() -> None:
    # contract 3.5, 3.8
    lost = live() >> ModelText("Hel") << ANYTHING >> InputTranscript("hi") << ANYTHING
    lost = lost >> LinkLost(1, CABLE) << emit(input="hi", finished=True) << emit(text="Hel", partial=False)
    lost = back(lost << emit(lifecycle="reconnecting")) >> ModelText("lo") << emit(text="lo", partial=True)
    assert (
        lost >> TurnComplete() << emit(text="lo", partial=False) << emit(turn_complete=True, interrupted=None)
    )


def test_a_turn_that_does_not_go_on_is_ended() -> None:
    # contract 3.5
    lost = live() >> ModelText("Hel") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING
    lost = back(lost) >> after(RESUME_SETTLE) << emit(turn_complete=True, interrupted=True, stored=True)
    assert lost >> TurnComplete() << NOTHING


def test_a_cut_turn_ends_with_its_link() -> None:
    # contract 3.6
    lost = live() >> ModelText("Hel") << ANYTHING >> ModelInterrupted() << ANYTHING >> LinkLost(1, CABLE)
    assert lost << emit(turn_complete=True, interrupted=True) << emit(lifecycle="reconnecting")


# What waits.


def test_control_waits_and_of_audio_the_newest_does() -> None:
    # contract 3.11, 7.3
    lost = down(handle=True) >> user_turn("a") << store(text="a") >> user_media(CHUNK + b"\1\0") << NOTHING
    lost = lost >> user_media(CHUNK) << emit(lifecycle="overloaded", stored=False)
    lost = lost >> user_turn("b") << store(text="b") >> user_media(CHUNK) << NOTHING
    lost = lost >> user_media(CHUNK) << NOTHING  # said once
    lost = back(lost) << send(text="a") << send(text="b") << send(media=CHUNK)
    assert lost << send(media=CHUNK)


def test_each_outage_is_reported_by_itself() -> None:
    # contract 3.11
    lost = down() >> user_media(CHUNK * 3) << emit(lifecycle="overloaded")
    lost = back(lost) >> LinkLost(2, CABLE, (media(CHUNK * 3),))
    assert lost << emit(lifecycle="overloaded") << emit(lifecycle="reconnecting")


def test_what_did_not_leave_is_said_on_the_next_link_first() -> None:
    # contract 7.3
    lost = live(handle=True) >> user_turn("a") << ANYTHING >> user_turn("b") << ANYTHING
    lost = lost >> LinkLost(1, CABLE, (turn("b"),)) << emit(lifecycle="reconnecting")
    lost = lost >> user_turn("c") << store(text="c")
    assert back(lost) << send(link=2, text="b") << send(link=2, text="c")


def test_a_question_without_its_answer_is_asked_again_by_a_fresh_session() -> None:
    # contract 7.1
    lost = live() >> user_turn("a") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.UNANSWERED, held=(Part(text="a"),))
    assert lost >> ModelReady() << emit(lifecycle="reconnected") << send(link=2, text="a")


@pytest.mark.parametrize("question", [on(1, InputTranscript("hm?")), UserActivity("end")])
def test_a_spoken_question_without_its_answer_is_asked_again_too(question: Signal) -> None:
    # contract 7.1
    lost = ready(config=CONFIG.model_copy(update={"realtime_input_config": MANUAL})) >> question << ANYTHING
    lost = lost >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    assert lost >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.UNANSWERED)


def test_a_question_whose_answer_has_begun_is_not_said_again() -> None:
    # contract 7.2: and asked again only if no word of the answer is stored, which the seed looks at
    lost = live() >> user_turn("a") << ANYTHING >> ModelText("A") << ANYTHING
    lost = lost >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.UNANSWERED)
    assert lost >> ModelReady() << emit(lifecycle="reconnected")


def test_a_late_transcript_of_an_answered_question_asks_nothing() -> None:
    # contract 7.2: transcripts come in their own time
    lost = live() >> ModelAudio(b"\1\0", "audio/pcm;rate=24000") << ANYTHING
    lost = lost >> InputTranscript("how are you", finished=True) << ANYTHING
    lost = lost >> TurnComplete() << emit(turn_complete=True) >> TurnComplete() << NOTHING
    lost = lost >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    assert lost >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.NOTHING)


def test_words_that_cut_the_answer_off_are_asked_again() -> None:
    # contract 7.1
    lost = live() >> ModelText("Hel") << ANYTHING >> InputTranscript("stop") << ANYTHING
    lost = lost >> ModelInterrupted() << ANYTHING >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    assert lost >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.UNANSWERED)


def test_a_result_that_waits_is_told_to_a_fresh_session_by_the_seed() -> None:
    # contract 4.4, 7.3
    lost = (
        live()
        >> ToolCalls((FunctionCall(id="c", name="look"),))
        << ANYTHING
        >> LinkLost(1, CABLE)
        << ANYTHING
    )
    lost = lost >> ToolFinished("c", {"ok": True}) << emit(response={"c": {"ok": True}}, stored=True)
    lost = lost >> after(1) << ANYTHING >> LinkDialled(2) << Begin(2, "agent", seed=True, ask=Ask.UNANSWERED)
    assert lost >> ModelReady() << emit(lifecycle="reconnected")


SNAPSHOT = Role("agent", {"look": ToolFacts()}, Capabilities(handle_is_snapshot=True))


def moment(role: Role = SNAPSHOT) -> Script:
    """A turn is over, and a handle was issued that stands for that moment: three events are stored."""
    first = ready(role, config=CONFIG) >> user_turn("0") << ANYTHING >> ModelText("0") << ANYTHING
    return first >> TurnComplete() << ANYTHING >> HandleUpdate("h", resumable=True) << ANYTHING


def test_a_snapshot_is_told_what_came_after_its_moment_and_asked_what_it_has_not_answered() -> None:
    # contract 4.4, 7.6
    lost = moment() >> user_turn("a") << ANYTHING >> LinkLost(1, CABLE, (), (turn("a"),)) << ANYTHING
    lost = lost >> user_turn("b") << ANYTHING >> after(1) << ANYTHING
    held = (Part(text="a"), Part(text="b"))
    lost = lost >> LinkDialled(2) << Begin(2, "agent", "h", ask=Ask.UNANSWERED, held=held, since=3)
    lost = lost >> ModelReady() << emit(lifecycle="reconnected", resumed=True)
    assert lost << send(text="a") << send(text="b")


def test_a_session_that_went_on_is_told_nothing_twice() -> None:
    # contract 4.4, 7.1
    lost = live(handle=True) >> user_turn("a") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING
    lost = lost >> user_turn("b") << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << Begin(2, "agent", "h", held=(Part(text="b"),))
    assert lost >> ModelReady() << emit(lifecycle="reconnected") << send(text="b")


# Calls across links: each result reaches the model once, or the call is on record as abandoned.

OK = {"ok": True}
SNAPSHOTS = Capabilities(
    non_blocking_tools=True, blocks_by_default=False, tool_scheduling=True, handle_is_snapshot=True
)
TOOLS = {"look": ToolFacts(), "watch": ToolFacts(streaming=True)}


def call(call_id: str, name: str = "look") -> ToolCalls:
    return ToolCalls((FunctionCall(id=call_id, name=name),))


def snapshots() -> Script:
    """A model whose handles are snapshots has called "a", handed one out, and called "b"."""
    script = ready(Role("agent", TOOLS, SNAPSHOTS), config=CONFIG) >> call("a") << ANYTHING
    return script >> HandleUpdate("h", resumable=True) << ANYTHING >> call("b") << ANYTHING


def resumed(script: Script, since: int | None = 1, ask: Ask = Ask.NOTHING, answers: Any = ()) -> Script:
    """The link is lost and the session resumed; what it is told later is to be asserted."""
    script = script >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    script = script >> LinkDialled(2) << Begin(2, "agent", "h", ask=ask, since=since, answers=answers)
    return script >> ModelReady() << emit(lifecycle="reconnected")


def test_what_a_snapshot_does_not_know_of_calls_is_told_again() -> None:
    # contract 7.6: the result of a call it knows by id, of one it does not with the conversation
    script = snapshots() >> ToolFinished("a", OK) << ANYTHING >> ToolFinished("b", {"n": 2}) << ANYTHING
    assert resumed(script, ask=Ask.UNANSWERED, answers=("a",)) << send(link=2, results={"a": OK})


def test_a_call_that_a_snapshot_does_not_know_is_answered_in_words() -> None:
    # contract 5.4, 7.6
    script = resumed(snapshots()) >> ToolFinished("b", OK) << emit(response={"b": OK})
    script = script << send(text="(The call of look returned {'ok': True}.)")
    assert script >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(results={"a": OK})


def test_so_it_is_when_its_result_waited_for_the_link() -> None:
    # contract 7.3
    script = (
        snapshots() >> LinkLost(1, CABLE) << ANYTHING >> ToolFinished("b", OK) << emit(response={"b": OK})
    )
    script = script >> ToolFinished("a", OK) << emit(response={"a": OK}) >> after(1) << ANYTHING
    begin = Begin(2, "agent", "h", ask=Ask.UNANSWERED, since=1, answers=("a",))
    script = script >> LinkDialled(2) << begin >> ModelReady() << emit(lifecycle="reconnected")
    assert script << send(results={"a": OK})


def test_a_newer_snapshot_knows_the_call_and_its_result() -> None:
    # contract 7.6
    script = snapshots() >> ToolFinished("b", OK) << ANYTHING >> ModelText("Fine.") << ANYTHING
    script = script >> TurnComplete() << ANYTHING >> HandleUpdate("h", resumable=True) << ANYTHING
    assert resumed(script, since=5) >> ToolFinished("a", OK) << emit() << send(results={"a": OK})


def test_a_result_that_never_left_is_told_once_after_a_snapshot() -> None:
    # contract 7.3
    script = snapshots() >> ToolFinished("a", OK) << ANYTHING
    unsent = tuple(command.message for command in script.produced[-1:] if isinstance(command, Send))
    script = script >> LinkLost(1, CABLE, unsent) << ANYTHING >> after(1) << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << emit(lifecycle="reconnected")
    assert script << send(link=2, results={"a": OK})


def test_a_left_link_that_reports_late_does_not_have_a_result_told_twice() -> None:
    # contract 7.2, 7.3
    script = snapshots() >> GoingAway(4.0) << ANYTHING >> ToolFinished("a", OK) << ANYTHING
    unsent = tuple(command.message for command in script.produced[-1:] if isinstance(command, Send))
    assert unsent
    script = script >> LinkDialled(2) << ANYTHING >> after(2 + HANG_UP_TIMEOUT) << ANYTHING
    script = script >> ModelReady() << ANYTHING << send(link=2, results={"a": OK})
    assert script >> LinkLost(1, None, unsent) << NOTHING


def test_a_session_that_knows_all_is_told_nothing_again() -> None:
    # contract 7.3
    script = ready(Role("agent", TOOLS), config=CONFIG) >> HandleUpdate("h", resumable=True) << ANYTHING
    script = script >> call("a") << ANYTHING >> call("b") << ANYTHING >> ToolFinished("a", OK) << ANYTHING
    script = script >> TurnComplete() << ANYTHING
    assert resumed(script, since=None) >> ToolFinished("b", OK) << emit() << send(results={"b": OK})


def test_what_was_told_in_words_and_never_left_is_told_by_the_seed_or_again_but_not_both() -> None:
    # contract 7.3
    lost = live() >> call("a") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    lost = lost >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(link=2, text=IN_WORDS)
    unsent = tuple(command.message for command in lost.produced[-1:] if isinstance(command, Send))
    fresh = lost >> LinkLost(2, CABLE, unsent) << ANYTHING >> after(4) << ANYTHING
    fresh = fresh >> LinkDialled(3) << Begin(3, "agent", seed=True, ask=Ask.UNANSWERED)
    assert fresh >> ModelReady() << emit(lifecycle="reconnected") << NOTHING


def test_what_was_told_in_words_and_never_left_is_told_to_the_resumed_session() -> None:
    # contract 7.3
    lost = live() >> call("a") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    lost = lost >> HandleUpdate("h", resumable=True) << ANYTHING
    lost = lost >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(link=2, text=IN_WORDS)
    unsent = tuple(command.message for command in lost.produced[-1:] if isinstance(command, Send))
    lost = lost >> LinkLost(2, CABLE, unsent) << ANYTHING >> after(4) << ANYTHING
    lost = lost >> LinkDialled(3) << Begin(3, "agent", "h") >> ModelReady() << emit(lifecycle="reconnected")
    assert lost << send(link=3, text=IN_WORDS)


def test_a_switched_link_that_did_not_send_its_words_has_them_told_on_the_new_one() -> None:
    # contract 7.2
    lost = live() >> call("a") << ANYTHING >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    lost = lost >> HandleUpdate("h", resumable=True) << ANYTHING >> GoingAway(4.0) << ANYTHING
    lost = lost >> ToolFinished("a", OK) << emit(response={"a": OK}) << send(link=2, text=IN_WORDS)
    unsent = tuple(command.message for command in lost.produced[-1:] if isinstance(command, Send))
    lost = lost >> LinkDialled(3) << ANYTHING >> after(2 + HANG_UP_TIMEOUT) << ANYTHING
    lost = lost >> ModelReady() << emit(lifecycle="reconnected")
    assert lost >> LinkLost(2, None, unsent) << send(link=3, text=IN_WORDS)


IN_WORDS = "(The call of look returned {'ok': True}.)"


def test_streamed_values_that_never_left_come_before_newer_ones() -> None:
    # contract 5.7, 7.3
    role = Role("agent", TOOLS, replace(SNAPSHOTS, handle_is_snapshot=False))
    script = ready(role, config=CONFIG) >> HandleUpdate("h", resumable=True) << ANYTHING
    script = script >> call("a", "watch") << ANYTHING >> TurnComplete() << ANYTHING
    script = script >> ToolYielded("a", {"n": 1}) << ANYTHING
    unsent = tuple(command.message for command in script.produced[-1:] if isinstance(command, Send))
    script = script >> LinkLost(1, CABLE, unsent) << ANYTHING >> ToolYielded("a", {"n": 2}) << emit()
    script = script >> after(1) << ANYTHING >> LinkDialled(2) << ANYTHING
    script = script >> ModelReady() << emit(lifecycle="reconnected")
    assert script << send(results={"a": {"n": 1}}) << send(results={"a": {"n": 2}})


def test_a_cancellation_that_never_left_is_told_on_the_next_link() -> None:
    # contract 5.5, 7.3
    role = Role("agent", {"look": ToolFacts(cancel_on_interruption=True)})
    script = ready(role, config=CONFIG) >> HandleUpdate("h", resumable=True) << ANYTHING
    script = script >> call("a") << ANYTHING >> ModelInterrupted() << ANYTHING
    unsent = tuple(command.message for command in script.produced[-1:] if isinstance(command, Send))
    script = script >> LinkLost(1, CABLE, unsent) << ANYTHING >> after(1) << ANYTHING
    script = script >> LinkDialled(2) << ANYTHING >> ModelReady() << emit(lifecycle="reconnected")
    error = {"error": {"code": "CANCELLED", "message": "cancelled before it was finished"}}
    assert script << send(link=2, results={"a": error})


@pytest.mark.parametrize("under_way", [(), (user_turn("a"),), (ToolFinished("c", {"ok": True}),)])
def test_a_moment_counts_when_nothing_was_on_its_way_to_the_model(under_way: tuple[Signal, ...]) -> None:
    # contract 7.6: else nobody knows whether it was part of that moment
    script = moment() >> user_turn("1") << ANYTHING >> ModelText("1") << ANYTHING
    script = script >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    script = script >> TurnComplete() << ANYTHING
    for signal in under_way:
        script = script >> signal << ANYTHING
    script = script >> HandleUpdate("new", resumable=True)
    assert script << NOTHING if under_way else script << emit()


def test_a_moment_counts_when_callbacks_have_seen_all_that_was_said() -> None:
    # contract 5.10, 7.6: else nobody knows how many events there will be of it
    read = Role("agent", {}, SNAPSHOT.capabilities, asks=Asks(after_model=True))
    script = ready(read, config=CONFIG) >> user_turn("0") << ANYTHING >> ModelText("0") << ANYTHING
    script = script >> TurnComplete() << ANYTHING >> HandleUpdate("early", resumable=True) << NOTHING
    script = script >> Reviewed(1) << emit(text="0") << emit(turn_complete=True)
    script = script >> HandleUpdate("h", resumable=True) << emit() >> LinkLost(1, CABLE) << ANYTHING
    script = script >> after(1) << ANYTHING
    assert script >> LinkDialled(2) << Begin(2, "agent", "h", since=3)


def test_the_first_handle_of_a_snapshot_stands_for_a_session_that_was_told_nothing() -> None:
    # contract 7.6
    assert ready(SNAPSHOT, config=CONFIG) >> HandleUpdate("h", resumable=True) << NOTHING


def test_a_result_is_told_by_its_id_when_the_moment_knew_the_call_and_else_in_words() -> None:
    # contract 5.4, 7.6
    called = (
        moment() >> user_turn("1") << ANYTHING >> ToolCalls((FunctionCall(id="a", name="look"),)) << ANYTHING
    )
    called = called >> TurnComplete() << ANYTHING >> HandleUpdate("h2", resumable=True) << ANYTHING
    called = (
        called >> user_turn("2") << ANYTHING >> ToolCalls((FunctionCall(id="b", name="look"),)) << ANYTHING
    )
    called = called >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING
    called = called >> LinkDialled(2) << ANYTHING >> ModelReady() << ANYTHING
    called = called >> ToolFinished("a", {"ok": 1}) << emit() << send(results={"a": {"ok": 1}})
    assert (
        called
        >> ToolFinished("b", {"ok": 2})
        << emit()
        << send(text="(The call of look returned {'ok': 2}.)")
    )


# What may have been read, or may not.


def said(script: Script) -> Any:
    """The message that was sent last."""
    return next(each.message for each in reversed(script.produced) if isinstance(each, Send))


def in_doubt(script: Script, *doubtful: Any, handle: str | None) -> Script:
    """The link is lost; the next session is resumed with this handle, or fresh."""
    lost = script >> LinkLost(1, CABLE, (), doubtful) << ANYTHING >> after(1) << ANYTHING
    lost = lost >> LinkDialled(2) << ANYTHING
    begun = next(each for each in reversed(lost.produced) if isinstance(each, Begin))
    assert begun.handle == handle
    return lost >> ModelReady() << emit(lifecycle="reconnected")


def test_what_may_have_been_read_is_told_to_a_fresh_session() -> None:
    # contract 7.6
    asked = live(handle=True) >> user_turn("a") << ANYTHING
    assert in_doubt(asked, said(asked), handle=None) << send(text="a")


def test_what_was_answered_was_read() -> None:
    # contract 7.6
    asked = live(handle=True) >> user_turn("a") << ANYTHING
    message = said(asked)
    answered = asked >> ModelText("A") << ANYTHING
    assert in_doubt(answered, message, handle="h") << NOTHING


def test_a_result_that_may_have_been_read_is_told_again_since_it_counts_once() -> None:
    # contract 5.4, 7.6
    called = live(handle=True) >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    called = called >> ToolFinished("c", {"ok": 1}) << ANYTHING
    message = said(called)
    spoken_of = called >> ModelText("Fine.") << ANYTHING
    assert in_doubt(spoken_of, message, handle="h") << NOTHING
    called = live(handle=True) >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    called = called >> ToolFinished("c", {"ok": 1}) << ANYTHING
    assert in_doubt(called, said(called), handle="h") << send(results={"c": {"ok": 1}})


def test_a_silent_result_that_may_have_been_read_is_told_again_too() -> None:
    # contract 5.7, 7.6: no answer shows that it was read
    role = Role("agent", TOOLS, replace(SNAPSHOTS, handle_is_snapshot=False))
    script = ready(role, config=CONFIG) >> HandleUpdate("h", resumable=True) << ANYTHING
    script = script >> call("c") << ANYTHING
    script = script >> ToolFinished("c", OK, scheduling=FunctionResponseScheduling.SILENT) << ANYTHING
    assert in_doubt(script, said(script), handle="h") << send(results={"c": OK})


def test_news_of_a_tool_that_may_have_been_read_is_told_to_a_fresh_session() -> None:
    # contract 5.7, 7.6: it would count twice
    called = live(handle=True) >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    called = called >> ToolYielded("c", {"n": 1}) << ANYTHING
    assert in_doubt(called, said(called), handle=None) << NOTHING


def test_signals_of_activity_are_not_said_again() -> None:
    # contract 7.6: of an utterance that has lost its beginning or its end nothing is known
    script = live(handle=True)
    assert in_doubt(script, ActivityEnded(), StreamEnded(), handle="h") << NOTHING


@pytest.mark.parametrize("spoke", [True, False])
def test_a_session_that_may_not_have_been_told_the_conversation_is_not_resumed(spoke: bool) -> None:
    # contract 4.4, 7.6
    script = live(handle=True)
    script = script >> ModelText("A") << ANYTHING if spoke else script
    assert in_doubt(script, Opening(), handle="h" if spoke else None) << NOTHING


def test_a_spoken_question_is_asked_again_in_writing() -> None:
    # contract 7.3
    lost = live(handle=True) >> InputTranscript("who?", finished=True) << ANYTHING
    lost = lost >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING >> LinkDialled(2) << ANYTHING
    lost = lost >> ModelReady() << emit(lifecycle="reconnected")
    assert lost >> after(RE_ASK) << send(text="who?") >> after(RE_ASK) << NOTHING


def test_a_turn_that_waits_for_its_tool_is_not_over() -> None:
    # contract 5.2, 7.2
    lost = live(handle=True) >> ToolCalls((FunctionCall(id="c", name="look"),)) << ANYTHING
    lost = lost >> LinkLost(1, CABLE) << ANYTHING >> after(1) << ANYTHING >> LinkDialled(2) << ANYTHING
    lost = lost >> ModelReady() << emit(lifecycle="reconnected") >> after(3 * RESUME_SETTLE) << NOTHING
    lost = lost >> ToolFinished("c", {"ok": 1}) << emit() << send(results={"c": {"ok": 1}})
    assert lost >> after(RESUME_SETTLE) << emit(turn_complete=True)


def test_a_resumed_model_that_has_forgotten_the_question_is_asked_again() -> None:
    # contract 7.3
    lost = (
        live(handle=True)
        >> user_turn("a")
        << ANYTHING
        >> LinkLost(1, CABLE)
        << ANYTHING
        >> after(1)
        << ANYTHING
    )
    lost = lost >> LinkDialled(2) << Begin(2, "agent", "h") >> ModelReady() << emit(lifecycle="reconnected")
    assert lost >> after(RE_ASK) << send(text="a") >> after(RE_ASK) << NOTHING


def test_what_is_sent_again_because_it_never_left_is_not_asked_again_as_well() -> None:
    # contract 7.3
    lost = live(handle=True) >> GoingAway(4.0) << ANYTHING >> user_turn("a") << ANYTHING
    unsent = tuple(command.message for command in lost.produced[-1:] if isinstance(command, Send))
    lost = lost >> after(2) << HangUp(1, reason="going away") >> LinkDialled(2) << NOTHING
    lost = lost >> after(HANG_UP_TIMEOUT) << Begin(2, "agent", "h")
    lost = lost >> ModelReady() << emit(lifecycle="reconnected")
    lost = lost >> LinkLost(1, CABLE, unsent) << send(link=2, text="a")
    assert lost >> after(RE_ASK) << NOTHING


def test_a_resumed_model_that_answers_is_not_asked_again() -> None:
    # contract 7.3
    lost = (
        live(handle=True)
        >> user_turn("a")
        << ANYTHING
        >> LinkLost(1, CABLE)
        << ANYTHING
        >> after(1)
        << ANYTHING
    )
    lost = lost >> LinkDialled(2) << Begin(2, "agent", "h") >> ModelReady() << emit(lifecycle="reconnected")
    lost = lost >> ModelText("A") << ANYTHING >> TurnComplete() << ANYTHING
    assert lost >> after(RE_ASK) << NOTHING


# A model that goes away.


def test_at_a_quiet_moment_the_switch_is_made_at_once() -> None:
    # contract 7.2
    switching = leaving() >> LinkLost(1, None) << Begin(2, "agent", "h")
    assert switching >> ModelReady() << emit(lifecycle="reconnected", resumed=True)


def test_without_a_handle_the_replacement_is_told_what_is_stored() -> None:
    # contract 7.2
    assert leaving(handle=False) >> LinkLost(1, None) << Begin(2, "agent", seed=True)


def test_an_answer_is_waited_for() -> None:
    # contract 7.2
    busy = live() >> ModelText("Hel") << ANYTHING >> GoingAway(60.0) << ANYTHING >> LinkDialled(2) << NOTHING
    busy = busy >> GenerationComplete() << ANYTHING
    assert busy >> TurnComplete() << emit(turn_complete=True) << HangUp(1, reason="going away")


@pytest.mark.parametrize("owed", [True, False])
def test_a_question_and_its_answer_are_waited_for(owed: bool) -> None:
    # contract 7.2
    busy = live() >> (user_turn("a") if owed else on(1, InputTranscript("a"))) << ANYTHING
    busy = busy >> GoingAway(60.0) << ANYTHING >> LinkDialled(2) << NOTHING
    assert busy >> ModelText("A") << ANYTHING >> TurnComplete() << ANYTHING << HangUp(1, reason="going away")


def test_when_time_is_up_the_switch_is_made_in_mid_answer() -> None:
    # contract 7.2
    busy = (
        live(handle=True)
        >> ModelText("Hel")
        << ANYTHING
        >> GoingAway(60.0)
        << ANYTHING
        >> LinkDialled(2)
        << NOTHING
    )
    busy = busy >> at(56.9) << NOTHING >> at(57) << HangUp(1, reason="going away")
    busy = busy >> ModelText("lo") << emit(text="lo", partial=True)
    busy = busy >> LinkLost(1, None) << emit(text="Hello", partial=False) << Begin(2, "agent", "h")
    busy = busy >> ModelReady() << emit(lifecycle="reconnected")
    assert busy >> TurnComplete() << emit(turn_complete=True, interrupted=None)


def test_what_the_user_says_during_the_switch_waits() -> None:
    # contract 7.2, 7.3
    switching = leaving() >> user_turn("a") << store(text="a")
    switching = switching >> LinkLost(1, None) << Begin(2, "agent", "h", held=(Part(text="a"),))
    assert switching >> ModelReady() << emit(lifecycle="reconnected") << send(link=2, text="a")


def test_a_close_that_takes_too_long_counts_as_done() -> None:
    # contract 7.2
    assert leaving() >> after(HANG_UP_TIMEOUT) << Begin(2, "agent", "h")


@pytest.mark.parametrize("is_ready", [True, False])
def test_what_a_link_left_unsent_is_said_however_late_it_is_reported(is_ready: bool) -> None:
    # contract 7.2, 7.3
    switching = live(handle=True) >> user_turn("a") << ANYTHING >> ModelText("A") << ANYTHING
    switching = switching >> TurnComplete() << ANYTHING >> GoingAway(60.0) << ANYTHING
    switching = switching >> user_turn("b") << ANYTHING >> LinkDialled(2) << NOTHING
    switching = switching >> after(57) << HangUp(1, reason="going away") >> user_turn("c") << store(text="c")
    switching = switching >> after(HANG_UP_TIMEOUT) << Begin(2, "agent", "h", held=(Part(text="c"),))
    if is_ready:
        switching = switching >> ModelReady() << emit(lifecycle="reconnected") << send(text="c")
        assert switching >> LinkLost(1, CABLE, (turn("b"),)) << send(link=2, text="b")
    else:
        switching = switching >> LinkLost(1, CABLE, (turn("b"),)) << NOTHING
        switching = switching >> ModelReady() << emit(lifecycle="reconnected")
        assert switching << send(link=2, text="b") << send(link=2, text="c")


def test_what_a_fresh_session_was_told_is_not_said_again_however_late_it_is_reported() -> None:
    # contract 4.4, 7.2
    switching = leaving(handle=False) >> after(HANG_UP_TIMEOUT) << Begin(2, "agent", seed=True)
    switching = switching >> ModelReady() << emit(lifecycle="reconnected")
    result = ToolResults((FunctionResponse(id="c", name="look", response={}),))
    late = LinkLost(1, CABLE, (turn("a"), StreamEnded(), result, ActivityEnded()))
    assert switching >> late << send(StreamEnded()) << send(ActivityEnded())


def test_a_replacement_still_being_dialled_begins_when_it_is_open() -> None:
    # contract 7.2
    early = live(handle=True) >> GoingAway(60.0) << ANYTHING >> LinkLost(1, CABLE) << NOTHING
    early = early >> LinkDialled(2) << Begin(2, "agent", "h")
    assert early >> ModelReady() << emit(lifecycle="reconnected", resumed=True)


def test_a_replacement_that_was_lost_is_dialled_anew_when_time_is_up() -> None:
    # contract 7.2
    unlucky = live() >> GoingAway(60.0) << ANYTHING >> LinkLost(2, CABLE) << NOTHING
    unlucky = unlucky >> at(57) << HangUp(1, reason="going away")
    unlucky = (
        unlucky
        >> LinkLost(1, None)
        << emit(lifecycle="reconnecting", reason="the model went away", attempt=2)
    )
    assert unlucky >> after(2) << Dial(3, "agent")


def test_a_model_that_goes_away_again_and_again_is_followed_ever_more_slowly() -> None:
    # contract 7.2: the first notice is followed at once, the next after a wait, as after losses
    script = leaving() >> LinkLost(1, None) << ANYTHING >> ModelReady() << ANYTHING
    script = script >> GoingAway(60.0) << emit(lifecycle="going_away") << Dial(3, "agent")
    script = script >> LinkDialled(3) << NOTHING
    assert script >> after(1.5) << NOTHING >> after(0.5) << HangUp(2, reason="going away")


def test_a_model_that_only_goes_away_is_left_when_it_must_be() -> None:
    # contract 7.2: the attempts are used up, so the replacement waits to the last
    config = RunConfig(retry=Retry(attempts=1))
    script = (
        ready(config=config)
        >> GoingAway(60.0)
        << ANYTHING
        >> LinkDialled(2)
        << HangUp(1, reason="going away")
    )
    script = script >> LinkLost(1, None) << ANYTHING >> ModelReady() << ANYTHING
    script = script >> GoingAway(60.0) << ANYTHING >> LinkDialled(3) << NOTHING
    assert script >> after(56) << NOTHING >> after(1) << HangUp(2, reason="going away")


def test_a_model_that_went_away_and_stays_out_of_reach_is_an_error() -> None:
    # contract 1.5
    config = RunConfig(retry=Retry(attempts=0))
    unlucky = ready(config=config) >> GoingAway(60.0) << ANYTHING >> LinkLost(2, CABLE) << NOTHING
    unlucky = unlucky >> at(57) << ANYTHING >> LinkLost(1, None) << emit(lifecycle="closed", by="error")
    assert unlucky << end(by="error", error=ConnectionLost)


# What is stale.


def test_stale_links_change_nothing() -> None:
    lost = back(down())
    lost = lost >> LinkDialled(1) << NOTHING >> LinkLost(1, CABLE) << NOTHING >> LinkLost(7, None) << NOTHING
    assert (
        lost
        >> on(1, ModelText("ghost"), ModelReady())
        << NOTHING
        >> user_turn("a")
        << store()
        << send(link=2)
    )
