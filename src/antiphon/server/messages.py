"""The messages of `antiphon.v1` (docs/protocol.md) as data, for both ends.

`antiphon.server.wire` makes frames of them and back, and reads here what a field may hold. Fields
called `at` or `played` are milliseconds, other times seconds, rates hertz. What is `None` is left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias

__all__ = [
    "DOWN",
    "JPEG",
    "PCM",
    "PNG",
    "SUBPROTOCOL",
    "UP",
    "Ack",
    "ActivityEnd",
    "ActivityStart",
    "AudioEnd",
    "Buffer",
    "Capabilities",
    "ClientHello",
    "Close",
    "Closed",
    "Config",
    "ControlDown",
    "ControlUp",
    "Down",
    "Drain",
    "Error",
    "Event",
    "Flush",
    "Limits",
    "Media",
    "Numbered",
    "Playback",
    "Queue",
    "Received",
    "Role",
    "Sequenced",
    "ServerHello",
    "Shed",
    "Stop",
    "Take",
    "Text",
    "Unknown",
    "Up",
]

SUBPROTOCOL: Final = "antiphon.v1"

PCM: Final = 1
JPEG: Final = 2
PNG: Final = 3

Number: TypeAlias = Annotated[int, range(1, 2**53)]
Count: TypeAlias = Annotated[int, range(2**53)]
InHeader: TypeAlias = Annotated[int, range(2**32)]
ReadyJson: TypeAlias = Annotated[str, dict]
"""An object as JSON text that goes into the frame, and comes out of it, as it is."""
Speaking: TypeAlias = Literal["speaker", "watcher"]

Buffer: TypeAlias = bytes | bytearray | memoryview


@dataclass(slots=True)  # not frozen: one is made of every frame, at half the cost
class Media:
    """A binary frame (2.1). `data`: 16-bit little-endian mono PCM at `rate`, or a JPEG or PNG at rate 0.

    A decoded frame's `data` is a view of the frame it came in, not a copy.
    """

    kind: int
    data: Buffer
    rate: int = 0
    stream: int = 0
    number: int = 0
    at: int = 0


# --- up -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Config:
    """How a new conversation is to be; `None` leaves a setting to the server (1.1)."""

    modality: Literal["AUDIO", "TEXT"] | None = None
    proactivity: bool | None = None
    affective_dialog: bool | None = None
    manual_activity: bool | None = None


@dataclass(frozen=True, slots=True)
class ClientHello:
    """The first frame up. `audio`: stream and number of the last media frame a client that comes back has."""

    resume: str | None = None
    seq: Count = 0
    audio: tuple[InHeader, InHeader] | None = None
    watch: bool = False
    config: Config = field(default_factory=Config)


@dataclass(frozen=True, slots=True)
class Text:
    n: Number
    text: str


@dataclass(frozen=True, slots=True)
class ActivityStart:
    n: Number


@dataclass(frozen=True, slots=True)
class ActivityEnd:
    n: Number


@dataclass(frozen=True, slots=True)
class AudioEnd:
    n: Number


@dataclass(frozen=True, slots=True)
class Stop:
    n: Number
    stream: InHeader
    played: Count


@dataclass(frozen=True, slots=True)
class Take:
    n: Number


@dataclass(frozen=True, slots=True)
class Close:
    n: Number


@dataclass(frozen=True, slots=True)
class Playback:
    stream: InHeader
    played: Count


@dataclass(frozen=True, slots=True)
class Ack:
    seq: Count


Numbered: TypeAlias = Text | ActivityStart | ActivityEnd | AudioEnd | Stop | Take | Close
"""What the server acknowledges (3.1)."""
ControlUp: TypeAlias = ClientHello | Numbered | Playback | Ack
Up: TypeAlias = ControlUp | Media


# --- down ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Capabilities:
    audio_input: bool
    audio_output: bool
    video_input: bool
    text_output: bool
    manual_activity: bool
    input_rate: Count
    output_rate: Count


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may do (7.3); bytes of whole frames, seconds, and counts per second."""

    text_bytes: Count = 65536
    media_bytes: Count = 1048576
    frames_per_second: float = 200
    images_per_second: float = 2
    idle_seconds: float = 300
    audio_buffer: float = 5
    grace: float = 60


@dataclass(frozen=True, slots=True)
class ServerHello:
    conversation: str
    session: str
    user: str
    agent: str
    resume: str
    grace: float
    resumed: bool
    role: Speaking
    received: Count
    capabilities: Capabilities
    limits: Limits
    protocol: str = SUBPROTOCOL


@dataclass(frozen=True, slots=True)
class Queue:
    """The place in the line, from 1, and how long the line is."""

    position: Number
    length: Number


@dataclass(frozen=True, slots=True)
class Received:
    n: Count


@dataclass(frozen=True, slots=True)
class Event:
    seq: Number
    event: ReadyJson


@dataclass(frozen=True, slots=True)
class Flush:
    seq: Number
    stream: InHeader


@dataclass(frozen=True, slots=True)
class Drain:
    seq: Number
    seconds: float


@dataclass(frozen=True, slots=True)
class Role:
    seq: Number
    role: Speaking


@dataclass(frozen=True, slots=True)
class Closed:
    seq: Number
    reason: str


@dataclass(frozen=True, slots=True)
class Shed:
    seq: Number
    stream: InHeader
    number: InHeader
    frames: Count


@dataclass(frozen=True, slots=True)
class Error:
    code: str
    message: str
    n: Count | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a later server, to be left aside (1.4); its `seq`, if it has one, counts all the same."""

    type: str
    seq: int | None = None


Sequenced: TypeAlias = Event | Flush | Drain | Role | Closed | Shed
"""What a client acknowledges and is told again (4.1)."""
ControlDown: TypeAlias = ServerHello | Queue | Received | Sequenced | Error
Down: TypeAlias = ControlDown | Media

UP: Final[dict[str, type]] = {
    "hello": ClientHello,
    "text": Text,
    "activity_start": ActivityStart,
    "activity_end": ActivityEnd,
    "audio_end": AudioEnd,
    "stop": Stop,
    "take": Take,
    "close": Close,
    "playback": Playback,
    "ack": Ack,
}
DOWN: Final[dict[str, type]] = {
    "hello": ServerHello,
    "queue": Queue,
    "received": Received,
    "event": Event,
    "flush": Flush,
    "drain": Drain,
    "role": Role,
    "closed": Closed,
    "shed": Shed,
    "error": Error,
}
