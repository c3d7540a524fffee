"""`Agent`: a model with an instruction, tools, and other agents it may hand over to."""

from collections.abc import Callable
from typing import Any, Final

from pydantic import field_validator

from antiphon.agents.base import BaseAgent
from antiphon.agents.instructions import Instruction
from antiphon.models import LiveModel
from antiphon.tools import BaseTool, BaseToolset, as_tool
from antiphon.types import GenerateContentConfig, Tool

__all__ = ["Agent", "ToolLike"]

ToolLike = BaseTool | BaseToolset | Tool | Callable[..., Any]
"""A function, sync or async; a tool object; a model-side tool such as `google_search`; or a toolset."""


_SAID_ELSEWHERE: Final = {
    "system_instruction": "Agent(instruction=…)",
    "tools": "Agent(tools=…)",
}


class Agent(BaseAgent):
    """One who talks.

    `tools` may hold plain functions: name, docstring and type hints become the declaration (contract 5.1).
    A toolset among them is asked for its tools at the start of every conversation (contract 5.11).
    An agent with `sub_agents` is offered `transfer_to_agent`, and so are they for their parent and each
    other, unless disallowed (contract 5.8).
    """

    model: str | LiveModel | None = None
    """A name the registry knows, or a model. Unset, the parent's."""
    instruction: Instruction = ""
    """What the agent is told about itself. `{key}` stands for a value of the session's state."""
    tools: tuple[Any, ...] = ()
    generate_content_config: GenerateContentConfig | None = None
    """Temperature, voice and the like; `speech_config` here goes before the run's."""
    disallow_transfer_to_parent: bool = False
    disallow_transfer_to_peers: bool = False

    @field_validator("tools")
    @classmethod
    def _are_tools(cls, tools: tuple[ToolLike, ...]) -> tuple[BaseTool | BaseToolset, ...]:
        made = tuple(tool if isinstance(tool, BaseToolset) else as_tool(tool) for tool in tools)
        names = [tool.name for tool in made if isinstance(tool, BaseTool)]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                f"Two tools are called {', '.join(sorted(twice))}; every tool of an agent needs its own name."
            )
        return made

    @field_validator("generate_content_config")
    @classmethod
    def _says_nothing_twice(cls, config: GenerateContentConfig | None) -> GenerateContentConfig | None:
        for field, instead in _SAID_ELSEWHERE.items():
            if config is not None and getattr(config, field) is not None:
                raise ValueError(f"generate_content_config.{field} has no effect here: use {instead}.")
        return config
