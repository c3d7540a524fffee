"""What is recorded of each voice, and when a recording is written (contract 4.3).

Turn complete writes both voices; interruption and generation complete write the model's; the end of a link
or of the conversation writes both. A stretch longer than `ROLL_OVER` seconds is written in pieces, so that
what is held in memory stays bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core import drafts
from antiphon.core.commands import Command, Record, SaveRecording, Speaker
from antiphon.errors import UnknownMimeType
from antiphon.events import Event, EventActions
from antiphon.requests import pcm_rate
from antiphon.types import FileData, Part

if TYPE_CHECKING:
    from antiphon.core.signals import RecordingSaved

__all__ = ["ROLL_OVER", "Recording", "recording_saved"]

ROLL_OVER: Final = 60.0
"""Seconds of one voice after which what is kept is written, turn or no turn."""


class Recording:
    """Seconds kept of each voice since it was last written. Switched off, it asks for nothing."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._kept: dict[Speaker, float] = {}

    def add(self, speaker: Speaker, data: bytes, mime_type: str) -> list[Command]:
        """Keeps 16-bit mono PCM; what is anything else is no voice, or none that could be put together."""
        rate = _pcm_rate(mime_type) if self._on else None
        if rate is None:
            return []
        kept = self._kept.get(speaker, 0.0) + len(data) / (2 * rate)
        self._kept[speaker] = kept
        out: list[Command] = [Record(speaker, data, rate)]
        return out + self.flush(speaker) if kept >= ROLL_OVER else out

    def flush(self, *speakers: Speaker) -> list[Command]:
        """Writes what is kept of these voices; nothing for a voice that was not heard."""
        return [SaveRecording(speaker) for speaker in speakers if self._kept.pop(speaker, 0.0)]


def _pcm_rate(mime_type: str) -> int | None:
    try:
        return pcm_rate(mime_type)
    except UnknownMimeType:
        return None


def recording_saved(agent: str, saved: RecordingSaved) -> Event:
    """The event that says where a voice can be heard again."""
    file = FileData.trusted(file_uri=saved.file_uri, mime_type=saved.mime_type)
    actions = EventActions.trusted(artifact_delta={saved.name: saved.version})
    author = "user" if saved.speaker == "user" else agent
    return drafts.content(author, saved.speaker, [Part.trusted(file_data=file)], actions=actions)
