"""What is said to the model; a codec turns each into a frame of its wire."""

from __future__ import annotations

from dataclasses import dataclass

from antiphon.types import Blob, Content, FunctionResponse, FunctionResponseScheduling

__all__ = [
    "ActivityEnded",
    "ActivityStarted",
    "Media",
    "Message",
    "Opening",
    "StreamEnded",
    "ToolResults",
    "Turn",
]


@dataclass(slots=True, unsafe_hash=True, init=False)  # for every frame: at half the cost
class Media:
    """One audio chunk or video frame, exactly as the application sent it."""

    blob: Blob

    def __init__(self, blob: Blob) -> None:
        self.blob = blob


@dataclass(frozen=True, slots=True)
class Turn:
    """Something the user says in writing; `complete` asks the model to answer now.

    `results` are what it puts into words, where the user did not write it.
    """

    content: Content
    complete: bool = True
    results: ToolResults | None = None
    retold: bool = False
    """These are other words for what is stored: who is told what is stored is not told this."""


@dataclass(frozen=True, slots=True)
class ActivityStarted:
    """The user began to speak, says the application."""


@dataclass(frozen=True, slots=True)
class ActivityEnded:
    """The user has finished speaking, says the application."""


@dataclass(frozen=True, slots=True)
class StreamEnded:
    """No more audio for now; the model should not wait for it."""


@dataclass(frozen=True, slots=True)
class ToolResults:
    """Answers to tool calls, each with the id the model gave.

    `session` numbers the model session that made the calls: their ids mean nothing to any other. `None` when
    no session takes them by id.
    """

    responses: tuple[FunctionResponse, ...]
    session: int | None = None

    @property
    def silent(self) -> bool:
        """Whether the model is to say nothing about them."""
        return all(each.scheduling is FunctionResponseScheduling.SILENT for each in self.responses)


@dataclass(frozen=True, slots=True)
class Opening:
    """What a session is told as it begins, which its connection says by itself."""


Message = Media | Turn | ActivityStarted | ActivityEnded | StreamEnded | ToolResults
