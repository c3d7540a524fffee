"""Events as the conversation drafts them: all but `id`, `invocation_id`, `timestamp` and `custom_metadata`.

Built without validation, since every value was made here or by a codec: this is the hot path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.core.commands import Emit, Speak
from antiphon.events import Event, EventActions, Lifecycle, LifecycleKind
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.core.commands import Command
    from antiphon.events import LlmResponse

__all__ = [
    "amendment",
    "answer",
    "audio",
    "calls",
    "content",
    "draft",
    "lifecycle",
    "response",
    "speech",
    "spelled_out",
    "text",
]


# One of each is made for every chunk of speech.
_blob = Blob.form("data", "mime_type")
_spoken = Part.form("inline_data")
_content = Content.form("role", "parts")
_said = Event.form("id", "timestamp", "author", "content")


def draft(author: str, **fields: Any) -> Event:
    """An event by `author` with these fields and nothing else."""
    return Event.trusted(id="", timestamp=0.0, author=author, **fields)


def audio(author: str, data: bytes, mime_type: str) -> Event:
    """One chunk of the model's speech (contract 3.7)."""
    return _said(id="", timestamp=0.0, author=author, content=speech(data, mime_type))


def speech(data: bytes, mime_type: str) -> Content:
    """What such an event says."""
    return _content(role="model", parts=[_spoken(inline_data=_blob(data=data, mime_type=mime_type))])


def spelled_out(command: Command) -> Command:
    """The same, with speech as the event it stands for: for whoever looks at events only."""
    return Emit(audio(command.author, command.data, command.mime_type)) if type(command) is Speak else command


def text(author: str, words: str, *, thought: bool, partial: bool, **fields: Any) -> Event:
    """New or merged text of the model (contract 3.4)."""
    part = Part.trusted(text=words, thought=True) if thought else Part.trusted(text=words)
    return draft(author, content=Content.trusted(role="model", parts=[part]), partial=partial, **fields)


def content(author: str, role: str, parts: list[Part], **fields: Any) -> Event:
    """Any other content."""
    return draft(author, content=Content.trusted(role=role, parts=parts), **fields)


def calls(author: str, asked: Iterable[FunctionCall], long_running: set[str]) -> Event:
    """The model's tool calls, one part each (contract 5.2)."""
    fields = {"long_running_tool_ids": long_running} if long_running else {}
    return content(author, "model", [Part.trusted(function_call=call) for call in asked], **fields)


def answer(author: str, said: LlmResponse, parts: list[Part], long_running: set[str]) -> Event | None:
    """A turn-based model's whole response with these `parts` (contract 6.3); `None` if it says nothing."""
    fields = {name: value for name in _ANSWERED if (value := getattr(said, name)) is not None}
    if parts:
        fields["content"] = Content.trusted(role="model", parts=parts)
    if not fields:
        return None
    if long_running:
        fields["long_running_tool_ids"] = long_running
    return draft(author, partial=False, **fields)


_ANSWERED = (
    "model_version",
    "finish_reason",
    "error_code",
    "error_message",
    "usage_metadata",
    "cache_metadata",
    "grounding_metadata",
)


def response(author: str, answer: FunctionResponse, actions: EventActions) -> Event:
    """A tool's answer (contract 5.2)."""
    return content(author, "user", [Part.trusted(function_response=answer)], actions=actions)


def amendment(told: Event, heard: str) -> Event:
    """What was heard of a transcript that had been told as whole (contract 4.5)."""
    words = (
        told.output_transcription.model_copy(update={"text": heard}) if told.output_transcription else None
    )
    return draft(told.author, output_transcription=words, partial=False, interrupted=True, amends=told.id)


def lifecycle(author: str, kind: LifecycleKind, **facts: Any) -> Event:
    """A fact about the conversation itself (contract 3.11)."""
    return draft(author, lifecycle=Lifecycle.trusted(kind=kind, **facts))
