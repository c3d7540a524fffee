"""Everything of a server but its sockets, for `create_app` or an application of your own."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from starlette.middleware.cors import CORSMiddleware

from antiphon.server.asyncapi import asyncapi_router
from antiphon.server.health import health_router
from antiphon.server.metrics import metrics_router
from antiphon.server.rest import NEXT_PAGE, rest_router
from antiphon.server.runs import run_router

if TYPE_CHECKING:
    from fastapi import FastAPI

    from antiphon.server.access import Access
    from antiphon.server.rooms import Rooms

__all__ = ["add_http"]

_TAGS: Final = [
    {"name": "sessions", "description": "Stored conversations, each user's own."},
    {"name": "artifacts", "description": "Files: recordings, and what tools have saved."},
    {"name": "runs", "description": "An agent asked turn by turn."},
    {"name": "health", "description": "For supervisors, load balancers and Prometheus."},
    {"name": "documents", "description": "What goes over the WebSockets."},
]


def add_http(app: FastAPI, rooms: Rooms, access: Access) -> None:
    """Adds sessions, artifacts, turn-based runs, health, metrics and documents to an application.

    Pages of `access.origins` may read the answers. Whoever comes from elsewhere is refused by each route; put
    `AccessGate` around the application as well, for its other routes.
    """
    runner, standing = rooms.runner, _Standing(rooms)
    for router in (
        rest_router(runner, access),
        run_router(runner, access, occupancy=standing),
        health_router(standing),
        metrics_router(runner, rooms.metrics, access),
        asyncapi_router(runner.app_name, access),
    ):
        app.include_router(router)
    app.version = version("antiphon")
    app.description = "Live conversations with an agent. The WebSockets are described in /asyncapi.json."
    app.openapi_tags = _TAGS
    if access.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=sorted(access.origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Range", "If-Range"],
            expose_headers=[NEXT_PAGE, "Content-Range", "Accept-Ranges", "ETag", "Retry-After"],
        )


class _Standing:
    """What rooms say of themselves, as `Occupancy`."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    @property
    def draining(self) -> bool:
        return self._rooms.draining

    @property
    def full(self) -> bool:
        return self._rooms.admission.held >= self._rooms.limits.places
