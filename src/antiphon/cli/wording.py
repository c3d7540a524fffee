"""How values, calls and counts are put on one line; pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.types import FunctionCall, UsageMetadata

__all__ = ["called", "clean", "failure_of", "result_of", "short", "tokens"]

_ARGUMENT: Final = 60
_RESULT: Final = 200
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Without control characters but for newline and tab: what a model says must not steer the terminal."""
    return _CONTROL.sub("", text)


def short(value: Any, limit: int) -> str:
    """The value as JSON on one line, `limit` characters at most."""
    text = clean(json.dumps(value, ensure_ascii=False, default=str)).replace("\n", " ")
    return text if len(text) <= limit else text[: limit - 1] + "…"


def called(call: FunctionCall) -> str:
    """A call as it is written in Python: `get_weather(city="Paris")`."""
    args = ", ".join(f"{clean(name)}={short(value, _ARGUMENT)}" for name, value in (call.args or {}).items())
    return f"{clean(call.name or '?')}({args})"


def result_of(response: Mapping[str, Any]) -> str:
    """What a tool returned; a lone `result` or `output` stands for itself."""
    if len(response) == 1:
        for key in ("result", "output"):
            if key in response:
                return short(response[key], _RESULT)
    return short(dict(response), _RESULT)


def failure_of(response: Mapping[str, Any]) -> str | None:
    """What went wrong in a tool, or `None` (contract 5.4)."""
    error = response.get("error")
    if error is None or len(response) > 1:
        return None
    if isinstance(error, dict) and "message" in error:
        code, message = error.get("code"), str(error["message"])
        return clean(" ".join((f"{code}: {message}" if code else message).split()))
    return short(error, _RESULT)


def tokens(usage: UsageMetadata) -> str:
    """`tokens: 12 in, 34 out, 46 in all`."""
    out = (
        usage.candidates_token_count
        if usage.candidates_token_count is not None
        else usage.response_token_count
    )
    counts = (
        (usage.prompt_token_count, "in"),
        (usage.cached_content_token_count, "of them cached"),
        (usage.thoughts_token_count, "thought"),
        (out, "out"),
        (usage.total_token_count, "in all"),
    )
    return "tokens: " + ", ".join(f"{count} {what}" for count, what in counts if count is not None)
