"""A span for each call of a tool."""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import StatusCode

from antiphon import Agent
from antiphon.agents.cast import assemble
from antiphon.core.commands import RunTool
from antiphon.core.signals import ToolFinished
from antiphon.runtime.otel.calls import CallSpans
from antiphon.runtime.otel.instruments import Instruments
from antiphon.runtime.otel.spans import Spans
from antiphon.tools.result import error_response, timed_out, tool_failed
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from tests.runtime.otel.conftest import Told

NAME = "execute_tool look"


def look(city: str) -> str:
    """Looks out of the window."""
    return city


CALL = RunTool("c1", "helper", "look", {"city": "Rome"})


@pytest.fixture
def calls(told: Told) -> CallSpans:
    troupe = assemble(Agent(name="helper", model=NearModel(), tools=[look]))
    spans = Spans(told.tracers.get_tracer("test"), troupe, "s1", 0.0, content=False)
    return CallSpans(spans, Instruments(told.meters.get_meter("test")))


def test_a_call_that_ends_well(calls: CallSpans, told: Told) -> None:
    calls.run(CALL, 1.0, Context())
    calls.finished(ToolFinished("c1", {"result": "Rome"}), 3.5)
    assert told.about(NAME) == {
        "gen_ai.conversation.id": "s1",
        "gen_ai.agent.name": "helper",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "look",
        "gen_ai.tool.call.id": "c1",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Looks out of the window.",
    }
    assert told.span(NAME).status.status_code is StatusCode.UNSET
    assert told.measured("gen_ai.execute_tool.duration", "gen_ai.tool.name", "error.type") == {
        ("look", None): 2.5
    }


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (tool_failed(KeyError("Mrs Smith")), "KeyError"),
        (timed_out("look", 5), "TIMEOUT"),
        (error_response("MINE", "no"), "MINE"),
        ({"error": "no"}, "_OTHER"),
        (None, "_OTHER"),
    ],
)
def test_a_call_that_fails(calls: CallSpans, told: Told, response: dict[str, Any] | None, kind: str) -> None:
    """contract 1.7: by what it failed, without its words"""
    calls.run(CALL, 1.0, Context())
    calls.finished(ToolFinished("c1", response, failed=True), 2.0)
    assert told.about(NAME)["error.type"] == kind
    status = told.span(NAME).status
    assert (status.status_code, status.description) == (StatusCode.ERROR, None)
    assert told.measured("gen_ai.execute_tool.duration", "error.type") == {kind: 1.0}


def test_a_call_that_goes_on_elsewhere(calls: CallSpans, told: Told) -> None:
    """contract 5.6: "not yet" is the end of the call, not of the matter"""
    calls.run(CALL, 1.0, Context())
    calls.finished(ToolFinished("c1", None), 2.0)
    assert told.about(NAME)["antiphon.tool.pending"] is True


def test_calls_that_are_taken_back(calls: CallSpans, told: Told) -> None:
    calls.run(CALL, 1.0, Context())
    calls.run(RunTool("c2", "helper", "unheard_of", {}), 1.0, Context())
    calls.cancelled("c1", 2.0)
    calls.cancelled("c1", 2.0)
    calls.finished(ToolFinished("c1", {"result": "late"}), 3.0)
    calls.close(4.0)
    assert [span.name for span in told.spans] == [NAME, "execute_tool unheard_of"]
    for span in told.spans:
        assert (span.attributes or {})["antiphon.tool.cancelled"] is True
        assert span.status.status_code is StatusCode.UNSET


def test_its_own_spans_are_under_it(calls: CallSpans, told: Told) -> None:
    def task() -> None:
        calls.enter(CALL)
        told.tracers.get_tracer("application").start_span("database").end()

    calls.run(CALL, 1.0, Context())
    contextvars.copy_context().run(task)
    calls.finished(ToolFinished("c1", {}), 2.0)
    contextvars.copy_context().run(task)
    assert told.tree() == ["database", NAME, f"{NAME} / database"]
