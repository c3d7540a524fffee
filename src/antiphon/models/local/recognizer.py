"""`Recognizer`: from sound to words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

__all__ = ["Heard", "Hearing", "Recognizer", "Vocabulary", "names_in"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is likely to be said to an agent, for recognisers that can make use of it."""

    phrases: tuple[str, ...] = ()
    """Whole sentences, as examples; numbers in words or in digits. `{city}` stands for each of a slot."""
    words: tuple[str, ...] = ()
    """Single words and names that may stand in them, the most telling first."""
    slots: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What may stand for a name in braces: words, or several with spaces, or "" for nothing."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The words of one utterance."""

    text: str
    """Empty when nothing was understood."""
    confidence: float = 1.0
    """From 0 to 1."""


class Hearing(ABC):
    """One utterance being listened to. Its methods are called off the event loop, never two at once."""

    @abstractmethod
    def feed(self, pcm: bytes) -> None:
        """Takes 16 kHz 16-bit mono PCM of any length."""

    @abstractmethod
    def heard(self) -> Heard:
        """What was said so far; may take its time. Called once when the utterance is over, and of a
        recogniser that is `eager` at every pause before as well."""

    def nod(self, words: frozenset[str], sure: float) -> float:
        """How likely it is, from 0 to 1, that what was said so far is or becomes nothing but these words; no
        nearer than it takes to know whether it is below `sure`. Asked of a recogniser that is `eager`, over
        the agent's speech, when too little was said for `heard`. This one does not know, and says 1."""
        return 1.0


class Recognizer(ABC):
    """Turns speech into text. One instance, with its model, serves all conversations."""

    eager: bool = False
    """Whether it may be asked while somebody still speaks or only pauses. Then turns end by what was said,
    words interrupt the agent, and an answer begins sooner; and some speech is recognised twice or more."""

    @abstractmethod
    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """Listens to one utterance. Called off the event loop, from several threads at once.

        Raises `ConfigurationError` when a model or a package is missing, saying where to get it.
        """

    def prepare(self, vocabulary: Vocabulary) -> None:
        """Loads what takes time, so that the first utterance need not wait. Called off the event loop."""
        self.hear(vocabulary)


def names_in(vocabulary: Vocabulary, characters: int) -> list[str]:
    """Words and slots' values, the first told first, as many as fit: for recognisers that know all others."""
    found: dict[str, None] = {}
    for name in (*vocabulary.words, *(value for _, values in vocabulary.slots for value in values)):
        if name and name not in found:
            characters -= len(name) + 2
            if characters < 0:
                break
            found[name] = None
    return list(found)
