"""What a scripted chat model answers, read by the SDKs' own types."""

from __future__ import annotations

import json

from google.genai import types
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from antiphon.testing.chat_wire import ChatCall, ChatReply, gemini, openai, question_in

REPLY = ChatReply("Hello there", (ChatCall("look", {"n": 1}, "c"),), thought="Hm")


def test_chat_completions_in_a_stream() -> None:
    *events, end = openai(REPLY, "m", stream=True)
    assert end == "[DONE]"
    chunks = [ChatCompletionChunk.model_validate_json(event) for event in events]
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    assert "".join(delta.content or "" for delta in deltas) == "Hello there"
    pieces = [piece for delta in deltas for piece in delta.tool_calls or []]
    assert pieces[0].id == "c" and {piece.index for piece in pieces} == {0}
    written = "".join(piece.function.arguments or "" for piece in pieces if piece.function)
    assert json.loads(written) == {"n": 1}
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage and chunks[-1].usage.total_tokens == 10


def test_a_chat_completion_at_once() -> None:
    (body,) = openai(REPLY, "m", stream=False)
    (choice,) = ChatCompletion.model_validate_json(body).choices
    assert choice.message.content == "Hello there" and choice.message.tool_calls
    assert "usage" not in openai(ChatReply("Hi", usage=None), "m", stream=False)[0]
    assert len(openai(ChatReply(usage=None), "m", stream=True)) == 3


def test_gemini_in_a_stream_and_at_once() -> None:
    chunks = [
        types.GenerateContentResponse.model_validate_json(each) for each in gemini(REPLY, "m", stream=True)
    ]
    (whole,) = (
        types.GenerateContentResponse.model_validate_json(each) for each in gemini(REPLY, "m", stream=False)
    )
    said = [part for chunk in chunks for part in (chunk.parts or [])]
    assert [part.text for part in said] == ["Hm", "Hello ", "there", None]
    assert [part.text for part in whole.parts or []] == ["Hm", "Hello there", None]
    for last in (chunks[-1], whole):
        assert last.candidates and last.candidates[0].finish_reason == types.FinishReason.STOP
        assert last.usage_metadata and last.usage_metadata.total_token_count == 10


def test_refusals() -> None:
    refused = ChatReply(status=429, error="slow", code="busy")
    assert json.loads(openai(refused, "m", stream=True)[0])["error"]["code"] == "busy"
    assert json.loads(gemini(refused, "m", stream=True)[0])["error"]["code"] == 429


def test_an_error_in_the_stream() -> None:
    last = openai(ChatReply("Hello there", fails_with="odd", error="oh"), "m", stream=True)[-1]
    assert json.loads(last) == {"error": {"message": "oh", "code": "odd"}}


def test_what_the_user_said_last() -> None:
    assert question_in({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant"}]}) == "hi"
    parts = [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}]
    assert question_in({"messages": [{"role": "user", "content": parts}]}) == "b"
    said = {"role": "user", "parts": [{"text": "hi"}]}
    assert question_in({"contents": [said, {"role": "user", "parts": [{"functionResponse": {}}]}]}) == "hi"
    assert question_in({}) == ""
