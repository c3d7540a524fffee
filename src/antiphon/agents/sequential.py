"""`SequentialAgent`: its agents speak one after the other."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from antiphon.agents.base import BaseAgent

__all__ = ["SequentialAgent"]


class SequentialAgent(BaseAgent):
    """Runs its `sub_agents` in order, in one conversation.

    Live, each is given a tool `task_completed()`; calling it moves on to the next, and after the last the run
    ends (contract 5.9). The agents themselves are not changed.
    """

    @model_validator(mode="after")
    def _has_steps(self) -> Self:
        if not self.sub_agents:
            raise ValueError(f"SequentialAgent {self.name!r} needs at least one agent in sub_agents.")
        return self
