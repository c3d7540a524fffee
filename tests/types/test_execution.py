from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import CodeExecutionResult, ExecutableCode, Model

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (ExecutableCode, {"code": "print(1)", "language": "PYTHON", "id": "x"}),
    (CodeExecutionResult, {"outcome": "OUTCOME_FAILED", "output": "NameError", "id": "x"}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_code_and_its_result_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
