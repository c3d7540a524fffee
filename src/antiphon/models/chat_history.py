"""Contents as chat models take them: every call is followed by its answer at once, every answer has its call.

Rule 1  The answers to a message's calls come right after it, in the order of the calls, in a content of their
        own. A call without an answer by then is answered as pending.
Rule 2  What comes later for a call that was answered, or for one that nobody made, is said in words.
Rule 3  What is asked ends with a content of the user's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.handover import in_words
from antiphon.core.messages import ToolResults
from antiphon.types import Content, FunctionResponse, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from antiphon.types import FunctionCall

__all__ = ["PENDING", "answers", "calls_in", "ends_with_user", "in_order", "news"]

PENDING: Final = {"status": "pending", "note": "There is no result yet; it will be told when there is."}
"""What a model is told of a call that has no result yet."""
_GO_ON: Final = "(Go on.)"


def in_order(contents: Iterable[Content]) -> list[Content]:
    """A stored conversation as rules 1 and 2 have it."""
    ordered: list[Content] = []
    asked: list[FunctionCall] = []
    given: dict[str | None, FunctionResponse] = {}

    def settle() -> None:
        if asked:
            ordered.append(answers(asked, given))
            asked.clear()
            given.clear()

    for content in contents:
        kept: list[Part] = []
        for part in content.parts or []:
            answer = part.function_response
            if answer is None:
                kept.append(part)
            elif any(call.id == answer.id for call in asked) and answer.id not in given:
                given[answer.id] = answer
            else:
                kept += news(answer).parts or []
        if kept:
            settle()
            ordered.append(content.model_copy(update={"parts": kept}))
            asked.extend(calls_in(content))
    settle()
    return ordered


def calls_in(content: Content) -> list[FunctionCall]:
    return [part.function_call for part in content.parts or [] if part.function_call]


def answers(calls: Iterable[FunctionCall], given: Mapping[str | None, FunctionResponse]) -> Content:
    """The answers to one message's calls (rule 1)."""
    parts = []
    for call in calls:
        answer = given.get(call.id)
        response = PENDING if answer is None or answer.response is None else answer.response
        told = FunctionResponse.trusted(id=call.id, name=call.name, response=dict(response))
        if answer is not None and answer.parts:
            told.parts = answer.parts
        parts.append(Part.trusted(function_response=told))
    return Content.trusted(role="user", parts=parts)


def news(answer: FunctionResponse) -> Content:
    """A later result of a call (rule 2)."""
    return in_words(ToolResults((answer,))).content


def ends_with_user(contents: Sequence[Content]) -> list[Content]:
    """The contents, with somebody asking at their end (rule 3)."""
    if contents and contents[-1].role == "user":
        return list(contents)
    return [*contents, Content.trusted(role="user", parts=[Part.trusted(text=_GO_ON)])]
