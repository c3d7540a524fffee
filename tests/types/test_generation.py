from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import BaseModel, ValidationError

from antiphon.types import (
    Content,
    GenerateContentConfig,
    Part,
    Schema,
    SpeechConfig,
    ThinkingConfig,
    Tool,
    Type,
)

Agree = Callable[..., None]


def test_a_config_agrees_with_the_official_package(agree: Agree) -> None:
    agree(
        GenerateContentConfig,
        {
            "systemInstruction": "Be brief.",
            "temperature": 0.5,
            "stopSequences": ["END"],
            "responseMimeType": "application/json",
            "responseModalities": ["AUDIO"],
            "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
            "tools": [{"functionDeclarations": [{"name": "f"}]}, {"googleSearch": {}}],
            "toolConfig": {"functionCallingConfig": {"allowedFunctionNames": ["f"], "mode": "ANY"}},
            "labels": {"a": "b"},
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}},
            "automaticFunctionCalling": {"disable": True},
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
    )


class Answer(BaseModel):
    text: str


@pytest.mark.parametrize(
    "schema", [Answer, list[Answer], int, {"type": "string"}, Schema(type=Type.STRING), None]
)
def test_a_response_schema_is_handed_on_as_it_is(schema: Any) -> None:
    assert GenerateContentConfig(response_schema=schema).response_schema is schema


def test_an_official_response_schema_becomes_ours_and_another_object_is_refused() -> None:
    config = GenerateContentConfig(response_schema=official.Schema(type=official.Type.STRING))
    assert config.response_schema == Schema(type=Type.STRING)
    with pytest.raises(ValidationError, match="instance of Schema"):
        GenerateContentConfig(response_schema=Answer(text="x"))


def test_tools_are_functions_or_tools_of_either_package() -> None:
    def roll() -> int:
        return 4

    tools: Any = [roll, official.Tool(google_search=official.GoogleSearch()), {"urlContext": {}}]
    read = GenerateContentConfig(tools=tools).tools
    assert read == [
        roll,
        Tool.model_validate({"google_search": {}}),
        Tool.model_validate({"url_context": {}}),
    ]
    theirs = official.GenerateContentConfig(tools=tools)
    assert GenerateContentConfig.model_validate(theirs).tools == read


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("Be brief.", "Be brief."),
        ({"text": "Be brief."}, Part(text="Be brief.")),
        (official.Part(text="Be brief."), Part(text="Be brief.")),
        (official.Content(parts=[]), Content(parts=[])),
        ({"parts": []}, Content(parts=[])),
        (["Be", official.Part(text="brief.")], ["Be", Part(text="brief.")]),
    ],
)
def test_the_system_instruction_is_text_a_part_a_content_or_a_list(given: Any, read: Any) -> None:
    assert GenerateContentConfig(system_instruction=given).system_instruction == read


def test_a_voice_may_be_named_or_described() -> None:
    assert GenerateContentConfig(speech_config="Kore").speech_config == "Kore"
    theirs: Any = official.SpeechConfig(language_code="de-DE")
    assert GenerateContentConfig(speech_config=theirs).speech_config == SpeechConfig(language_code="de-DE")


def test_what_the_user_misspells_is_refused_with_the_known_values() -> None:
    with pytest.raises(ValidationError, match="'LOW', 'MEDIUM', 'HIGH'"):
        ThinkingConfig.model_validate({"thinking_level": "huge"})
