"""What all spans of a conversation have."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.trace import StatusCode

from antiphon import Agent
from antiphon.agents.cast import assemble
from antiphon.errors import MalformedFrame, ModelConnectionError
from antiphon.runtime.otel.spans import Spans, fail, message
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.runtime.otel.conftest import Told


class Keyed(NearModel):
    provider = "somebody"

    @property
    def secrets(self) -> Sequence[str]:
        return ["very-secret-key"]


def spans(told: Told, *, content: bool = False) -> Spans:
    troupe = assemble(Agent(name="helper", model=Keyed()))
    return Spans(told.tracers.get_tracer("test"), troupe, "s1", 10.0, content=content)


def test_times_are_those_of_the_day(told: Told) -> None:
    before = time.time_ns()
    made = spans(told)
    assert before <= made.at(10.0) <= time.time_ns()
    assert made.at(12.5) - made.at(10.0) == 2_500_000_000


def test_whose_it_is(told: Told) -> None:
    made = spans(told)
    above = made.begin("above", 11.0, None, "helper", made.model("helper"))
    below = made.begin("below", 12.0, made.under(above, None), "helper", {})
    fail(below, "TIMEOUT", "too late")
    below.end(made.at(13.0))
    above.end(made.at(14.0))
    assert told.tree() == ["above", "above / below"]
    whose = {"gen_ai.conversation.id": "s1", "gen_ai.agent.name": "helper"}
    model = {"gen_ai.provider.name": "somebody", "gen_ai.request.model": "near"}
    assert told.about("above") == {**whose, **model}
    assert told.about("below") == {**whose, "error.type": "TIMEOUT"}
    status = told.span("below").status
    assert (status.status_code, status.description) == (StatusCode.ERROR, "too late")


@pytest.mark.parametrize(
    ("error", "content", "said"),
    [
        (ModelConnectionError("no: very-secret-key"), False, "no: [secret]"),
        (MalformedFrame("you said: hello"), False, None),
        (ValueError("hello"), False, None),
        (ValueError("hello, very-secret-key"), True, "hello, [secret]"),
    ],
)
def test_what_is_said_of_errors(told: Told, error: Exception, content: bool, said: str | None) -> None:
    """contract 1.7: never secrets, and content only if asked for"""
    assert spans(told, content=content).told(error) == said


def test_values_are_json(told: Told) -> None:
    assert spans(told).written({"é": {1}}) == '{"é": "{1}"}'
    assert message("user", "Hi") == [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]
