"""What `generateContent` answers, chunk by chunk or at once. Pure."""

from __future__ import annotations

from typing import Any, Final

from antiphon.events import LlmResponse
from antiphon.types import Content, FinishReason, GroundingMetadata, Part, UsageMetadata

__all__ = ["GeminiAnswer"]

_IN_ORDER: Final = (FinishReason.STOP, FinishReason.FINISH_REASON_UNSPECIFIED)


class GeminiAnswer:
    """One answer, put together. Objects of the SDK are read as ours (contract 2.5)."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._fields: dict[str, Any] = {}
        self._finished: FinishReason | None = None
        self._told: str | None = None

    @property
    def finished(self) -> bool:
        """Whether it came to its end."""
        return self._finished is not None or self._told is not None

    def add(self, chunk: Any) -> LlmResponse | None:
        """Takes one chunk; returns what is new in it to read."""
        for name, value in (
            ("model_version", chunk.model_version),
            ("usage_metadata", _ours(UsageMetadata, chunk.usage_metadata)),
        ):
            if value is not None:
                self._fields[name] = value
        blocked = getattr(chunk.prompt_feedback, "block_reason", None)
        if blocked is not None:
            self._told = chunk.prompt_feedback.block_reason_message or "The service does not answer this."
            self._fields["error_code"] = str(getattr(blocked, "value", blocked))
        for candidate in (chunk.candidates or [])[:1]:
            return self._candidate(candidate)
        return None

    def whole(self) -> LlmResponse:
        """All of it."""
        fields = dict(self._fields)
        if self._finished is not None:
            fields["finish_reason"] = self._finished
            if self._finished not in _IN_ORDER:
                fields["error_code"] = self._finished.value
        if "error_code" in fields:
            fields["error_message"] = self._told or f"The model stopped: {fields['error_code']}."
        if self._parts:
            fields["content"] = Content.trusted(role="model", parts=self._parts)
        return LlmResponse.trusted(partial=False, **fields)

    def _candidate(self, candidate: Any) -> LlmResponse | None:
        if candidate.finish_reason is not None:
            self._finished = FinishReason(candidate.finish_reason.value)
            self._told = candidate.finish_message or self._told
        if candidate.grounding_metadata is not None:
            self._fields["grounding_metadata"] = _ours(GroundingMetadata, candidate.grounding_metadata)
        given = candidate.content.parts if candidate.content else None
        new = [_ours(Part, part) for part in given or []]
        for part in new:
            self._take(part)
        read = [part for part in new if part.text]
        return (
            LlmResponse.trusted(content=Content.trusted(role="model", parts=read), partial=True)
            if read
            else None
        )

    def _take(self, part: Part) -> None:
        """Adds a part; text goes on where text of the same kind was last, unless that was signed."""
        if part.model_fields_set <= {"text", "thought"} and not part.text:
            return
        last = self._parts[-1] if self._parts else None
        goes_on = (
            last is not None
            and bool(last.text and part.text)
            and bool(last.thought) is bool(part.thought)
            and last.thought_signature is None
        )
        if last is None or not goes_on:
            self._parts.append(part)
            return
        fields: dict[str, Any] = {"text": (last.text or "") + (part.text or "")}
        if part.thought_signature is not None:
            fields["thought_signature"] = part.thought_signature
        self._parts[-1] = last.model_copy(update=fields)


def _ours(kind: Any, theirs: Any) -> Any:
    return None if theirs is None else kind.model_validate(theirs)
