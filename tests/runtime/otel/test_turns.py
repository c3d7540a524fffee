"""A span for each turn of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent
from antiphon.agents.cast import assemble
from antiphon.core import drafts
from antiphon.runtime.otel.instruments import Instruments
from antiphon.runtime.otel.spans import Spans
from antiphon.runtime.otel.turns import TurnSpans
from antiphon.types import FinishReason, UsageMetadata
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from tests.runtime.otel.conftest import Told


@pytest.fixture
def turns(told: Told) -> TurnSpans:
    troupe = assemble(Agent(name="helper", model=NearModel(), sub_agents=[Agent(name="other")]))
    spans = Spans(told.tracers.get_tracer("test"), troupe, "s1", 0.0, content=False)
    above = spans.begin("above", 0.0, None, "helper", {})
    return TurnSpans(spans, Instruments(told.meters.get_meter("test")), spans.under(above, None))


def seconds(span: ReadableSpan) -> float:
    assert span.start_time and span.end_time
    return (span.end_time - span.start_time) / 1e9


def test_it_begins_with_the_question(turns: TurnSpans, told: Told) -> None:
    turns.speaks("helper", 3.0, 1.0)
    turns.speaks("helper", 4.0, 3.5)
    assert turns.agent == "helper"
    turns.completed(5.0, {"model": 2.0})
    assert turns.agent is None
    assert seconds(told.span("chat near")) == 4.0
    assert told.about("chat near")["antiphon.answer.model"] == 2.0
    assert told.measured("gen_ai.client.operation.duration", "gen_ai.operation.name") == {"chat": 4.0}


def test_turns_are_numbered(turns: TurnSpans, told: Told) -> None:
    turns.speaks("helper", 0.0, None)
    turns.completed(1.0, {})
    turns.completed(2.0, {})  # nothing was said
    turns.speaks("helper", 3.0, None)
    turns.close(4.0)
    turns.close(4.0)
    assert [(span.attributes or {})["antiphon.turn"] for span in told.spans] == [0, 2]


def test_another_agent_goes_on(turns: TurnSpans, told: Told) -> None:
    turns.speaks("helper", 0.0, None)
    turns.speaks("other", 1.0, None)
    turns.completed(2.0, {})
    said = [((span.attributes or {})["gen_ai.agent.name"], seconds(span)) for span in told.spans]
    assert said == [("helper", 1.0), ("other", 1.0)]
    assert [(span.attributes or {})["antiphon.turn"] for span in told.spans] == [0, 0]


def test_what_is_used_between_turns_is_the_conversations(turns: TurnSpans, told: Told) -> None:
    turns.uses("helper", UsageMetadata(prompt_token_count=1))
    turns.speaks("helper", 0.0, None)
    turns.uses("helper", UsageMetadata(prompt_token_count=2, response_token_count=3))
    turns.uses("helper", UsageMetadata(prompt_token_count=4))
    turns.completed(1.0, {})
    assert told.about("chat near")["gen_ai.usage.input_tokens"] == 6
    assert turns.used == {"input": 7, "output": 3}
    assert told.measured("gen_ai.client.token.usage", "gen_ai.token.type") == {"input": 7, "output": 3}


def test_errors(turns: TurnSpans, told: Told) -> None:
    failed = drafts.draft("helper", error_code="SAFETY", error_message="what was said")
    turns.failed(failed, 1.0, None)
    turns.failed(drafts.draft("user", error_code="SAFETY"), 1.0, 0.5)
    assert turns.agent is None, "nobody waits for an answer"
    turns.failed(failed, 2.0, 1.0)
    turns.completed(3.0, {})
    assert told.about("chat near")["error.type"] == "SAFETY"
    assert told.span("chat near").status.description is None
    assert seconds(told.span("chat near")) == 2.0


def test_a_veto_is_no_error(turns: TurnSpans, told: Told) -> None:
    turns.speaks("helper", 0.0, None)
    turns.failed(drafts.draft("helper", error_code="GUARDRAIL"), 1.0, None)
    turns.completed(1.0, {})
    about = told.about("chat near")
    assert about["antiphon.vetoed"] is True
    assert "error.type" not in about


def test_what_a_response_says_of_itself(turns: TurnSpans, told: Told) -> None:
    answer = drafts.draft("helper", model_version="near-1", finish_reason=FinishReason.STOP)
    turns.responded(answer)
    turns.cut()
    turns.speaks("helper", 0.0, None)
    turns.responded(drafts.draft("helper"))
    turns.responded(answer)
    turns.completed(1.0, {})
    about = told.about("chat near")
    assert about["gen_ai.response.model"] == "near-1"
    assert about["gen_ai.response.finish_reasons"] == ("STOP",)
    assert "antiphon.interrupted" not in about
