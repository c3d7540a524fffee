"""Agents: who talks, and who comes next."""

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.agents.base import BaseAgent
    from antiphon.agents.callbacks import Veto
    from antiphon.agents.cast import Speaker, Troupe, assemble
    from antiphon.agents.context import InvocationContext, ReadonlyContext
    from antiphon.agents.llm import Agent
    from antiphon.agents.sequential import SequentialAgent

__all__ = [
    "Agent",
    "BaseAgent",
    "InvocationContext",
    "ReadonlyContext",
    "SequentialAgent",
    "Speaker",
    "Troupe",
    "Veto",
    "assemble",
]

__getattr__ = late(
    __name__,
    {
        "base": ("BaseAgent",),
        "callbacks": ("Veto",),
        "cast": ("Speaker", "Troupe", "assemble"),
        "context": ("InvocationContext", "ReadonlyContext"),
        "llm": ("Agent",),
        "sequential": ("SequentialAgent",),
    },
)
