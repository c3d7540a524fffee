"""What every agent has: a name, what it is for, and agents below it."""

from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator, model_validator

from antiphon.agents.callbacks import as_callbacks

__all__ = ["BaseAgent"]


class BaseAgent(BaseModel):
    """An agent, or a group of agents. Agents are immutable, and may be shared by any number of runners."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, defer_build=True)

    name: str
    """Unique among the agents of an application; an identifier, and not `user`."""
    description: str = ""
    """What it is for, in one line: other agents decide by it whether to hand over."""
    sub_agents: tuple["BaseAgent", ...] = ()
    before_agent_callback: Any = ()
    """`(callback_context) -> Content | None`, called before it begins. What it returns is said in its place,
    and the agent is passed over. One or several, sync or async, as all callbacks (contract 5.10)."""
    after_agent_callback: Any = ()
    """`(callback_context) -> Content | None`, called when it is done. What it returns is said last."""

    @field_validator("before_agent_callback", "after_agent_callback", mode="after")
    @classmethod
    def _are_agent_callbacks(cls, given: Any, info: ValidationInfo) -> Any:
        return as_callbacks(given, info.field_name or "")

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not name.isidentifier():
            raise ValueError(
                f"{name!r} is no name for an agent: use letters, digits and underscores, as in a variable."
            )
        if name == "user":
            raise ValueError("'user' names the person in every event; give the agent another name.")
        return name

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        seen: set[str] = set()
        for agent in self.walk():
            if agent.name in seen:
                raise ValueError(
                    f"Two agents are called {agent.name!r}; every agent of an application needs its own name."
                )
            seen.add(agent.name)
        return self

    def walk(self) -> Iterator["BaseAgent"]:
        """This agent and all below it."""
        yield self
        for agent in self.sub_agents:
            yield from agent.walk()

    def find_agent(self, name: str) -> "BaseAgent | None":
        """The agent of that name, here or below."""
        return next((agent for agent in self.walk() if agent.name == name), None)
