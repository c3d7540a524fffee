"""The links a conversation has asked for: each a connection to a model, under the number it was given."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from antiphon.core.signals import LinkDialled, LinkLost, Received
from antiphon.errors import AntiphonError, ModelConnectionError
from antiphon.models import Listener, LiveModel, ModelConnection, Setup

if TYPE_CHECKING:
    from antiphon.config import RunConfig
    from antiphon.core.messages import Message
    from antiphon.core.signals import ModelSignal, Signal
    from antiphon.runtime.tasks import TaskOwner

__all__ = ["Link", "LinkBoard"]

log = logging.getLogger(__name__)


class Link(Listener):
    """One link. It turns what its connection reports into signals, and reports its loss exactly once."""

    def __init__(self, number: int, feed: Callable[[Signal], None], drain: Callable[[], None]) -> None:
        self.number = number
        self.connection: ModelConnection | None = None
        self.opening: asyncio.Task[None] | None = None
        self._feed = feed
        self._drain = drain
        self._lost = False

    def received(self, said: Sequence[ModelSignal]) -> None:
        self._feed(Received(self.number, said))

    def writable(self) -> None:
        self._drain()

    def lost(self, error: ModelConnectionError | None, unsent: tuple[Message, ...]) -> None:
        if not self._lost:
            self._lost = True
            self._feed(LinkLost(self.number, error, unsent))


class LinkBoard:
    """All links of one conversation."""

    def __init__(
        self, config: RunConfig, tasks: TaskOwner, feed: Callable[[Signal], None], drain: Callable[[], None]
    ) -> None:
        self._config = config
        self._tasks = tasks
        self._feed = feed
        self._drain = drain
        self._links: dict[int, Link] = {}
        self._newest = 0

    @property
    def writable(self) -> bool:
        """Whether more may be taken from the user: a link that is not there keeps nothing back, the core does."""
        link = self._links.get(self._newest)
        return link is None or link.connection is None or link.connection.writable

    def dial(self, number: int, model: LiveModel) -> None:
        """Opens a connection; `LinkDialled` or `LinkLost` follows."""
        link = self._links[number] = Link(number, self._feed, self._drain)
        link.opening = self._tasks.spawn(self._open(link, model), f"antiphon-dial {number}")

    def begin(self, number: int, setup: Setup) -> None:
        """Sets up the session on a link that is open; one that is gone meanwhile has been reported."""
        link = self._links.get(number)
        if link is not None and link.connection is not None:
            self._newest = number
            link.connection.begin(setup)

    def send(self, number: int, message: Message) -> None:
        link = self._links[number]
        assert link.connection is not None, "the conversation sends on live links only"
        link.connection.send(message)

    def hang_up(self, number: int, code: int, reason: str) -> None:
        """Closes a link in good order, without waiting for it."""
        link = self._links.get(number)
        if link is not None:
            self._tasks.spawn(self._close(link, code, reason), f"antiphon-hang-up {number}")

    async def close_all(self) -> None:
        """Closes every link that is left; returns when nothing is open."""
        await asyncio.gather(*(self._close(link, 1000, "") for link in list(self._links.values())))

    async def _open(self, link: Link, model: LiveModel) -> None:
        try:
            link.connection = await model.connect(self._config, link)
        except ModelConnectionError as error:
            link.lost(error, ())
        except AntiphonError as error:
            link.lost(ModelConnectionError(str(error)), ())
        except Exception as error:
            log.exception("Connecting to %s failed in an unexpected way.", model.name)
            link.lost(ModelConnectionError(f"Connecting to {model.name} failed: {type(error).__name__}: {error}"), ())
        else:
            self._feed(LinkDialled(link.number))

    async def _close(self, link: Link, code: int, reason: str) -> None:
        if link.connection is None and link.opening is not None:
            link.opening.cancel()
            await asyncio.wait([link.opening])
        if link.connection is not None:
            await link.connection.close(code, reason)
        link.lost(None, ())
        self._links.pop(link.number, None)
