from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import Model, Retrieval

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (Retrieval, {"vertexAiSearch": {"dataStoreSpecs": [{"dataStore": "d", "filter": "f"}], "maxResults": 3}}),
    (
        Retrieval,
        {
            "vertexRagStore": {
                "ragResources": [{"ragCorpus": "c", "ragFileIds": ["1"]}],
                "ragRetrievalConfig": {"filter": {"metadataFilter": "m"}, "topK": 3},
            }
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_retrieval_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
