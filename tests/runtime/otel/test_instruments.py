"""What is measured, under which names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.runtime.latency import Measured
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.runtime.otel.instruments import CountedMetrics, Instruments, tokens
from antiphon.types import UsageMetadata

if TYPE_CHECKING:
    from tests.runtime.otel.conftest import Told


@pytest.fixture
def instruments(told: Told) -> Instruments:
    return Instruments(told.meters.get_meter("test"))


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({}, {}),
        ({"prompt_token_count": 3}, {"input": 3}),
        ({"prompt_token_count": 3, "tool_use_prompt_token_count": 2}, {"input": 5}),
        ({"response_token_count": 4, "thoughts_token_count": 1}, {"output": 5}),
        ({"candidates_token_count": 4}, {"output": 4}),
        ({"response_token_count": 0, "candidates_token_count": 4}, {"output": 0}),
        ({"total_token_count": 9}, {}),
    ],
)
def test_tokens_by_kind(usage: dict[str, int], counted: dict[str, int]) -> None:
    assert tokens(UsageMetadata(**usage)) == counted


def test_parts_sum_up_to_latencies(instruments: Instruments, told: Told) -> None:
    """contract 1.7: over all answers, whatever is known of each"""
    instruments.answered(Measured("speech", {"endpointing": 0.5, "model": 1.0}, 1.5), {})
    instruments.answered(Measured("speech", {"model": 2.0, "delivery": 0.25}, 2.25), {})
    parts = told.measured("antiphon.answer.part", "antiphon.part")
    assert parts == {"endpointing": 0.5, "model": 3.0, "delivery": 0.25}
    assert told.measured("antiphon.answer.latency", "antiphon.input") == {"speech": sum(parts.values())}


def test_one_count_is_told_twice(instruments: Instruments, told: Told) -> None:
    """The runner's numbers and the application's cannot differ."""
    metrics = Metrics()
    counted = CountedMetrics(metrics, instruments, lambda: {"gen_ai.agent.name": "helper"})
    counted.begun()
    counted.count([("turns", 2), ("tool_errors", 0)])
    counted.ended(3)
    expected = {"conversations": 1, "turns": 2, "events_shed": 3}
    assert {name: count for name, count in metrics.snapshot().items() if count} == expected
    assert counted.snapshot() == metrics.snapshot()
    for name in METRICS:
        known = told.measured(f"antiphon.{name}", "gen_ai.agent.name")
        assert known == (
            {"helper": expected[name]} if name in expected else {None: 0} if name == "live" else {}
        )
