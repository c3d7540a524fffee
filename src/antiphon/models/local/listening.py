"""Who speaks: from the probability of each frame, and the words recognised, to what should be done about it.

Rule 1   Speech begins when enough frames in a row are likely to be speech. What was heard just before belongs
         to it.
Rule 2   Over the agent's speech it takes higher probability and less time, and where it is all but certain
         no more than a frame: the agent is held at once, and what it was is decided then.
Rule 3   While the agent is held: words interrupt it, and so does speech that lasts. Silence without words is
         a false start, and the agent goes on. Words that only say "I am listening" do not count. Before there
         are words, the beginning of speech interrupts it that is sure to be none of these.
Rule 4   Speech ends by the silence that the speaker's `Pacing` asks for. One stray frame does not end a
         silence.
Rule 5   Who speaks again soon after an end goes on with it, and is waited for longer from then on.
Rule 6   An utterance of more than the longest ends, and is gone on with in another.
Rule 7   When audio stops coming, what is open ends; the end of the stream ends it at once.
Rule 8   Where the client marks speech itself, only marks begin and end it; a mark is meant, and interrupts.
Rule 9   An agent that is not to be interrupted is not held either; what is said is heard all the same.
Rule 10  After a false start it takes twice as much speech to hold the agent again, however certain it is, up
         to what interrupts it; so an agent whose own voice comes back does not stumble for long. It is
         forgotten when somebody takes the floor, or the agent has finished.
Rule 11  What was said is asked for at every pause, before it is long enough to end anything; and every
         now and then while the agent is held.
Rule 12  Every onset is followed by one end or one `Resume` before the next.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from antiphon.errors import UsageError
from antiphon.models.local.vad import FRAME_SECONDS

if TYPE_CHECKING:
    from antiphon.models.local.attention import Attention
    from antiphon.models.local.endpointing import Pacing

__all__ = [
    "Ask",
    "Beat",
    "Ear",
    "End",
    "Hold",
    "Interrupt",
    "Listening",
    "Notice",
    "Onset",
    "Resume",
    "Sound",
    "Weigh",
]

RETURNS: Final = 2
"""Frames of speech in a row that end a silence (rule 4)."""
WEIGHED: Final = (0, 2, 4, 7, 10, 12)
"""Which frames of speech are weighed: not all, since that takes about as long as a frame (rule 3)."""
PAUSE: Final = 2
"""Frames of silence in a row that make a pause (rule 11)."""

_WORDS: Final = re.compile(r"[^\W_](?:[^\s,.!?;:…]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Onset:
    """Somebody begins to speak: listen to `pcm`, and to every `Sound` until the `End`, or the `Resume`."""

    at: float
    """Seconds of audio since listening began, without what was rolled back."""
    pcm: bytes
    goes_on: bool = False
    """It goes on with the utterance before, which was ended too soon."""


@dataclass(frozen=True, slots=True)
class Sound:
    """The next frame of what is open."""

    pcm: bytes
    speech: bool = True
    """Whether it is speech, or else the silence between."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Find out what has been said so far, and tell it by `words`."""


@dataclass(frozen=True, slots=True)
class Weigh:
    """Find out how likely it is that only "I am listening" is being said, and tell it by `weighed`."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Pause the agent's speech, so that it can go on or be cut off."""


@dataclass(frozen=True, slots=True)
class Resume:
    """It was nothing: go on with the agent's speech, forget what was listened to since the onset."""


@dataclass(frozen=True, slots=True)
class Interrupt:
    """The user takes the floor: cut the agent's speech off."""


@dataclass(frozen=True, slots=True)
class End:
    """The utterance is over."""

    at: float
    """Seconds of audio since listening began, at which the speech ended."""
    silence: float
    """Seconds that were waited for more."""


Notice: TypeAlias = Onset | Sound | Ask | Weigh | Hold | Resume | Interrupt | End


class Ear(Enum):
    """What is being listened to."""

    QUIET = auto()
    HELD = auto()
    """Something, over the agent's speech, which is held."""
    OPEN = auto()
    """An utterance."""


class Beat(Enum):
    """What changes that."""

    ONSET = auto()
    OVERLAP = auto()
    """An onset over speech that may be interrupted."""
    TAKES = auto()
    """The user means it: words, or lasting speech."""
    NOTHING = auto()
    """Silence, and no words."""
    OVER = auto()
    """The utterance is over, the audio has stopped, or the mark has come."""
    FREED = auto()
    """The agent no longer speaks: there is nothing left to hold."""


_TABLE: Final[dict[tuple[Ear, Beat], tuple[Ear, tuple[type[Notice], ...]]]] = {
    (Ear.QUIET, Beat.ONSET): (Ear.OPEN, (Onset,)),
    (Ear.QUIET, Beat.OVERLAP): (Ear.HELD, (Hold, Onset)),
    (Ear.QUIET, Beat.TAKES): (Ear.QUIET, ()),
    (Ear.QUIET, Beat.NOTHING): (Ear.QUIET, ()),
    (Ear.QUIET, Beat.OVER): (Ear.QUIET, ()),
    (Ear.QUIET, Beat.FREED): (Ear.QUIET, ()),
    (Ear.HELD, Beat.ONSET): (Ear.HELD, ()),
    (Ear.HELD, Beat.OVERLAP): (Ear.HELD, ()),
    (Ear.HELD, Beat.TAKES): (Ear.OPEN, (Interrupt,)),
    (Ear.HELD, Beat.NOTHING): (Ear.QUIET, (Resume,)),
    (Ear.HELD, Beat.OVER): (Ear.QUIET, (Resume,)),
    (Ear.HELD, Beat.FREED): (Ear.OPEN, ()),
    (Ear.OPEN, Beat.ONSET): (Ear.OPEN, ()),
    (Ear.OPEN, Beat.OVERLAP): (Ear.OPEN, ()),
    (Ear.OPEN, Beat.TAKES): (Ear.OPEN, ()),
    (Ear.OPEN, Beat.NOTHING): (Ear.OPEN, ()),
    (Ear.OPEN, Beat.OVER): (Ear.QUIET, (End,)),
    (Ear.OPEN, Beat.FREED): (Ear.OPEN, ()),
}


class _Gate:
    """Frames to speech and silence, with hysteresis."""

    def __init__(self) -> None:
        self.run = 0
        """Frames of speech in a row."""

    def frame(self, probability: float, onset: float, release: float) -> None:
        self.run = self.run + 1 if probability >= (release if self.run else onset) else 0


@dataclass(slots=True)
class _Utterance:
    """What is known of what is open."""

    began: float
    words: str = ""
    speech: float = 0.0
    silence: float = 0.0
    asked: float = 0.0
    """What `speech` was when it was asked for the last time."""


class Listening:
    """The ear of one conversation. Pure: every method says what is to be done, in that order.

    It counts time in frames of audio, and needs `now` only to notice that no more come.
    """

    def __init__(self, attention: Attention, pacing: Pacing) -> None:
        self.ear = Ear.QUIET
        self._attention = attention
        self._pacing = pacing
        self._speaking = False
        self._marked = False
        self._gate = _Gate()
        most = max(attention.least, attention.least_over_speech, attention.insists)
        rolled = math.ceil((attention.pre_roll + most) / FRAME_SECONDS)
        self._ring: deque[bytes] = deque(maxlen=max(rolled, 1))
        self._clock = 0.0
        self._frame_at: float | None = None
        self._utterance = _Utterance(0.0)
        self._ended: End | None = None
        self._false_starts = 0

    @property
    def clock(self) -> float:
        """Seconds of audio heard."""
        return self._clock

    @property
    def _guarded(self) -> bool:
        return self._speaking and self._attention.interruptible

    @property
    def _least_over_speech(self) -> float:
        attention = self._attention
        doubled: float = attention.least_over_speech * 2 ** min(self._false_starts, 16)
        return min(doubled, max(attention.insists, attention.least_over_speech))

    def frame(self, pcm: bytes, probability: float, now: float) -> list[Notice]:
        """The next frame, of `FRAME_BYTES`. `probability` is not looked at where the client marks speech."""
        self._clock += FRAME_SECONDS
        self._frame_at = now
        if self._attention.manual:
            return self._marked_frame(pcm)
        attention = self._attention
        over = self._guarded and self.ear is Ear.QUIET
        onset = attention.onset_over_speech if over else attention.onset
        self._gate.frame(probability, onset, onset if over else attention.release)
        if self.ear is Ear.QUIET:
            self._ring.append(pcm)
            least = self._least_over_speech if over else attention.least
            if over and probability > attention.certain and not self._false_starts:
                least = FRAME_SECONDS
            if self._gate.run == 0 or self._gate.run * FRAME_SECONDS < least - FRAME_SECONDS / 100:
                return []
            return self._beat(Beat.OVERLAP if over else Beat.ONSET)
        return [Sound(pcm, self._gate.run > 0), *self._went_on()]

    def words(self, words: str) -> list[Notice]:
        """What has been recognised since the onset, all of it; late words are left out."""
        if self.ear is Ear.QUIET:
            return []
        self._utterance.words = words
        return self._beat(Beat.TAKES) if self._wants_floor(words) else []

    def weighed(self, nod: float) -> list[Notice]:
        """How likely what has been said since the onset is, or becomes, no more than a nod (rule 3)."""
        return self._beat(Beat.TAKES) if self.ear is Ear.HELD and nod < self._attention.nod else []

    def speaking(self, speaking: bool) -> list[Notice]:
        """Whether the agent's speech is being heard from now on, or would be if it were not held.

        An utterance that is open when the agent begins to speak stays one, and does not hold it.
        """
        self._speaking = speaking
        self._false_starts = self._false_starts if speaking else 0
        return [] if speaking else self._beat(Beat.FREED)

    def mark_start(self) -> list[Notice]:
        """The client says that speech begins (rule 8). Raises `UsageError` where that is detected."""
        self._refuse_marks()
        if self._marked:
            return []
        self._marked = True
        cut: list[Notice] = [Interrupt()] if self._guarded else []
        return [*cut, *self._beat(Beat.ONSET)]

    def mark_end(self) -> list[Notice]:
        """The client says that speech has ended. Raises `UsageError` where that is detected."""
        self._refuse_marks()
        self._marked = False
        ended = self._beat(Beat.OVER)
        self._ended = None  # the next mark begins something new
        return ended

    def stream_ended(self) -> list[Notice]:
        """No more audio comes for now (rule 7); the next frame begins anew."""
        self._frame_at = None
        self._marked = False
        self._gate.run = 0
        self._ring.clear()
        return self._beat(Beat.OVER)

    def deadline(self) -> float | None:
        """When `late` is to be called, unless a frame comes before."""
        if self.ear is Ear.QUIET or self._attention.manual or self._frame_at is None:
            return None
        return self._frame_at + self._attention.stall

    def late(self, now: float) -> list[Notice]:
        """The deadline has come; nothing happens before it."""
        deadline = self.deadline()
        return self.stream_ended() if deadline is not None and now >= deadline else []

    def _marked_frame(self, pcm: bytes) -> list[Notice]:
        if not self._marked:
            return []
        if self.ear is Ear.QUIET:
            self._ring.append(pcm)
            return self._beat(Beat.ONSET)
        lasted = self._clock - self._utterance.began
        return [Sound(pcm), *(self._beat(Beat.OVER) if lasted >= self._attention.longest else ())]

    def _went_on(self) -> list[Notice]:
        """What a frame means for what is open (rules 3, 4 and 6)."""
        attention, utterance = self._attention, self._utterance
        if self._gate.run:
            utterance.speech += FRAME_SECONDS
        if self._gate.run >= RETURNS:
            if utterance.silence and self.ear is Ear.OPEN:
                self._pacing.went_on(utterance.silence)
            utterance.silence = 0.0
        else:
            utterance.silence += FRAME_SECONDS
        lasted = self._clock - utterance.began
        if self.ear is Ear.HELD:
            if utterance.speech >= attention.insists or lasted >= attention.undecided:
                return self._beat(Beat.TAKES)
            if utterance.silence >= attention.false_start:
                return self._beat(Beat.NOTHING)
            if utterance.speech - utterance.asked >= attention.asks:
                return self._ask()
            past = round((utterance.speech - attention.weighs) / FRAME_SECONDS)
            weighs = attention.nod and self._gate.run and past in WEIGHED
            return [Weigh()] if weighs else self._paused()
        if lasted >= attention.longest:
            return self._beat(Beat.OVER)
        wait = self._pacing.wait(utterance.words) * attention.patience
        return self._beat(Beat.OVER) if utterance.silence >= wait - FRAME_SECONDS / 2 else self._paused()

    def _paused(self) -> list[Notice]:
        """Asks at the beginning of a pause, if anything was said since it was asked for (rule 11)."""
        utterance = self._utterance
        pauses = round(utterance.silence / FRAME_SECONDS) == PAUSE and utterance.speech > utterance.asked
        return self._ask() if pauses else []

    def _ask(self) -> list[Notice]:
        self._utterance.asked = self._utterance.speech
        return [Ask()]

    def _wants_floor(self, words: str) -> bool:
        """Whether there is any word that listeners do not say (rule 3)."""
        return any(word not in self._attention.backchannels for word in _WORDS.findall(words.lower()))

    def _beat(self, beat: Beat) -> list[Notice]:
        self.ear, kinds = _TABLE[self.ear, beat]
        return [self._notice(kind) for kind in kinds]

    def _notice(self, kind: type[Notice]) -> Notice:
        if kind is Onset:
            return self._onset()
        if kind is End:
            utterance = self._utterance
            self._ended = End(at=self._clock - utterance.silence, silence=utterance.silence)
            self._gate.run = 0
            self._pacing.ended()
            return self._ended
        if kind is Resume:
            self._false_starts += 1
            return Resume()
        if kind is Interrupt:
            self._false_starts = 0
            return Interrupt()
        return Hold()

    def _onset(self) -> Onset:
        heard = 0.0 if self._attention.manual else self._gate.run * FRAME_SECONDS
        began = self._clock - heard
        goes_on = False
        if self._ended is not None:
            pause = began - self._ended.at
            goes_on = pause <= self._ended.silence + self._attention.rejoin
            if goes_on and not self._guarded:
                self._pacing.went_on(pause)
        rolled = math.ceil(self._attention.pre_roll / FRAME_SECONDS)
        pcm = b"".join(list(self._ring)[-max(self._gate.run + rolled, 1) :])
        self._ring.clear()
        self._utterance = _Utterance(began, speech=heard)
        return Onset(at=began, pcm=pcm, goes_on=goes_on)

    def _refuse_marks(self) -> None:
        if not self._attention.manual:
            raise UsageError(
                "Speech is detected here: leave activity marks out, or set "
                "automatic_activity_detection=AutomaticActivityDetection(disabled=True)."
            )
