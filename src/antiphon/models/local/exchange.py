"""What a conversation's contents say that matters for the next answer. Pure."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.types import Content, Part

__all__ = ["Exchange", "Result", "exchange"]

_LATE: Final = re.compile(r"\(The call of (\S+) returned (\{.*\})\.\)", re.DOTALL)
"""How a result is told that came after its call was answered (`core.handover.in_words`)."""
_TOLD: Final = re.compile(r"\(.*\)|\[\w+\] .*", re.DOTALL)
"""What no user said: remarks of the runtime, and words of other agents."""

_ANSWERED: Final = re.compile(r"\[\w+\] (?!\(calls ).*", re.DOTALL)
"""Words of another agent: what the user said before them has been answered."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a call."""

    name: str
    args: dict[str, Any]
    response: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Exchange:
    """The end of a conversation: what the model said last, and what has come since."""

    text: str = ""
    """What the user said; empty if nothing."""
    results: tuple[Result, ...] = ()
    said: str = ""
    """The model's own last words."""
    before: Sequence[Content] = field(default=())
    """All that had been said when the model said them."""


def exchange(contents: Sequence[Content]) -> Exchange:
    """Reads the contents from their end."""
    end = len(contents)
    while end and contents[end - 1].role != "model":
        end -= 1
    calls = {
        part.function_call.id: part.function_call
        for part in _parts(contents[end - 1 : end] if end else ())
        if part.function_call
    }
    results, texts = [], ""
    for content in contents[end:]:
        words: list[str] = []
        told = False
        for part in content.parts or []:
            if part.function_response is not None:
                answer = part.function_response
                call = calls.get(answer.id)
                args = dict(call.args or {}) if call else {}
                results.append(Result(answer.name or "", args, answer.response or {}))
            elif late := _LATE.fullmatch(part.text or ""):
                results.append(Result(late[1], {}, _read(late[2])))
            elif part.text and _TOLD.fullmatch(part.text):
                told = True
                words = [] if _ANSWERED.fullmatch(part.text) else words
            elif part.text:
                words = [part.text] if told else [*words, part.text]
                told = False
        texts = " ".join(words) or texts
    at = end
    while at and not _said(contents[at - 1]):
        at -= 1
    said = _said(contents[at - 1]) if at else ""
    return Exchange(texts.strip(), tuple(results), said, contents[: max(0, at - 1)])


def _said(content: Content) -> str:
    if content.role != "model":
        return ""
    return "".join(part.text or "" for part in content.parts or [] if not part.thought).strip()


def _parts(contents: Sequence[Content]) -> list[Part]:
    return [part for content in contents for part in content.parts or []]


def _read(written: str) -> dict[str, Any]:
    try:
        return dict(ast.literal_eval(written))
    except (ValueError, SyntaxError):
        return {"result": written}
