"""Whether conversations are told to OpenTelemetry. Without it, its packages are not even imported."""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.errors import MissingExtra
from antiphon.runtime.observer import Guarded

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from antiphon.agents import InvocationContext, Troupe
    from antiphon.runtime.metrics import Metrics
    from antiphon.runtime.observer import Observer

__all__ = ["Telemetry", "Watching"]

log = logging.getLogger(__name__)

CONTENT: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
"""The environment variable by which GenAI instrumentations are asked for content."""
_WITH_CONTENT: Final = frozenset({"true", "1", "span_only", "span_and_event"})
_API: Final = ("opentelemetry.trace", "opentelemetry.metrics")
"""Where the providers are that stand in for those an application has not set."""
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.37.0"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """How conversations are told to OpenTelemetry (contract 1.7).

    Args:
        tracer_provider: Who makes the spans; else the application's own, set by `trace.set_tracer_provider`.
        meter_provider: Who makes the instruments; else the one set by `metrics.set_meter_provider`.
        content: Whether spans hold what was said and what tools were given and gave. Else what the
            environment says: `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true`, or `SPAN_ONLY`.
    """

    tracer_provider: TracerProvider | None = None
    meter_provider: MeterProvider | None = None
    content: bool | None = None


class Watching:
    """Makes the observers of a runner's conversations.

    `telemetry` says how; True is the application's providers, False never. Without it each conversation is
    watched that begins after a provider was set, by whatever sets the application up.

    Raises `MissingExtra` when OpenTelemetry is asked for and its API is not there.
    """

    def __init__(self, telemetry: Telemetry | bool | None) -> None:
        self._off = telemetry is False
        self._settings = telemetry if isinstance(telemetry, Telemetry) else Telemetry()
        self._observe: Callable[[InvocationContext, Troupe, Metrics], Observer] | None = None
        if telemetry:
            self._begin()

    def observer(self, invocation: InvocationContext, troupe: Troupe, metrics: Metrics) -> Observer | None:
        """Who watches the conversation that begins, if anybody; its span is a child of the current one."""
        if self._off or (self._observe is None and "opentelemetry" not in sys.modules):
            return None  # nobody can have set a provider
        try:
            if self._observe is None and not _provided():
                return None
            observe = self._observe or self._begin()
            return Guarded(observe(invocation, troupe, metrics))
        except Exception:
            log.exception("Telemetry failed; the conversation goes on without.")
            return None

    def _begin(self) -> Callable[[InvocationContext, Troupe, Metrics], Observer]:
        try:
            from opentelemetry.metrics import get_meter
            from opentelemetry.trace import get_tracer
        except ImportError as missing:
            raise MissingExtra("Telemetry needs OpenTelemetry: pip install 'antiphon[otel]'.") from missing
        from importlib.metadata import version

        from antiphon.runtime.otel.instruments import Instruments
        from antiphon.runtime.otel.observer import OtelObserver

        settings, mine = self._settings, version("antiphon")
        tracer = get_tracer("antiphon", mine, settings.tracer_provider, _SCHEMA)
        instruments = Instruments(get_meter("antiphon", mine, settings.meter_provider, _SCHEMA))
        content = settings.content
        if content is None:
            content = os.environ.get(CONTENT, "").strip().lower() in _WITH_CONTENT

        def observe(invocation: InvocationContext, troupe: Troupe, metrics: Metrics) -> Observer:
            return OtelObserver(tracer, instruments, invocation, troupe, metrics, content=content)

        self._observe = observe
        return observe


def _provided() -> bool:
    """Whether the application has set a provider, itself or by the environment."""
    from opentelemetry.metrics import get_meter_provider
    from opentelemetry.trace import get_tracer_provider

    found = (get_tracer_provider(), get_meter_provider())
    return not all(type(each).__module__.startswith(_API) for each in found)
