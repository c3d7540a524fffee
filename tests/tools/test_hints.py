from __future__ import annotations

import dataclasses
import datetime
import enum
import typing
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Optional, Union
from uuid import UUID

import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from antiphon.tools.hints import adapter_of, has_spelt, json_schema_of, unspell
from antiphon.tools.schema import UnusableType, to_schema

STRING, INTEGER, NUMBER = {"type": "STRING"}, {"type": "INTEGER"}, {"type": "NUMBER"}


class Unit(enum.Enum):
    CELSIUS = "C"
    FAHRENHEIT = "F"


class Priority(enum.IntEnum):
    """How urgent
    it is."""

    LOW = 1
    HIGH = 2


class Address(BaseModel):
    """Where somebody lives."""

    city: str
    priority: Priority = Field(Priority.LOW, description="How urgent.")
    zip_code: str | None = Field(None, alias="zip")


@dataclasses.dataclass
class Person:
    name: str
    addresses: list[Address] = dataclasses.field(default_factory=list)


class Options(typing.TypedDict, total=False):
    """What else to do."""

    depth: typing.Required[int]
    tags: list[str]


class MoreOptions(Options):
    inner: typing.NotRequired[Options]


class Modern(typing_extensions.TypedDict):
    depth: int


class Tree(BaseModel):
    children: list[Tree] = []


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")
    on: Literal[True, None]


PRIORITY = {**STRING, "enum": ["LOW", "HIGH"], "description": "How urgent\nit is."}
ADDRESS = {
    "type": "OBJECT",
    "description": "Where somebody lives.",
    "properties": {
        "city": STRING,
        "priority": {**PRIORITY, "description": "How urgent."},
        "zip": {**STRING, "nullable": True},
    },
    "required": ["city"],
}
OPTIONS: dict[str, Any] = {
    "type": "OBJECT",
    "description": "What else to do.",
    "properties": {"depth": INTEGER, "tags": {"type": "ARRAY", "items": STRING}},
    "required": ["depth"],
}


def schema_of(hint: Any) -> dict[str, Any]:
    return to_schema(json_schema_of(adapter_of(hint))).model_dump(
        mode="json", by_alias=True, exclude_none=True
    )


def read(hint: Any, value: Any) -> Any:
    adapter = adapter_of(hint)
    return adapter.validate_python(unspell(value, json_schema_of(adapter)))


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (str, STRING),
        (int, INTEGER),
        (float, NUMBER),
        (bool, {"type": "BOOLEAN"}),
        (Literal["a", "b"], {**STRING, "enum": ["a", "b"]}),
        (Literal["a", 1, True, None], {**STRING, "enum": ["a", "1", "true"], "nullable": True}),
        (Literal[Priority.LOW, Unit.CELSIUS], {**STRING, "enum": ["LOW", "CELSIUS"]}),
        (Unit, {**STRING, "enum": ["C", "F"]}),
        (Priority, PRIORITY),
        (Optional[int], {**INTEGER, "nullable": True}),  # noqa: UP045
        (str | None, {**STRING, "nullable": True}),
        (int | str, {"anyOf": [INTEGER, STRING]}),
        (Union[int, float], NUMBER),  # noqa: UP007
        (list[int], {"type": "ARRAY", "items": INTEGER}),
        (Sequence[int], {"type": "ARRAY", "items": INTEGER}),
        (set[int], {"type": "ARRAY", "items": INTEGER}),
        (tuple[int, ...], {"type": "ARRAY", "items": INTEGER}),
        (tuple[float, float], {"type": "ARRAY", "items": NUMBER, "minItems": 2, "maxItems": 2}),
        (
            dict[str, int],
            {"type": "OBJECT", "description": "(An object of any keys; each value is of type integer.)"},
        ),
        (
            Mapping[str, float],
            {"type": "OBJECT", "description": "(An object of any keys; each value is of type number.)"},
        ),
        (dict, {"type": "OBJECT"}),
        (
            Annotated[int, Field(ge=1, le=5, description="Stars.")],
            {**INTEGER, "minimum": 1, "maximum": 5, "description": "Stars."},
        ),
        (Annotated[list[str], Field(min_length=1)], {"type": "ARRAY", "items": STRING, "minItems": 1}),
        (datetime.datetime, {**STRING, "format": "date-time"}),
        (datetime.date, {**STRING, "description": "(Format: date, e.g. 2026-01-31.)"}),
        (datetime.time, {**STRING, "description": "(Format: time, e.g. 18:30:00.)"}),
        (datetime.timedelta, {**STRING, "description": "(Format: duration, e.g. PT1H30M.)"}),
        (UUID, {**STRING, "description": "(Format: uuid, e.g. 123e4567-e89b-12d3-a456-426614174000.)"}),
        (Decimal, {**STRING, "description": "(Format: decimal, e.g. 12.50.)"}),
        (Address, ADDRESS),
        (Optional[Address], {**ADDRESS, "nullable": True}),  # noqa: UP045
        (
            Person,
            {
                "type": "OBJECT",
                "properties": {"name": STRING, "addresses": {"type": "ARRAY", "items": ADDRESS}},
                "required": ["name"],
            },
        ),
        (Modern, {"type": "OBJECT", "properties": {"depth": INTEGER}, "required": ["depth"]}),
        (Options, OPTIONS),
        (list[Options] | None, {"type": "ARRAY", "items": OPTIONS, "nullable": True}),
        (Annotated[Options, Field(description="How.")], {**OPTIONS, "description": "How."}),
        (
            MoreOptions,
            {
                "type": "OBJECT",
                "properties": {**OPTIONS["properties"], "inner": OPTIONS},
                "required": ["depth"],
            },
        ),
        (create_model("Plain", a=(int, 3)), {"type": "OBJECT", "properties": {"a": INTEGER}}),
    ],
)
def test_hints_become_schemas(hint: Any, expected: dict[str, Any]) -> None:  # contract 5.1
    assert schema_of(hint) == expected


@pytest.mark.parametrize("hint", [Any, object])
def test_anything_is_told_as_every_type(hint: Any) -> None:  # contract 5.1
    kinds = [each["type"] for each in schema_of(hint)["anyOf"]]
    assert kinds == ["STRING", "NUMBER", "BOOLEAN", "OBJECT", "ARRAY"]
    assert schema_of(list)["items"] == schema_of(hint)


@pytest.mark.parametrize(
    ("hint", "given", "value"),
    [
        (int, "3", 3),
        (int, 3.0, 3),
        (str, 8001, "8001"),
        (list[str], [1, "b"], ["1", "b"]),
        (bool, "true", True),
        (int | str, 5, 5),
        (datetime.date, "2026-01-31", datetime.date(2026, 1, 31)),
        (Decimal, "12.50", Decimal("12.50")),
        (Decimal, 12, Decimal(12)),
        (set[int], [1, 1], {1}),
        (tuple[int, str], [1, "a"], (1, "a")),
        (Unit, "C", Unit.CELSIUS),
        (Priority, "HIGH", Priority.HIGH),
        (Priority, 2, Priority.HIGH),
        (Literal["a", 1, True], "1", 1),
        (Literal["a", 1, True], 1, 1),
        (Literal["a", 1, True], "true", True),
        (Literal[Priority.LOW, "x"], "LOW", Priority.LOW),
        (list[Priority], ["LOW", 2], [Priority.LOW, Priority.HIGH]),
        (tuple[Priority, int], ["LOW", 2], (Priority.LOW, 2)),
        (tuple[int, ...], [1], (1,)),
        (dict[str, Priority], {"a": "LOW"}, {"a": Priority.LOW}),
        (Priority | None, None, None),
        (Priority | int, "LOW", Priority.LOW),
        (Person, {"name": "Ada", "addresses": [{"city": 5, "priority": "HIGH"}]}, ...),
        (Options, {"depth": "1"}, {"depth": 1}),
        (Strict, {"on": "true"}, Strict(on=True)),
    ],
)
def test_values_are_read_as_models_write_them(hint: Any, given: Any, value: Any) -> None:  # contract 5.4
    if value is ...:
        with pytest.raises(ValidationError, match="city"):  # a model's own settings hold inside it
            read(hint, given)
        given["addresses"][0]["city"] = "Bern"
        value = Person("Ada", [Address(city="Bern", priority=Priority.HIGH)])
    found = read(hint, given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("hint", "given"),
    [
        (int, "three"),
        (int, 3.5),
        (int, None),
        (str, True),
        (Priority, "MIDDLE"),
        (Strict, {"on": "true", "off": 1}),
    ],
)
def test_other_values_are_refused(hint: Any, given: Any) -> None:  # contract 5.4
    with pytest.raises(ValidationError):
        read(hint, given)


def test_only_spelt_values_are_looked_for() -> None:
    assert has_spelt(json_schema_of(adapter_of(list[Address])))
    assert not has_spelt(json_schema_of(adapter_of(list[Unit])))


def test_what_fits_no_schema_is_left_for_pydantic() -> None:
    spelt = json_schema_of(adapter_of(Address))
    given = {"city": ["LOW"], "priority": {"LOW": 1}, "other": "LOW"}
    assert unspell(given, spelt) == given
    assert unspell(["LOW"], {"type": "array", "items": True}) == ["LOW"]


class Opaque:
    pass


@pytest.mark.parametrize(
    ("hint", "says"),
    [
        (Opaque, "Opaque is not a type that can be described to a model .*; use str, int"),
        (dict[str, Opaque], "not a type that can be described"),
        (Annotated[str, Field(pattern="(")], "not a type that can be described"),
        (bytes, "models cannot write bytes; use str"),
        (list[bytes | None], "models cannot write bytes; use str"),
        (Literal[b"a"], "models cannot write bytes"),
        (Callable[[int], int], "its values cannot be written in JSON"),
        (Tree, "Tree contains itself"),
    ],
)
def test_what_cannot_be_described_is_refused(hint: Any, says: str) -> None:  # contract 5.1
    with pytest.raises(UnusableType, match=says):
        schema_of(hint)


def test_the_typed_dicts_of_typing_work_on_every_python() -> None:  # contract 5.1
    assert read(MoreOptions, {"depth": 1, "inner": {"depth": "2"}}) == {"depth": 1, "inner": {"depth": 2}}
    with pytest.raises(ValidationError, match="depth"):
        read(dict[str, Options], {"a": {"tags": []}})
