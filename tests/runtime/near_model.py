"""A live model in this process: no socket, no delay, and every way in which a connection may misbehave."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antiphon.capabilities import Capabilities
from antiphon.core.signals import ModelReady
from antiphon.models import Listener, LiveModel, ModelConnection, Setup

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from antiphon import RunConfig
    from antiphon.core.messages import Message
    from antiphon.errors import ModelConnectionError

__all__ = ["NearConnection", "NearModel", "until"]


_NEVER = threading.Event()


async def until(condition: Callable[[], object]) -> None:
    """Lets others have their turn until `condition()` is true; threads too."""
    for turn in range(1_000_000):
        if condition():
            return
        await asyncio.sleep(0)
        if turn > 10_000:  # it is not on this loop: threads and processes need the processor
            _NEVER.wait(0.0005)
    raise AssertionError("it did not come true")


async def nothing() -> None:
    """Takes no time."""


class NearConnection(ModelConnection):
    """Says it is ready as soon as it is begun, within `begin`; keeps what it is told in `heard`."""

    def __init__(self, model: NearModel, listener: Listener) -> None:
        self.model = model
        self.listener = listener
        self.setup: Setup | None = None
        self.heard: list[Message] = []
        self.is_writable = True
        self.closed: tuple[int, str] | None = None

    def begin(self, setup: Setup) -> None:
        self.setup = setup
        self.listener.received([ModelReady()])

    def send(self, message: Message) -> None:
        if self.model.send_error is not None:
            raise self.model.send_error
        self.heard.append(message)

    @property
    def writable(self) -> bool:
        return self.is_writable

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = self.closed or (code, reason)
        await self.model.closing()
        if self.model.close_error is not None:
            raise self.model.close_error
        self.listener.lost(None, ())

    def drop(self, error: ModelConnectionError, *unsent: Message) -> None:
        """The connection breaks off."""
        self.listener.lost(error, unsent)


@dataclass(eq=False)
class NearModel(LiveModel):
    name: str = "near"
    connecting: Callable[[], Awaitable[object]] = nothing
    """What is waited for before a connection is there; `closing` before it is gone."""
    connect_error: BaseException | None = None
    send_error: Exception | None = None
    closing: Callable[[], Awaitable[object]] = nothing
    close_error: Exception | None = None
    connections: list[NearConnection] = field(default_factory=list)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        await self.connecting()
        if self.connect_error is not None:
            raise self.connect_error
        self.connections.append(NearConnection(self, listener))
        return self.connections[-1]
