"""A span for each connection to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

from antiphon import Agent
from antiphon.agents.cast import assemble
from antiphon.core.commands import Begin, Dial
from antiphon.core.signals import LinkLost
from antiphon.errors import MalformedFrame, ModelConnectionError
from antiphon.runtime.otel.connections import ConnectionSpans
from antiphon.runtime.otel.spans import Spans
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from tests.runtime.otel.conftest import Told

NAME = "connect near"


@pytest.fixture
def connections(told: Told) -> ConnectionSpans:
    troupe = assemble(Agent(name="helper", model=NearModel()))
    spans = Spans(told.tracers.get_tracer("test"), troupe, "s1", 0.0, content=False)
    return ConnectionSpans(spans, Context())


def test_from_dialling_to_its_end(connections: ConnectionSpans, told: Told) -> None:
    connections.dialled(Dial(3, "helper"), 1.0)
    connections.opened(3, 1.25)
    connections.begun(Begin(3, "helper", handle="secret-handle"), 1.25)
    connections.ready(3, 1.5)
    connections.lost(LinkLost(3, None), 2.0)
    connections.lost(LinkLost(3, None), 2.0)
    span = told.span(NAME)
    assert span.kind is SpanKind.CLIENT
    assert span.start_time
    assert [(event.name, (event.timestamp - span.start_time) / 1e9) for event in span.events] == [
        ("opened", 0.25),
        ("ready", 0.5),
    ]
    assert told.about(NAME) == {
        "gen_ai.conversation.id": "s1",
        "gen_ai.agent.name": "helper",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "near",
        "antiphon.connection": 3,
        "antiphon.connection.resumed": True,
        "antiphon.connection.seeded": False,
    }
    assert span.status.status_code is StatusCode.UNSET
    assert "secret-handle" not in span.to_json()


def test_one_that_breaks(connections: ConnectionSpans, told: Told) -> None:
    connections.dialled(Dial(1, "helper"), 1.0)
    connections.lost(LinkLost(1, ModelConnectionError("gone: key=abcdefgh", code=1011)), 2.0)
    span, about = told.span(NAME), told.about(NAME)
    assert (about["error.type"], about["antiphon.connection.close_code"]) == ("ModelConnectionError", 1011)
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "gone: key=[secret]")


def test_what_could_not_be_read_is_not_told(connections: ConnectionSpans, told: Told) -> None:
    connections.dialled(Dial(1, "helper"), 1.0)
    connections.lost(LinkLost(1, MalformedFrame("it said: hello")), 2.0)
    assert told.span(NAME).status.description is None


def test_those_that_are_left(connections: ConnectionSpans, told: Told) -> None:
    connections.dialled(Dial(1, "helper"), 1.0)
    connections.dialled(Dial(2, "helper"), 1.0)
    connections.close(2.0)
    connections.close(2.0)
    connections.ready(1, 3.0)
    connections.opened(1, 3.0)
    connections.begun(Begin(1, "helper"), 3.0)
    assert len(told.spans) == 2
