"""What `generateContent` answers, as the SDK gives it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.genai import types

from antiphon.models.gemini_answer_codec import GeminiAnswer

if TYPE_CHECKING:
    from antiphon.events import LlmResponse


def chunk(*parts: dict[str, Any], finish: str | None = None, **fields: Any) -> types.GenerateContentResponse:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}} if parts else {}
    if finish is not None:
        candidate["finish_reason"] = finish
    return types.GenerateContentResponse.model_validate({"candidates": [candidate], **fields})


def said(response: LlmResponse | None) -> list[tuple[str | None, bool]]:
    parts = (response.content.parts or []) if response and response.content else []
    return [(part.text, bool(part.thought)) for part in parts]


def test_text_and_thoughts_come_in_pieces_and_then_whole() -> None:
    answer = GeminiAnswer()
    first = answer.add(chunk({"text": "Hm.", "thought": True}))
    assert first and first.partial and said(first) == [("Hm.", True)]
    assert said(answer.add(chunk({"text": "Hel"}))) == [("Hel", False)]
    assert answer.add(chunk({"text": ""})) is None and not answer.finished
    usage = {"prompt_token_count": 7, "total_token_count": 10}
    assert said(
        answer.add(chunk({"text": "lo"}, finish="STOP", usage_metadata=usage, model_version="g"))
    ) == [("lo", False)]
    whole = answer.whole()
    assert answer.finished and said(whole) == [("Hm.", True), ("Hello", False)]
    assert (whole.partial, whole.finish_reason, whole.model_version, whole.error_code) == (
        False,
        "STOP",
        "g",
        None,
    )
    assert whole.usage_metadata and whole.usage_metadata.total_token_count == 10


def test_signatures_stay_with_their_parts() -> None:
    # the service wants them back where they were
    call = {"function_call": {"name": "look", "args": {}}, "thought_signature": b"one"}
    answer = GeminiAnswer()
    for part in ({"text": "a"}, {"text": "b", "thought_signature": b"two"}, {"text": "c"}, call):
        answer.add(chunk(part))
    answer.add(chunk({"text": "", "thought_signature": b"three"}, finish="STOP"))
    content = answer.whole().content
    assert content and [(part.text, part.thought_signature) for part in content.parts or []] == [
        ("ab", b"two"),
        ("c", None),
        (None, b"one"),
        ("", b"three"),
    ]


@pytest.mark.parametrize(("message", "told"), [("No.", "No."), (None, "The model stopped: MAX_TOKENS.")])
def test_an_answer_that_was_cut_short_says_why(message: str | None, told: str) -> None:
    # contract 3.10
    answer = GeminiAnswer()
    cut = types.Candidate(finish_reason=types.FinishReason.MAX_TOKENS, finish_message=message)
    assert answer.add(types.GenerateContentResponse(candidates=[cut])) is None
    whole = answer.whole()
    assert (whole.error_code, whole.error_message, whole.finish_reason) == ("MAX_TOKENS", told, "MAX_TOKENS")


@pytest.mark.parametrize(("message", "told"), [("No.", "No."), (None, "The service does not answer this.")])
def test_a_question_that_is_not_answered(message: str | None, told: str) -> None:
    # contract 3.10
    answer = GeminiAnswer()
    feedback = {"block_reason": "PROHIBITED_CONTENT", "block_reason_message": message}
    answer.add(types.GenerateContentResponse.model_validate({"prompt_feedback": feedback}))
    whole = answer.whole()
    assert answer.finished and whole.content is None
    assert (whole.error_code, whole.error_message) == ("PROHIBITED_CONTENT", told)


def test_what_the_answer_rests_on() -> None:
    answer = GeminiAnswer()
    grounded = types.Candidate(grounding_metadata=types.GroundingMetadata(web_search_queries=["sky"]))
    answer.add(types.GenerateContentResponse(candidates=[grounded]))
    found = answer.whole().grounding_metadata
    assert found and found.web_search_queries == ["sky"]
