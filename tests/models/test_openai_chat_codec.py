"""What is asked of chat completions."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from antiphon import types
from antiphon.errors import UnsupportedByModel
from antiphon.models import LlmRequest
from antiphon.models.openai_chat_codec import as_json_schema, request_body
from antiphon.types import (
    Blob,
    Content,
    FileData,
    FunctionCall,
    FunctionDeclaration,
    FunctionResponse,
    GenerateContentConfig,
    Part,
    Schema,
    Tool,
)


def body(*contents: Content, **config: Any) -> dict[str, Any]:
    request = LlmRequest(model="m", contents=list(contents), config=GenerateContentConfig(**config))
    return request_body(request)


def user(*parts: Part | str) -> Content:
    return Content(role="user", parts=[Part(text=part) if isinstance(part, str) else part for part in parts])


def model(*parts: Part | str) -> Content:
    return user(*parts).model_copy(update={"role": "model"})


def functions(**fields: Any) -> list[Tool]:
    return [Tool(function_declarations=[FunctionDeclaration(name="look", **fields)])]


@pytest.mark.parametrize(
    "instruction",
    ["Be brief.", Part(text="Be brief."), ["Be ", Part()], Content(parts=[Part(text="Be brief.")])],
)
def test_the_instruction_is_the_systems(instruction: Any) -> None:
    assert body(system_instruction=instruction)["messages"][0]["content"].startswith("Be ")
    assert body(system_instruction="")["messages"] == []


def test_words_of_both_sides() -> None:
    told = body(
        user("a", "b"), model("c", Part(text="hm", thought=True)), model(Part(text="hm", thought=True))
    )
    assert told["messages"] == [{"role": "user", "content": "a\nb"}, {"role": "assistant", "content": "c"}]
    assert told["model"] == "m"


def test_calls_and_their_answers() -> None:
    call = Part(function_call=FunctionCall(id="c", name="look", args={"where": "Orléans"}))
    answer = Part(function_response=FunctionResponse(id="c", name="look", response={"sky": "blue"}))
    asked, told, said = body(model("Wait.", call), user("Well?", answer))["messages"]
    assert asked["content"] == "Wait."
    assert asked["tool_calls"] == [
        {"id": "c", "type": "function", "function": {"name": "look", "arguments": '{"where": "Orléans"}'}}
    ]
    assert told == {"role": "tool", "tool_call_id": "c", "content": '{"sky": "blue"}'}
    assert said == {"role": "user", "content": "Well?"}
    bare = body(model(Part(function_call=FunctionCall())), user(Part(function_response=FunctionResponse())))
    assert bare["messages"][0]["content"] is None
    assert bare["messages"][1] == {"role": "tool", "tool_call_id": "", "content": "{}"}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            Part(inline_data=Blob(data=b"\xff\xd8", mime_type="image/jpeg")),
            {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,/9g="}},
        ),
        (
            Part(file_data=FileData(file_uri="https://a/b.png", mime_type="image/png")),
            {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        ),
        (
            Part(inline_data=Blob(data=b"RIFF", mime_type="audio/wav")),
            {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}},
        ),
        (
            Part(inline_data=Blob(data=b"%PDF", mime_type="application/pdf")),
            {
                "type": "file",
                "file": {"filename": "document.pdf", "file_data": "data:application/pdf;base64,JVBERg=="},
            },
        ),
    ],
)
def test_what_the_user_shows(part: Part, said: dict[str, Any]) -> None:
    (message,) = body(user("What?", part, Part()))["messages"]
    assert message == {"role": "user", "content": [{"type": "text", "text": "What?"}, said]}


@pytest.mark.parametrize(
    ("content", "config", "what"),
    [
        (user(Part(inline_data=Blob(data=b"x", mime_type="video/mp4"))), {}, "video/mp4"),
        (
            user(Part(file_data=FileData(file_uri="gs://a/b.pdf", mime_type="application/pdf"))),
            {},
            "gs://a/b.pdf",
        ),
        (user("a"), {"tools": [Tool(google_search=types.GoogleSearch())]}, "google_search"),
        (user("a"), {"safety_settings": []}, "safety_settings"),
    ],
)
def test_what_cannot_be_said_is_refused_by_name(content: Content, config: dict[str, Any], what: str) -> None:
    # contract 6.2
    with pytest.raises(UnsupportedByModel, match=what):
        body(content, **config)


def test_tools_are_declared_by_json_schema() -> None:
    schema = Schema(type="OBJECT", properties={"n": Schema(type="INTEGER")}, required=["n"])
    (tool,) = body(tools=functions(description="Looks.", parameters=schema))["tools"]
    assert tool["function"] == {
        "name": "look",
        "description": "Looks.",
        "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    }
    (tool,) = body(tools=functions())["tools"]
    assert tool["function"]["parameters"] == {"type": "object", "properties": {}}
    (tool,) = body(tools=functions(parameters_json_schema={"type": "object"}))["tools"]
    assert tool["function"]["parameters"] == {"type": "object"}
    assert "tools" not in body(tools=[Tool()])


@pytest.mark.parametrize(
    ("calling", "choice"),
    [
        ({"mode": "ANY"}, "required"),
        ({"mode": "NONE"}, "none"),
        ({"mode": "AUTO"}, "auto"),
        ({"mode": "VALIDATED"}, None),
        (
            {"mode": "ANY", "allowed_function_names": ["look"]},
            {"type": "function", "function": {"name": "look"}},
        ),
        ({}, None),
    ],
)
def test_whether_tools_must_be_called(calling: dict[str, Any], choice: Any) -> None:
    asked = body(tools=functions(), tool_config={"function_calling_config": calling})
    assert asked.get("tool_choice") == choice
    assert "tool_choice" not in body(tools=functions(), tool_config={})


def test_how_to_answer() -> None:
    asked = body(
        temperature=0.5,
        top_p=0.9,
        top_k=5,
        seed=1,
        max_output_tokens=9,
        stop_sequences=["."],
        response_logprobs=True,
        logprobs=2,
        thinking_config={"thinking_level": "LOW"},
        labels={"a": "b"},
    )
    del asked["messages"], asked["model"]
    assert asked == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 1,
        "max_completion_tokens": 9,
        "stop": ["."],
        "logprobs": True,
        "top_logprobs": 2,
        "extra_body": {"top_k": 5},
        "reasoning_effort": "low",
    }
    config = GenerateContentConfig(max_output_tokens=9, thinking_config={"include_thoughts": True})
    assert request_body(LlmRequest(config=config), max_tokens="max_tokens")["max_tokens"] == 9


class Weather(BaseModel):
    sky: str


@pytest.mark.parametrize(
    ("config", "schema"),
    [
        ({"response_schema": Schema(type="STRING")}, {"type": "string"}),
        ({"response_json_schema": {"type": "string"}}, {"type": "string"}),
        ({"response_schema": {"type": "string"}}, {"type": "string"}),
        ({"response_schema": Weather}, Weather.model_json_schema()),
    ],
)
def test_answers_of_a_form(config: dict[str, Any], schema: dict[str, Any]) -> None:
    form = body(**config)["response_format"]
    assert form == {"type": "json_schema", "json_schema": {"name": "response", "schema": schema}}


def test_answers_in_json_of_any_form() -> None:
    assert body(response_mime_type="application/json")["response_format"] == {"type": "json_object"}
    assert "response_format" not in body(response_mime_type="text/plain")


def test_schemas() -> None:
    schema = Schema(
        any_of=[Schema(type="STRING", enum=["a"], nullable=True), Schema(ref="#/$defs/x")],
        nullable=True,
        defs={"x": Schema(type="ARRAY", items=Schema(type="NUMBER"), min_items=1)},
        property_ordering=["a"],
    )
    assert as_json_schema(schema) == {
        "anyOf": [{"type": ["string", "null"], "enum": ["a", None]}, {"$ref": "#/$defs/x"}, {"type": "null"}],
        "$defs": {"x": {"type": "array", "items": {"type": "number"}, "minItems": 1}},
    }
    plain = Schema(type="STRING", any_of=[Schema(type="STRING")])
    assert as_json_schema(plain) == {"type": "string", "anyOf": [{"type": "string"}]}
