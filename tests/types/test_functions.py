from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import BaseModel

from antiphon import types
from antiphon.types import FunctionCall, FunctionResponse, Model

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (FunctionCall, {"id": "c1", "args": {"snake_key": {"camelKey": [1, None]}}, "name": "f"}),
    (
        FunctionCall,
        {
            "name": "f",
            "partialArgs": [
                {"jsonPath": "$.a", "stringValue": "x", "willContinue": True},
                {"nullValue": "NULL_VALUE"},
            ],
            "willContinue": True,
        },
    ),
    (
        FunctionResponse,
        {
            "willContinue": False,
            "scheduling": "WHEN_IDLE",
            "id": "c1",
            "name": "f",
            "response": {"output": 1},
        },
    ),
    (
        FunctionResponse,
        {
            "parts": [
                {"inlineData": {"mimeType": "image/png", "data": "_-8="}},
                {"fileData": {"fileUri": "gs://a/b.pdf"}},
            ]
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_calls_and_answers_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)


@pytest.mark.parametrize(
    "make",
    [
        lambda t: t.FunctionResponsePart.from_bytes(data=b"x", mime_type="image/png", display_name="x"),
        lambda t: t.FunctionResponsePart.from_uri(file_uri="gs://a/b.pdf"),
        lambda t: t.FunctionResponsePart.from_uri(file_uri="gs://a/b", mime_type="image/png"),
    ],
)
def test_media_in_answers_is_made_as_the_official_package_makes_it(make: Callable[[Any], BaseModel]) -> None:
    assert make(types).model_dump_json(exclude_none=True) == make(official).model_dump_json(exclude_none=True)
