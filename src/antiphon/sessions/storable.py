"""What of an event may be stored (contract 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.events import Event, EventActions
from antiphon.state import TEMP_PREFIX

if TYPE_CHECKING:
    from antiphon.types import Content, Part

__all__ = ["may_be_stored", "stored_form"]


def stored_form(event: Event) -> Event | None:
    """The event as it may be stored (contract 4.2, 4.6); `None` if nothing of it may be.

    Partial and lifecycle events are not stored, whatever they carry. Of all others this is left out: `temp:`
    state; inline parts of a MIME type `audio/*` or `video/*`; unfinished transcriptions; resumption handles.
    An event that says nothing without the last three, such as a chunk of speech, is not stored.

    `event` is not changed. What comes back is `event` itself when nothing is left out, else a copy that
    shares the rest with it.
    """
    if not may_be_stored(event):
        return None
    left_out: dict[str, Any] = {}
    if (content := _without_media(event.content)) is not event.content:
        left_out["content"] = content
    for name in ("input_transcription", "output_transcription"):
        if (transcription := getattr(event, name)) is not None and transcription.finished is False:
            left_out[name] = None
    if event.live_session_resumption_update is not None:
        left_out["live_session_resumption_update"] = None

    kept = event.model_copy(update=left_out) if left_out else event
    if any(key.startswith(TEMP_PREFIX) for key in event.actions.state_delta):
        delta = {k: v for k, v in event.actions.state_delta.items() if not k.startswith(TEMP_PREFIX)}
        actions = event.actions.model_copy(update={"state_delta": delta})
        kept = kept.model_copy(update={"actions": actions})
    return None if left_out and not _says_something(kept) else kept


def may_be_stored(event: Event) -> bool:
    """Whether it is of a kind that is stored: no partial event, and no lifecycle event."""
    return not event.partial and event.lifecycle is None


_ENVELOPE = {
    *("id", "invocation_id", "author", "timestamp", "branch", "actions"),
    *("partial", "lifecycle", "model_version", "custom_metadata"),
}
_TELLING = tuple(name for name in Event.model_fields if name not in _ENVELOPE)


def _says_something(event: Event) -> bool:
    return any(getattr(event, name) for name in _TELLING) or event.actions != EventActions()


def _without_media(content: Content | None) -> Content | None:
    """`content` without inline audio and video; itself if there is none, `None` if there is nothing else."""
    if content is None or not content.parts:
        return content
    parts = [kept for part in content.parts if (kept := _part_without_media(part)) is not None]
    if len(parts) == len(content.parts) and all(a is b for a, b in zip(parts, content.parts, strict=True)):
        return content
    return content.model_copy(update={"parts": parts}) if parts else None


def _part_without_media(part: Part) -> Part | None:
    if part.inline_data is not None and _is_media(part.inline_data.mime_type):
        return None
    if part.function_response is not None and part.function_response.parts:
        answer, held = part.function_response, part.function_response.parts
        kept = [p for p in held if not (p.inline_data and _is_media(p.inline_data.mime_type))]
        if len(kept) != len(held):
            answer = answer.model_copy(update={"parts": kept or None})
            return part.model_copy(update={"function_response": answer})
    return part


def _is_media(mime_type: str | None) -> bool:
    return (mime_type or "").strip().lower().startswith(("audio/", "video/"))
