"""How a live conversation listens, takes turns, lasts and ends."""

from typing import ClassVar

from antiphon.types.model import ClosedEnum, Model, OpenEnum

__all__ = [
    "ActivityEnd",
    "ActivityHandling",
    "ActivityStart",
    "AutomaticActivityDetection",
    "ContextWindowCompressionConfig",
    "EndSensitivity",
    "GoAway",
    "HistoryConfig",
    "LiveServerGoAway",
    "LiveServerSessionResumptionUpdate",
    "ProactivityConfig",
    "RealtimeInputConfig",
    "SessionResumptionConfig",
    "SessionResumptionUpdate",
    "SlidingWindow",
    "StartSensitivity",
    "TurnCoverage",
    "VoiceActivity",
    "VoiceActivityType",
]


class StartSensitivity(ClosedEnum):
    """How readily sound counts as the start of speech."""

    START_SENSITIVITY_UNSPECIFIED = "START_SENSITIVITY_UNSPECIFIED"
    START_SENSITIVITY_HIGH = "START_SENSITIVITY_HIGH"
    START_SENSITIVITY_LOW = "START_SENSITIVITY_LOW"


class EndSensitivity(ClosedEnum):
    """How readily a pause counts as the end of speech."""

    END_SENSITIVITY_UNSPECIFIED = "END_SENSITIVITY_UNSPECIFIED"
    END_SENSITIVITY_HIGH = "END_SENSITIVITY_HIGH"
    END_SENSITIVITY_LOW = "END_SENSITIVITY_LOW"


class AutomaticActivityDetection(Model):
    """How the model hears that someone speaks. Times are milliseconds.

    With `disabled` the client marks speech itself, by `ActivityStart` and `ActivityEnd`.
    """

    disabled: bool | None = None
    start_of_speech_sensitivity: StartSensitivity | None = None
    end_of_speech_sensitivity: EndSensitivity | None = None
    prefix_padding_ms: int | None = None
    silence_duration_ms: int | None = None


class ActivityHandling(ClosedEnum):
    """Whether a user who speaks interrupts the model (barge-in)."""

    ACTIVITY_HANDLING_UNSPECIFIED = "ACTIVITY_HANDLING_UNSPECIFIED"
    START_OF_ACTIVITY_INTERRUPTS = "START_OF_ACTIVITY_INTERRUPTS"
    NO_INTERRUPTION = "NO_INTERRUPTION"


class TurnCoverage(ClosedEnum):
    """Which input belongs to the user's turn."""

    TURN_COVERAGE_UNSPECIFIED = "TURN_COVERAGE_UNSPECIFIED"
    TURN_INCLUDES_ONLY_ACTIVITY = "TURN_INCLUDES_ONLY_ACTIVITY"
    TURN_INCLUDES_ALL_INPUT = "TURN_INCLUDES_ALL_INPUT"
    TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO = "TURN_INCLUDES_AUDIO_ACTIVITY_AND_ALL_VIDEO"


class RealtimeInputConfig(Model):
    """How live input is heard."""

    automatic_activity_detection: AutomaticActivityDetection | None = None
    activity_handling: ActivityHandling | None = None
    turn_coverage: TurnCoverage | None = None
    interim_transcript_timestamp_enabled: bool | None = None


class ActivityStart(Model):
    """The user begins to speak. Only with automatic detection disabled."""


class ActivityEnd(Model):
    """The user has spoken. Only with automatic detection disabled."""


class VoiceActivityType(OpenEnum):
    """What was heard."""

    TYPE_UNSPECIFIED = "TYPE_UNSPECIFIED"
    ACTIVITY_START = "ACTIVITY_START"
    ACTIVITY_END = "ACTIVITY_END"


class VoiceActivity(Model):
    """The model heard speech begin or end. `audio_offset` is a duration such as `"1.5s"`."""

    voice_activity_type: VoiceActivityType | None = None
    audio_offset: str | None = None


class SessionResumptionConfig(Model):
    """Ask for handles to resume by; `handle` resumes.

    With `transparent` the model says which messages it has consumed.
    """

    handle: str | None = None
    transparent: bool | None = None


class SessionResumptionUpdate(Model):
    """A new handle. While `resumable` is not true there is none to resume by."""

    _foreign_names: ClassVar[tuple[str, ...]] = ("LiveServerSessionResumptionUpdate",)

    new_handle: str | None = None
    resumable: bool | None = None
    last_consumed_client_message_index: int | None = None


class GoAway(Model):
    """The model will close the connection in `time_left`, a duration such as `"10s"`."""

    _foreign_names: ClassVar[tuple[str, ...]] = ("LiveServerGoAway",)

    time_left: str | None = None


LiveServerGoAway = GoAway
LiveServerSessionResumptionUpdate = SessionResumptionUpdate


class SlidingWindow(Model):
    """Forget the oldest turns, down to this many tokens."""

    target_tokens: int | None = None


class ContextWindowCompressionConfig(Model):
    """When the context outgrows `trigger_tokens`, compress it."""

    trigger_tokens: int | None = None
    sliding_window: SlidingWindow | None = None


class ProactivityConfig(Model):
    """Let the model speak unasked, or keep silent."""

    proactive_audio: bool | None = None
    proactive_video: bool | None = None


class HistoryConfig(Model):
    """Whether the first content sent is history rather than a turn."""

    initial_history_in_client_content: bool | None = None
