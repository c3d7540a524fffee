"""`Event`: what the application sees of a conversation (contract, section 3)."""

from __future__ import annotations

import os
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ConfigDict, Field, field_serializer

from antiphon.types.model import Model, later

if TYPE_CHECKING:
    from antiphon.types import (
        CacheMetadata,
        Content,
        FinishReason,
        FunctionCall,
        FunctionResponse,
        GoAway,
        GroundingMetadata,
        InteractionStatus,
        SessionResumptionUpdate,
        Transcription,
        TurnCompleteReason,
        UsageMetadata,
        VoiceActivity,
    )
else:
    CacheMetadata = later("antiphon.types.usage", "CacheMetadata")
    Content = later("antiphon.types.content", "Content")
    FinishReason = later("antiphon.types.outcome", "FinishReason")
    GoAway = later("antiphon.types.realtime", "GoAway")
    GroundingMetadata = later("antiphon.types.grounding", "GroundingMetadata")
    InteractionStatus = later("antiphon.types.outcome", "InteractionStatus")
    SessionResumptionUpdate = later("antiphon.types.realtime", "SessionResumptionUpdate")
    Transcription = later("antiphon.types.transcription", "Transcription")
    TurnCompleteReason = later("antiphon.types.outcome", "TurnCompleteReason")
    UsageMetadata = later("antiphon.types.usage", "UsageMetadata")
    VoiceActivity = later("antiphon.types.realtime", "VoiceActivity")

__all__ = ["ErrorCode", "Event", "EventActions", "Lifecycle", "LifecycleKind", "LlmResponse", "new_id"]


class ErrorCode(StrEnum):
    """Errors a conversation survives (contract 3.10). Providers' own codes appear verbatim beside them."""

    SAFETY = "SAFETY"
    PROHIBITED_CONTENT = "PROHIBITED_CONTENT"
    BLOCKLIST = "BLOCKLIST"
    MAX_TOKENS = "MAX_TOKENS"
    CANCELLED = "CANCELLED"
    RESOURCE_EXHAUSTED = "RESOURCE_EXHAUSTED"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNKNOWN = "UNKNOWN"
    INVALID_REQUEST = "INVALID_REQUEST"
    MALFORMED_FRAME = "MALFORMED_FRAME"
    RECORDING_FAILED = "RECORDING_FAILED"
    GUARDRAIL = "GUARDRAIL"
    """A guardrail vetoed what was said (contract 5.13)."""
    CALLBACK_FAILED = "CALLBACK_FAILED"
    """A callback raised or took too long; what it was to look at does not pass (contract 5.10)."""

    @property
    def is_terminal(self) -> bool:
        """Whether this turn is over because of it; otherwise the error may pass."""
        return self in _TERMINAL

    @classmethod
    def terminal(cls, code: str | None) -> bool:
        """`is_terminal` for any code, those of providers included (they count as transient)."""
        return code is not None and code in _TERMINAL


_TERMINAL = frozenset(
    {
        ErrorCode.SAFETY,
        ErrorCode.PROHIBITED_CONTENT,
        ErrorCode.BLOCKLIST,
        ErrorCode.MAX_TOKENS,
        ErrorCode.CANCELLED,
        ErrorCode.GUARDRAIL,
        ErrorCode.CALLBACK_FAILED,
    }
)

LifecycleKind = Literal[
    "ready",
    "reconnecting",
    "reconnected",
    "going_away",
    "tool_cancelled",
    "generation_complete",
    "overloaded",
    "toolset_unavailable",
    "closed",
]


def new_id() -> str:
    """A random UUID (version 4). Many are made at a time, at a fifth of the cost of `str(uuid4())` each."""
    try:
        return _ids.pop()
    except IndexError:
        x = os.urandom(16 * _IDS_AT_ONCE).hex()
        made = [_uuid(x[at : at + 32]) for at in range(0, len(x), 32)]
        _ids.extend(made[1:])
        return made[0]


def _uuid(x: str) -> str:
    return f"{x[:8]}-{x[8:12]}-4{x[13:16]}-{_VARIANTS[x[16]]}{x[17:20]}-{x[20:]}"


_IDS_AT_ONCE = 64
_ids: list[str] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ids.clear)  # else parent and child would give the same ones

_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


class _Open(Model):
    # Stored events are read by later and earlier versions, so what is not known is left aside.
    model_config = ConfigDict(extra="ignore")


class Lifecycle(_Open):
    """A fact about the conversation itself (contract 3.11); never stored."""

    kind: LifecycleKind
    reason: str | None = None
    """Why: `closed` ends by name, `reconnecting` the cause, `overloaded` what was shed, and
    `toolset_unavailable` which one and why."""
    by: Literal["user", "model", "agent", "limit", "error"] | None = None
    """Who ended the conversation (`closed`)."""
    attempt: int | None = None
    """Which try in a row this is, from 1 (`reconnecting`)."""
    resumed: bool | None = None
    """`reconnected`: True by handle, False by a fresh session seeded from what is stored."""
    time_left: float | None = None
    """Seconds until the model drops the connection (`going_away`)."""
    count: int | None = None
    """How many were shed (`overloaded`)."""
    call_ids: list[str] | None = None
    """The calls concerned (`tool_cancelled`)."""


class EventActions(_Open):
    """What an event does besides saying something."""

    skip_summarization: bool | None = None
    state_delta: dict[str, Any] = Field(default_factory=dict)
    """Changes to the session's state that land with this event (contract 4.6)."""
    artifact_delta: dict[str, int] = Field(default_factory=dict)
    """Artifact name to the version saved with this event."""
    transfer_to_agent: str | None = None
    escalate: bool | None = None
    told: dict[str, Content] | None = None
    """What models are told instead of the words of these events, by event id: a content without parts is
    nothing at all (contract 5.13)."""


class LlmResponse(_Open):
    """What a model said, in one piece of its stream."""

    model_version: str | None = None
    content: Content | None = None
    partial: bool | None = None
    turn_complete: bool | None = None
    turn_complete_reason: TurnCompleteReason | None = None
    interaction_status: InteractionStatus | None = None
    interrupted: bool | None = None
    finish_reason: FinishReason | None = None
    error_code: str | None = None
    error_message: str | None = None
    input_transcription: Transcription | None = None
    output_transcription: Transcription | None = None
    usage_metadata: UsageMetadata | None = None
    cache_metadata: CacheMetadata | None = None
    grounding_metadata: GroundingMetadata | None = None
    voice_activity: VoiceActivity | None = None
    live_session_resumption_update: SessionResumptionUpdate | None = None
    go_away: GoAway | None = None
    custom_metadata: dict[str, Any] | None = None


class Event(LlmResponse):
    """One thing that happened in a conversation.

    The wire form is `event.model_dump_json(exclude_none=True, by_alias=True)`; read it back with
    `Event.model_validate_json`. Audio is raw bytes here and base64 (URL-safe alphabet) there.
    """

    id: str = Field(default_factory=new_id)
    """Unique per event, partial ones included."""
    invocation_id: str = ""
    """`e-` and a UUID; the same for every event of one `run_live()`."""
    author: str = ""
    """The agent's name, or `user` for what the user said."""
    timestamp: float = Field(default_factory=time.time)
    """Seconds since the epoch."""
    actions: EventActions = Field(default_factory=EventActions)
    long_running_tool_ids: set[str] | None = None
    branch: str | None = None
    amends: str | None = None
    """The id of an earlier event whose transcript this one takes the place of: less of it was heard."""
    lifecycle: Lifecycle | None = None

    @field_serializer("long_running_tool_ids", when_used="unless-none")
    def _in_order(self, value: set[str]) -> list[str]:
        return sorted(value)

    @staticmethod
    def new_id() -> str:
        return new_id()

    def get_function_calls(self) -> list[FunctionCall]:
        return [part.function_call for part in self._parts() if part.function_call]

    def get_function_responses(self) -> list[FunctionResponse]:
        return [part.function_response for part in self._parts() if part.function_response]

    def is_final_response(self) -> bool:
        """Whether this is something to show as the agent's word: whole, and no step on the way to it."""
        if self.actions.skip_summarization or self.long_running_tool_ids:
            return True
        if self.partial or self.lifecycle is not None:
            return False
        parts = self._parts()
        if any(part.function_call or part.function_response for part in parts):
            return False
        return not (parts and parts[-1].code_execution_result)

    def _parts(self) -> list[Any]:
        return (self.content.parts or []) if self.content else []
