"""What a live model is to the runtime: a handful of verbs.

A provider is a `LiveModel` (where it is, what it can do) whose `connect` gives a `ModelConnection`. Over a
WebSocket it is enough to write a `Codec` and use `models.socket`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from antiphon.models.refusals import refuse_unsupported

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.core.messages import Message, Opening
    from antiphon.core.signals import ModelSignal
    from antiphon.errors import ModelConnectionError
    from antiphon.models.chat import ChatModel
    from antiphon.models.request import ModelHooks
    from antiphon.types import Content, GenerateContentConfig, Tool

__all__ = ["Codec", "Listener", "LiveModel", "ModelConnection", "Setup"]


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a model is told before the conversation begins, or goes on."""

    config: RunConfig
    instruction: str = ""
    tools: Sequence[Tool] = ()
    generation: GenerateContentConfig | None = None
    handle: str | None = None
    """Resume the session this stands for; then there is no history."""
    history: Sequence[Content] = ()
    pending: Content | None = None
    """To be said once the model is ready, for it to answer."""
    asks: bool = False
    """The history ends with what is to be answered once the model is ready; for turn-based models."""
    hooks: ModelHooks | None = None
    """Asked around each call, by a model that is called request by request."""


class Listener(Protocol):
    """Where a connection reports to. All three are called on the event loop, and return at once."""

    def received(self, said: Sequence[ModelSignal]) -> None:
        """The model said this, in this order; `ModelReady` among it once the set-up is accepted."""

    def writable(self) -> None:
        """`ModelConnection.writable` is true again."""

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        """The connection has ended; nothing more is reported. `error` is `None` for an end in good order.

        `unsent`: what never left. `doubtful`: what left before, media aside, and may not have been read.
        """


@runtime_checkable
class ModelConnection(Protocol):
    """One open connection to a model. It buffers what it is given and reports to its `Listener`."""

    @abstractmethod
    def begin(self, setup: Setup) -> None:
        """Sets the session up; called once, before anything is sent. Answered by `ModelReady`."""

    @abstractmethod
    def send(self, message: Message) -> None:
        """Says this to the model, after everything said before. Never blocks.

        What never left is in `lost`; nothing is sent, or reported, once that was called.
        """

    @property
    @abstractmethod
    def writable(self) -> bool:
        """Whether the model keeps up. While it does not, media should wait where it can be shed."""

    @abstractmethod
    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Ends the session in good order, after what was sent; nothing is reported any more but `lost`.

        Returns when nothing is left open, which takes a bounded time. Twice is fine.
        """


class LiveModel(ABC):
    """A model one can hold a live conversation with. Instances are shared by all conversations."""

    name: str
    provider: str = "custom"
    """Whose service it is, by OpenTelemetry's names (`gen_ai.provider.name`)."""

    @property
    @abstractmethod
    def capabilities(self) -> Capabilities:
        """What it can do; asked before every run (contract 6.2)."""

    @property
    def secrets(self) -> Sequence[str]:
        """Keys, tokens and the like that it was given; what is recorded is cleaned of them (contract 9.2)."""
        return ()

    @property
    def chat(self) -> ChatModel | None:
        """What is asked in turn-based runs instead; `None` for a model that is only live."""
        return None

    def check(self, config: RunConfig) -> None:
        """Refuses a run that cannot work, before anything is opened.

        Raises `ConfigurationError`, which says what to change.
        """
        refuse_unsupported(self.name, self.capabilities, config)

    @abstractmethod
    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        """Opens a connection and says nothing on it yet. Raises `ModelConnectionError`."""


class Codec(Protocol):
    """Frames of one wire to and from the runtime's words; pure. One for each connection."""

    @property
    def held(self) -> Sequence[Message]:
        """Messages that were encoded, but that no frame has said yet; lost connections report them unsent."""

    def setup(self, setup: Setup) -> Iterable[str]:
        """The frames that set a session up."""

    def opening(self, setup: Setup) -> Iterable[str]:
        """The frames that follow once the model is ready: history, and what it is to answer."""

    def encode(self, message: Message) -> Iterable[str]:
        """The frames that say `message`."""

    def decode(self, frame: bytes) -> list[ModelSignal]:
        """What the model said. Raises `MalformedFrame` for what cannot be read."""

    def close_error(self, code: int, reason: str) -> ModelConnectionError | None:
        """What a close frame means; `None` for an end in good order."""

    def handshake_error(self, status: int, body: str) -> ModelConnectionError:
        """What a refused handshake means."""
