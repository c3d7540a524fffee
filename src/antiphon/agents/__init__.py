"""Agents: who talks, and who comes next."""

from typing import TYPE_CHECKING

from antiphon.agents.base import BaseAgent
from antiphon.agents.callbacks import Veto
from antiphon.agents.context import InvocationContext, ReadonlyContext
from antiphon.agents.llm import Agent
from antiphon.agents.sequential import SequentialAgent
from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.agents.cast import Speaker, Troupe, assemble

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

__getattr__ = late(__name__, {"cast": ("Speaker", "Troupe", "assemble")})
