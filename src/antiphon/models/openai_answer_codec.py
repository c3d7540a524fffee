"""What chat completions answer, chunk by chunk or at once. Pure."""

from __future__ import annotations

import json
from typing import Any, Final

from antiphon.events import LlmResponse
from antiphon.types import Content, FinishReason, FunctionCall, Part, UsageMetadata

__all__ = ["MALFORMED", "Answer"]

MALFORMED: Final = "malformed_json"
"""The argument under which a tool is given arguments that are no JSON object, so that it refuses them."""

_FINISHED: Final = {
    "stop": FinishReason.STOP,
    "tool_calls": FinishReason.STOP,
    "function_call": FinishReason.STOP,
    "length": FinishReason.MAX_TOKENS,
    "content_filter": FinishReason.SAFETY,
}


class Answer:
    """One answer, put together from the chunks of a stream, or taken from one message.

    Objects of the SDK are read by their attributes. What many servers leave out may be missing: usage, ids
    of calls, their index, everything of a chunk but its choices.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._calls: dict[int, _Call] = {}
        self._model: str | None = None
        self._usage: UsageMetadata | None = None
        self._finished: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self._finished is not None

    def add(self, chunk: Any) -> LlmResponse | None:
        """Takes one chunk of a stream, or a whole completion; returns what is new in it to read."""
        self._model = getattr(chunk, "model", None) or self._model
        if (usage := getattr(chunk, "usage", None)) is not None:
            self._usage = _usage(usage)
        parts: list[Part] = []
        for choice in (getattr(chunk, "choices", None) or [])[:1]:
            said = getattr(choice, "delta", None) or getattr(choice, "message", None)
            self._finished = getattr(choice, "finish_reason", None) or self._finished
            if said is not None:
                parts = self._said(said)
        return LlmResponse.trusted(content=_content(parts), partial=True) if parts else None

    def whole(self) -> LlmResponse:
        """All of it."""
        thoughts, text = "".join(self._thoughts), "".join(self._text)
        parts = [Part.trusted(text=thoughts, thought=True)] if thoughts else []
        if text:
            parts.append(Part.trusted(text=text))
        calls = [call.read() for _, call in sorted(self._calls.items())]
        parts += [Part.trusted(function_call=call) for call in calls]
        reason = _FINISHED.get(self._finished or "", FinishReason.OTHER)
        failed = {} if reason is FinishReason.STOP else _failed(reason, self._finished)
        return LlmResponse.trusted(
            content=_content(parts) if parts else None,
            partial=False,
            finish_reason=reason,
            model_version=self._model,
            usage_metadata=self._usage,
            **failed,
        )

    def _said(self, said: Any) -> list[Part]:
        parts = []
        thought = getattr(said, "reasoning_content", None) or getattr(said, "reasoning", None)
        if isinstance(thought, str) and thought:
            self._thoughts.append(thought)
            parts.append(Part.trusted(text=thought, thought=True))
        for text in (getattr(said, "content", None), getattr(said, "refusal", None)):
            if text:
                self._text.append(text)
                parts.append(Part.trusted(text=text))
        for piece in getattr(said, "tool_calls", None) or []:
            self._call_of(piece).add(piece)
        return parts

    def _call_of(self, piece: Any) -> _Call:
        """The call that a piece belongs to: by its index; without one, an id begins the next."""
        index = getattr(piece, "index", None)
        if index is None:
            newest = max(self._calls, default=-1)
            index = newest if newest >= 0 and not getattr(piece, "id", None) else newest + 1
        return self._calls.setdefault(index, _Call())


class _Call:
    """One call, growing."""

    def __init__(self) -> None:
        self._id = ""
        self._name = ""
        self._arguments: list[str] = []

    def add(self, piece: Any) -> None:
        self._id = getattr(piece, "id", None) or self._id
        function = getattr(piece, "function", None)
        self._name = getattr(function, "name", None) or self._name
        if arguments := getattr(function, "arguments", None):
            self._arguments.append(arguments)

    def read(self) -> FunctionCall:
        written = "".join(self._arguments)
        try:
            args = json.loads(written) if written.strip() else {}
        except ValueError:
            args = None
        if not isinstance(args, dict):
            args = {MALFORMED: written}
        return FunctionCall.trusted(id=self._id or None, name=self._name, args=args)


def _content(parts: list[Part]) -> Content:
    return Content.trusted(role="model", parts=parts)


def _failed(reason: FinishReason, said: str | None) -> dict[str, Any]:
    words = {
        FinishReason.MAX_TOKENS: "The answer was cut at its limit of tokens: raise max_output_tokens.",
        FinishReason.SAFETY: "The answer was held back by the content filter.",
    }
    message = words.get(reason, f"The model stopped for a reason of its own: {said}.")
    return {"error_code": reason.value, "error_message": message}


def _usage(usage: Any) -> UsageMetadata:
    prompt, answer = (
        getattr(usage, "prompt_tokens_details", None),
        getattr(usage, "completion_tokens_details", None),
    )
    return UsageMetadata.trusted(
        prompt_token_count=getattr(usage, "prompt_tokens", None),
        candidates_token_count=getattr(usage, "completion_tokens", None),
        total_token_count=getattr(usage, "total_tokens", None),
        cached_content_token_count=getattr(prompt, "cached_tokens", None),
        thoughts_token_count=getattr(answer, "reasoning_tokens", None),
    )
