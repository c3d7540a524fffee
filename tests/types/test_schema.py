from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import Model, Schema, Type

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        Schema,
        {
            "anyOf": [{"type": "STRING"}, {"type": "NULL"}],
            "default": {"a": 1},
            "nullable": True,
            "title": "t",
        },
    ),
    (
        Schema,
        {
            "properties": {
                "city": {"type": "STRING", "enum": ["Bern"]},
                "days": {"type": "ARRAY", "items": {"type": "INTEGER", "minimum": 0.0}},
            },
            "required": ["city"],
            "type": "OBJECT",
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_schemas_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)


@pytest.mark.parametrize("kind", ["string", "STRING", Type.STRING])
def test_a_type_is_read_in_any_case(kind: Any) -> None:
    assert Schema(type=kind).type is Type.STRING
