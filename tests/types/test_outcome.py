from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import (
    FinishReason,
    InteractionStatus,
    LogprobsResult,
    Model,
    OpenEnum,
    TurnCompleteReason,
)

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        LogprobsResult,
        {
            "chosenCandidates": [{"logProbability": -0.5, "token": "a", "tokenId": 7}],
            "topCandidates": [{"candidates": [{"token": "b"}]}],
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_log_probabilities_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)


@pytest.mark.parametrize("enum", [FinishReason, TurnCompleteReason, InteractionStatus])
def test_reasons_of_a_later_model_are_kept(enum: type[OpenEnum]) -> None:
    assert enum("BRAND_NEW") == "BRAND_NEW"
