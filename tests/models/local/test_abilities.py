from datetime import date, datetime, time, timedelta
from typing import Literal

import pytest

from antiphon.models.local.abilities import abilities, first_sentence, parameters_of
from antiphon.tools import FunctionTool
from antiphon.types import FunctionDeclaration, Schema, Tool, Type
from tests.models.local.agents import BILLING


def test_kinds_are_read_from_types_names_and_descriptions() -> None:
    def everything(
        on: bool,
        count: int,
        ratio: float | None,
        day: date,
        at: time,
        moment: datetime,
        span: timedelta,
        size: Literal["small", "large"],
        items: list[str],
        email: str,
        order_id: str,
        city: str,
        name: str,
        text: str,
        birthday: str,
        extra: dict[str, str],
    ) -> None:
        """Takes all there is."""

    (able,) = abilities([Tool(function_declarations=[FunctionTool(everything).declaration()])])
    assert [each.kind for each in able.parameters] == [
        "flag", "whole", "number", "date", "time", "moment", "duration", "choice", "many", "mail", "code",
        "place", "person", "text", "date", "object",
    ]  # fmt: skip
    assert all(each.required for each in able.parameters)


@pytest.mark.parametrize(
    ("name", "about", "unit"),
    [("minutes", "", 60), ("hours", "", 3600), ("duration", "In seconds.", 1), ("guests", "How many.", None)],
)
def test_numbers_may_be_lengths_of_time(name: str, about: str, unit: int | None) -> None:
    (read,) = parameters_of(Schema(properties={name: Schema(type=Type.INTEGER, description=about)}))
    assert read.unit == unit and not read.required


def test_agents_to_hand_over_to_are_abilities() -> None:
    support, sales = [each for each in BILLING if each.target]
    assert support.target == "support" and "router" in support.about and sales.words == ["sales"]


def test_schemas_in_json_are_read() -> None:
    json = {
        "type": "object",
        "properties": {
            "city": {"type": ["string", "null"], "description": "Where."},
            "unit": {"enum": ["c", "f"]},
            "days": {"type": "array", "items": {"type": "integer"}},
            "at": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        },
        "required": ["city"],
    }
    declared = FunctionDeclaration(name="look", parameters_json_schema=json)
    (able,) = abilities([Tool(function_declarations=[declared])])
    assert [(each.name, each.kind, each.required) for each in able.parameters] == [
        ("city", "place", True),
        ("unit", "choice", False),
        ("days", "many", False),
        ("at", "whole", False),
    ]


def test_nothing_declared_is_nothing_to_do() -> None:
    assert abilities(None) == [] and abilities([Tool()]) == [] and parameters_of(None) == []


def test_descriptions_begin_with_a_sentence() -> None:
    assert first_sentence("Looks up\nthe sky. Then more.") == "Looks up the sky"
    assert first_sentence("Sends mail, e.g. to Ann.\n\nArgs: none") == "Sends mail, e.g. to Ann"
