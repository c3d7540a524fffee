"""What comes of looks and recordings: the signals of callbacks, guardrails and recorders."""

from __future__ import annotations

from dataclasses import dataclass, field

from antiphon.events import EventActions, LlmResponse
from antiphon.types import Content

__all__ = ["Acted", "RecordingFailed", "RecordingSaved", "Reviewed", "Vetoed"]


@dataclass(frozen=True, slots=True)
class Vetoed:
    """These words do not pass; `reply` is said instead."""

    reason: str
    reply: str | None = None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What came of a `Review`; without anything set, what was shown passes as it is.

    `answers` are said instead, each by an agent. `content` goes to the model in place of what the user wrote.
    `failed` says why a callback came to no result: what it was shown does not pass. `refused_by` is the agent
    that is passed over. `ends` asks to end the invocation.
    """

    id: int
    answers: tuple[tuple[str, LlmResponse], ...] = ()
    content: Content | None = None
    veto: Vetoed | None = None
    refused_by: str | None = None
    failed: str | None = None
    actions: EventActions = field(default_factory=EventActions)
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Acted:
    """A callback that nothing waits for changed something, or asks to end the invocation."""

    agent: str
    actions: EventActions
    ends: bool = False
    response: LlmResponse | None = None
    """What came of the call, or a piece of it, where this is the last of the invocation."""


@dataclass(frozen=True, slots=True)
class RecordingSaved:
    """The recording of that number is in the artifact service."""

    number: int
    file_uri: str
    mime_type: str
    name: str
    version: int


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """The recording of that number could not be made an artifact; `reason` is told to the application."""

    number: int
    reason: str
