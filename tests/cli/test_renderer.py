"""Transcripts: events in, the screen out."""

from __future__ import annotations

from typing import Any

from antiphon.cli.renderer import Renderer
from antiphon.cli.screen import Look, plain
from antiphon.events import Event
from antiphon.types import (
    CodeExecutionResult,
    Content,
    ExecutableCode,
    FileData,
    GroundingChunk,
    GroundingChunkWeb,
    GroundingMetadata,
    Part,
    UsageMetadata,
)
from tests.cli.conftest import WEATHER, call, complete, fact, heard, interrupted, result, speech, words

CUT: dict[str, Any] = {"interrupted": True}


def screen(*events: Event, usage: bool = False) -> str:
    renderer = Renderer(usage=usage)
    return plain(piece for event in events for piece in renderer.event(event))


def test_text_is_written_once_as_it_comes() -> None:
    """contract 3.4"""
    renderer = Renderer()
    assert plain(renderer.event(words("Hel"))) == "helper> Hel"
    assert plain(renderer.event(words("lo. "))) == "lo."
    assert plain(renderer.event(words("Hello. ", partial=False))) == "\n"
    assert plain(renderer.event(complete())) == ""


def test_speech_is_read_by_its_transcript() -> None:
    """contract 3.8"""
    said = (speech("Hello "), speech("there."), speech("Hello there.", whole=True), complete())
    assert screen(*said) == "helper> Hello there.\n"


def test_text_that_comes_whole_is_written_too() -> None:
    assert screen(words("Hello.", partial=False), complete()) == "helper> Hello.\n"
    assert screen(words("Hel"), words("Hello.", partial=False)) == "helper> Hello.\n"


def test_thoughts_stand_apart() -> None:
    """contract 3.4"""
    shown = screen(
        words("Hm", thought=True), words("Hm", partial=False, thought=True), words("Yes"), complete()
    )
    assert shown == "helper thinks> Hm\nhelper> Yes\n"


def test_the_users_speech_is_shown() -> None:
    assert screen(heard("What "), heard("now?"), heard("What now?", whole=True)) == "you> What now?\n"


def test_a_call_and_its_result_share_a_line() -> None:
    """contract 5.2"""
    shown = screen(
        words("Wait."), words("Wait.", partial=False), call(city="Paris"), complete(), result(WEATHER)
    )
    assert shown == 'helper> Wait.\n⚙ get_weather(city="Paris") … 0.4 s → {"sky": "sunny"}\n'


def test_a_result_after_other_words_names_its_call_again() -> None:
    """contract 5.3: calls run in parallel, and the model may go on talking."""
    assert screen(
        call("a", id="1"), call("b", id="2"), result(WEATHER, "a", id="1"), result({"result": 2}, "b", id="2")
    ).splitlines() == [
        "⚙ a() …",
        "⚙ b() …",
        '⚙ a() … 0.4 s → {"sky": "sunny"}',
        "⚙ b() … 0.4 s → 2",
    ]


def test_a_streaming_tool_keeps_its_call() -> None:
    """contract 5.7"""
    shown = screen(
        call("count"), result({"result": 1}, "count", goes_on=True), result({"result": 2}, "count", at=2.0)
    )
    assert shown == "⚙ count() … 0.4 s → 1\n⚙ count() … 2.0 s → 2\n"


def test_the_answer_of_an_earlier_invocation_has_only_a_name() -> None:
    """contract 5.6"""
    assert screen(result({"result": "yes"}, "approve", id="9")) == '⚙ approve … → "yes"\n'


def test_a_failing_tool_says_why() -> None:
    """contract 5.4"""
    shown = screen(call(), result({"error": {"code": "TIMEOUT", "message": "after 5 s"}}, at=5.0))
    assert shown == "⚙ get_weather() … 5.0 s ✗ TIMEOUT: after 5 s\n"


def test_hand_overs_are_told_in_words() -> None:
    """contract 5.8, 5.9"""
    moved = (
        call("transfer_to_agent", agent_name="billing"),
        result({}, "transfer_to_agent", transfer="billing"),
    )
    assert screen(*moved, words("Hello", by="billing")) == "→ billing takes over\nbilling> Hello"
    assert screen(call("task_completed"), result({}, "task_completed")) == "✓ helper is done\n"
    lost = result({"error": {"code": "UNKNOWN_AGENT", "message": "no such"}}, "transfer_to_agent")
    assert "✗ UNKNOWN_AGENT: no such" in screen(call("transfer_to_agent"), lost)


def test_an_interruption_is_said_once() -> None:
    """contract 3.6"""
    text = (words("One, "), words("One, ", partial=False, **CUT), complete(cut=True), words("Yes?"))
    assert screen(*text) == "helper> One, [interrupted]\nhelper> Yes?"
    aloud = (speech("One"), interrupted(), speech("One", whole=True, **CUT), complete(cut=True))
    assert screen(*aloud) == "helper> One [interrupted]\n"


def test_an_interruption_of_what_was_all_said_is_not_worth_a_word() -> None:
    said = (speech("One."), speech("One.", whole=True), fact("generation_complete"), interrupted())
    assert screen(*said, complete(cut=True)) == "helper> One.\n"


def test_an_interruption_of_silence_has_its_line() -> None:
    assert screen(call(), interrupted()) == "⚙ get_weather() …\n[interrupted]\n"


def test_a_typed_line_breaks_the_one_it_cuts() -> None:
    renderer = Renderer()
    shown = [*renderer.event(words("One, two ")), *renderer.said("stop\x1b", echo=True)]
    for event in (words("One, two ", partial=False, **CUT), complete(cut=True), words("Yes?")):
        shown += renderer.event(event)
    assert plain(shown) == "helper> One, two —\nyou> stop\nhelper> Yes?"


def test_a_line_the_terminal_shows_is_not_repeated() -> None:
    assert plain(Renderer().said("hello", echo=False)) == ""


def test_after_hush_the_rest_of_the_turn_is_left_out() -> None:
    renderer = Renderer()
    renderer.event(speech("One, "))
    assert plain(renderer.hush()) == " [interrupted]\n"
    assert plain(renderer.hush()) == ""
    unheard = (
        speech("two"),
        speech("One, two", whole=True),
        interrupted(),
        speech("One, two", whole=True, **CUT),
    )
    assert plain(piece for event in unheard for piece in renderer.event(event)) == ""
    renderer.event(complete(cut=True))
    assert plain(renderer.event(speech("Yes?"))) == "helper> Yes?"


def test_hush_before_the_first_word_lasts_until_the_user_speaks_again() -> None:
    renderer = Renderer()
    assert plain(renderer.hush()) == "[interrupted]\n"
    renderer.said("again", echo=False)
    assert plain(renderer.event(words("Yes?"))) == "helper> Yes?"


def test_hush_lasts_over_the_next_line_while_old_words_still_come() -> None:
    renderer = Renderer()
    renderer.event(words("One, "))
    renderer.hush()
    renderer.event(words("two, "))
    renderer.said("again", echo=False)
    assert plain(renderer.event(words("three"))) == ""
    assert plain(renderer.event(words("One, two, three", partial=False, **CUT))) == ""
    assert plain(renderer.event(words("Yes?"))) == "helper> Yes?"


def test_tools_are_shown_even_when_hushed() -> None:
    renderer = Renderer()
    renderer.hush()
    assert plain(renderer.event(call())) == "⚙ get_weather() …"


def test_errors_are_lines() -> None:
    """contract 3.10"""
    error = Event(author="helper", error_code="MAX_TOKENS", error_message="too long")
    assert screen(words("Hm"), error) == "helper> Hm\n! MAX_TOKENS: too long\n"
    assert Renderer().event(error)[0].look is Look.ERROR
    assert screen(Event(author="helper", error_message="odd")) == "! odd\n"


def test_reconnects_are_told_dimly() -> None:
    """contract 3.11, 7.1, 7.2"""
    assert screen(
        fact("ready"),
        fact("going_away", time_left=50.0),
        fact("reconnecting", attempt=2, reason="1006"),
        fact("reconnected", resumed=True),
        fact("reconnected", resumed=False),
        fact("overloaded", reason="audio"),
        fact("toolset_unavailable", reason="no server"),
        fact("closed", by="user", reason="left"),
        fact("closed", by="limit", reason="max_turns"),
    ).splitlines() == [
        "… the model moves to another connection within 50 s",
        "… reconnecting, try 2: 1006",
        "… reconnected; goes on where it was",
        "… reconnected; goes on with the conversation so far",
        "… overloaded: audio",
        "… goes on without some tools: no server",
        "the conversation has ended: max_turns",
    ]
    assert {piece.look for piece in Renderer().event(fact("reconnecting", attempt=1))} == {Look.NOTE}


def test_usage_is_told_when_asked_for_at_the_end_of_the_turn() -> None:
    """contract 3.9"""
    counted = Event(author="helper", usage_metadata=UsageMetadata(total_token_count=7))
    assert screen(words("Hi"), counted, complete(), usage=True) == "helper> Hi\ntokens: 7 in all\n"
    assert screen(words("Hi"), counted, complete()) == "helper> Hi\n"


def test_code_files_and_sources_are_shown() -> None:
    parts = [
        Part(executable_code=ExecutableCode(code="print(1)", language="PYTHON")),
        Part(code_execution_result=CodeExecutionResult(output="1\n", outcome="OUTCOME_OK")),
        Part(file_data=FileData(file_uri="artifact://a.wav", mime_type="audio/wav")),
    ]
    pages = GroundingMetadata(
        grounding_chunks=[GroundingChunk(web=GroundingChunkWeb(title="A page")), GroundingChunk()]
    )
    shown = screen(
        Event(author="helper", content=Content(role="model", parts=parts)),
        Event(author="helper", grounding_metadata=pages),
        Event(author="helper", grounding_metadata=GroundingMetadata()),
    )
    assert shown == "⚙ runs\nprint(1)\n  → 1\n⌸ artifact://a.wav\nsources: A page\n"


def test_notes_end_the_open_line() -> None:
    renderer = Renderer()
    renderer.event(words("Hi"))
    assert plain(renderer.note("Ctrl-C again to leave.")) == "\nCtrl-C again to leave.\n"


def test_what_a_model_says_cannot_steer_the_terminal() -> None:
    assert screen(words("\x1b[2Jgone\x07")) == "helper> [2Jgone"
