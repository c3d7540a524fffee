"""`POST /run` and `/run_sse`: one turn, asked and answered over HTTP, in the shapes of ADK's API server."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, HTTPException, Request, Response
from pydantic import ConfigDict, Field

from antiphon.config import RunConfig, StreamingMode
from antiphon.errors import (
    AntiphonError,
    ConnectionLost,
    ModelConnectionError,
    ModelUnavailable,
    QuotaExceeded,
    SessionNotFound,
    UnsupportedByModel,
    UsageError,
)
from antiphon.events import Event
from antiphon.runtime.tasks import TaskOwner
from antiphon.server.bodies import BodyLimits, bounded_route
from antiphon.server.rest import Problem, client_state, known_app
from antiphon.types import Content
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from starlette.types import Message, Receive, Scope, Send

    from antiphon.runtime import Runner
    from antiphon.server.access import Access
    from antiphon.server.health import Occupancy

__all__ = ["RunRequest", "run_router"]

log = logging.getLogger(__name__)

BEAT: Final = 15.0
"""Seconds after which a stream says that it goes on: proxies end connections that say nothing."""
ENDING: Final = 2.0
"""Seconds that the watch over a run has to end."""


class RunRequest(Model):
    """What the user says, and where. Names may be in camelCase or snake_case; unknown fields are ignored."""

    model_config = ConfigDict(defer_build=False, extra="ignore")

    app_name: str
    user_id: str
    session_id: str
    new_message: Content
    streaming: bool = Field(default=False)
    """`/run_sse` only: text in pieces as it comes, and then whole."""
    state_delta: dict[str, Any] | None = None
    """Lands with the message; not `app:`."""


def run_router(
    runner: Runner,
    access: Access,
    *,
    occupancy: Occupancy | None = None,
    bodies: BodyLimits | None = None,
    at_once: int = 100,
) -> APIRouter:
    """The routes that run an agent turn by turn; its model has to be one that can be asked (contract 6.3).

    Args:
        runner: Whose agent is asked.
        access: Who may ask; a user reaches sessions of the user's own.
        occupancy: Says when the server is about to end: then no run begins.
        bodies: Bounds of what is sent.
        at_once: Runs at the same time; one more is answered by 503.
    """
    running = _Running(at_once)
    router = APIRouter(
        route_class=bounded_route(bodies or BodyLimits()),
        tags=["runs"],
        responses={
            code: {"model": Problem, "description": told}
            for code, told in (
                (401, "A token is needed, or was not accepted."),
                (403, "It is another's."),
                (404, "There is no such app or session."),
                (422, "What was sent does not fit."),
                (502, "The model refused."),
                (503, "The server is full or about to end, or the model is overloaded: try again."),
            )
        },
    )

    async def begun(request: Request, asked: RunRequest, mode: StreamingMode) -> AsyncGenerator[Event, None]:
        await access.identify(request.scope, asked.user_id)
        known_app(runner, asked.app_name)
        delta = client_state(asked.state_delta)
        if occupancy is not None and occupancy.draining:
            raise _later("The server is about to end: ask again.")
        return runner.run_async(
            user_id=asked.user_id,
            session_id=asked.session_id,
            new_message=asked.new_message,
            state_delta=delta or None,
            run_config=RunConfig(streaming_mode=mode, lifecycle_events=False),
        )

    @router.post("/run", summary="Ask, and get all that comes of it", response_model=list[Event])
    async def run(request: Request, asked: RunRequest) -> Response:
        """The events of one turn, when it is over. Whoever hangs up ends it."""
        return _Collected(await begun(request, asked, StreamingMode.NONE), running)

    @router.post(
        "/run_sse",
        summary="Ask, and get what comes of it as it comes",
        response_class=Response,
        responses={
            200: {"content": {"text/event-stream": {}}, "description": "`data:` and an event's JSON."}
        },
    )
    async def run_sse(request: Request, asked: RunRequest) -> Response:
        """Server-sent events. One that fails after it has begun ends with `data: {"error": …}`."""
        mode = StreamingMode.SSE if asked.streaming else StreamingMode.NONE
        return _Streamed(await begun(request, asked, mode), running)

    return router


class _Running:
    """How many runs there are."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._now = 0

    def __enter__(self) -> None:
        if self._now >= self._most:
            raise _later(f"{self._now} runs go on already: ask again.")
        self._now += 1

    def __exit__(self, *exception: object) -> None:
        self._now -= 1


class _Collected(Response):
    """A run as a response: it goes on while the client is there, and ends with it."""

    media_type = "application/json"

    def __init__(self, events: AsyncGenerator[Event, None], running: _Running) -> None:
        super().__init__(headers={"Cache-Control": "no-store"})
        del self.headers["content-length"]
        self._events = events
        self._running = running
        self._gone = False
        self._over = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        run = asyncio.current_task()
        assert run is not None
        owner = TaskOwner(self._crashed)
        owner.spawn(self._watch(receive, run), "watches for the end of a client")
        self._accompany(owner, send)
        try:
            async with aclosing(self._events) as events:
                with self._running:
                    await self._answer(events, send)
        except asyncio.CancelledError:
            if not self._gone or run.uncancel():
                raise
        finally:
            self._over = True
            await owner.cancel_all(ENDING)

    async def _answer(self, events: AsyncGenerator[Event, None], send: Send) -> None:
        try:
            written = [_written(event) async for event in events]
        except AntiphonError as error:
            raise _refusal(error) from error
        self._over = True
        await send(self._start())
        await send({"type": "http.response.body", "body": b"[" + b",".join(written) + b"]"})

    async def _watch(self, receive: Receive, run: asyncio.Task[Any]) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        if not self._over:
            self._gone = True
            run.cancel()

    def _accompany(self, owner: TaskOwner, send: Send) -> None:
        """What else goes on during a run."""

    def _start(self) -> Message:
        return {"type": "http.response.start", "status": 200, "headers": self.raw_headers}

    def _crashed(self, error: BaseException) -> None:
        log.error("What accompanies a run failed.", exc_info=error)


class _Streamed(_Collected):
    """The same event by event. Its status waits for the first, so that a refusal has one of its own."""

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[Event, None], running: _Running) -> None:
        super().__init__(events, running)
        self._begun = asyncio.Event()

    async def _answer(self, events: AsyncGenerator[Event, None], send: Send) -> None:
        try:
            async for event in events:
                if not self._begun.is_set():
                    await send(self._start())
                    self._begun.set()
                await send(_chunk(b"data: " + _written(event) + b"\n\n"))
        except AntiphonError as error:
            refused = _refusal(error)
            if not self._begun.is_set():
                raise refused from error
            await send(_chunk(b"data: " + json.dumps({"error": refused.detail}).encode() + b"\n\n"))
        self._over = True
        if not self._begun.is_set():
            await send(self._start())
        await send({"type": "http.response.body", "body": b""})

    def _accompany(self, owner: TaskOwner, send: Send) -> None:
        owner.spawn(self._beat(send), "says that a stream goes on")

    async def _beat(self, send: Send) -> None:
        await self._begun.wait()
        while not self._over:
            await asyncio.sleep(BEAT)
            await send(_chunk(b": still at it\n\n"))


def _written(event: Event) -> bytes:
    return event.model_dump_json(exclude_none=True, by_alias=True).encode()


def _chunk(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _later(detail: str, seconds: float | None = None) -> HTTPException:
    return HTTPException(503, detail, {"Retry-After": str(max(round(seconds or 1), 1))})


def _refusal(error: AntiphonError) -> HTTPException:
    """What a client is told; what is nobody's business but the server's is in its log."""
    match error:
        case SessionNotFound():
            return HTTPException(404, "There is no such session: POST one first.")
        case UsageError() | UnsupportedByModel():
            return HTTPException(400, str(error))
    log.warning("A run failed: %s: %s", type(error).__name__, error)
    match error:
        case ModelUnavailable() | ConnectionLost() | QuotaExceeded():
            return _later("The model cannot be reached, or has too much to do: try again.", error.retry_after)
        case ModelConnectionError():
            return HTTPException(502, "The model refused; the server's log says why.")
    return HTTPException(500, "The server could not do it; its log says why.")
