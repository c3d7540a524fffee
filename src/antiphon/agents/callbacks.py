"""Callbacks and guardrails as an application gives them: one callable or several, sync or async."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from antiphon.tools import CallbackContext

__all__ = ["CALLBACKS", "Guardrail", "Verdict", "Veto", "arguments", "as_callbacks"]


@dataclass(frozen=True, slots=True)
class Veto:
    """What a guardrail returns for words that must not pass (contract 5.13)."""

    reason: str
    """Why; stored, and in the event's `error_message`."""
    reply: str | None = None
    """What the agent says instead."""


Verdict = Veto | str | bool | None
"""`Veto`, or a `str` (its reason), or `True` veto; `None` and `False` let pass."""

Guardrail = Callable[["CallbackContext", Literal["user", "model"], str], Verdict | Awaitable[Verdict]]
"""`(callback_context, speaker, text)`: the words of this turn so far, again whenever there are more."""

CALLBACKS: Final = {
    "before_agent_callback": ("callback_context",),
    "after_agent_callback": ("callback_context",),
    "before_model_callback": ("callback_context", "llm_request"),
    "after_model_callback": ("callback_context", "llm_response"),
    "on_model_error_callback": ("callback_context", "llm_request", "error"),
    "before_tool_callback": ("tool", "args", "tool_context"),
    "after_tool_callback": ("tool", "args", "tool_context", "tool_response"),
    "on_tool_error_callback": ("tool", "args", "tool_context", "error"),
    "guardrails": ("callback_context", "speaker", "text"),
}
"""The fields that take callbacks, and what each is called with, by these names or in this order."""


def as_callbacks(given: Any, field: str) -> tuple[Callable[..., Any], ...]:
    """One callable, or several, or none, as a tuple.

    Raises `ValueError` for what cannot be called as the field's callbacks are.
    """
    if given is None:
        return ()
    several = tuple(given) if isinstance(given, Sequence) and not isinstance(given, str) else (given,)
    for each in several:
        if not callable(each):
            raise ValueError(f"{field} takes functions, not {type(each).__name__} {each!r}.")
        try:
            arguments(each, CALLBACKS[field])
        except TypeError:
            names = ", ".join(CALLBACKS[field])
            told = getattr(each, "__name__", repr(each))
            raise ValueError(
                f"{field}: {told} cannot be called as {told}({names}); give it these parameters."
            ) from None
    return several


def arguments(callback: Callable[..., Any], names: Sequence[str]) -> bool:
    """Whether the callback is to be called by these names; else it is called in their order.

    Raises `TypeError` when it can be called neither way.
    """
    try:
        signature = inspect.signature(callback)
    except ValueError:  # of a builtin that does not say
        return False
    try:
        signature.bind(**dict.fromkeys(names))
    except TypeError:
        signature.bind(*names)
        return False
    return True
