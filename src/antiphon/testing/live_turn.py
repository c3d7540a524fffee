"""One turn of the emulated model, and the timetable by which its frames are sent. Pure."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from antiphon.testing import live_frames as frames
from antiphon.testing.live_speech import chunks, seconds_of, spoken
from antiphon.testing.live_wire import Json, merged

if TYPE_CHECKING:
    from antiphon.testing.live_profiles import Timing
    from antiphon.testing.live_reply import Prompt, ToolResponse
    from antiphon.testing.live_setup import Setup

__all__ = [
    "Ask",
    "Effect",
    "HangUp",
    "Hush",
    "Piece",
    "Schedule",
    "Send",
    "Turn",
    "is_of_tools",
    "pieces",
    "plain",
    "reworded",
]


@dataclass(frozen=True, slots=True)
class Send:
    """This frame is to be sent."""

    frame: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection is to be closed."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ask:
    """The reply to a prompt is wanted, item by item, for the turn of this number."""

    turn: int
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class Hush:
    """Nothing more is wanted for the turn of this number."""

    turn: int


Effect = Send | HangUp | Ask | Hush
Action = Callable[[float], Iterable[Effect]]


class Schedule:
    """What is to be done when; what is due at the same time is done in the order in which it was planned."""

    def __init__(self) -> None:
        self._planned: list[tuple[float, int, int | None, Action]] = []
        self._order = count()

    def plan(self, due: float, action: Action, *, turn: int | None = None) -> None:
        heapq.heappush(self._planned, (due, next(self._order), turn, action))

    def send(self, due: float, frame: Mapping[str, Any], *, turn: int | None = None) -> None:
        self.plan(due, lambda _: [Send(frame)], turn=turn)

    def next(self) -> float | None:
        """When something is due, in the same seconds as `now`."""
        return self._planned[0][0] if self._planned else None

    def due(self, now: float) -> Iterable[Effect]:
        """Does all that is due, including what is planned meanwhile."""
        while self._planned and self._planned[0][0] <= now:
            _, _, _, action = heapq.heappop(self._planned)
            yield from action(now)

    def drop(self, turn: int | None = None) -> None:
        """Forgets what was planned for this turn; without one, everything."""
        self._planned = [entry for entry in self._planned if turn is not None and entry[2] != turn]
        heapq.heapify(self._planned)


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame of speech or text: the words that are said once it is sent, and how long they sound."""

    frame: Json
    words: str
    seconds: float


@dataclass(slots=True)
class Turn:
    """From the user's turn to `turnComplete`."""

    number: int
    prompt: Prompt
    asked: float
    """When the reply that is going on was asked for."""
    cursor: float
    """Until when frames are planned."""
    plays_until: float = 0.0
    said: list[str] = field(default_factory=list)
    planned: list[str] = field(default_factory=list)
    """Words that wait for their time."""
    sounded: float = 0.0
    thoughts: int = 0
    calls: set[str] = field(default_factory=set)
    """Blocking calls without an answer."""
    responses: list[ToolResponse] = field(default_factory=list)
    started: bool = False
    """Whether this reply's first item came."""
    called: bool = False
    """Whether this reply called a tool."""
    unsent: list[Json] = field(default_factory=list)
    """Calls that wait for their time, as the history has them."""
    replied: bool = False
    """Whether this reply is at its end."""
    held: bool = False

    def lead(self, delay: float) -> None:
        """The first item of a reply takes `delay` seconds from the question."""
        if not self.started:
            self.started = True
            self.cursor = max(self.cursor, self.asked + delay)

    def asks_again(self, now: float) -> None:
        """The turn goes on with the answers to its calls."""
        self.asked, self.cursor = now, max(now, self.cursor)
        self.started = self.called = self.replied = False

    def take(self, piece: Piece, timing: Timing) -> float:
        """Plans a piece; returns when it is due."""
        due = self.cursor
        self.planned.append(piece.words)
        self.plays_until = max(self.plays_until, due) + piece.seconds * timing.playback
        self.cursor = due + piece.seconds / timing.delivery
        return due

    def sent(self, piece: Piece, now: float) -> Iterable[Effect]:
        """The time of a planned piece came."""
        self.said.append(self.planned.pop(0))
        self.sounded += piece.seconds
        return [Send(piece.frame)]

    def call(self, calls: list[Json]) -> Json:
        """Plans these calls; returns them as the history has them."""
        made: Json = {"role": "model", "parts": [{"functionCall": call} for call in calls]}
        self.called = True
        self.unsent.append(made)
        return made

    def calls_sent(self, made: Json, now: float) -> Iterable[Effect]:
        """The time of planned calls came."""
        self.unsent.remove(made)
        return [Send(frames.tool_call(*(part["functionCall"] for part in made["parts"])))]

    def usage(self, *, written: int, heard: float) -> Json:
        """`usageMetadata`: 25 tokens for a second of sound, one for four of the `written` characters."""
        said = {"AUDIO": round(self.sounded * 25)} if self.sounded else {"TEXT": len(self.words) // 4 + 1}
        told = {"TEXT": written // 4 + 1, "AUDIO": round(heard * 25)}
        return frames.usage(told, said, thoughts=self.thoughts)

    @property
    def words(self) -> str:
        return "".join(self.said)

    @property
    def cut_off(self) -> str:
        """What a sentence lost when the connection went away, from a little before the cut."""
        return "".join([*self.said[-1:], *self.planned]) if self.planned and not self.unsent else ""

    @property
    def unbegun(self) -> bool:
        """Whether its prompt is to be answered anew when the connection goes away now."""
        return not self.started or bool(self.unsent)


def pieces(words: str, setup: Setup, *, per_frame: int = 1) -> list[Piece]:
    """`words` as the frames of this session: text, transcription only, or sound with its transcript.

    `per_frame`: chunks in one frame. A model that sends one part per frame sends the transcript after it.
    """
    profile = setup.profile
    if profile.text_as_transcription:
        return [Piece(frames.output_transcription(some), some, 0.0) for some in _fragments(words)]
    if setup.modality == "TEXT":
        return [Piece(frames.text(some), some, 0.0) for some in _fragments(words)]
    bits: list[tuple[bytes, str]] = []
    for some in _fragments(words):
        first, *rest = chunks(spoken(some))
        bits += [(first, some), *((chunk, "") for chunk in rest)]
    result: list[Piece] = []
    for start in range(0, len(bits), max(1, per_frame)):
        group = bits[start : start + max(1, per_frame)]
        frame = merged(*(frames.audio(pcm) for pcm, _ in group))
        said = "".join(some for _, some in group)
        seconds = sum(seconds_of(pcm) for pcm, _ in group)
        if not (said and setup.transcribes_output):
            result.append(Piece(frame, said, seconds))
        elif profile.joined_frames:
            result.append(Piece(merged(frame, frames.output_transcription(said)), said, seconds))
        else:
            result += [Piece(frame, "", seconds), Piece(frames.output_transcription(said), said, 0.0)]
    return result


def _fragments(words: str) -> list[str]:
    """A few words each, with the blanks around them, so that joined they are the whole."""
    return re.findall(r"\s*(?:\S+\s*){1,3}", words)


def is_of_tools(content: Mapping[str, Any]) -> bool:
    """Whether a `Content` holds function calls or responses."""
    return any("functionCall" in part or "functionResponse" in part for part in content.get("parts") or [])


def plain(content: Mapping[str, Any]) -> str:
    """The texts of a `Content`, joined."""
    return "".join(part.get("text", "") for part in content.get("parts") or [])


def reworded(args: Mapping[str, Any]) -> Json:
    """As the service did it when it called again: "tomorrow 3pm", then "tomorrow at 3pm" (wire 1.6)."""
    return {
        name: value.replace(" ", " at ", 1) if isinstance(value, str) else value
        for name, value in args.items()
    }
