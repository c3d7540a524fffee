from collections.abc import Callable
from typing import Any

import pytest

from antiphon.types import CitationMetadata, GroundingMetadata, Model

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        GroundingMetadata,
        {
            "groundingChunks": [
                {"web": {"domain": "a.example", "title": "A", "uri": "https://a.example"}},
                {
                    "retrievedContext": {
                        "ragChunk": {"pageSpan": {"firstPage": 1, "lastPage": 2}, "text": "t"}
                    }
                },
            ],
            "groundingSupports": [
                {
                    "confidenceScores": [0.5],
                    "groundingChunkIndices": [0],
                    "segment": {"startIndex": 0, "endIndex": 5, "text": "Hello"},
                }
            ],
            "retrievalMetadata": {"googleSearchDynamicRetrievalScore": 0.25},
            "searchEntryPoint": {"renderedContent": "<p>", "sdkBlob": "_-8="},
            "webSearchQueries": ["q"],
        },
    ),
    (
        CitationMetadata,
        {"citations": [{"endIndex": 5, "publicationDate": {"year": 2026}, "uri": "https://a.example"}]},
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_what_answers_rest_on_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)
