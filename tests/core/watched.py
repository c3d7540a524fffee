"""Agents whose conversations are looked at, and what comes of a look, for transcripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Emit, Review, Store
from antiphon.core.handover import Role
from antiphon.core.reviews import Asks, Circle
from antiphon.core.signals import Reviewed, Vetoed
from antiphon.events import LlmResponse
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from antiphon.core.conversation import Conversation
    from antiphon.testing.script import Script

__all__ = ["NO", "answer", "said", "stamp", "verdict", "watched"]

TOOLS = {"look": ToolFacts(), "book": ToolFacts(long_running=True)}
NO = Vetoed("not allowed")


def watched(name: str = "agent", *circles: Circle, successor: str | None = None, **asks: bool) -> Role:
    """An agent with these callbacks."""
    return Role(name, TOOLS, successor=successor, asks=Asks(**asks), circles=circles)


def verdict(script: Script, nth: int = -1, **outcome: Any) -> Reviewed:
    """What came of the last thing looked at, or of another, by its place among all of them."""
    reviews = [command for command in script.produced if isinstance(command, Review)]
    return Reviewed(reviews[nth].id, **outcome)


def said(text: str, agent: str = "agent") -> tuple[tuple[str, LlmResponse], ...]:
    return ((agent, LlmResponse(content=Content(role="model", parts=[Part(text=text)]))),)


def answer(script: Script, text: str, nth: int = -1, agent: str = "agent") -> Reviewed:
    """A callback answers this in the model's place."""
    return verdict(script, nth, answers=said(text, agent))


def stamp(script: Script) -> None:
    """Gives the events their ids, as a driver does."""
    for number, command in enumerate(script.produced):
        if isinstance(command, Emit | Store):
            command.event.id = f"e{number}"


def state_of(conversation: Conversation) -> Any:
    return conversation._state
