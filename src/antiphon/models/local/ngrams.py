"""Which words follow which: a trigram model of a `Vocabulary`, in the ARPA format. Pure.

Rule 1. Every phrase weighs the same, however many sentences its slots make of it; those share its weight.
Rule 2. A history believes what it has seen as far as it has seen it, and `DOUBT` is left to the shorter
        history. So words may come in orders that no phrase has, at a price.
Rule 3. Every single word may be the whole of what is said, at a price too.
Rule 4. `strangers` are words that stand for no word. They share `STRANGENESS` of all words, may follow
        anything, and predict nothing.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["arpa", "slots_of"]

DOUBT: Final = 0.5
"""How much of a phrase a history has to have seen to be believed half."""
STRANGENESS: Final = 0.1
ALONE: Final = 0.02
"""What a single word weighs as an utterance, and at least as a word, compared to a phrase."""

_START, _END = "<s>", "</s>"
_SLOT: Final = re.compile(r"\{(\w+)\}")

_Gram = tuple[str, ...]


def slots_of(phrase: str) -> list[str]:
    """The names in braces, in order."""
    return _SLOT.findall(phrase)


def arpa(
    phrases: Iterable[str],
    words: Iterable[str],
    slots: Mapping[str, Sequence[str]],
    strangers: Sequence[str] = (),
) -> str:
    """The model. Everything is words between single spaces; a slot is a word in braces."""
    counts: dict[_Gram, float] = defaultdict(float)
    for phrase in phrases:
        _count(counts, [_choices(word, slots) for word in phrase.split()], 1.0)
    for word in words:
        _count(counts, [[word.split()]], ALONE)
    if not counts:
        _count(counts, [], 1.0)
    return _written(counts, strangers)


def _choices(word: str, slots: Mapping[str, Sequence[str]]) -> list[list[str]]:
    if slot := _SLOT.fullmatch(word):
        return [value.split() for value in slots[slot[1]]]
    return [[word]]


def _count(counts: dict[_Gram, float], steps: Sequence[Sequence[Sequence[str]]], weight: float) -> None:
    """Adds what is to be expected of all sentences that `steps` allow, without making each of them."""
    histories: dict[_Gram, float] = {(_START,): weight}
    for choices in (*steps, [[_END]]):
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


def _written(counts: Mapping[_Gram, float], strangers: Sequence[str]) -> str:
    orders: tuple[dict[_Gram, float], ...] = ({}, {}, {})
    followed: dict[_Gram, float] = defaultdict(float)
    for gram, count in counts.items():
        orders[len(gram) - 1][gram] = count
        followed[gram[:-1]] += count
    known = {(word,): count + ALONE for (word,), count in orders[0].items()}
    familiar = (1.0 - STRANGENESS * bool(strangers)) / sum(known.values())
    chance: dict[_Gram, float] = {gram: count * familiar for gram, count in known.items()}
    chance |= {(stranger,): STRANGENESS / len(strangers) for stranger in strangers}
    chance[_START,] = 1e-10  # nothing is followed by the start
    lines = [f"\\data\\\nngram 1={len(chance)}"]
    lines += [f"ngram {order}={len(orders[order - 1])}" for order in (2, 3) if orders[order - 1]]
    for order in (1, 2, 3):
        if order > 1:
            for gram, count in orders[order - 1].items():
                seen = followed[gram[:-1]]
                chance[gram] = (count + DOUBT * chance[gram[1:]]) / (seen + DOUBT)
        if order > 1 and not orders[order - 1]:
            continue
        lines.append(f"\n\\{order}-grams:")
        for gram in sorted(gram for gram in chance if len(gram) == order):
            line = f"{math.log10(chance[gram]):.4f} {' '.join(gram)}"
            if order < 3:
                line += f" {math.log10(DOUBT / (followed.get(gram, 0.0) + DOUBT)):.4f}"
            lines.append(line)
    lines.append("\n\\end\\\n")
    return "\n".join(lines)
