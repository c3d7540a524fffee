"""The links a conversation has asked for: each a connection to a model, under the number it was given."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from antiphon.core.signals import LinkDialled, LinkLost, Received
from antiphon.errors import AntiphonError, ModelConnectionError
from antiphon.models import Listener, LiveModel, ModelConnection, Setup

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from antiphon.config import RunConfig
    from antiphon.core.messages import Message, Opening
    from antiphon.core.signals import ModelSignal, Signal
    from antiphon.runtime.tape_writer import TapeWriter
    from antiphon.runtime.tasks import TaskOwner

__all__ = ["Link", "LinkBoard"]

log = logging.getLogger(__name__)


class Link(Listener):
    """One link. It turns what its connection reports into signals.

    Its loss is reported once, by `lose`, and not before the loop's next turn: what is still said on it
    meanwhile then comes back in order, together with what the connection did not send.
    """

    def __init__(
        self,
        number: int,
        feed: Callable[[Signal], None],
        drain: Callable[[], None],
        lose: Callable[[LinkLost], None],
    ) -> None:
        self.number = number
        self.connection: ModelConnection | None = None
        self.opening: asyncio.Task[None] | None = None
        self._feed = feed
        self._drain = drain
        self._lose = lose
        self._unsent: list[Message] | None = None

    def send(self, message: Message) -> None:
        if self._unsent is not None:
            self._unsent.append(message)
            return
        assert self.connection is not None, "the conversation sends on live links only"
        self.connection.send(message)

    def received(self, said: Sequence[ModelSignal]) -> None:
        self._feed(Received(self.number, said))

    def writable(self) -> None:
        self._drain()

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        if self._unsent is None:
            self._unsent = list(unsent)
            asyncio.get_running_loop().call_soon(self._report, error, self._unsent, doubtful)

    def _report(
        self,
        error: ModelConnectionError | None,
        unsent: list[Message],
        doubtful: tuple[Message | Opening, ...],
    ) -> None:
        self._lose(LinkLost(self.number, error, tuple(unsent), doubtful))


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
        self._newest = 0

    def __len__(self) -> int:
        return len(self._links)

    @property
    def writable(self) -> bool:
        """Whether more may be taken from the user. A link that is gone keeps nothing back: the core does."""
        link = self._links.get(self._newest)
        return link is None or link.connection is None or link.connection.writable

    def dial(self, number: int, agent: str) -> None:
        """Opens a connection to the agent's model; `LinkDialled` or `LinkLost` follows."""
        if self._tape is not None:
            self._tape.dialled(number, agent)
        model = self._models[agent]
        link = self._links[number] = Link(number, self._feed, self._drain, self._lost)
        link.opening = self._tasks.spawn(self._open(link, model), f"antiphon-dial {number}")

    def begin(self, number: int, setup: Setup) -> bool:
        """Sets up the session on a link that is open. False for one that is gone, which has been reported."""
        link = self._links.get(number)
        if link is None or link.connection is None:
            return False
        self._newest = number
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
            self._tasks.spawn(self._close(link, code, reason), f"antiphon-hang-up {number}")

    async def close_all(self) -> None:
        """Closes every link that is left; returns when nothing is open."""
        await asyncio.gather(*(self._close(link, 1000, "") for link in list(self._links.values())))

    async def _open(self, link: Link, model: LiveModel) -> None:
        try:
            link.connection = await model.connect(self._config, link)
        except ModelConnectionError as error:
            link.lost(error, ())
        except Exception as error:
            told = str(error)
            if not isinstance(error, AntiphonError):
                log.exception("Connecting to %s failed in an unexpected way.", model.name)
                told = f"Connecting to {model.name} failed: {type(error).__name__}: {error}"
            failed = ModelConnectionError(told)
            failed.__cause__ = error
            link.lost(failed, ())
        else:
            self._feed(LinkDialled(link.number))

    async def _close(self, link: Link, code: int, reason: str) -> None:
        if link.connection is None and link.opening is not None:
            link.opening.cancel()
            await asyncio.wait([link.opening])
        try:
            if link.connection is not None:
                await link.connection.close(code, reason)
        except Exception:
            log.exception("Closing link %d failed.", link.number)
        finally:
            link.lost(None, ())

    def _lost(self, lost: LinkLost) -> None:
        self._links.pop(lost.link, None)
        self._feed(lost)
        self._drain()  # what waited for this link to take more waits for it no longer
