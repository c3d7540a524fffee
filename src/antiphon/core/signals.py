"""Everything that can happen to a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from antiphon.core.messages import Message, Opening
from antiphon.core.outcomes import Acted, RecordingFailed, RecordingSaved, Reviewed, Vetoed
from antiphon.errors import ModelConnectionError
from antiphon.events import EventActions, LlmResponse
from antiphon.types import (
    Blob,
    Content,
    FunctionCall,
    FunctionResponseScheduling,
    GroundingMetadata,
    InteractionStatus,
    Part,
    TurnCompleteReason,
    UsageMetadata,
    VoiceActivity,
)

__all__ = [
    "Acted",
    "AppLeft",
    "CallsCancelled",
    "GenerationComplete",
    "GoingAway",
    "Grounding",
    "HandleUpdate",
    "InputTranscript",
    "LinkDialled",
    "LinkLost",
    "ModelAnswered",
    "ModelAudio",
    "ModelError",
    "ModelInterrupted",
    "ModelPart",
    "ModelReady",
    "ModelSignal",
    "ModelText",
    "OutputTranscript",
    "Received",
    "RecordingFailed",
    "RecordingSaved",
    "Reviewed",
    "Signal",
    "Tick",
    "ToolCalls",
    "ToolFinished",
    "ToolYielded",
    "TurnComplete",
    "Usage",
    "UserActivity",
    "UserLeaving",
    "UserLeft",
    "UserMedia",
    "UserPlayed",
    "UserState",
    "UserStreamEnd",
    "UserTurn",
    "Vetoed",
    "VoiceActivityChanged",
]


# What the model says. Codecs make these from frames; `Received` says on which link they came.


@dataclass(frozen=True, slots=True)
class ModelReady:
    """The model accepted the set-up and takes input from now on."""


@dataclass(slots=True, unsafe_hash=True, init=False)  # for every frame: at half the cost
class ModelAudio:
    """Speech: 16-bit little-endian mono PCM, its rate in the MIME type."""

    data: bytes
    mime_type: str

    def __init__(self, data: bytes, mime_type: str) -> None:
        self.data = data
        self.mime_type = mime_type


@dataclass(frozen=True, slots=True)
class ModelText:
    """New text of the answer, or of the model's thinking."""

    text: str
    thought: bool = False


@dataclass(frozen=True, slots=True)
class ModelPart:
    """Any other piece of content, whole: executed code, an image, a file."""

    part: Part


@dataclass(frozen=True, slots=True)
class InputTranscript:
    """New words of the user, as the model heard them; `finished` ends the utterance."""

    text: str
    finished: bool = False
    language_code: str | None = None


@dataclass(frozen=True, slots=True)
class OutputTranscript:
    """New words of the model's speech; `finished` ends them."""

    text: str
    finished: bool = False
    language_code: str | None = None


@dataclass(frozen=True, slots=True)
class ModelInterrupted:
    """The user took the floor; what the model was saying is cut off."""


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """The model has produced all of its answer, which may still be playing."""


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """The model gave the floor back."""

    reason: TurnCompleteReason | None = None
    status: InteractionStatus | None = None


@dataclass(frozen=True, slots=True)
class ToolCalls:
    """The model calls tools; one event, run in parallel."""

    calls: tuple[FunctionCall, ...]


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """All that a turn-based model said to one request; its text has come as `ModelText` before.

    Each call in it has an id that no other call on the link has.
    """

    response: LlmResponse


@dataclass(frozen=True, slots=True)
class CallsCancelled:
    """The model takes calls back."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Usage:
    metadata: UsageMetadata


@dataclass(frozen=True, slots=True)
class Grounding:
    metadata: GroundingMetadata


@dataclass(frozen=True, slots=True)
class VoiceActivityChanged:
    """The model's own detection of the user's voice."""

    activity: VoiceActivity


@dataclass(frozen=True, slots=True)
class ModelError:
    """The model reports an error and stays connected.

    `void`: what it was saying broke off, does not count, and will be said anew.
    """

    code: str
    message: str
    void: bool = False


@dataclass(frozen=True, slots=True)
class HandleUpdate:
    """A resumption handle; `resumable=False` says only that now is not the moment to use one."""

    handle: str | None
    resumable: bool


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The model will drop the connection in `time_left` seconds."""

    time_left: float


ModelSignal = (
    ModelAudio
    | ModelText
    | OutputTranscript
    | InputTranscript
    | ModelPart
    | ModelInterrupted
    | GenerationComplete
    | TurnComplete
    | ToolCalls
    | ModelAnswered
    | CallsCancelled
    | Usage
    | Grounding
    | VoiceActivityChanged
    | ModelError
    | HandleUpdate
    | GoingAway
    | ModelReady
)


# What happens on links to the model; `link` is the number the conversation gave it.


@dataclass(slots=True, unsafe_hash=True, init=False)  # as above
class Received:
    """What the model said in one frame, or in several that came at once, in order."""

    link: int
    said: Sequence[ModelSignal]

    def __init__(self, link: int, said: Sequence[ModelSignal]) -> None:
        self.link = link
        self.said = said


@dataclass(frozen=True, slots=True)
class LinkDialled:
    """The socket is open; nothing was said on it yet."""

    link: int


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The link is gone. `error` is `None` when the model ended the session in good order.

    In order: what never left is `unsent`; what left before it and may not have been read, `doubtful`.
    """

    link: int
    error: ModelConnectionError | None
    unsent: tuple[Message, ...] = ()
    doubtful: tuple[Message | Opening, ...] = ()


# What the user does.


@dataclass(slots=True, unsafe_hash=True, init=False)  # as above
class UserMedia:
    """One audio chunk or video frame, as `requests.check_blob` lets it through.

    `shed` is one that the model will not hear, because it did not keep up (contract 2.2).
    """

    blob: Blob
    shed: bool = False

    def __init__(self, blob: Blob, shed: bool = False) -> None:
        self.blob = blob
        self.shed = shed


@dataclass(frozen=True, slots=True)
class UserTurn:
    content: Content
    partial: bool = False
    state_delta: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class UserActivity:
    """The user began or finished speaking, by the application's word, or wants no more of the answer."""

    kind: Literal["start", "end", "stop"]


@dataclass(frozen=True, slots=True)
class UserStreamEnd:
    pass


@dataclass(frozen=True, slots=True)
class UserPlayed:
    """The user has heard this much of an answer; `turn` counts the answers before it (contract 4.5)."""

    played_ms: float
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class UserState:
    """Changes to the session's state that came with a request that is not content."""

    delta: dict[str, Any]


@dataclass(frozen=True, slots=True)
class UserLeft:
    """The user's queue was closed; everything sent before has been handed over."""


@dataclass(frozen=True, slots=True)
class UserLeaving:
    """The user's queue was closed; the model does not take what was sent before. `UserLeft` may follow."""


@dataclass(frozen=True, slots=True)
class AppLeft:
    """The application stopped reading events: everything ends now."""


# What tools report.


@dataclass(frozen=True, slots=True)
class ToolFinished:
    """A tool ended. `response=None` is the "not yet" of a long-running tool (contract 5.6).

    `completes` is `task_completed`'s word that this agent is done; `ends` asks to end the invocation; `stops`
    asks to stop the agent's streaming calls of that tool. `scheduling` is the call's own choice.
    """

    call_id: str
    response: dict[str, Any] | None
    actions: EventActions = field(default_factory=EventActions)
    failed: bool = False
    completes: bool = False
    ends: bool = False
    stops: str | None = None
    scheduling: FunctionResponseScheduling | None = None


@dataclass(frozen=True, slots=True)
class ToolYielded:
    """A streaming tool has something to say, and will go on (contract 5.7)."""

    call_id: str
    response: dict[str, Any]
    actions: EventActions = field(default_factory=EventActions)
    scheduling: FunctionResponseScheduling | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """It is now at least what `deadline()` said."""


Signal = (
    Received
    | UserMedia
    | UserTurn
    | UserActivity
    | UserStreamEnd
    | UserPlayed
    | UserState
    | UserLeaving
    | UserLeft
    | AppLeft
    | ToolFinished
    | ToolYielded
    | LinkDialled
    | LinkLost
    | RecordingSaved
    | RecordingFailed
    | Reviewed
    | Acted
    | Tick
)
