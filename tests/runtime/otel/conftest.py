"""A conversation with a model in this process, and what OpenTelemetry was told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from antiphon import Agent, Event, InMemoryRunner, LiveRequestQueue, RunConfig, Telemetry
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from antiphon.core.signals import ModelSignal

APP = "InMemoryRunner"


class Told:
    """All that OpenTelemetry was told."""

    def __init__(self) -> None:
        self._spans = InMemorySpanExporter()
        self._reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self._spans))
        self.meters = MeterProvider([self._reader])

    def settings(self, *, content: bool | None = None) -> Telemetry:
        return Telemetry(self.tracers, self.meters, content)

    @property
    def spans(self) -> list[ReadableSpan]:
        """Those that have ended, in this order."""
        return list(self._spans.get_finished_spans())

    def span(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        [found] = [span for span in self.spans if span.name == name]
        return found

    def about(self, name: str) -> dict[str, Any]:
        return dict(self.span(name).attributes or {})

    def tree(self) -> list[str]:
        """Each span's name after those it is in, sorted."""
        by_id = {span.context.span_id: span for span in self.spans}

        def path(span: ReadableSpan) -> str:
            above = by_id.get(span.parent.span_id) if span.parent else None
            return f"{path(above)} / {span.name}" if above else span.name

        return sorted(map(path, self.spans))

    def measured(self, name: str, *keys: str) -> dict[Any, float]:
        """The sum (of a histogram) or value, by the values of these attributes."""
        found: dict[Any, float] = {}
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for metric in resource.scope_metrics[0].metrics:
                for point in metric.data.data_points if metric.name == name else ():
                    at = tuple((point.attributes or {}).get(key) for key in keys)
                    total = point.sum if hasattr(point, "sum") else point.value
                    found[at[0] if len(at) == 1 else at] = total
        return found


class Talk:
    """One conversation under watch."""

    def __init__(self, model: NearModel, queue: LiveRequestQueue) -> None:
        self.model = model
        self.queue = queue
        self.seen: list[Event] = []

    async def say(self, *said: ModelSignal) -> None:
        """The model says this in one frame; returns when all has come of it that comes at once."""
        self.model.connections[-1].listener.received(said)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(50):
            await asyncio.sleep(0)


Talking = Callable[..., Any]


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def talking(told: Told) -> Talking:
    @asynccontextmanager
    async def conversation(
        agent: Agent | None = None,
        *,
        config: RunConfig | None = None,
        content: bool | None = None,
        model: NearModel | None = None,
    ) -> AsyncIterator[Talk]:
        model = model or NearModel()
        root = (agent or Agent(name="helper")).model_copy(update={"model": model})
        runner = InMemoryRunner(root, telemetry=told.settings(content=content))
        await runner.session_service.create_session(app_name=APP, user_id="ann", session_id="s1")
        talk = Talk(model, LiveRequestQueue())
        running = runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=talk.queue, run_config=config or RunConfig()
        )

        async def read() -> None:
            async with aclosing(running) as events:
                async for event in events:
                    talk.seen.append(event)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            await talk.settle()
            yield talk
            if not talk.queue.closed:
                talk.queue.close()

    return conversation
