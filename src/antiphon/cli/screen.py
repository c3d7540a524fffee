"""What the conversation looks like to a terminal: pieces of text, each with a look. No terminal in here."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from contextlib import AbstractAsyncContextManager

__all__ = ["Look", "Piece", "Terminal", "plain"]


class Look(StrEnum):
    """How a piece is meant; a terminal gives it its colour."""

    NAME = "name"
    """Who speaks."""
    USER = "user"
    WORDS = "words"
    THOUGHT = "thought"
    TOOL = "tool"
    NOTE = "note"
    """What happens around the conversation; dim."""
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text to be written where the last piece ended; it may hold, or end with, newlines."""

    text: str
    look: Look


def plain(pieces: Iterable[Piece]) -> str:
    """The pieces without their looks."""
    return "".join(piece.text for piece in pieces)


class Terminal(Protocol):
    """Where a chat happens."""

    interactive: bool
    """A person types, and may type while the model speaks. Otherwise lines are taken one answer at a time."""
    echoes: bool
    """What is typed is seen without the chat's help."""

    def write(self, pieces: Iterable[Piece]) -> None:
        """Shows the pieces at once."""

    def lines(self) -> AsyncIterator[str]:
        """What the user says, without line ends; ends with the input."""

    def opened(self, interrupted: Callable[[], None]) -> AbstractAsyncContextManager[None]:
        """Holds the terminal; `interrupted` is called on the event loop for each Ctrl-C."""
