from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import HttpOptions, Model

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        HttpOptions,
        {
            "baseUrl": "https://a.example",
            "headers": {"X-A": "1"},
            "timeout": 1000,
            "extraBody": {"a_b": 1},
            "retryOptions": {"attempts": 2, "httpStatusCodes": [503]},
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_request_options_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
