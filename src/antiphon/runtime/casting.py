"""Who takes part in a runner's conversations: live, and in turn-based runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon import agents
from antiphon.errors import UnknownModel

if TYPE_CHECKING:
    from antiphon.agents import BaseAgent, Troupe
    from antiphon.sessions import Session
    from antiphon.tools import BaseToolset
    from antiphon.types import Content

__all__ = ["Casting", "first_to_speak"]


class Casting:
    """The agents of one runner, made ready once for each kind of run.

    For turn-based runs that happens when the first is begun, so that a live application never needs the SDKs
    those need. An application whose models are known for turn-based runs only is told so when it
    tries a live one. Raises `ConfigurationError` when the agents cannot work at all.
    """

    def __init__(self, root: BaseAgent) -> None:
        self._root = root
        self._live: Troupe | None = None
        self._turn_based: Troupe | None = None
        self._refusal: UnknownModel | None = None
        try:
            self._live = agents.assemble(root)
        except UnknownModel as unknown:
            self._refusal = unknown
            try:
                self._turn_based = agents.assemble(root, turn_based=True)
            except UnknownModel:
                raise unknown from None

    def any(self) -> Troupe:
        """The agents as they were made ready first."""
        return self._live or self.turn_based()

    def toolsets(self) -> list[BaseToolset]:
        """All that the agents have, of whatever kind of run."""
        return self.any().toolsets()

    def live(self) -> Troupe:
        """For live runs. Raises `UnknownModel`."""
        if self._live is None:
            assert self._refusal is not None
            raise self._refusal
        return self._live

    def turn_based(self) -> Troupe:
        """For turn-based runs. Raises `UnknownModel`, `UnsupportedByModel`, `MissingExtra`."""
        if self._turn_based is None:
            self._turn_based = agents.assemble(self._root, turn_based=True)
        return self._turn_based


def first_to_speak(troupe: Troupe, session: Session, message: Content) -> str:
    """Who a turn-based run begins with (contract 6.3).

    The agent whose call the message answers; else the one that spoke last, if it could hand back; else the
    first of the cast.
    """
    answered = {part.function_response.id for part in message.parts or [] if part.function_response}
    for event in reversed(session.events):
        if event.author not in troupe.speakers:
            continue
        if answered and any(call.id in answered for call in event.get_function_calls()):
            return event.author
        if not answered and event.content is not None and not event.partial:
            return event.author if event.author in troupe.keepers else troupe.cast.first
    return troupe.cast.first
