"""Everything a conversation can ask for. The driver performs these in order and knows no rules."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Literal

from antiphon.core.messages import Message
from antiphon.errors import AntiphonError
from antiphon.events import Event
from antiphon.types import Content, Part

__all__ = [
    "About",
    "Ask",
    "Begin",
    "CancelTool",
    "Command",
    "Cut",
    "Dial",
    "Emit",
    "End",
    "EndedBy",
    "Failure",
    "Growing",
    "HangUp",
    "Passage",
    "Place",
    "Record",
    "Review",
    "RunTool",
    "SaveConversation",
    "SaveRecording",
    "Send",
    "Speak",
    "Speaker",
    "Spoken",
    "Store",
    "Typed",
    "Whole",
]

Speaker = Literal["user", "model"]
EndedBy = Literal["user", "model", "agent", "limit", "error"]


@dataclass(frozen=True, slots=True)
class Emit:
    """Yield this event to the application; `stored` ones go to the session as well.

    Whoever performs it fills in `id`, `invocation_id`, `timestamp` and `custom_metadata`.
    """

    event: Event
    stored: bool = False


@dataclass(slots=True, unsafe_hash=True, init=False)  # for every frame: at half the cost
class Speak:
    """Yield this chunk of the model's speech: what nearly every command is, so no event is made of it yet.

    Whoever wants one makes it by `drafts`.
    """

    author: str
    data: bytes
    mime_type: str

    def __init__(self, author: str, data: bytes, mime_type: str) -> None:
        self.author = author
        self.data = data
        self.mime_type = mime_type


@dataclass(frozen=True, slots=True)
class Store:
    """Put this event into the session without yielding it: the application said it itself."""

    event: Event


@dataclass(frozen=True, slots=True)
class Dial:
    """Open a socket to the agent's model, saying nothing yet; answered by `LinkDialled` or `LinkLost`."""

    link: int
    agent: str


class Ask(Enum):
    """What a model is asked as soon as it is ready."""

    NOTHING = auto()
    UNANSWERED = auto()
    """What the user said last, unless an agent has answered it."""
    LAST = auto()
    """What the user said last, whatever another agent has said since."""


@dataclass(frozen=True, slots=True)
class Begin:
    """Set the session up on a dialled link; answered by `ModelReady` or `LinkLost`.

    With `handle` the old session goes on. With `seed` the stored conversation is told first, all but the
    `held` parts, which will be sent; then comes what `ask` says. `since` is for a handle that stands for a
    moment: what is told is all but the first so many events that were stored in this conversation, and but
    the results of those calls whose `answers` will be sent by their ids.
    """

    link: int
    agent: str
    handle: str | None = None
    seed: bool = False
    ask: Ask = Ask.NOTHING
    held: tuple[Part, ...] = ()
    since: int | None = None
    answers: tuple[str, ...] = ()


@dataclass(slots=True, unsafe_hash=True, init=False)  # as above
class Send:
    """Say this to the model. What never leaves comes back in `LinkLost.unsent`."""

    link: int
    message: Message

    def __init__(self, link: int, message: Message) -> None:
        self.link = link
        self.message = message


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the link in good order, after what was sent on it; answered by `LinkLost`."""

    link: int
    code: int = 1000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class RunTool:
    """Run the agent's tool; answered by one `ToolFinished`, after any number of `ToolYielded`."""

    call_id: str
    agent: str
    name: str
    args: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CancelTool:
    """Stop a running tool; nothing more is expected from it."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Record:
    """Keep this 16-bit mono PCM: it goes on with the recording of that number, or begins it.

    A recording has one speaker, one author (an agent's name, or "user") and one rate.
    """

    number: int
    speaker: Speaker
    author: str
    data: bytes
    rate: int


@dataclass(frozen=True, slots=True)
class SaveRecording:
    """Write the recording as one artifact; answered by `RecordingSaved` or `RecordingFailed`."""

    number: int


@dataclass(frozen=True, slots=True)
class Place:
    """Lay this 16-bit mono PCM on the conversation's timeline, `at` seconds since the start.

    With `None` it follows what was last laid down of the speaker, back to back.
    """

    speaker: Speaker
    data: bytes
    rate: int
    at: float | None


@dataclass(frozen=True, slots=True)
class Cut:
    """Take away what lies on the timeline of the model's voice after `at` seconds since the start."""

    at: float


@dataclass(frozen=True, slots=True)
class SaveConversation:
    """Write the timeline as one artifact; answered by `RecordingSaved` or `RecordingFailed`."""

    number: int
    author: str


# What callbacks and guardrails are shown (contract 5.10, 5.13).


@dataclass(frozen=True, slots=True)
class Passage:
    """`leaving` are done, then `entering` are about to begin, each in this order; names of agents."""

    leaving: tuple[str, ...]
    entering: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """What the user wrote, before it goes to the model; `text` with what it completes."""

    content: Content
    text: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """What the user said, as the model heard it; it cannot be changed any more."""

    text: str


@dataclass(frozen=True, slots=True)
class Growing:
    """The words of the speaker so far, for guardrails."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole piece of the model's words: merged text, or a finished transcript."""

    event: Event


@dataclass(frozen=True, slots=True)
class Failure:
    """The model reports an error, or its connection failed for good (`error`)."""

    code: str
    message: str
    error: AntiphonError | None = None


About = Passage | Typed | Spoken | Growing | Whole | Failure


@dataclass(frozen=True, slots=True)
class Review:
    """Show this to the agent's callbacks or guardrails; answered by one `Reviewed` with its id."""

    id: int
    agent: str
    about: About


@dataclass(frozen=True, slots=True)
class End:
    """The conversation is over. `error` is raised to the application after all events."""

    reason: str
    by: EndedBy
    error: AntiphonError | None = None


Command = (
    Emit
    | Speak
    | Store
    | Send
    | RunTool
    | CancelTool
    | Dial
    | Begin
    | HangUp
    | Record
    | SaveRecording
    | Place
    | Cut
    | SaveConversation
    | Review
    | End
)
