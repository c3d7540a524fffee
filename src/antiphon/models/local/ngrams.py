"""Which words follow which: a trigram model of a `Vocabulary`. Pure.

Rule 1. Every phrase weighs the same, however many sentences its slots make of it; those share its weight.
Rule 2. A history believes what it has seen as far as it has seen it, and `DOUBT` is left to the shorter
        history. So words may come in orders that no phrase has, at a price.
Rule 3. Every single word may be the whole of what is said, at a price too.
Rule 4. It is worth something for a word to be known, the more the likelier it is there; an unknown word is
        worth nothing. A word that has just begun is worth what the likeliest that begins so is.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["END", "START", "Ngrams", "slots_of"]

DOUBT: Final = 0.5
"""How much of a phrase a history has to have seen to be believed half."""
ALONE: Final = 0.02
"""What a single word weighs as an utterance, and at least as a word, compared to a phrase."""
UNKNOWN: Final = -9.0
"""The natural logarithm of the chance of a word that is worth nothing."""

START, END = "<s>", "</s>"
_SLOT: Final = re.compile(r"\{(\w+)\}")

_Gram = tuple[str, ...]


def slots_of(phrase: str) -> list[str]:
    """The names in braces, in order."""
    return _SLOT.findall(phrase)


class Ngrams:
    """Made once for a vocabulary, and shared."""

    def __init__(
        self, phrases: Iterable[str], words: Iterable[str], slots: Mapping[str, Sequence[str]]
    ) -> None:
        """Everything is words between single spaces; a slot is a word in braces."""
        counts: dict[_Gram, float] = defaultdict(float)
        for phrase in phrases:
            _count(counts, [_choices(word, slots) for word in phrase.split()], 1.0)
        for word in words:
            _count(counts, [[word.split()]], ALONE)
        self._chances, self._seen = _chances(counts)
        self._beginnings: dict[str, float] = {}
        for gram, chance in self._chances.items():
            if len(gram) == 1 and gram != (END,):
                for length in range(1, len(gram[0]) + 1):
                    begun = gram[0][:length]
                    self._beginnings[begun] = max(self._beginnings.get(begun, 0.0), chance)

    def worth(self, history: _Gram, word: str) -> float:
        """What the next word is worth after the two before it: from 0 for an unknown one to `-UNKNOWN`."""
        share, gram = 1.0, (*history[-2:], word)
        while gram not in self._chances:
            if len(gram) == 1:
                return 0.0
            share *= DOUBT / (self._seen.get(gram[:-1], 0.0) + DOUBT)
            gram = gram[1:]
        return _worth(share * self._chances[gram])

    def worth_so_far(self, beginning: str) -> float:
        """What a word that begins so may be worth."""
        return _worth(self._beginnings.get(beginning, 0.0))


def _worth(chance: float) -> float:
    return max(math.log(chance) - UNKNOWN, 0.0) if chance > 0.0 else 0.0


def _choices(word: str, slots: Mapping[str, Sequence[str]]) -> list[list[str]]:
    if slot := _SLOT.fullmatch(word):
        return [value.split() for value in slots[slot[1]]]
    return [[word]]


def _count(counts: dict[_Gram, float], steps: Sequence[Sequence[Sequence[str]]], weight: float) -> None:
    """Adds what is to be expected of all sentences that `steps` allow, without making each of them."""
    histories: dict[_Gram, float] = {(START,): weight}
    for choices in (*steps, [[END]]):
        following: dict[_Gram, float] = defaultdict(float)
        for history, share in histories.items():
            for choice in choices:
                gram = history
                for word in choice:
                    gram = (*gram[-2:], word)
                    for begin in range(len(gram)):
                        counts[gram[begin:]] += share / len(choices)
                following[gram[-2:]] += share / len(choices)
        histories = following


def _chances(counts: Mapping[_Gram, float]) -> tuple[dict[_Gram, float], dict[_Gram, float]]:
    """How likely each gram's last word is after the others; and how often each history was seen."""
    seen: dict[_Gram, float] = defaultdict(float)
    for gram, count in counts.items():
        seen[gram[:-1]] += count
    single: dict[_Gram, float] = {gram: count + ALONE for gram, count in counts.items() if len(gram) == 1}
    total = sum(single.values())
    chances: dict[_Gram, float] = {gram: count / total for gram, count in single.items()}
    for order in (2, 3):
        for gram, count in counts.items():
            if len(gram) == order:
                history = seen[gram[:-1]]
                chances[gram] = (count + DOUBT * chances[gram[1:]]) / (history + DOUBT)
    return chances, seen
