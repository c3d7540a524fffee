"""What a model is told of the conversation so far."""

from __future__ import annotations

from dataclasses import replace

from antiphon.capabilities import Capabilities
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask
from antiphon.core.handover import TRANSFER, Cast, Role, seed
from antiphon.events import ErrorCode, Event
from antiphon.types import Blob, Content, FileData, FunctionCall, FunctionResponse, Part, Transcription

CALL = Part(function_call=FunctionCall(id="c", name="look", args={"what": "sky"}))
ANSWER = Part(function_response=FunctionResponse(id="c", name="look", response={"sky": "blue"}))


def said(author: str, *parts: Part | str, partial: bool | None = None) -> Event:
    role = "user" if author == "user" else "model"
    whole = [Part.from_text(text=part) if isinstance(part, str) else part for part in parts]
    return Event(author=author, content=Content(role=role, parts=whole), partial=partial)


def heard(author: str, text: str, *, partial: bool = False) -> Event:
    words = Transcription(text=text, finished=not partial)
    if author == "user":
        return Event(author=author, input_transcription=words, partial=partial)
    return Event(author=author, output_transcription=words, partial=partial)


def answered(author: str = "one", call_id: str = "c") -> Event:
    answer = FunctionResponse(id=call_id, name="look", response={"sky": "blue"})
    return said(author, Part(function_response=answer))


def told(
    *events: Event, agent: str = "one", ask: Ask = Ask.NOTHING, parts: bool = True
) -> list[tuple[str, list[str]]]:
    """The history as (role, what its parts say)."""
    history = seed(events, agent, ask=ask, function_parts=parts).history
    return [(content.role or "", [_says(part) for part in content.parts or []]) for content in history]


def _says(part: Part) -> str:
    if part.function_call:
        return f"call {part.function_call.id}"
    if part.function_response:
        return f"answer {part.function_response.id}"
    return part.text or part.model_dump_json(exclude_none=True)


def test_text_and_transcripts_of_both_sides_are_told() -> None:
    # contract 4.4
    events = [said("user", "hi"), said("one", "hello"), heard("user", "and now?"), heard("one", "now this")]
    assert told(*events) == [
        ("user", ["hi"]),
        ("model", ["hello"]),
        ("user", ["and now?"]),
        ("model", ["now this"]),
    ]


def test_neighbours_of_one_role_are_one_content() -> None:
    assert told(said("user", "a", "b"), heard("user", "c")) == [("user", ["a", "b", "c"])]


def test_pieces_thoughts_and_sounds_are_not_told() -> None:
    # contract 4.4
    recording = Part(file_data=FileData(file_uri="memory:a", mime_type="audio/wav"))
    sound = Part(inline_data=Blob(data=b"\0\0", mime_type="audio/pcm"))
    assert (
        told(
            said("one", "hel", partial=True),
            heard("one", "hel", partial=True),
            said("one", Part(text="hm", thought=True)),
            said("one", sound),
            said("user", recording),
            said("one", recording),
            heard("user", ""),
            heard("one", ""),
            Event(author="one", turn_complete=True),
            Event(author="one", content=Content(role="model")),
        )
        == []
    )


def test_what_the_user_showed_is_told() -> None:
    # contract 4.4
    image = Part(inline_data=Blob(data=b"\xff", mime_type="image/jpeg"))
    file = Part(file_data=FileData(file_uri="gs://a/b.pdf", mime_type="application/pdf"))
    untyped = Part(file_data=FileData(file_uri="gs://a/b"))
    found = seed([said("user", image, file, untyped)], "one", ask=Ask.NOTHING, function_parts=True)
    assert found.history == (Content(role="user", parts=[image, file, untyped]),)


def test_another_agents_words_are_told_as_words_about_it() -> None:
    # contract 5.8
    assert told(said("two", "hello"), heard("two", "there")) == [("user", ["[two] hello", "[two] there"])]


def test_own_calls_with_their_results_are_told_as_such() -> None:
    # contract 4.4
    assert told(said("one", CALL), answered()) == [("model", ["call c"]), ("user", ["answer c"])]


def test_models_that_take_no_function_parts_are_told_in_words() -> None:
    # contract 4.4
    in_words = [("model", ["(calls look(what='sky'))"]), ("user", ["(look returned {'sky': 'blue'})"])]
    assert told(said("one", CALL), answered(), parts=False) == in_words


def test_a_call_without_its_result_and_a_result_without_its_call_are_told_in_words() -> None:
    # contract 4.4: models refuse half a pair
    assert told(said("one", CALL)) == [("model", ["(calls look(what='sky'))"])]
    assert told(answered()) == [("user", ["(look returned {'sky': 'blue'})"])]


def test_a_call_the_application_answered_is_told_in_words() -> None:
    # contract 5.6
    assert told(said("one", CALL), answered("user")) == [
        ("model", ["(calls look(what='sky'))"]),
        ("user", ["(look returned {'sky': 'blue'})"]),
    ]


def test_another_agents_calls_are_told_in_words() -> None:
    # contract 5.8
    assert told(said("two", CALL), answered("two")) == [
        ("user", ["[two] (calls look(what='sky'))", "(look returned {'sky': 'blue'})"])
    ]
    bare = Part(function_call=FunctionCall(id="d", name="look"))
    assert told(said("two", bare)) == [("user", ["[two] (calls look())"])]


def test_hand_overs_are_not_told() -> None:
    # contract 5.8
    call = Part(function_call=FunctionCall(id="t", name=TRANSFER, args={"agent_name": "one"}))
    done = Part(function_response=FunctionResponse(id="t", name=TRANSFER, response={}))
    assert told(said("two", call), said("two", done)) == []


def test_what_the_user_said_last_is_asked_again_on_demand() -> None:
    # contract 5.8, 7.1
    events = [said("user", "old"), said("one", "yes"), heard("user", "what "), said("user", "now?")]
    asked = seed(events, "one", ask=Ask.UNANSWERED, function_parts=True)
    assert asked.pending == Content(role="user", parts=[Part(text="what "), Part(text="now?")])
    assert told(*events, ask=Ask.UNANSWERED) == [("user", ["old"]), ("model", ["yes"])]


def test_what_followed_the_question_stays_told() -> None:
    # contract 5.8: the last words before a hand-over are still what the new agent answers
    events = [said("user", "help"), said("two", "one moment"), said("one", CALL), answered()]
    asked = seed(events, "one", ask=Ask.LAST, function_parts=True)
    assert asked.pending == Content(role="user", parts=[Part(text="help")])
    assert seed(events, "one", ask=Ask.UNANSWERED).pending is None, "an agent has said something since"
    assert told(*events, ask=Ask.LAST) == [
        ("user", ["[two] one moment"]),
        ("model", ["call c"]),
        ("user", ["answer c"]),
    ]


def test_a_result_is_no_answer_yet() -> None:
    # contract 7.1
    events = [said("user", "help"), said("one", CALL), answered()]
    assert seed(events, "one", ask=Ask.UNANSWERED).pending == Content(role="user", parts=[Part(text="help")])


def test_who_knows_the_question_goes_on_from_the_result() -> None:
    # contract 7.6: told is only what came after its moment
    asked = seed([said("one", CALL), answered()], "one", ask=Ask.UNANSWERED, function_parts=False)
    assert asked.pending == Content(role="user", parts=[Part(text="(look returned {'sky': 'blue'})")])
    assert [content.role for content in asked.history] == ["model"]
    assert seed([answered()], "two", ask=Ask.LAST).pending is None, "an agent that joins waits to be asked"


def test_what_waits_to_be_said_is_not_told() -> None:
    # contract 2.2
    waits = said("user", "b")
    held = (waits.content.parts or []) if waits.content else []
    assert seed([said("user", "a"), waits], "one", held=held).history == (
        Content(role="user", parts=[Part(text="a")]),
    )


def test_results_that_will_be_sent_by_the_calls_id_are_not_told() -> None:
    # contract 7.6
    assert seed([said("one", "hello"), answered()], "one", answers=("c",)).history == (
        Content(role="model", parts=[Part(text="hello")]),
    )
    assert len(seed([said("one", "hello"), answered()], "one", answers=("d",)).history) == 2


def test_without_a_question_nothing_is_asked() -> None:
    asked = seed([said("one", "hello")], "one", ask=Ask.UNANSWERED, function_parts=True)
    assert asked.pending is None
    assert len(asked.history) == 1


def test_nothing_is_told_of_nothing() -> None:
    assert seed([], "one", ask=Ask.UNANSWERED, function_parts=True).history == ()


def test_roles_do_not_share_their_defaults() -> None:
    cast = Cast({"one": Role("one"), "two": Role("two")}, "one")
    assert cast.roles["one"].tools is not cast.roles["two"].tools


def test_what_was_not_heard_to_its_end_is_told_as_far_as_it_was() -> None:
    # contract 4.5
    full, other = heard("one", "one two three"), heard("one", "four")
    part = heard("one", "one").model_copy(update={"amends": full.id})
    nothing = heard("one", "").model_copy(update={"amends": other.id})
    events = [full, other, heard("user", "stop"), part, nothing]
    assert told(*events) == [("model", ["one"]), ("user", ["stop"])]


def test_a_call_with_several_answers_is_put_into_words() -> None:
    # contract 4.4, 5.7: a history of calls has one answer to each
    assert told(said("one", CALL), answered(), answered()) == [
        ("model", ["(calls look(what='sky'))"]),
        ("user", ["(look returned {'sky': 'blue'})", "(look returned {'sky': 'blue'})"]),
    ]


def test_whether_a_model_waits_for_a_tool_is_the_declarations_say_and_its_own() -> None:
    # contract 5.5
    can = Capabilities(non_blocking_tools=True)
    assert Role("one", capabilities=can).waits(ToolFacts())
    assert not Role("one", capabilities=can).waits(ToolFacts(blocking=False))
    goes_on = Role("one", capabilities=replace(can, blocks_by_default=False))
    assert not goes_on.waits(ToolFacts())
    assert goes_on.waits(ToolFacts(blocking=True))
    assert Role("one").waits(ToolFacts(blocking=False)), "it knows no other way"


def test_words_that_were_vetoed_are_told_to_no_model() -> None:
    """contract 5.13"""
    typed, spoken = said("user", "a bomb?"), heard("user", "how do I")
    cut = said("one", "the code is")
    cut.error_code = ErrorCode.GUARDRAIL
    nothing = Content(role="user", parts=[])
    veto = Event(author="user", error_code=ErrorCode.GUARDRAIL)
    full = heard("one", "it is 1234")
    part = heard("one", "it is").model_copy(update={"amends": full.id})
    veto.actions.told = {typed.id: nothing, spoken.id: nothing, full.id: nothing}
    assert told(typed, spoken, cut, full, part, veto, said("user", "hello")) == [("user", ["hello"])]


def test_words_that_a_callback_changed_are_told_as_changed() -> None:
    """contract 5.10"""
    typed, note = said("user", "pin 1234"), Event(author="one")
    note.actions.told = {typed.id: Content(role="user", parts=[Part(text="pin ****")])}
    assert told(typed, note) == [("user", ["pin ****"])]
    assert seed([typed, note], "one", held=note.actions.told[typed.id].parts or []).history == ()
    assert seed([typed, note], "one", ask=Ask.UNANSWERED).pending == note.actions.told[typed.id]
    read = Event.model_validate_json(note.model_dump_json(exclude_none=True, by_alias=True))
    assert read.actions.told == note.actions.told
