"""What is recorded of each voice, and when a recording is written (contract 4.3).

Rule 1  Turn complete writes both voices; interruption and generation complete write the model's; the end of a
        link or of the conversation writes both.
Rule 2  A recording is of one voice, of one agent if it is the model's, and at one rate: a change begins
        another.
Rule 3  One longer than `ROLL_OVER` seconds is written and goes on as another.
Rule 4  The user's voice is what the user said: also what was shed and never reached the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.core import drafts
from antiphon.core.commands import Command, Record, SaveConversation, SaveRecording, Speaker
from antiphon.core.timeline import Timeline
from antiphon.errors import UnknownMimeType
from antiphon.events import Event, EventActions
from antiphon.requests import pcm_rate
from antiphon.types import FileData, Part

if TYPE_CHECKING:
    from antiphon.config import RunConfig
    from antiphon.core.signals import RecordingSaved

__all__ = ["ROLL_OVER", "Recording", "Voice", "recording_saved"]

ROLL_OVER: Final = 60.0
"""Seconds of one voice after which what is kept is written, turn or no turn."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who is heard: `author` is the agent's name, or "user"."""

    speaker: Speaker
    author: str


@dataclass(slots=True)
class _Take:
    """A recording that grows."""

    number: int
    voice: Voice
    rate: int
    seconds: float = 0.0


class Recording:
    """The recordings of one conversation. Switched off, it asks for nothing."""

    def __init__(self, config: RunConfig, now: float) -> None:
        self._saves = config.save_live_blob
        self.on = config.save_live_blob or config.record_conversation
        """Whether anything is kept at all."""
        self._timeline = Timeline(config.record_conversation, now)
        self._takes: dict[Speaker, _Take] = {}
        self._numbers = 0
        self._unanswered: dict[int, Voice] = {}

    @property
    def pending(self) -> int:
        """Recordings that are being written."""
        return len(self._unanswered)

    def add(self, speaker: Speaker, author: str, data: bytes, mime_type: str, now: float) -> list[Command]:
        """Keeps 16-bit mono PCM; what is anything else is no voice, or none that could be put together."""
        rate = _pcm_rate(mime_type) if self.on else None
        if rate is None:
            return []
        out = self._timeline.add(speaker, data, rate, now)
        if not self._saves:
            return out
        take = self._takes.get(speaker)
        if take is not None and (take.rate != rate or take.voice.author != author):
            out += self.flush(speaker)
            take = None
        if take is None:
            take = self._takes[speaker] = _Take(self._next(), Voice(speaker, author), rate)
        take.seconds += len(data) / (2 * rate)
        out.append(Record(take.number, speaker, author, data, rate))
        return out + self.flush(speaker) if take.seconds >= ROLL_OVER else out

    def interrupted(self, now: float, unheard: float) -> list[Command]:
        """The model was cut off, and `unheard` seconds of what it has said were not played."""
        return [*self._timeline.cut(now, unheard), *self.flush("model")]

    def flush(self, *speakers: Speaker) -> list[Command]:
        """Writes what is kept of these voices; nothing for a voice that was not heard."""
        out: list[Command] = []
        for speaker in speakers:
            if (take := self._takes.pop(speaker, None)) is not None:
                self._unanswered[take.number] = take.voice
                out.append(SaveRecording(take.number))
        return out

    def close(self, agent: str) -> list[Command]:
        """Writes all there is: both voices, and the whole conversation."""
        out = self.flush("user", "model")
        if self._timeline.used:
            number = self._next()
            self._unanswered[number] = Voice("model", agent)
            out.append(SaveConversation(number, agent))
        return out

    def answered(self, number: int) -> Voice | None:
        """Whose recording it is that was written, or could not be; `None` for one that nobody asked for."""
        return self._unanswered.pop(number, None)

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


def _pcm_rate(mime_type: str) -> int | None:
    try:
        return pcm_rate(mime_type)
    except UnknownMimeType:
        return None


def recording_saved(voice: Voice, saved: RecordingSaved) -> Event:
    """The event that says where a voice can be heard again."""
    file = FileData.trusted(file_uri=saved.file_uri, mime_type=saved.mime_type)
    actions = EventActions.trusted(artifact_delta={saved.name: saved.version})
    return drafts.content(voice.author, voice.speaker, [Part.trusted(file_data=file)], actions=actions)
