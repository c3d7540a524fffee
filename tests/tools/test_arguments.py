from __future__ import annotations

import enum
from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, field_validator

from antiphon.errors import ToolDeclarationError
from antiphon.tools.arguments import Arguments
from antiphon.tools.signature import Hole
from antiphon.tools.tool import BadArguments, Problem

TOO_SMALL = "must be greater than or equal to 1"
NO_INTEGER = "must be a valid integer, unable to parse string as an integer"


class Priority(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Item(BaseModel):
    name: str
    count: int = Field(1, ge=1)
    priority: Priority = Priority.LOW

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name == "nobody":
            raise AssertionError("nobody is not for sale")
        if name == "nothing":
            raise ValueError("nothing is not for sale")
        return name


HOLES = [
    Hole("city", str),
    Hole("days", int, 3),
    Hole("unit", Literal["C", "F"], "C"),
    Hole("items", list[Item], []),
    Hole("extra", dict[str, int], {}),
    Hole("either", int | Item, 0),
    Hole("maybe", Optional[int], 7),  # noqa: UP045
]
WEATHER = Arguments("weather", HOLES, {"days": "How many."})


def problems(given: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(BadArguments) as caught:
        WEATHER.read({"city": "Bern", **given})
    return [(problem.argument, problem.problem) for problem in caught.value.problems]


def test_all_parameters_are_one_object() -> None:  # contract 5.1
    schema = WEATHER.schema()
    assert schema is not None
    assert schema.required == ["city"]
    assert schema.properties is not None
    assert list(schema.properties) == [hole.name for hole in HOLES]
    assert schema.properties["days"].description == "How many."


def test_no_parameters_are_no_schema_and_optional_ones_require_nothing() -> None:  # contract 5.1
    assert Arguments("f", [], {}).schema() is None
    schema = Arguments("f", [Hole("a", int, 1)], {}).schema()
    assert schema is not None
    assert schema.required is None


def test_a_hint_describes_better_than_the_docstring() -> None:  # contract 5.1
    schema = Arguments("f", [Hole("a", int, description="By hint.")], {"a": "By docstring."}).schema()
    assert schema is not None
    assert schema.properties is not None
    assert schema.properties["a"].description == "By hint."


def test_arguments_are_read_and_defaults_filled_in() -> None:  # contract 5.4
    read = WEATHER.read({"city": 8001, "days": "5", "items": [{"name": "tea", "priority": "HIGH"}]})
    assert (read["city"], read["days"], read["unit"]) == ("8001", 5, "C")
    assert read["items"] == [Item(name="tea", priority=Priority.HIGH)]


def test_null_for_an_optional_argument_is_its_default() -> None:  # contract 5.4
    read = WEATHER.read({"city": "Bern", "days": None, "maybe": None})
    assert (read["days"], read["maybe"]) == (3, None)
    assert problems({"city": None}) == [("city", "must be a valid string, not null")]


@pytest.mark.parametrize(
    ("given", "where", "problem"),
    [
        ({"days": "many"}, "days", f"{NO_INTEGER}, not many"),
        ({"days": True, "city": False}, "city", "must be a valid string, not false"),
        ({"unit": "K"}, "unit", "must be one of C, F, not K"),
        ({"items": {}}, "items", "must be a valid list, not an object"),
        ({"items": [{"name": "a"}, {}]}, "items[1].name", "is missing"),
        ({"items": [{"name": "a", "count": 0}]}, "items[0].count", f"{TOO_SMALL}, not 0"),
        ({"items": [{"name": "a", "priority": "X"}]}, "items[0].priority", "must be one of LOW, HIGH, not X"),
        ({"items": [5]}, "items[0]", "must be an object, not 5"),
        ({"items": [{"name": "nothing"}]}, "items[0].name", "is refused: nothing is not for sale"),
        ({"items": [{"name": "nobody"}]}, "items[0].name", "is refused: nobody is not for sale"),
        ({"extra": []}, "extra", "must be an object, not a list"),
        ({"extra": {"a": "x" * 90}}, "extra.a", f"{NO_INTEGER}, not {'x' * 39}…"),
        ({"town": 1}, "town", "is unknown, the arguments are city, days, unit, items, extra, either, maybe"),
        ({"days": 1.5}, "days", "must be a valid integer, got a number with a fractional part, not 1.5"),
        ({"days": "\n"}, "days", f"{NO_INTEGER}, not '\\n'"),
    ],
)  # fmt: skip
def test_the_model_is_told_what_is_wrong_and_where(given: dict[str, Any], where: str, problem: str) -> None:
    assert (where, problem) in problems(given)  # contract 5.4


def test_every_branch_of_a_union_says_what_it_wants_of_the_same_argument() -> None:  # contract 5.4
    assert problems({"either": "x"}) == [
        ("either", f"{NO_INTEGER}, not x"),
        ("either", "must be an object, not x"),
    ]
    assert ("either.name", "is missing") in problems({"either": {}})


def test_all_problems_are_told_at_once() -> None:  # contract 5.4
    with pytest.raises(BadArguments) as caught:
        WEATHER.read({"days": "x", "town": "Bern"})
    assert [problem.argument for problem in caught.value.problems] == ["city", "days", "town"]


def test_a_tool_without_arguments_takes_none() -> None:  # contract 5.4
    with pytest.raises(BadArguments) as caught:
        Arguments("now", [], {}).read({"zone": "UTC"})
    assert caught.value.problems == (Problem("zone", "is unknown, it takes no arguments"),)


def test_problems_may_say_something_else() -> None:  # contract 5.4
    with pytest.raises(BadArguments, match=r"a\[0\] is refused: set items should be hashable"):
        Arguments("f", [Hole("a", set[Any])], {}).read({"a": [[1]]})


@pytest.mark.parametrize(
    ("hole", "says"),
    [
        (Hole("image", bytes), "f: parameter 'image': models cannot write bytes; use str, and decode base64"),
        (Hole("grüsse", str), "f: parameter 'grüsse': a model takes names of up to 64 ASCII letters"),
        (Hole("a" * 65, str), "f: parameter 'a+': a model takes names of up to 64 ASCII letters"),
    ],
)
def test_a_refusal_names_tool_parameter_and_cure(hole: Hole, says: str) -> None:  # contract 5.1
    with pytest.raises(ToolDeclarationError, match=says):
        Arguments("f", [hole], {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "count", "x"]), inner)
    ),
)


@given(st.dictionaries(st.sampled_from([hole.name for hole in HOLES]) | st.text(max_size=5), JSON))
def test_whatever_the_model_gives_is_read_or_told(given: dict[str, Any]) -> None:  # contract 5.4
    try:
        read = WEATHER.read(given)
    except BadArguments as error:
        assert error.problems
        assert error.response()["error"]["code"] == "INVALID_ARGUMENTS"
    else:
        assert list(read) == [hole.name for hole in HOLES]
