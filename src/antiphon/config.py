"""`RunConfig`: how one conversation runs (contract, section 6). Every field's default is documented."""

from __future__ import annotations

import warnings
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from antiphon import types
from antiphon.types.model import later

if TYPE_CHECKING:
    from antiphon.types import (
        AudioTranscriptionConfig,
        ContextWindowCompressionConfig,
        HistoryConfig,
        Modality,
        ProactivityConfig,
        RealtimeInputConfig,
        SessionResumptionConfig,
        SpeechConfig,
    )
else:
    AudioTranscriptionConfig = later("antiphon.types.transcription", "AudioTranscriptionConfig")
    ContextWindowCompressionConfig = later("antiphon.types.realtime", "ContextWindowCompressionConfig")
    HistoryConfig = later("antiphon.types.realtime", "HistoryConfig")
    Modality = later("antiphon.types.media", "Modality")
    ProactivityConfig = later("antiphon.types.realtime", "ProactivityConfig")
    RealtimeInputConfig = later("antiphon.types.realtime", "RealtimeInputConfig")
    SessionResumptionConfig = later("antiphon.types.realtime", "SessionResumptionConfig")
    SpeechConfig = later("antiphon.types.speech", "SpeechConfig")

__all__ = ["Limits", "Retry", "RunConfig", "StreamingMode"]


class StreamingMode(StrEnum):
    """How the model is reached: one turn per request, streamed responses, or a live connection."""

    NONE = "none"
    SSE = "sse"
    BIDI = "bidi"


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Retry(_Settings):
    """How connection failures that may pass are retried (contract 3.10, 7.1).

    The n-th retry waits `first_delay * 2**(n-1)` seconds, at most `max_delay`, less up to `jitter` of it
    at random. `attempts` counts retries within any `window` seconds; when they are used up the error is
    raised. A session with a live connection behind it and one that never had one count alike.
    """

    attempts: int = Field(default=6, ge=0, description="Retries within `window`; 0 turns retrying off.")
    window: float = Field(default=60.0, gt=0, description="Seconds over which attempts are counted.")
    first_delay: float = Field(default=0.25, ge=0, description="Seconds before the first retry.")
    max_delay: float = Field(default=8.0, ge=0, description="Seconds, the longest wait before a retry.")
    jitter: float = Field(default=0.5, ge=0, le=1, description="Share of the wait that is random.")
    resume_attempts: int = Field(
        default=3,
        ge=0,
        description="Resumptions of one handle that may fail before a fresh session is seeded.",
    )
    idle_resume_delay: float = Field(
        default=1.0, ge=0, description="Seconds, the least wait before resuming a session that was idle."
    )


class Limits(_Settings):
    """Budgets of one live conversation; `None` means no limit (contract 6.5)."""

    max_turns: int | None = Field(default=None, ge=1, description="Model turns.")
    max_tokens: int | None = Field(default=None, ge=1, description="Tokens as the model reports them.")
    max_duration: float | None = Field(default=None, gt=0, description="Seconds since the start.")
    idle_timeout: float | None = Field(
        default=None, gt=0, description="Seconds in which nobody said anything."
    )


def _transcribed() -> AudioTranscriptionConfig:
    return types.AudioTranscriptionConfig()


class RunConfig(_Settings):
    """How one conversation runs. Unknown fields are refused by name; instances are immutable."""

    response_modalities: list[Modality] | None = Field(
        default=None, description='`["AUDIO"]` (what live runs use when unset) or `["TEXT"]`; never both.'
    )
    streaming_mode: StreamingMode = StreamingMode.BIDI
    speech_config: SpeechConfig | None = None
    input_audio_transcription: AudioTranscriptionConfig | None = Field(
        default_factory=_transcribed,
        description="Transcribe the user; `None` turns it off.",
    )
    output_audio_transcription: AudioTranscriptionConfig | None = Field(
        default_factory=_transcribed,
        description="Transcribe the model; `None` turns it off.",
    )
    realtime_input_config: RealtimeInputConfig | None = None
    session_resumption: SessionResumptionConfig | None = Field(
        default=None, description="Set (may be empty) to resume dropped connections by handle (contract 7.1)."
    )
    context_window_compression: ContextWindowCompressionConfig | None = None
    history_config: HistoryConfig | None = None
    proactivity: ProactivityConfig | None = None
    enable_affective_dialog: bool | None = None
    save_live_blob: bool = Field(default=False, description="Record both voices as artifacts (contract 4.3).")
    record_conversation: bool = Field(
        default=False,
        description="Record the conversation as one stereo artifact, user left, model right (contract 4.3).",
    )
    recording_spool: Path | None = Field(
        default=None,
        description="Folder for audio until it is an artifact; by default one of this user's own among the "
        "system's temporary files (contract 4.3).",
    )
    max_llm_calls: int = Field(
        default=500, description="Model calls per invocation; 0 or less means no limit."
    )
    support_cfc: bool = False
    custom_metadata: dict[str, Any] | None = Field(default=None, description="Put on every event.")

    shutdown_timeout: float = Field(
        default=5.0, gt=0, description="Seconds that ending may take (contract 1.6)."
    )
    callback_timeout: float = Field(
        default=10.0, gt=0, description="Seconds that a callback or a guardrail may take (contract 5.10)."
    )
    connect_timeout: float = Field(default=10.0, gt=0, description="Seconds from dialling to a ready model.")
    toolset_timeout: float = Field(
        default=10.0, gt=0, description="Seconds that a conversation waits for its toolsets (contract 5.11)."
    )
    retry: Retry = Field(default_factory=Retry)
    limits: Limits = Field(default_factory=Limits)
    lifecycle_events: bool = Field(default=True, description="Yield the events of contract 3.11.")
    event_buffer: int = Field(
        default=4096, ge=16, description="Events that may wait for a slow application; audio is shed first."
    )
    held_audio: float = Field(
        default=10.0, ge=0, description="Seconds of user audio kept while the model is out of reach."
    )

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, data: Any) -> Any:
        if isinstance(data, dict) and "save_live_audio" in data:
            warnings.warn(
                "RunConfig(save_live_audio=) is now called save_live_blob.", DeprecationWarning, stacklevel=2
            )
            data = dict(data)
            data.setdefault("save_live_blob", data.pop("save_live_audio"))
        return data

    @model_validator(mode="after")
    def _one_modality(self) -> Self:
        chosen = self.response_modalities
        if chosen is not None and len(chosen) != 1:
            raise ValueError(
                f"response_modalities={[m.value for m in chosen]}: a live session answers in exactly one "
                'modality. Use ["AUDIO"] (its text comes as output_transcription) or ["TEXT"].'
            )
        return self

    @property
    def modality(self) -> Literal["TEXT", "AUDIO"]:
        """The one output modality of a live run."""
        chosen = self.response_modalities
        return "TEXT" if chosen and chosen[0] == "TEXT" else "AUDIO"

    @property
    def barge_in(self) -> bool:
        """Whether the user may take the floor while the model holds it."""
        realtime = self.realtime_input_config
        handling = realtime.activity_handling if realtime else None
        return handling is not types.ActivityHandling.NO_INTERRUPTION

    @property
    def manual_activity(self) -> bool:
        """Whether the application sends activity signals itself (contract 6.4)."""
        realtime = self.realtime_input_config
        detection = realtime.automatic_activity_detection if realtime else None
        return bool(detection and detection.disabled)
