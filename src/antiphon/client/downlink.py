"""What a client was told, so that nothing is told twice after a break: pure, no sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from antiphon.client import items
from antiphon.events import Event
from antiphon.server import messages

if TYPE_CHECKING:
    from antiphon.client.items import Item
    from antiphon.server.messages import Config, Media, Sequenced, Unknown

__all__ = ["Downlink", "event_of", "item_of"]


class Downlink:
    """How far the conversation was followed, over all its sockets."""

    def __init__(self, config: Config, watch: bool) -> None:
        self._config = config
        self._watch = watch
        self._token: str | None = None
        self._audio: tuple[int, int] | None = None
        self._flushed = 0
        self.seq = 0
        """The last message that was seen."""

    def hello(self) -> messages.ClientHello:
        """The first frame of the next socket."""
        if self._token is None:
            return messages.ClientHello(watch=self._watch, config=self._config)
        return messages.ClientHello(self._token, self.seq, self._audio, self._watch)

    def welcome(self, hello: messages.ServerHello) -> None:
        """The server knows this client from now on."""
        self._token = hello.resume

    def begin_anew(self) -> None:
        """The server does not know the conversation any more."""
        self._token, self._audio, self._flushed, self.seq = None, None, 0, 0

    def is_new(self, message: Sequenced | Unknown | Media) -> bool:
        """Whether it was not seen before, and is not of an answer that was flushed."""
        if isinstance(message, messages.Media):
            place = (message.stream, message.number)
            if message.stream <= self._flushed or (self._audio is not None and place <= self._audio):
                return False
            self._audio = place
            return True
        if message.seq is None or message.seq <= self.seq:
            return False
        self.seq = message.seq
        if isinstance(message, messages.Flush):
            self._flushed = max(self._flushed, message.stream)
        return True


def item_of(message: Sequenced | Media) -> Item:
    """The message as the application sees it. Raises `ValidationError` for an event that is none."""
    match message:
        case messages.Media():
            pcm = bytes(message.data)
            return items.Audio(message.stream, message.number, message.at, message.rate, pcm)
        case messages.Event():
            return event_of(message.event)
        case messages.Flush():
            return items.Flush(message.stream)
        case messages.Drain():
            return items.Draining(message.seconds)
        case messages.Role():
            return items.RoleChanged(message.role)
        case messages.Closed():
            return items.Closed(message.reason)
        case messages.Shed():
            return items.Missing(message.stream, message.number, message.frames)


def event_of(text: str) -> Event:
    """An event of its JSON; fields that a later server may have are left aside (protocol 1.4)."""
    try:
        return Event.model_validate_json(text)
    except ValidationError as error:
        unknown = [each["loc"] for each in error.errors() if each["type"] == "extra_forbidden"]
        if not unknown:
            raise
        event = from_json(text)
        for *way, name in unknown:
            inside: Any = event
            for step in way:
                inside = inside[step]
            del inside[name]
        return Event.model_validate_json(to_json(event))
