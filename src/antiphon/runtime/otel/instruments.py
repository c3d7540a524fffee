"""The instruments that all conversations of an application measure with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from antiphon.runtime.metrics import METRICS, Metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.metrics import Meter

    from antiphon.runtime.latency import Measured
    from antiphon.types import UsageMetadata

__all__ = ["CountedMetrics", "Instruments", "tokens"]

_TOKENS: Final = [4**power for power in range(14)]
_SECONDS: Final = [0.01 * 2**power for power in range(14)]
_WAITS: Final = [0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0]


class Instruments:
    """Histograms by OpenTelemetry's GenAI names where it has any, and `antiphon.*` for the rest.

    `antiphon.answer.part` and `antiphon.answer.latency` are made of the same answers: the sums of all parts
    are the sum of the latencies. Counters are `antiphon.` and a name of `METRICS`.
    """

    def __init__(self, meter: Meter) -> None:
        def seconds(name: str, told: str, bounds: list[float]) -> Any:
            return meter.create_histogram(
                name, unit="s", description=told, explicit_bucket_boundaries_advisory=bounds
            )

        self.tokens = meter.create_histogram(
            "gen_ai.client.token.usage",
            unit="{token}",
            description="Number of input and output tokens used.",
            explicit_bucket_boundaries_advisory=_TOKENS,
        )
        self.turn = seconds("gen_ai.client.operation.duration", "Turns, from question to end.", _SECONDS)
        self.tool = seconds("gen_ai.execute_tool.duration", "Tool calls.", _SECONDS)
        told = "The parts of antiphon.answer.latency, which add up to it."
        self._part = seconds("antiphon.answer.part", told, _WAITS)
        told = "From the end of the user's speech to the answer as it is heard, as far as this is known."
        self._latency = seconds("antiphon.answer.latency", told, _WAITS)
        self._counters: dict[str, Any] = {
            name: (meter.create_up_down_counter if name == "live" else meter.create_counter)(
                f"antiphon.{name}", description=what
            )
            for name, what in METRICS.items()
        }

    def count(self, name: str, count: int, attributes: Mapping[str, Any]) -> None:
        """Adds to the counter of that name in `METRICS`."""
        self._counters[name].add(count, attributes)

    def answered(self, measured: Measured, attributes: Mapping[str, Any]) -> None:
        """An answer was measured."""
        all_of_it = {**attributes, "antiphon.input": measured.input}
        self._latency.record(measured.total, all_of_it)
        for part, took in measured.parts.items():
            self._part.record(took, {**all_of_it, "antiphon.part": part})


def tokens(usage: UsageMetadata) -> dict[str, int]:
    """`input` and `output`, thoughts included, as far as the model reports them."""
    thoughts = usage.thoughts_token_count
    said = usage.response_token_count
    said = usage.candidates_token_count if said is None else said
    read, tools = usage.prompt_token_count, usage.tool_use_prompt_token_count
    found = {}
    if read is not None or tools is not None:
        found["input"] = (read or 0) + (tools or 0)
    if said is not None or thoughts is not None:
        found["output"] = (said or 0) + (thoughts or 0)
    return found


class CountedMetrics(Metrics):
    """What one conversation counts, in the runner's numbers and the application's at once."""

    def __init__(
        self, metrics: Metrics, instruments: Instruments, attributes: Callable[[], Mapping[str, Any]]
    ) -> None:
        super().__init__()
        self._metrics = metrics
        self._instruments = instruments
        self._attributes = attributes

    def snapshot(self) -> dict[str, int]:
        return self._metrics.snapshot()

    def begun(self) -> None:
        self._metrics.begun()
        self._told([("conversations", 1), ("live", 1)])

    def ended(self, shed: int) -> None:
        self._metrics.ended(shed)
        self._told([("live", -1), ("events_shed", shed)])

    def count(self, counted: Iterable[tuple[str, int]]) -> None:
        counted = list(counted)
        self._metrics.count(counted)
        self._told(counted)

    def _told(self, counted: Iterable[tuple[str, int]]) -> None:
        for name, count in counted:
            if count:
                whose = {} if name == "live" else self._attributes()
                self._instruments.count(name, count, whose)
