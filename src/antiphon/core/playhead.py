"""What the user has heard of the model's speech, as far as the client reports it (contract 4.5).

Rule 1  A piece of a transcript is spoken from where the audio stood when it came to where it stood when the
        next one came; one that no audio follows was of the stretch before it.
Rule 2  Playing goes on between reports, for as long as they lie apart, `LONGEST` at most: it may have
        stopped. The first lies as far from the answer's beginning.
Rule 3  A word was heard when all of it was.
Rule 4  What had been told as whole, and was not heard to its end, is amended.
Rule 5  A client that has not reported an answer within `PATIENCE` seconds does not report it at all: then
        what was generated stands.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from antiphon.errors import UnknownMimeType
from antiphon.events import Event
from antiphon.requests import pcm_rate

__all__ = ["KEPT", "LONGEST", "PATIENCE", "TOLERANCE", "Heard", "Playhead"]

KEPT: Final = 4
"""Answers whose end may still be unheard; of older ones nothing is known any more."""
PATIENCE: Final = 2.0
LONGEST: Final = 600.0
"""Milliseconds: clients report twice a second, and may be late by a fifth."""
TOLERANCE: Final = 60.0
"""Milliseconds short of the end that count as the end: players report in steps."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How much was heard of what is cut off now."""

    words: str | None = None
    """Of the transcript that is still open; `None` when that is not known, or all of it."""
    amended: tuple[tuple[Event, str], ...] = ()
    """Transcripts told as whole, each with what was heard of it."""


@dataclass(slots=True)
class _Words:
    """One transcript: its pieces, and the stretch of the answer's audio it is of, in bytes."""

    begin: int
    end: int
    pieces: list[tuple[int, str]] = field(default_factory=list)
    """Each with the bytes of audio that had come before it."""
    told: Event | None = None

    def heard(self, played: float) -> str:
        """What was said by the time that `played` bytes of the answer were (rules 1 and 3)."""
        stretches: list[tuple[float, float, str]] = []
        for at, (start, text) in enumerate(self.pieces):
            stop = self.pieces[at + 1][0] if at + 1 < len(self.pieces) else self.end
            if stretches and stop == start:  # no audio came after it: it was of what came before
                before = stretches.pop()
                stretches.append((before[0], before[1], before[2] + text))
            else:
                stretches.append((start if at else self.begin, stop, text))
        said = whole = ""
        for first, last, text in stretches:
            share = (played - first) / (last - first) if last > first else 0.0
            said += text[: int(len(text) * min(max(share, 0.0), 1.0))]
            whole += text
        return _whole_words(said, whole)


@dataclass(slots=True)
class _Answer:
    """The audio of one turn, and how far it was played."""

    turn: int
    begun_at: float
    rate: float = 48.0
    """Bytes per millisecond."""
    size: int = 0
    words: list[_Words] = field(default_factory=list)
    played_ms: float | None = None
    reported_at: float = 0.0
    pace: float = 0.0
    """Milliseconds for which playing may go on without a report (rule 2)."""

    def played(self, now: float) -> float | None:
        """Milliseconds heard by now; `None` when the client does not say."""
        if self.played_ms is None:
            return None if now - self.begun_at > PATIENCE else 0.0
        gone = (now - self.reported_at) * 1000.0
        return min(self.played_ms + min(gone, self.pace), self.length)

    @property
    def length(self) -> float:
        """Milliseconds of audio."""
        return self.size / self.rate

    def open(self) -> _Words | None:
        return self.words[-1] if self.words and self.words[-1].told is None else None


class Playhead:
    """The newest answers, and how far each was heard. Until a client reports, it says nothing."""

    def __init__(self) -> None:
        self._reports = False
        self._answers: list[_Answer] = []
        self._newest: _Answer | None = None

    def spoke(self, turn: int, data: bytes, mime_type: str, now: float) -> None:
        """A chunk of this turn's speech went to the application."""
        answer = self._newest
        if answer is None or answer.turn != turn:
            answer = self._answer(turn, now)
        if not answer.size:
            answer.rate, answer.begun_at = _bytes_per_ms(mime_type), now
        answer.size += len(data)

    def worded(self, turn: int, text: str, now: float) -> None:
        """A piece of this turn's transcript came."""
        answer = self._answer(turn, now)
        words = answer.open()
        if words is None:
            words = _Words(answer.words[-1].end if answer.words else 0, answer.size)
            answer.words.append(words)
        words.pieces.append((answer.size, text))

    def told(self, event: Event) -> None:
        """The transcript of the newest answer was told as whole by this event."""
        words = self._newest.open() if self._newest else None
        if words is not None and self._newest is not None:
            words.told, words.end = event, self._newest.size

    def reported(self, turn: int | None, played_ms: float, now: float) -> None:
        """The client has played this much of an answer, and all of those before it."""
        self._reports = True
        for answer in self._answers:
            if turn is not None and answer.turn > turn:
                break
            last = answer is self._answers[-1] if turn is None else answer.turn == turn
            at = played_ms if last else answer.length
            since = answer.begun_at if answer.played_ms is None else answer.reported_at
            moved = max(at - (answer.played_ms or 0.0), 0.0)
            answer.pace = min((now - since) * 1000.0, moved, LONGEST)
            answer.played_ms, answer.reported_at = at, now

    def playing(self, now: float) -> bool:
        """Whether the client is known to be playing still what the model has said."""
        if not self._reports or self._newest is None:
            return False
        played = self._newest.played(now)
        return played is not None and played + TOLERANCE < self._newest.length

    def unheard(self, now: float) -> float:
        """Seconds of speech that have not been heard by now; 0 as long as the client does not say."""
        left = 0.0
        for answer in self._answers if self._reports else ():
            played = answer.played(now)
            left += 0.0 if played is None else (answer.length - played) / 1000
        return left

    def cut(self, now: float) -> Heard:
        """Playing ends here, whatever was still to come; what was heard of it."""
        words: str | None = None
        amended: list[tuple[Event, str]] = []
        for answer in self._answers if self._reports else ():
            played = answer.played(now)
            if played is None or played + TOLERANCE >= answer.length:
                continue
            for each in answer.words:
                if each.told is None:
                    each.end = answer.size
                    words = each.heard(played * answer.rate)
                elif played * answer.rate < each.end:
                    amended.append((each.told, each.heard(played * answer.rate)))
        self._answers.clear()
        self._newest = None
        return Heard(words, tuple(amended))

    def _answer(self, turn: int, now: float) -> _Answer:
        if self._newest is None or self._newest.turn != turn:
            self._newest = _Answer(turn, now)
            self._answers.append(self._newest)
            del self._answers[:-KEPT]
        return self._newest


def _bytes_per_ms(mime_type: str) -> float:
    try:
        rate = pcm_rate(mime_type)
    except UnknownMimeType:
        rate = None
    return (rate or 24_000) * 2 / 1000


def _whole_words(text: str, whole: str) -> str:
    """`text`, the beginning of `whole`, without the word it breaks off in (rule 3)."""
    if text == whole or whole[len(text)].isspace():
        return text
    return text[: text.rfind(" ") + 1].rstrip()
