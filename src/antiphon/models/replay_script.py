"""A tape cut into what a replay plays: link by link what the model said, and when; and what the user did.

Rule 1  What the model said is said again once it was told all that it had been told by then: turns and
        activity by number, results by call, media by amount. How chunks were cut, and in what order tools
        ended, may differ.
Rule 2  A link that the application hung up says nothing after that. Any other loss is played, with what had
        not left by then.
Rule 3  What the user did follows once all was said, and all results were told, that came before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from antiphon.core.messages import Media, Message, ToolResults
from antiphon.core.signals import (
    AppLeft,
    LinkDialled,
    LinkLost,
    Received,
    UserActivity,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.errors import TapeUnusable, UnknownMimeType
from antiphon.models.tape import Begun, Dialled, Fed, HungUp, Started, Tape, Told
from antiphon.requests import DEFAULT_RATE, pcm_rate

if TYPE_CHECKING:
    from antiphon.models.tape import Record
    from antiphon.types import Blob

__all__ = [
    "CRUMB",
    "Amount",
    "Cue",
    "Deed",
    "Expected",
    "RecordedLink",
    "Script",
    "UserRequest",
    "UserSignal",
    "is_audio",
    "script_of",
]

UserRequest = UserMedia | UserTurn | UserActivity | UserStreamEnd | UserPlayed | UserLeft | AppLeft
UserSignal = UserRequest | UserState

CRUMB: Final = 1e-3
"""Seconds by which sums of audio may differ."""


@dataclass(slots=True)
class Amount:
    """How much a model was told."""

    begun: int = 0
    control: int = 0
    results: int = 0
    audio: float = 0.0
    images: int = 0

    def add(self, message: Message) -> None:
        match message:
            case Media(blob) if is_audio(message):
                self.audio += _seconds(blob)
            case Media():
                self.images += 1
            case ToolResults():
                self.results += 1
            case _:
                self.control += 1

    def copy(self) -> Amount:
        return Amount(self.begun, self.control, self.results, self.audio, self.images)

    def missing(self, needed: Amount) -> str:
        """What is not there of what is needed, in words; empty if all is."""
        lacks = [
            "the set-up" if self.begun < needed.begun else "",
            _more(needed.control - self.control, "turn or activity signal", "turns or activity signals"),
            _more(needed.results - self.results, "tool result", "tool results"),
            f"{needed.audio - self.audio:.2f} s of audio" if needed.audio - self.audio > CRUMB else "",
            _more(needed.images - self.images, "image", "images"),
        ]
        return ", ".join(filter(None, lacks))


@dataclass(frozen=True, slots=True)
class Cue:
    """What comes of the model on one link at one time. `gap`: seconds after what came before on the link."""

    place: int
    line: int
    at: float
    gap: float
    needs: Amount
    signal: Received | LinkLost


@dataclass(frozen=True, slots=True)
class Expected:
    """One thing the model was told."""

    place: int
    line: int
    message: Message


@dataclass(slots=True)
class RecordedLink:
    """The model's half of one link."""

    place: int
    line: int
    at: float
    agent: str
    opened: tuple[int, float] | None = None
    """The place of `LinkDialled`, and how many seconds it took."""
    begun: tuple[int, Begun] | None = None
    """What the session was set up with, and on which line."""
    begun_place: int = -1
    cues: list[Cue] = field(default_factory=list)
    control: list[Expected] = field(default_factory=list)
    results: list[Expected] = field(default_factory=list)
    hung_up: bool = False
    closing: tuple[float, LinkLost] | None = None
    """The loss that followed on hanging up, and after how many seconds."""
    told: Amount = field(default_factory=Amount)
    latest: float = 0.0
    """When anything was last said or told on it."""

    @property
    def loss(self) -> LinkLost | None:
        """How it was lost, if the tape says so."""
        if self.closing is not None:
            return self.closing[1]
        last = self.cues[-1].signal if self.cues else None
        return last if isinstance(last, LinkLost) else None


@dataclass(frozen=True, slots=True)
class Deed:
    """What the user did. `gap`: seconds after what came before on the tape, and is waited for."""

    place: int
    gap: float
    signal: UserSignal


@dataclass(frozen=True, slots=True)
class Script:
    """All of it. `milestones` are the places of what user deeds wait for, in order."""

    links: list[RecordedLink]
    user: list[Deed]
    milestones: list[int]


def script_of(tape: Tape) -> Script:
    """Cuts the tape. Raises `TapeUnusable` for one that speaks of a link before it is dialled."""
    cutting = _Cutting(tape.name)
    for place, (line, record) in enumerate(zip(tape.lines, tape.records, strict=True)):
        cutting.add(place, line, record)
    return Script(list(cutting.links.values()), cutting.user, cutting.milestones)


class _Cutting:
    def __init__(self, name: str) -> None:
        self._name = name
        self.links: dict[int, RecordedLink] = {}
        self.user: list[Deed] = []
        self.milestones: list[int] = []
        self._since = 0.0

    def add(self, place: int, line: int, record: Record) -> None:
        match record:
            case Started(now):
                self._since = now
            case Dialled(now, number, agent):
                self.links[number] = RecordedLink(place, line, now, agent, latest=now)
            case Begun(now, number):
                link = self._link(number, line)
                link.begun, link.begun_place, link.latest = (line, record), place, now
                link.told.begun = 1
                self._passed(place, now)
            case Told(now, number, message):
                self._told(self._link(number, line), Expected(place, line, message), now)
            case HungUp(now, number):
                link = self._link(number, line)
                link.hung_up, link.latest = True, now
            case Fed(now, LinkDialled(number)):
                link = self._link(number, line)
                link.opened, link.latest = (place, now - link.at), now
                self._passed(place, now)
            case Fed(now, Received(number) | LinkLost(number) as signal):
                self._said(self._link(number, line), place, line, now, signal)
            case Fed(now, signal) if isinstance(signal, UserSignal):
                self.user.append(Deed(place, max(now - self._since, 0.0), signal))
                self._since = now
            case _:
                pass

    def _link(self, number: int, line: int) -> RecordedLink:
        link = self.links.get(number)
        if link is None:
            raise TapeUnusable(f"{self._name}, line {line}: link {number} was not dialled before.")
        return link

    def _told(self, link: RecordedLink, expected: Expected, now: float) -> None:
        link.told.add(expected.message)
        link.latest = now
        if isinstance(expected.message, ToolResults):
            link.results.append(expected)
            self._passed(expected.place, now)
        elif not isinstance(expected.message, Media):
            link.control.append(expected)

    def _said(
        self, link: RecordedLink, place: int, line: int, now: float, signal: Received | LinkLost
    ) -> None:
        gap = max(now - link.latest, 0.0)
        if link.hung_up:
            if isinstance(signal, LinkLost):
                link.closing = (gap, signal)
            return
        link.cues.append(Cue(place, line, now, gap, link.told.copy(), signal))
        link.latest = now
        self._passed(place, now)

    def _passed(self, place: int, now: float) -> None:
        self.milestones.append(place)
        self._since = now


def is_audio(message: Message) -> bool:
    return isinstance(message, Media) and (message.blob.mime_type or "").startswith("audio/")


def _seconds(blob: Blob) -> float:
    try:
        rate = pcm_rate(blob.mime_type or "")
    except UnknownMimeType:
        rate = None
    return len(blob.data or b"") / (2 * (rate or DEFAULT_RATE))


def _more(number: int, one: str, many: str) -> str:
    return "" if number <= 0 else f"{number} {one if number == 1 else many}"
