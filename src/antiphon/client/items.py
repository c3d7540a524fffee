"""What a conversation tells a client, besides the agent's events (`antiphon.Event`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from antiphon.events import Event

__all__ = [
    "Audio",
    "Closed",
    "Connected",
    "Disconnected",
    "Draining",
    "Flush",
    "Item",
    "Missing",
    "QueuePosition",
    "Refused",
    "RoleChanged",
]

Role: TypeAlias = Literal["speaker", "watcher"]


@dataclass(frozen=True, slots=True)
class Audio:
    """Speech of the agent: 16-bit little-endian mono PCM at `rate` hertz.

    `stream` is the answer it belongs to, rising; `number` its place there, from 0; `at` the milliseconds
    since the conversation began.
    """

    stream: int
    number: int
    at: int
    rate: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Flush:
    """What was not played of this answer, and of all before it, must not be played: the user cut in."""

    stream: int


@dataclass(frozen=True, slots=True)
class QueuePosition:
    """Every place is taken. This client is `position`th of `length`, from 1, and begins by itself."""

    position: int
    length: int


@dataclass(frozen=True, slots=True)
class Connected:
    """The conversation is up. `resumed`: it goes on where the last socket broke, and nothing was missed."""

    resumed: bool
    role: Role


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The socket broke; the next attempt is in `wait` seconds. What is said meanwhile is kept."""

    reason: str
    wait: float


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """Another client took the floor, or this one has it."""

    role: Role


@dataclass(frozen=True, slots=True)
class Draining:
    """The server ends in so many seconds; the client comes back by itself."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """This client read so slowly that `frames` frames of an answer, from `number` on, were shed."""

    stream: int
    number: int
    frames: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The server refused something; `code` is one of protocol 7.1, `n` what the sending method returned."""

    code: str
    message: str
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """The conversation is over. Nothing follows."""

    reason: str


Item: TypeAlias = (
    Event
    | Audio
    | Flush
    | QueuePosition
    | Connected
    | Disconnected
    | RoleChanged
    | Draining
    | Missing
    | Refused
    | Closed
)
"""What iterating over a conversation gives."""
