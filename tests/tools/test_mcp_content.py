from __future__ import annotations

import base64
from typing import Any

import pytest
from google.genai import types as official
from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)

from antiphon.tools.mcp_content import LONGEST, File, declared, model_name, read_back, read_result, said

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def result(*content: ContentBlock, **fields: Any) -> CallToolResult:
    return CallToolResult(content=list(content), **fields)


def text(words: str) -> TextContent:
    return TextContent(text=words)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("add", "add"),
        ("files.read", "files_read"),
        ("a b/c:d", "a_b_c_d"),
        ("größe", "gr__e"),
        ("2go", None),
        ("", None),
        ("x" * 65, None),
    ],
)
def test_a_name_is_made_such_that_models_take_it(name: str, told: str | None) -> None:
    assert model_name(name) == told


def test_a_tool_is_declared_as_the_official_package_takes_it() -> None:  # contract 5.12
    made = declared(Tool(name="weather", description="The weather.", input_schema=CITY), "my_weather")
    written = made.model_dump(mode="json", by_alias=True, exclude_none=True)
    assert written == {
        "name": "my_weather",
        "description": "The weather.",
        "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
    }
    theirs = official.FunctionDeclaration.model_validate(written)
    assert theirs.model_dump(mode="json", by_alias=True, exclude_none=True) == written


def test_a_tool_without_parameters_or_description_is_declared_by_its_title() -> None:
    made = declared(Tool(name="now", title="The time", input_schema={"type": "object"}), "now")
    assert (made.description, made.parameters) == ("The time", None)


@pytest.mark.parametrize(
    "properties",
    [
        {"tree": {"$ref": "#/$defs/missing"}},
        {"x": {"type": "no such type"}},
        {"x": {"anyOf": 3}},
        {"x": {"enum": 3}},
        {"x": 3},
    ],
)
def test_a_schema_that_cannot_be_told_is_a_value_error(properties: Any) -> None:
    tool = Tool(name="odd", input_schema={"type": "object", "properties": properties})
    with pytest.raises(ValueError, match=r"."):
        declared(tool, "odd")


def test_enums_are_read_back_as_what_they_were() -> None:
    schema: dict[str, Any] = {
        "$defs": {"Level": {"enum": [1, 2, None]}},
        "properties": {
            "level": {"$ref": "#/$defs/Level"},
            "levels": {"type": "array", "items": {"$ref": "#/$defs/Level"}},
            "maybe": {"anyOf": [{"type": "null"}, {"const": True}]},
            "either": {"anyOf": [{"$ref": "#/$defs/Level"}, {"type": "null"}]},
            "all": {"allOf": [{"enum": [3.5]}]},
            "word": {"enum": ["1", 1]},
            "deep": {"properties": {"level": {"enum": [7]}}},
            "any": True,
        },
    }
    given = {
        "level": "2",
        "levels": ["1", "9"],
        "maybe": "true",
        "either": "2",
        "all": "3.5",
        "word": "1",
        "deep": {"level": "7", "other": "7"},
        "any": "1",
        "unknown": "1",
    }
    assert read_back(given, schema, schema) == {
        "level": 2,
        "levels": [1, "9"],
        "maybe": True,
        "either": 2,
        "all": 3.5,
        "word": "1",
        "deep": {"level": 7, "other": "7"},
        "any": "1",
        "unknown": "1",
    }


def test_arguments_are_looked_into_to_a_depth() -> None:
    schema: dict[str, Any] = {"properties": {"next": {"$ref": "#"}, "level": {"enum": [1]}}}
    given: dict[str, Any] = {"level": "1"}
    for _ in range(2000):
        given = {"next": given}
    read_back(given, schema, schema)


def test_a_structured_result_is_the_answer() -> None:  # contract 5.12
    both = result(text('{"celsius": 21}'), structured_content={"celsius": 21})
    assert read_result(both) == ({"celsius": 21}, [])
    assert read_result(result(structured_content=[1, 2])) == ({"result": [1, 2]}, [])


def test_text_is_the_answer_where_nothing_is_structured() -> None:
    assert read_result(result(text("one"), text("two"))) == ({"result": "one\ntwo"}, [])
    assert read_result(result()) == ({"result": None}, [])


def test_pictures_sound_and_binary_resources_are_files() -> None:
    data = base64.b64encode(b"bytes").decode()
    blob = BlobResourceContents(uri="file:///a", blob=data)
    found = read_result(
        result(
            ImageContent(data=data, mime_type="image/png"),
            AudioContent(data=data, mime_type="audio/wav"),
            EmbeddedResource(resource=blob),
        )
    )
    kinds = ("image/png", "audio/wav", "application/octet-stream")
    assert found == ({}, [File(b"bytes", kind) for kind in kinds])


def test_a_file_that_is_no_base64_is_a_value_error() -> None:
    with pytest.raises(ValueError, match=r"base64|padding"):
        read_result(result(ImageContent(data="x", mime_type="image/png")))


def test_resources_of_text_and_links_are_told() -> None:
    found = read_result(
        result(
            EmbeddedResource(resource=TextResourceContents(uri="file:///a", text="hello")),
            ResourceLink(uri="file:///b", name="b"),
        )
    )
    assert found.response == {
        "resources": [{"uri": "file:///a", "text": "hello"}, {"uri": "file:///b", "name": "b"}]
    }


def test_what_an_error_says_is_bounded() -> None:
    assert said(result(text("no city"), is_error=True)) == "no city"
    long = said(result(text("x" * 2 * LONGEST), is_error=True))
    assert len(long) == LONGEST and long.endswith("…")
