"""The links a conversation has asked for. What opens and closes them is `dialling`: here is no coroutine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.runtime.dialling import close_all, close_link, open_link
from antiphon.runtime.link import Link

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from antiphon.config import RunConfig
    from antiphon.core.messages import Message
    from antiphon.core.signals import LinkLost, Signal
    from antiphon.models import LiveModel, ModelConnection, Setup
    from antiphon.runtime.tape_writer import TapeWriter
    from antiphon.runtime.tasks import TaskOwner

__all__ = ["LinkBoard"]


class LinkBoard:
    """All links of one conversation.

    `models` are the agents', by name. `feed` takes the links' signals; `drain` is called when more may be
    taken from the user. `writer` writes down what models are told.
    """

    def __init__(
        self,
        config: RunConfig,
        models: Mapping[str, LiveModel],
        tasks: TaskOwner,
        feed: Callable[[Signal], None],
        drain: Callable[[], None],
        writer: TapeWriter | None = None,
    ) -> None:
        self._tape = writer
        self._config = config
        self._models = models
        self._tasks = tasks
        self._feed = feed
        self._drain = drain
        self._links: dict[int, Link] = {}
        self._newest: ModelConnection | None = None

    def __len__(self) -> int:
        return len(self._links)

    @property
    def writable(self) -> bool:
        """Whether more may be taken from the user. A link that is gone keeps nothing back: the core does."""
        connection = self._newest
        return connection is None or connection.writable

    def dial(self, number: int, agent: str) -> None:
        """Opens a connection to the agent's model; `LinkDialled` or `LinkLost` follows."""
        if self._tape is not None:
            self._tape.dialled(number, agent)
        model = self._models[agent]
        link = self._links[number] = Link(number, self._feed, self._drain, self._lost)
        opening = open_link(link, model, self._config, self._feed)
        link.opening = self._tasks.spawn(opening, f"antiphon-dial {number}")

    def begin(self, number: int, setup: Setup) -> bool:
        """Sets up the session on a link that is open. False for one that is gone, which has been reported."""
        link = self._links.get(number)
        if link is None or link.connection is None:
            return False
        self._newest = link.connection
        if self._tape is not None:
            self._tape.begun(number, setup)
        link.connection.begin(setup)
        return True

    def send(self, number: int, message: Message) -> None:
        if self._tape is not None:
            self._tape.told(number, message)
        self._links[number].send(message)

    def hang_up(self, number: int, code: int, reason: str) -> None:
        """Closes a link in good order, without waiting for it."""
        link = self._links.get(number)
        if link is not None:
            if self._tape is not None:
                self._tape.hung_up(number)
            self._tasks.spawn(close_link(link, code, reason), f"antiphon-hang-up {number}")

    def close_all(self) -> Coroutine[Any, Any, None]:
        """Closes every link that is left; returns when nothing is open."""
        return close_all(self._links)

    def _lost(self, lost: LinkLost) -> None:
        link = self._links.pop(lost.link, None)
        if link is not None and link.connection is self._newest:
            self._newest = None
        self._feed(lost)
        self._drain()  # what waited for this link to take more waits for it no longer
