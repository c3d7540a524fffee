"""What chat completions answer, as the SDK gives it, and with all left out that some servers leave out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from antiphon.models.openai_answer_codec import MALFORMED, Answer

if TYPE_CHECKING:
    from antiphon.events import LlmResponse
    from antiphon.types import FunctionCall

BASE = {"id": "x", "created": 1, "model": "gpt-any"}


def chunk(finish: str | None = None, **delta: Any) -> ChatCompletionChunk:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return ChatCompletionChunk.model_validate(BASE | {"object": "chat.completion.chunk", "choices": [choice]})


def piece(
    index: int | None, name: str | None = None, arguments: str | None = None, call_id: str | None = None
) -> Any:
    """A piece of a call, as a lenient server sends it."""
    function = SimpleNamespace(name=name, arguments=arguments)
    call = SimpleNamespace(index=index, id=call_id, function=function)
    return SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(tool_calls=[call]))])


def said(response: LlmResponse | None) -> list[tuple[str | None, bool]]:
    parts = (response.content.parts or []) if response and response.content else []
    return [(part.text, bool(part.thought)) for part in parts]


def calls(answer: Answer) -> list[FunctionCall]:
    content = answer.whole().content
    return [part.function_call for part in (content.parts or []) if part.function_call] if content else []


def test_text_and_thoughts_come_in_pieces_and_then_whole() -> None:
    answer = Answer()
    assert answer.add(chunk(role="assistant", content="")) is None
    first = answer.add(chunk(reasoning_content="Hm."))
    assert first and first.partial and said(first) == [("Hm.", True)]
    assert said(answer.add(chunk(reasoning=" So."))) == [(" So.", True)]
    assert said(answer.add(chunk(content="Hel"))) == [("Hel", False)]
    assert said(answer.add(chunk(refusal="lo"))) == [("lo", False)]
    assert not answer.finished
    assert answer.add(chunk("stop")) is None and answer.finished
    whole = answer.whole()
    assert said(whole) == [("Hm. So.", True), ("Hello", False)]
    assert (whole.partial, whole.finish_reason, whole.model_version) == (False, "STOP", "gpt-any")
    assert whole.error_code is None and whole.usage_metadata is None


def test_usage_comes_last_and_by_itself() -> None:
    usage = {
        "prompt_tokens": 7,
        "completion_tokens": 3,
        "total_tokens": 10,
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 1},
    }
    answer = Answer()
    last = BASE | {"object": "chat.completion.chunk", "choices": [], "usage": usage}
    assert answer.add(ChatCompletionChunk.model_validate(last)) is None
    counted = answer.whole().usage_metadata
    assert counted and counted.model_dump(exclude_none=True) == {
        "prompt_token_count": 7,
        "candidates_token_count": 3,
        "total_token_count": 10,
        "cached_content_token_count": 2,
        "thoughts_token_count": 1,
    }
    answer.add(SimpleNamespace(usage=SimpleNamespace()))
    assert answer.whole().usage_metadata is not None


def test_calls_are_put_together_by_their_index() -> None:
    answer = Answer()
    for index, name, arguments, call_id in (
        (0, "look", '{"a"', "x"),
        (1, "book", "", "y"),
        (0, None, ": 1}", None),
        (1, None, None, None),
    ):
        assert answer.add(piece(index, name, arguments, call_id)) is None
    assert [call.model_dump(exclude_none=True) for call in calls(answer)] == [
        {"id": "x", "args": {"a": 1}, "name": "look"},
        {"id": "y", "args": {}, "name": "book"},
    ]


def test_calls_without_an_index_begin_with_an_id() -> None:
    answer = Answer()
    for name, arguments, call_id in (("look", "{", "x"), (None, "}", None), ("book", "{}", "y")):
        answer.add(piece(None, name, arguments, call_id))
    assert [(call.id, call.name) for call in calls(answer)] == [("x", "look"), ("y", "book")]
    nameless = Answer()
    nameless.add(piece(None, "look", "{}"))
    assert [(call.id, call.name) for call in calls(nameless)] == [(None, "look")]


@pytest.mark.parametrize("written", ["{", "[1]", "look!", "null"])
def test_arguments_that_are_no_object_are_left_for_the_tool_to_refuse(written: str) -> None:
    # contract 5.4
    answer = Answer()
    answer.add(piece(0, "look", written, "x"))
    assert calls(answer)[0].args == {MALFORMED: written}


def test_a_whole_completion() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"a": 1}'}}
    message = {"role": "assistant", "content": "Wait.", "tool_calls": [call]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    answer = Answer()
    completion = BASE | {"object": "chat.completion", "choices": [choice]}
    assert said(answer.add(ChatCompletion.model_validate(completion))) == [("Wait.", False)]
    assert calls(answer)[0].args == {"a": 1} and answer.whole().finish_reason == "STOP"


@pytest.mark.parametrize(
    ("finish", "code", "words"),
    [
        ("length", "MAX_TOKENS", "max_output_tokens"),
        ("content_filter", "SAFETY", "filter"),
        ("odd", "OTHER", "odd"),
    ],
)
def test_an_answer_that_was_cut_short_says_why(finish: str, code: str, words: str) -> None:
    # contract 3.10
    answer = Answer()
    answer.add(SimpleNamespace(choices=[SimpleNamespace(delta=None, finish_reason=finish)]))
    whole = answer.whole()
    assert (whole.error_code, whole.finish_reason, whole.content) == (code, code, None)
    assert whole.error_message and words in whole.error_message


def test_a_chunk_of_nothing() -> None:
    assert Answer().add(SimpleNamespace()) is None
