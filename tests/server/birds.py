"""A runner with a model that answers by itself, and clients of its routes."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from fastapi import FastAPI

from antiphon import Agent, ChatModel, InMemoryRunner, LlmResponse
from antiphon.errors import QuotaExceeded
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from fastapi import APIRouter

    from antiphon.models.request import LlmRequest

__all__ = ["Parrot", "calling", "parrots", "serving"]


class Parrot(ChatModel):
    """Says what was said, in two pieces when asked to stream. Told `wait` it does, until it is closed;
    told `fail` it does that."""

    name = "parrot"

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.closed = asyncio.Event()
        self.error: Exception = QuotaExceeded("The account sk-1234 is over its quota.")

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        said = next(part.text for part in reversed(request.contents[-1].parts or []) if part.text)
        for piece in ("You said ", said) if stream else ():
            yield LlmResponse(content=_content(piece), partial=True)
        if said == "wait":
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.closed.set()
        if said == "fail":
            raise self.error
        yield LlmResponse(content=_content(f"You said {said}"))


def parrots() -> InMemoryRunner:
    """A runner of an application `birds`."""
    return InMemoryRunner(Agent(name="parrot", model=Parrot(), instruction="Repeat."), app_name="birds")


@asynccontextmanager
async def calling(*routers: APIRouter, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with these routes, without a network."""
    app = FastAPI()
    for router in routers:
        app.include_router(router)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", **options) as client:
        yield client


def _content(text: str) -> Content:
    return Content(role="model", parts=[Part.from_text(text=text)])


@asynccontextmanager
async def serving(app: Any, **settings: Any) -> AsyncIterator[int]:
    """The port of an application that uvicorn serves on loopback."""
    config = uvicorn.Config(app, port=0, log_config=None, timeout_graceful_shutdown=1, **settings)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([listening])
        ticking = asyncio.create_task(server.main_loop())
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await ticking
            await server.shutdown([listening])
