from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import Model, SafetySetting

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        SafetySetting,
        {"category": "HARM_CATEGORY_HATE_SPEECH", "method": "SEVERITY", "threshold": "BLOCK_ONLY_HIGH"},
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_safety_settings_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
