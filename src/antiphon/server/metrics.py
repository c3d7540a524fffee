"""`/metrics`: the numbers of a runner and of its server, as Prometheus reads them.

They are put into words when somebody asks, and cost nothing before: a runner counts anyway (contract 7.1),
and the server adds to a dict.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from antiphon.runtime.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import Metric

    from antiphon.runtime import Runner
    from antiphon.server.access import Access

__all__ = ["GAUGES", "SERVER_METRICS", "ServerMetrics", "metrics_router"]

GAUGES: Final[Mapping[str, str]] = {
    "sockets": "WebSockets that are open now.",
    "open": "Conversations that are open now, with a client or waiting for one to come back.",
    "waiting": "Clients in line for a place now.",
}
"""What a server has at the moment, by name."""

SERVER_METRICS: Final[Mapping[str, str]] = {
    "reconnects": "Clients that came back to their conversation.",
    "shed": "Frames of sound that clients were too slow for, counted when they have left.",
    "refusals": "Clients that were turned away, by the code they were told, or the HTTP status.",
}
"""What a server counts, by name; it only ever grows."""


class ServerMetrics:
    """The numbers of one server. To be used on its event loop.

    Args:
        gauges: Functions that tell what is now, by names in `GAUGES`.
    """

    def __init__(self, gauges: Mapping[str, Callable[[], int]] | None = None) -> None:
        self._gauges = dict(gauges or {})
        self._counts: Counter[str] = Counter()
        self._refusals: Counter[str] = Counter()

    def count(self, name: str, by: int = 1) -> None:
        """Adds to one of `SERVER_METRICS`."""
        self._counts[name] += by

    def refused(self, code: str) -> None:
        """Somebody was refused, with a code of protocol 7.1 or an HTTP status."""
        self._refusals[code] += 1

    def snapshot(self) -> dict[str, int]:
        """All numbers by name, refusals together."""
        now = {name: self._gauges[name]() for name in GAUGES if name in self._gauges}
        counted = {name: self._counts[name] for name in SERVER_METRICS}
        return now | counted | {"refusals": self._refusals.total()}

    def refusals(self) -> dict[str, int]:
        """How often each code was told."""
        return dict(self._refusals)


def metrics_router(runner: Runner, server: ServerMetrics, access: Access) -> APIRouter:
    """The route; it needs no token, and tells of nobody but in sum."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(runner, server))
    router = APIRouter(tags=["health"])

    @router.get(
        "/metrics",
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {}}, "description": "The text format."}},
    )
    async def metrics(request: Request) -> Response:
        """Of this process; with several workers each has its own."""
        access.admit(request.scope)
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return router


class _Numbers(Collector):
    def __init__(self, runner: Runner, server: ServerMetrics) -> None:
        self._runner = runner
        self._server = server

    def collect(self) -> Iterator[Metric]:
        app = [self._runner.app_name]
        numbers = self._runner.metrics.snapshot()
        ended = CounterMetricFamily("antiphon_ended", "Conversations that have ended.", labels=["app", "by"])
        for name, told in METRICS.items():
            if name.startswith("ended."):
                ended.add_metric([*app, name.removeprefix("ended.")], numbers[name])
            elif name == "live":
                yield _gauge(name, told, app, numbers[name])
            else:
                yield _counter(name, told, app, numbers[name])
        yield ended
        served = self._server.snapshot()
        for name, told in GAUGES.items():
            if name in served:
                yield _gauge(f"server_{name}", told, app, served[name])
        for name, told in SERVER_METRICS.items():
            if name != "refusals":
                yield _counter(f"server_{name}", told, app, served[name])
        refused = CounterMetricFamily(
            "antiphon_server_refusals", SERVER_METRICS["refusals"], labels=["app", "code"]
        )
        for code, count in self._server.refusals().items():
            refused.add_metric([*app, code], count)
        yield refused


def _gauge(name: str, told: str, app: list[str], value: float) -> Metric:
    family = GaugeMetricFamily(f"antiphon_{name}", told, labels=["app"])
    family.add_metric(app, value)
    return family


def _counter(name: str, told: str, app: list[str], value: float) -> Metric:
    family = CounterMetricFamily(f"antiphon_{name}", told, labels=["app"])
    family.add_metric(app, value)
    return family
