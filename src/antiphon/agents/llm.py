"""`Agent`: a model with an instruction, tools, and other agents it may hand over to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Union

from pydantic import ValidationInfo, field_validator

from antiphon import tools as of_tools
from antiphon.agents.base import BaseAgent
from antiphon.agents.callbacks import as_callbacks
from antiphon.agents.instructions import Instruction
from antiphon.models import ChatModel, LiveModel
from antiphon.types.model import later

if TYPE_CHECKING:
    from antiphon.tools import BaseTool, BaseToolset
    from antiphon.types import GenerateContentConfig, Tool
else:
    GenerateContentConfig = later("antiphon.types.generation", "GenerateContentConfig")

__all__ = ["Agent", "ToolLike"]

ToolLike = Union["BaseTool", "BaseToolset", "Tool", Callable[..., Any]]
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

    model: str | LiveModel | ChatModel | None = None
    """A name the registry knows, or a model. Unset, the parent's."""
    instruction: Instruction = ""
    """What the agent is told about itself. `{key}` stands for a value of the session's state."""
    tools: tuple[Any, ...] = ()
    generate_content_config: GenerateContentConfig | None = None
    """Temperature, voice and the like; `speech_config` here goes before the run's."""
    disallow_transfer_to_parent: bool = False
    disallow_transfer_to_peers: bool = False
    before_model_callback: Any = ()
    """`(callback_context, llm_request) -> LlmResponse | None`, before the model is asked. Live, it is called
    with what the user wrote, which waits for it and may be changed in place, and with what the user said
    aloud; what it returns is said in the model's place (contract 5.10)."""
    after_model_callback: Any = ()
    """`(callback_context, llm_response) -> LlmResponse | None`. Live, it is called with each whole piece of
    the model's words, never with audio; what it returns is yielded and stored in its place."""
    on_model_error_callback: Any = ()
    """`(callback_context, llm_request, error) -> LlmResponse | None`; what it returns is said instead."""
    before_tool_callback: Any = ()
    """`(tool, args, tool_context) -> dict | None`. It may change `args` in place; what it returns is the
    result, and the tool is not run."""
    after_tool_callback: Any = ()
    """`(tool, args, tool_context, tool_response) -> dict | None`; what it returns is the result instead."""
    on_tool_error_callback: Any = ()
    """`(tool, args, tool_context, error) -> dict | None`; what it returns makes a result of the error."""
    guardrails: Any = ()
    """`(callback_context, speaker, text) -> Veto | str | bool | None`: sees what is said as it comes, and
    stops it by a veto (contract 5.13). `speaker` is `"user"` or `"model"`."""

    @field_validator("tools")
    @classmethod
    def _are_tools(cls, tools: tuple[ToolLike, ...]) -> "tuple[BaseTool | BaseToolset, ...]":
        given = (tool if isinstance(tool, of_tools.BaseToolset) else of_tools.as_tool(tool) for tool in tools)
        made = tuple(given)
        names = [tool.name for tool in made if isinstance(tool, of_tools.BaseTool)]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(
                f"Two tools are called {', '.join(sorted(twice))}; every tool of an agent needs its own name."
            )
        return made

    @field_validator(
        "before_model_callback",
        "after_model_callback",
        "on_model_error_callback",
        "before_tool_callback",
        "after_tool_callback",
        "on_tool_error_callback",
        "guardrails",
    )
    @classmethod
    def _are_callbacks(cls, given: Any, info: ValidationInfo) -> Any:
        return as_callbacks(given, info.field_name or "")

    @field_validator("generate_content_config")
    @classmethod
    def _says_nothing_twice(cls, config: GenerateContentConfig | None) -> GenerateContentConfig | None:
        for field, instead in _SAID_ELSEWHERE.items():
            if config is not None and getattr(config, field) is not None:
                raise ValueError(f"generate_content_config.{field} has no effect here: use {instead}.")
        return config
