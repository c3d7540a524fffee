"""An agent's instruction: text, text with `{state_key}` placeholders, or a callable."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from antiphon.agents.context import ReadonlyContext
from antiphon.errors import ConfigurationError

__all__ = ["Instruction", "fill_in", "render"]

Instruction = str | Callable[[ReadonlyContext], str | Awaitable[str]]

_PLACEHOLDER: Final = re.compile(r"\{((?:app:|user:|temp:)?[A-Za-z_]\w*)(\?)?\}")


def fill_in(text: str, state: Mapping[str, Any], agent: str) -> str:
    """Replaces each `{key}` by the state's value, and `{key?}` by nothing when the state has no such key.

    Other braces, such as those of JSON, stay as they are. Raises `ConfigurationError` for a missing key.
    """

    def value(found: re.Match[str]) -> str:
        key, optional = found.group(1), found.group(2)
        if key in state:
            return "" if state[key] is None else str(state[key])
        if optional:
            return ""
        raise ConfigurationError(
            f"The instruction of agent {agent!r} needs the state key {key!r}, which the session does not "
            f"have. Set it when creating the session, or write {{{key}?}} if it may be missing."
        )

    return _PLACEHOLDER.sub(value, text)


async def render(instruction: Instruction, context: ReadonlyContext) -> str:
    """The instruction's text for this session. What a callable returns is taken as it is."""
    if isinstance(instruction, str):
        return fill_in(instruction, context.state, context.agent_name)
    made = instruction(context)
    text = await made if inspect.isawaitable(made) else made
    if not isinstance(text, str):
        raise ConfigurationError(
            f"The instruction of agent {context.agent_name!r} gave {type(text).__name__}, not text: return "
            "a str."
        )
    return text
