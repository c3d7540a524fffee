"""Arguments out of words; whole sentences are in `test_understanding`."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.models.local.abilities import parameters_of
from antiphon.models.local.filling import fill
from antiphon.models.local.tokens import tokens
from antiphon.types import Schema, Type
from tests.models.local.agents import NOW

STRING = Schema(type=Type.STRING)


def filled(said: str, *, answering: bool = False, **properties: Schema) -> dict[str, list[Any]]:
    parameters = parameters_of(Schema(properties=properties, required=list(properties)))
    return fill(said, tokens(said), parameters, (), NOW, answering=answering)


def of(kind: Type, about: str = "", **more: Any) -> Schema:
    return Schema(type=kind, description=about, **more)


@pytest.mark.parametrize(
    ("said", "schema", "values"),
    [
        ("set it to five", of(Type.INTEGER), [5]),
        ("set it at five", of(Type.INTEGER), [5]),
        ("two and a half", of(Type.NUMBER), [2.5]),
        ("two and a half", of(Type.INTEGER), []),
        ("fifty", of(Type.INTEGER, minimum=0, maximum=10), []),
        ("fifty or five", of(Type.INTEGER, minimum=0, maximum=10), [5]),
        ("for an hour", of(Type.STRING, "(Format: duration, e.g. PT1H30M.)"), ["PT1H"]),
        ("ninety seconds", of(Type.STRING, "(Format: duration.)"), ["PT1M30S"]),
        ("zero seconds", of(Type.STRING, "(Format: duration.)"), ["PT0S"]),
        ("tomorrow", of(Type.STRING, "As YYYY-MM-DD."), ["2026-11-22"]),
        ("half past six", of(Type.STRING, "As HH:MM."), ["18:30"]),
        ("at noon", Schema(type=Type.STRING, format="date-time"), ["2026-11-22T12:00"]),
        ("at five", Schema(type=Type.STRING, format="date-time"), ["2026-11-21T17:00"]),
        ("tomorrow", Schema(type=Type.STRING, format="date-time"), ["2026-11-22"]),
        ("someday", Schema(type=Type.STRING, format="date-time"), []),
        ("numbers 2 and 3", of(Type.ARRAY, items=of(Type.INTEGER)), [[2, 3]]),
        (
            "red and blu",
            of(Type.ARRAY, items=Schema(type=Type.STRING, enum=["red", "blue"])),
            [["red", "blue"]],
        ),
        ("red and green please", of(Type.ARRAY, items=STRING), [["red", "green"]]),
        ("anything", of(Type.ARRAY), []),
        ("number 3", Schema(type=Type.STRING, enum=["1", "2", "3"]), ["3"]),
        ("the large one", Schema(type=Type.STRING, enum=["small", "large"]), ["large"]),
        ("extra large", Schema(type=Type.STRING, enum=["large", "extra_large"]), ["extra_large"]),
        ("red or blue", Schema(type=Type.STRING, enum=["blue", "red"]), ["red", "blue"]),
        ("pink", Schema(type=Type.STRING, enum=["blue", "red"]), []),
    ],
)
def test_values_of_each_kind(said: str, schema: Schema, values: list[Any]) -> None:
    assert filled(said, value=schema).get("value", []) == values


def test_objects_are_filled_from_the_same_sentence() -> None:
    address = of(Type.OBJECT, properties={"city": STRING, "zip": STRING}, required=["city"])
    assert filled("i live in bonn zip 53111", address=address) == {
        "address": [{"city": "bonn", "zip": "53111"}]
    }
    assert filled("53111", address=address) == {}


def test_numbers_go_to_the_parameter_they_stand_beside() -> None:
    whole = of(Type.INTEGER)
    assert filled("three nights for two guests", guests=whole, nights=whole) == {"nights": [3], "guests": [2]}
    assert filled("two and five", low=whole, high=whole) == {"low": [2], "high": [5]}


def test_a_second_parameter_of_a_kind_gets_the_second_value() -> None:
    day = of(Type.STRING, "YYYY-MM-DD")
    assert filled("from monday to friday", start=day, end=day) == {
        "start": ["2026-11-23"],
        "end": ["2026-11-27"],
    }
    assert filled("from paris to new york", origin=STRING, destination=STRING) == {
        "origin": ["paris"],
        "destination": ["new york"],
    }


def test_flags_are_said_or_denied() -> None:
    flag = of(Type.BOOLEAN)
    assert filled("with breakfast", breakfast=flag) == {"breakfast": [True]}
    assert filled("no breakfast", breakfast=flag) == {"breakfast": [False]}
    assert filled("a room", breakfast=flag) == {}
    assert filled("yes", answering=True, breakfast=flag) == {"breakfast": [True]}


def test_answers_are_taken_as_they_are() -> None:
    assert filled("it's on main street", answering=True, address=STRING) == {"address": ["main street"]}
    assert filled("um happy birthday to you", answering=True, message=STRING) == {
        "message": ["happy birthday to you"]
    }
    sizes = Schema(type=Type.STRING, enum=["medium", "extra_large"])
    assert filled("med", answering=True, size=sizes) == {"size": ["medium"]}
    assert filled("five", answering=True, minutes=of(Type.INTEGER)) == {"minutes": [5]}
    assert filled("five", minutes=of(Type.INTEGER)) == {}
