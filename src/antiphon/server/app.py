"""`create_app`: a server for an agent; `live_router`, for an application of your own (contract 8)."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI, WebSocket

from antiphon.agents import BaseAgent
from antiphon.config import RunConfig
from antiphon.runtime import InMemoryRunner, Runner
from antiphon.server.access import Access, AccessGate
from antiphon.server.dialects import AdkSocket, PlainSocket, V1Socket
from antiphon.server.draining import drained_on_sigterm
from antiphon.server.entrances import enter_adk, enter_plain, enter_v1
from antiphon.server.http import add_http
from antiphon.server.limits import ServerLimits
from antiphon.server.page import page_router
from antiphon.server.room import Place
from antiphon.server.rooms import Rooms
from antiphon.server.visits import receive, speaks_v1
from antiphon.types import SessionResumptionConfig

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["create_app", "live_router"]


def create_app(
    runner: Runner | BaseAgent,
    *,
    limits: ServerLimits | None = None,
    access: Access | None = None,
    run_config: RunConfig | None = None,
    suggestions: Sequence[str] | None = None,
) -> FastAPI:
    """A FastAPI application that serves conversations with the runner's agent.

    Args:
        runner: Whose conversations; of an agent alone, sessions live as long as the application.
        limits: What clients may do, and how many there may be.
        access: Who may come in; unset, pages of this server and whoever is not a page.
        run_config: How conversations run; clients may change a few settings (contract 8.1). Unset,
            connections to the model are resumed (contract 7.1).
        suggestions: What the page at `/` proposes to say; unset, they are made of the agent's tools.

    On `SIGTERM` conversations have `limits.drain_seconds` to end; when the application ends, so do they,
    and the runner is closed. `app.state.rooms` has what runs.
    """
    access = access or Access()
    if isinstance(runner, BaseAgent):
        runner = InMemoryRunner(runner)
    config = RunConfig(session_resumption=SessionResumptionConfig()) if run_config is None else run_config
    rooms = Rooms(runner, limits or ServerLimits(), config)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with rooms.runner:
            try:
                with drained_on_sigterm(rooms):
                    yield
            finally:
                await rooms.aclose()

    app = FastAPI(title=rooms.runner.app_name, lifespan=lifespan)
    app.state.rooms = rooms
    app.include_router(live_router(rooms, access))
    add_http(app, rooms, access)
    app.include_router(page_router(rooms.runner, suggestions=suggestions))
    app.add_middleware(AccessGate, access=access, refused=rooms.metrics.refused)
    return app


def live_router(rooms: Rooms, access: Access) -> APIRouter:
    """The conversations' WebSockets, for an application of your own: `await rooms.aclose()` when it ends."""
    router = APIRouter()

    async def converse(websocket: WebSocket) -> None:
        place = Place(**websocket.path_params)
        if speaks_v1(websocket):
            await receive(V1Socket, enter_v1, websocket, rooms, access, place)
        else:
            await receive(PlainSocket, enter_plain, websocket, rooms, access, place)

    router.add_websocket_route("/ws/{user_id}/{session_id}", converse)  # FastAPI's own keep 5 KiB for each

    @router.websocket("/run_live")
    async def run_live(websocket: WebSocket, app_name: str, user_id: str, session_id: str) -> None:
        await receive(AdkSocket, enter_adk, websocket, rooms, access, Place(user_id, session_id))

    return router
