from collections.abc import Callable
from typing import Any

import pytest
from google.genai import types as official
from pydantic import ValidationError

from antiphon.types import FunctionDeclaration, Model, Tool, ToolConfig

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        FunctionDeclaration,
        {
            "description": "d",
            "name": "f",
            "parameters": {"properties": {"a": {"type": "STRING"}}, "type": "OBJECT"},
            "behavior": "NON_BLOCKING",
        },
    ),
    (
        FunctionDeclaration,
        {"name": "f", "parametersJsonSchema": {"type": "object", "properties": {"a_b": {"type": "string"}}}},
    ),
    (
        Tool,
        {
            "googleSearch": {"timeRangeFilter": {"startTime": "2026-01-01T00:00:00Z"}},
            "functionDeclarations": [{"name": "f"}],
            "urlContext": {},
        },
    ),
    (Tool, {"computerUse": {"environment": "ENVIRONMENT_BROWSER"}, "codeExecution": {}}),
    (
        ToolConfig,
        {
            "retrievalConfig": {"latLng": {"latitude": 46.9, "longitude": 7.4}, "languageCode": "de"},
            "functionCallingConfig": {"mode": "NONE"},
        },
    ),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_tools_agree_with_the_official_package(cls: type[Model], wire: dict[str, Any], agree: Agree) -> None:
    agree(cls, wire)


def test_credentials_of_a_tool_are_refused_by_name() -> None:
    theirs = official.Tool(google_maps=official.GoogleMaps(auth_config=official.AuthConfig()))
    with pytest.raises(ValidationError, match="GoogleMaps has auth_config set"):
        Tool.model_validate(theirs)
