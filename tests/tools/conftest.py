"""A context for tools to run in, and what holds of every declaration."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from google.genai import types as official

from antiphon.tools import ToolContext

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.events import Event
    from antiphon.tools import BaseTool

Declared = dict[str, Any]


@dataclass
class SomeSession:
    id: str = "s1"
    app_name: str = "app"
    user_id: str = "u1"
    state: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)


@pytest.fixture
def session() -> SomeSession:
    return SomeSession()


@pytest.fixture
def context(session: SomeSession) -> ToolContext:
    return ToolContext(session, agent_name="guide", invocation_id="e-1", function_call_id="c1")


def declared_by(tool: BaseTool) -> Declared:
    """The declaration in JSON, which the official package must take word for word."""
    declaration = tool.declaration()
    assert declaration is not None
    written = declaration.model_dump(mode="json", by_alias=True, exclude_none=True)
    theirs = official.FunctionDeclaration.model_validate(written)
    assert theirs.model_dump(mode="json", by_alias=True, exclude_none=True) == written
    return written


@pytest.fixture
def declared() -> Callable[[BaseTool], Declared]:
    return declared_by
