from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import BaseModel, ValidationError

from antiphon import types
from antiphon.types import Content, Part

Agree = Callable[..., None]

WIRE: list[dict[str, Any]] = [
    {"parts": [{"text": "Hello"}], "role": "user"},
    {"parts": [{"inlineData": {"mimeType": "audio/pcm;rate=24000", "data": "AAAA_-8="}}], "role": "model"},
    {"parts": [{"text": "hm", "thought": True, "thoughtSignature": "_-8="}, {"text": "Yes."}]},
    {"parts": [{"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Bern", "days": 2}}}]},
    {"parts": [{"executableCode": {"code": "1+1", "language": "PYTHON"}}]},
    {"parts": [{"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "2"}}]},
    {
        "parts": [
            {"fileData": {"fileUri": "gs://a/b.mp4"}, "videoMetadata": {"startOffset": "1s", "fps": 2.5}}
        ]
    },
    {"parts": [{"toolCall": {"id": "t", "toolType": "URL_CONTEXT", "args": {}}}], "role": "model"},
    {"parts": [], "role": "model"},
    {},
]

MAKERS: list[Callable[[Any], BaseModel]] = [
    lambda t: t.Part.from_text(text="hi"),
    lambda t: t.Part.from_bytes(data=b"\xff\xef", mime_type="image/png"),
    lambda t: t.Part.from_bytes(data=b"x", mime_type="image/png", media_resolution="MEDIA_RESOLUTION_LOW"),
    lambda t: t.Part.from_uri(file_uri="gs://bucket/cat.png"),
    lambda t: t.Part.from_uri(file_uri="https://example.com/talk.mp4?x=1", mime_type="video/mp4"),
    lambda t: t.Part.from_uri(
        file_uri="gs://b/a.pdf",
        media_resolution=t.PartMediaResolution(level=t.PartMediaResolutionLevel.MEDIA_RESOLUTION_HIGH),
    ),
    lambda t: t.Part.from_uri(
        file_uri="gs://b/a.pdf", media_resolution=t.PartMediaResolutionLevel.MEDIA_RESOLUTION_ULTRA_HIGH
    ),
    lambda t: t.Part.from_function_call(name="f", args={"a": [1, None]}),
    lambda t: t.Part.from_function_response(name="f", response={"output": "ok"}),
    lambda t: t.Part.from_function_response(
        name="f",
        response={},
        parts=[t.FunctionResponsePart.from_bytes(data=b"x", mime_type="image/png")],
    ),
    lambda t: t.Part.from_executable_code(code="1", language=t.Language.PYTHON),
    lambda t: t.Part.from_code_execution_result(outcome=t.Outcome.OUTCOME_OK, output="1"),
    lambda t: t.Part("hi"),
    lambda t: t.Part({"text": "hi", "thought": True}),
    lambda t: t.Part(),
    lambda t: t.Part(inlineData={"mimeType": "a/b"}, text="hi"),
]


@pytest.mark.parametrize("wire", WIRE)
def test_messages_agree_with_the_official_package(wire: dict[str, Any], agree: Agree) -> None:
    agree(Content, wire)


@pytest.mark.parametrize("make", MAKERS)
def test_parts_are_made_as_the_official_package_makes_them(make: Callable[[Any], BaseModel]) -> None:
    ours, theirs = make(types), make(official)
    assert isinstance(ours, Part)
    assert ours.model_dump_json(by_alias=True, exclude_none=True) == theirs.model_dump_json(
        by_alias=True, exclude_none=True
    )
    assert Part.model_validate(theirs) == Part.model_validate_json(ours.model_dump_json(exclude_none=True))


def test_a_positional_value_tells_what_is_set() -> None:
    make: Any = Part
    assert make("hi").model_fields_set == {"text"}
    assert make(Part(text="hi", thought=None)).model_fields_set == {"text", "thought"}


def test_a_positional_value_and_keywords_exclude_each_other() -> None:
    make: Any = Part
    with pytest.raises(ValueError, match="not both"):
        make("hi", thought=True)


def test_an_address_without_a_known_suffix_needs_a_mime_type() -> None:
    with pytest.raises(ValueError, match="pass mime_type="):
        Part.from_uri(file_uri="gs://bucket/cat")


@pytest.mark.parametrize("parts", ["hi", ["hi"], {"text": "hi"}])
def test_parts_are_a_list_of_parts_as_in_the_official_package(parts: Any) -> None:
    for content in (Content, official.Content):
        with pytest.raises(ValidationError):
            content(parts=parts)
