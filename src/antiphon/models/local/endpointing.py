"""`Endpointing`: how long a silence has to last before what was said counts as all of it.

Rule 1  After words that make a whole, the wait is short; after words that want more, it is long; without
        words (none recognised yet, or a recogniser that gives them only at the end) it is in between.
Rule 2  Words want more after a filler, a conjunction, a preposition, an article, a comma, a dash or an
        ellipsis. A full stop says nothing: recognisers that write them end everything with one. Questions may
        end with a verb that elsewhere wants more: "what can you do".
Rule 3  A speaker who was seen to go on after a pause gets more than such a pause from then on; never more
        than the long wait. What was learnt fades with every utterance that had no such pause.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final

from antiphon.errors import ConfigurationError

__all__ = ["Adaptive", "Endpointing", "Fixed", "Pacing", "wants_more"]

_UNFINISHED: Final = frozenset(
    # fillers
    "um uh uhm erm er hmm hm mm mmm eh ah like well so äh ähm "
    # conjunctions
    "and or but because cause if when while although though unless until since that whether than as "
    # prepositions
    "to of for with from at in on by about into onto between under over without during "
    # articles, possessives and the like
    "a an the my your his her its our their this these those some any every each another "
    # verbs that need another word, and questions that have just begun
    "is are was were am be been i'm i'd i'll it's that's what's where's there's we're you're they're let's "
    "can could would should will shall may might must do does did have has had want wants need "
    "i we they he she who which whose".split()
)
_WHOLE: Final = frozenset(
    "i am|yes i am|it is|it was|i do|yes i do|i did|i have|i will|i would|i can|you can|yes it is|"
    "no it is not|so|is that so|like that|like this|turn it on|switch it on|come on|go on|come in|log in|"
    "who|which|that|this|how are you|i know that|what is this|what is that|what's that|what's this".split("|")
)
"""Complete although their last word is one that seldom ends a sentence."""

_PERSON: Final = r"(?:i|you|we|they|he|she|it|this|that|there)"
_ASKED: Final = re.compile(
    r"(?:what|where|who|when|why|which|how)\b(?:"
    r".*\b(?:do|does|did|can|could|would|should|will|shall|may|might|must)"
    rf" {_PERSON} (?:do|have|want|need|be)"
    rf"|(?: \w+){{0,3}} {_PERSON} (?:is|are|was|were))$"
)
"""At the end of a question, direct or not: "where could it be", "what time it is"."""

_HANGING: Final = re.compile(r"(?:,|;|:|-|–|—|\.\.\.|…)[\"'”’)]*\s*$")
_NOT_WORDS: Final = re.compile(r"[^\w' ]+")

_LEARNT: Final = 0.5
_FADED: Final = 0.15
_MARGIN: Final = 1.25


def wants_more(words: str) -> bool:
    """Whether the words so far sound as if more were to come (rule 2); case does not matter."""
    if _HANGING.search(words):
        return True
    plain = " ".join(_NOT_WORDS.sub(" ", words.lower()).split())
    if plain in _WHOLE or _ASKED.search(plain):
        return False
    return plain.rpartition(" ")[2] in _UNFINISHED


class Pacing(ABC):
    """How one speaker pauses. Pure; used by one conversation."""

    @abstractmethod
    def wait(self, words: str) -> float:
        """Seconds of silence that end an utterance of which these words were recognised so far, or ""."""

    @abstractmethod
    def went_on(self, pause: float) -> None:
        """The speaker went on after a silence of so many seconds, within an utterance or shortly after it."""

    @abstractmethod
    def ended(self) -> None:
        """An utterance is over."""


class Endpointing(ABC):
    """Decides when an utterance is over. One instance serves all conversations."""

    @abstractmethod
    def speaker(self) -> Pacing:
        """For one conversation."""


@dataclass(frozen=True, slots=True)
class Adaptive(Endpointing):
    """Waits by what was said and by how the speaker pauses. All in seconds of silence.

    A detector takes some 0.1 s to notice that speech has ended, which comes on top.
    """

    finished: float = 0.2
    """After words that make a whole."""
    unknown: float = 0.5
    """While there are no words."""
    hesitant: float = 0.8
    """After words that want more; the most that is ever waited."""

    def __post_init__(self) -> None:
        if not 0 < self.finished <= self.unknown <= self.hesitant:
            raise ConfigurationError(
                f"{self}: name waits above 0, with finished at most unknown, and unknown at most hesitant."
            )

    def speaker(self) -> Pacing:
        return _Adapting(self)


@dataclass(frozen=True, slots=True)
class Fixed(Endpointing):
    """Waits for the same silence, whatever was said."""

    silence: float
    """Seconds, above 0."""

    def __post_init__(self) -> None:
        if not self.silence > 0:
            raise ConfigurationError(f"{self}: name a silence above 0 seconds.")

    def speaker(self) -> Pacing:
        return _Steady(self.silence)


class _Adapting(Pacing):
    def __init__(self, waits: Adaptive) -> None:
        self._waits = waits
        self._pause = 0.0
        """What the speaker's pauses come to, lately."""
        self._paused = False

    def wait(self, words: str) -> float:
        waits = self._waits
        if not words.strip():
            base = waits.unknown
        elif wants_more(words):
            base = waits.hesitant
        else:
            base = waits.finished
        return min(max(base, self._pause * _MARGIN), waits.hesitant)

    def went_on(self, pause: float) -> None:
        if pause > self._waits.finished / 2:
            self._paused = True
            weight = _LEARNT if pause > self._pause else _FADED
            self._pause += (min(pause, self._waits.hesitant) - self._pause) * weight

    def ended(self) -> None:
        if not self._paused:
            self._pause *= 1 - _FADED
        self._paused = False


class _Steady(Pacing):
    def __init__(self, silence: float) -> None:
        self._silence = silence

    def wait(self, words: str) -> float:
        return self._silence

    def went_on(self, pause: float) -> None:
        pass

    def ended(self) -> None:
        pass
