"""Agents: who talks, and who comes next."""

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
