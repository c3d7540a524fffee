from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from google.genai import types as official
from hypothesis import given
from hypothesis import strategies as st

from antiphon.tools.schema import UnusableType, branches_of, resolve, spell, to_schema

if TYPE_CHECKING:
    from antiphon.types import Schema

STRING, INTEGER, NUMBER = {"type": "STRING"}, {"type": "INTEGER"}, {"type": "NUMBER"}
ANYTHING = {
    "anyOf": [STRING, NUMBER, {"type": "BOOLEAN"}, {"type": "OBJECT"}, {"type": "ARRAY", "items": STRING}]
}
ADDRESS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
ADDRESS_SAID = {"type": "OBJECT", "properties": {"city": STRING}, "required": ["city"]}


def said(schema: Schema) -> dict[str, Any]:
    return schema.model_dump(mode="json", by_alias=True, exclude_none=True)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "string"}, STRING),
        ({"type": "boolean", "title": "X", "default": True}, {"type": "BOOLEAN"}),
        ({"type": "integer", "minimum": 1, "maximum": 9}, {**INTEGER, "minimum": 1, "maximum": 9}),
        (
            {"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 9},
            {**INTEGER, "minimum": 2, "maximum": 8},
        ),
        ({"type": "number", "exclusiveMinimum": 0}, {**NUMBER, "minimum": 0}),
        (
            {"type": "number", "minimum": 1, "exclusiveMinimum": True, "exclusiveMaximum": False},
            {**NUMBER, "minimum": 1},
        ),
        ({"type": "string", "description": "A city."}, {**STRING, "description": "A city."}),
        ({"type": "string", "pattern": "(?=a)", "minLength": 3}, STRING),
    ],
)
def test_plain_values(given: dict[str, Any], expected: dict[str, Any]) -> None:  # contract 5.1
    assert said(to_schema(given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"enum": ["a", "b"]}, {**STRING, "enum": ["a", "b"]}),
        ({"type": "integer", "enum": [1, 2]}, {**STRING, "enum": ["1", "2"]}),
        ({"enum": [True, 1.5, None]}, {**STRING, "enum": ["true", "1.5"], "nullable": True}),
        ({"const": "a"}, {**STRING, "enum": ["a"]}),
    ],
)
def test_enums_are_of_strings(given: dict[str, Any], expected: dict[str, Any]) -> None:  # rule 2
    assert said(to_schema(given)) == expected


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("date-time", {**STRING, "format": "date-time"}),
        ("date", {**STRING, "description": "(Format: date, e.g. 2026-01-31.)"}),
        ("email", {**STRING, "description": "(Format: email.)"}),
        ("enum", STRING),
    ],
)
def test_formats_that_close_the_session_go_into_the_description(form: str, expected: dict[str, Any]) -> None:
    assert said(to_schema({"type": "string", "format": form})) == expected  # rule 3


def test_a_format_follows_what_the_author_says() -> None:
    given = {"type": "string", "format": "date", "description": "Which day."}
    assert to_schema(given).description == "Which day. (Format: date, e.g. 2026-01-31.)"
    optional = {
        "anyOf": [{"type": "string", "format": "date"}, {"type": "null"}],
        "description": "Which day.",
    }
    assert to_schema(optional).description == "Which day. (Format: date, e.g. 2026-01-31.)"


@pytest.mark.parametrize("form", ["binary", "byte"])
def test_bytes_are_refused(form: str) -> None:
    with pytest.raises(UnusableType, match="cannot write bytes; use str"):
        to_schema({"type": "string", "format": form})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "array", "items": {"type": "integer"}}, {"type": "ARRAY", "items": INTEGER}),
        ({"type": "array"}, {"type": "ARRAY", "items": ANYTHING}),
        ({"items": {"type": "integer"}}, {"type": "ARRAY", "items": INTEGER}),
        (
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3, "uniqueItems": True},
            {"type": "ARRAY", "items": STRING, "minItems": 1, "maxItems": 3},
        ),
        (
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
            {"type": "ARRAY", "items": {"anyOf": [INTEGER, STRING]}, "minItems": 2, "maxItems": 2},
        ),
        ({"type": "array", "prefixItems": [{"type": "number"}] * 2}, {"type": "ARRAY", "items": NUMBER}),
        ({"type": "array", "items": [{"type": "number"}]}, {"type": "ARRAY", "items": NUMBER}),
    ],
)
def test_lists_have_items(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert said(to_schema(given)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (ADDRESS, ADDRESS_SAID),
        (
            {"properties": {"a": {}}, "required": ["a", "a", "gone"]},
            {"properties": {"a": ANYTHING}, "required": ["a"]},
        ),
        ({"type": "object", "properties": {}}, {}),
        ({"type": "object", "additionalProperties": True}, {}),
        (
            {"additionalProperties": {"type": "integer"}},
            {"description": "(An object of any keys; each value is of type integer.)"},
        ),
        (
            {
                "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
                "description": "Marks.",
            },
            {"description": "Marks. (An object of any keys; each value is of type integer or string.)"},
        ),
    ],
)
def test_objects(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert said(to_schema(given)) == {"type": "OBJECT", **expected}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {**INTEGER, "nullable": True}),
        ({"type": ["integer", "null"], "minimum": 1}, {**INTEGER, "minimum": 1, "nullable": True}),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, {"anyOf": [INTEGER, STRING]}),
        ({"type": ["integer", "string"]}, {"anyOf": [INTEGER, STRING]}),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, NUMBER),
        ({"anyOf": [{"type": "string"}, {"type": "string"}]}, STRING),
        (
            {"anyOf": [{"type": "integer"}, {"anyOf": [{"type": "string"}, {"type": "boolean"}]}]},
            {"anyOf": [INTEGER, STRING, {"type": "BOOLEAN"}]},
        ),
        (
            {"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]},
            {"anyOf": [{**INTEGER, "nullable": True}, {**STRING, "nullable": True}]},
        ),
        ({"type": "null"}, {**STRING, "nullable": True}),
        ({"anyOf": [{"type": "null"}]}, {**STRING, "nullable": True}),
        ({}, ANYTHING),
    ],
)
def test_alternatives_stand_alone(given: dict[str, Any], expected: dict[str, Any]) -> None:  # rule 1
    assert said(to_schema(given)) == expected


def test_the_description_of_alternatives_moves_into_the_first() -> None:  # rule 1
    two = [{"type": "integer", "description": "By number."}, {"type": "string"}]
    expected = {"anyOf": [{**INTEGER, "description": "Which. By number."}, STRING]}
    assert said(to_schema({"anyOf": two, "description": "Which."})) == expected
    assert said(to_schema({"description": "Which."}))["anyOf"][0] == {**STRING, "description": "Which."}


def test_references_are_written_out() -> None:  # rule 4
    given = {
        "type": "array",
        "items": {"$ref": "#/$defs/a~1b"},
        "$defs": {"a/b": {"$ref": "#/$defs/Address", "description": "Where."}, "Address": ADDRESS},
    }
    assert said(to_schema(given))["items"] == {**ADDRESS_SAID, "description": "Where."}


def test_one_type_may_be_used_twice() -> None:  # rule 4
    given = {"properties": {"a": {"$ref": "#/$defs/A"}, "b": {"$ref": "#/$defs/A"}}, "$defs": {"A": ADDRESS}}
    assert said(to_schema(given))["properties"] == {"a": ADDRESS_SAID, "b": ADDRESS_SAID}


@pytest.mark.parametrize(
    "given",
    [
        {"$ref": "#/$defs/T", "$defs": {"T": {"type": "array", "items": {"$ref": "#/$defs/T"}}}},
        {"type": "object", "properties": {"T": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
    ],
)
def test_what_contains_itself_is_refused(given: dict[str, Any]) -> None:  # rule 4
    with pytest.raises(UnusableType, match="contains itself, which a model cannot be told"):
        to_schema(given)


@pytest.mark.parametrize("pointer", ["#/$defs/X", "#/$defs/X/Y", "other.json"])
def test_a_reference_to_nowhere_is_refused(pointer: str) -> None:
    with pytest.raises(UnusableType, match="which is not there"):
        to_schema({"$ref": pointer})


def test_all_of_is_merged() -> None:
    other = {"properties": {"zip": {"type": "string"}}, "required": ["zip"]}
    both = {"type": "OBJECT", "properties": {"city": STRING, "zip": STRING}, "required": ["city", "zip"]}
    given = {"allOf": [{"$ref": "#/$defs/A"}, other], "$defs": {"A": ADDRESS}, "description": "Where."}
    assert said(to_schema(given)) == {**both, "description": "Where."}
    assert said(to_schema({"allOf": [ADDRESS], "description": "Where."})) == {
        **ADDRESS_SAID,
        "description": "Where.",
    }


def test_true_is_anything() -> None:
    assert said(to_schema({"type": "array", "items": True}))["items"] == ANYTHING


class Level(Enum):
    LOW = 1


@pytest.mark.parametrize(("value", "text"), [("a", "a"), (1, "1"), (False, "false"), (Level.LOW, "LOW")])
def test_values_are_spelt(value: object, text: str) -> None:  # rule 2
    assert spell(value) == text


def test_bytes_are_not_spelt() -> None:
    with pytest.raises(UnusableType, match="use strings in Literal"):
        spell(b"a")


def test_branches_and_references_are_found() -> None:
    assert list(branches_of({"type": ["string", "null"], "format": "date", "description": "x"})) == [
        {"type": "string", "format": "date"},
        {"type": "null", "format": "date"},
    ]
    assert resolve({"$ref": "#/a", "title": "x"}, {"a": {"title": "y", "type": "z"}}) == {
        "title": "x",
        "type": "z",
    }


KINDS = st.sampled_from(["string", "integer", "number", "boolean", "null"])
PLAIN = st.builds(
    lambda kind, note: {"type": kind, **note}, KINDS, st.sampled_from([{}, {"description": "d"}])
)
SCHEMAS = st.recursive(
    st.just({})
    | PLAIN
    | st.builds(lambda values: {"enum": values}, st.lists(st.integers() | st.text(), min_size=1)),
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(lambda some: {"type": "object", "properties": some}, st.dictionaries(st.text(), inner))
        | st.builds(lambda some: {"anyOf": some, "description": "d"}, st.lists(inner, min_size=1))
        | st.builds(lambda other: {"additionalProperties": other}, inner)
    ),
)


@given(SCHEMAS)
def test_the_rules_hold_for_every_schema(json_schema: dict[str, Any]) -> None:
    def check(schema: dict[str, Any]) -> None:
        if "anyOf" in schema:
            assert set(schema) == {"anyOf"}  # rule 1
        else:
            assert schema["type"] != "TYPE_UNSPECIFIED"
        if "enum" in schema:
            assert schema["type"] == "STRING"  # rule 2
        if schema.get("type") == "ARRAY":
            assert "items" in schema
        for inner in (*schema.get("anyOf", ()), *schema.get("properties", {}).values()):
            check(inner)
        if "items" in schema:
            check(schema["items"])

    schema = said(to_schema(json_schema))
    check(schema)
    assert (
        official.Schema.model_validate(schema).model_dump(mode="json", by_alias=True, exclude_none=True)
        == schema
    )
