from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import ConfigurationError
from antiphon.events import EventActions
from antiphon.queue import LiveRequestQueue
from antiphon.tools import ToolContext
from antiphon.types import FunctionResponseScheduling, Part

if TYPE_CHECKING:
    from antiphon.tools.context import Artifacts, SessionView

Owner = tuple[str, str, str]


class Shelf:
    """An artifact service that keeps everything in one dict."""

    def __init__(self) -> None:
        self.files: dict[tuple[Owner, str], list[Part]] = {}

    async def save_artifact(
        self, *, app_name: str, user_id: str, session_id: str, filename: str, artifact: Part
    ) -> int:
        versions = self.files.setdefault(((app_name, user_id, session_id), filename), [])
        versions.append(artifact)
        return len(versions) - 1

    async def load_artifact(
        self, *, app_name: str, user_id: str, session_id: str, filename: str, version: int | None = None
    ) -> Part | None:
        versions = self.files.get(((app_name, user_id, session_id), filename))
        return versions[-1 if version is None else version] if versions else None

    async def list_artifact_keys(self, *, app_name: str, user_id: str, session_id: str) -> list[str]:
        return [name for owner, name in self.files if owner == (app_name, user_id, session_id)]


def in_context(session: SessionView, artifacts: Artifacts | None = None) -> ToolContext:
    return ToolContext(session, agent_name="guide", invocation_id="e-1", artifacts=artifacts)


def test_a_context_says_whose_call_it_is(context: ToolContext, session: SessionView) -> None:  # contract 5.1
    assert (context.agent_name, context.invocation_id, context.function_call_id) == ("guide", "e-1", "c1")
    assert (context.app_name, context.user_id, context.session) == ("app", "u1", session)
    assert repr(context) == "<ToolContext of guide, call c1>"


def test_state_reads_the_session_and_writes_to_the_event(session: Any) -> None:  # contract 4.6
    session.state["seen"] = 1
    context = in_context(session)
    context.state["count"] = context.state["seen"] + 1
    assert context.actions.state_delta == {"count": 2}
    assert context.state.delta is context.actions.state_delta
    assert "count" not in session.state


def test_actions_may_be_given(session: SessionView) -> None:  # contract 4.6
    actions = EventActions(state_delta={"a": 1})
    context = ToolContext(session, agent_name="guide", invocation_id="e-1", actions=actions)
    assert context.actions is actions
    assert context.state["a"] == 1


def test_nothing_ends_unless_the_tool_says_so(context: ToolContext) -> None:  # contract 1.5, 5.9
    assert (context.end_invocation, context.task_completed) == (False, False)
    context.end_invocation = context.task_completed = True
    assert (context.end_invocation, context.task_completed) == (True, True)


def test_a_context_holds_the_input_stream(session: SessionView) -> None:  # contract 5.7
    queue = LiveRequestQueue()
    context = ToolContext(session, agent_name="guide", invocation_id="e-1", input_stream=queue)
    assert context.input_stream is queue


async def test_artifacts_are_the_sessions_and_land_with_the_event(session: SessionView) -> None:
    shelf = Shelf()
    context = in_context(session, shelf)
    first, second = Part(text="one"), Part(text="two")
    assert await context.save_artifact("a.txt", first) == 0
    assert await context.save_artifact(filename="a.txt", artifact=second) == 1
    assert context.actions.artifact_delta == {"a.txt": 1}
    assert list(shelf.files) == [(("app", "u1", "s1"), "a.txt")]
    assert await context.load_artifact("a.txt") == second
    assert await context.load_artifact("a.txt", version=0) == first
    assert await context.load_artifact("b.txt") is None
    assert await context.list_artifacts() == ["a.txt"]


async def test_without_an_artifact_service_the_cure_is_named(context: ToolContext) -> None:
    cure = r"give the Runner an artifact_service, e\.g\. Runner\(…, artifact_service=InMemory"
    for asked in (
        context.save_artifact("a.txt", Part(text="one")),
        context.load_artifact("a.txt"),
        context.list_artifacts(),
    ):
        with pytest.raises(ConfigurationError, match=cure):
            await asked
    assert context.actions.artifact_delta == {}


def test_a_call_may_choose_how_its_answers_are_scheduled(context: ToolContext) -> None:  # contract 5.6
    assert context.scheduling is None
    context.scheduling = "silent"
    assert context.scheduling is FunctionResponseScheduling.SILENT
    context.scheduling = None
    assert context.scheduling is None
    with pytest.raises(ValueError, match="LOUD"):
        context.scheduling = "LOUD"
