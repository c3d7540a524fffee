"""How likely it is that what is being said is a nod, by a model that writes piece by piece. Pure.

Rule 1. A text is a nod as long as all its words are words of the given ones, and its last may become one.
        What is none never becomes one: it counts with its whole chance, and is followed no further.
Rule 2. Nods are followed for `STEPS` pieces, the `BEAMS` likeliest at a time; what they still are then, or
        where they end, counts as a nod.
Rule 3. Words are compared as letters in lower case: "Uh-huh," is "uhhuh".
Rule 4. Only the `PIECES` likeliest after each text are looked at; their chances are brought to 1.
"""

from __future__ import annotations

import math
import re
from heapq import nlargest
from typing import TYPE_CHECKING, Final, NamedTuple

from antiphon.models.local.beam_search import BEAMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from antiphon.models.local.beam_search import Writer

__all__ = ["Nods"]

PIECES: Final = 24
STEPS: Final = 4

_SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"
_WORD: Final = re.compile(r"[^\W\d_](?:['’-]?[^\W\d_])*|\d+")
_NO_LETTERS: Final = re.compile(r"[\W_]")


class _Begun(NamedTuple):
    """A nod so far: its chance, the row that it goes on with, by this piece, and all of its text."""

    chance: float
    row: int
    piece: int
    text: str


class Nods:
    """The words that a nod is made of, in lower case."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(_NO_LETTERS.sub("", word) for word in words)
        self._beginnings = frozenset(word[:end] for word in self._words for end in range(1, len(word) + 1))

    def chance(self, writer: Writer, spelled: Callable[[int], str], end: int, sure: float) -> float:
        """From 0 to 1, no nearer than it takes to know whether it is below `sure`.

        `spelled` gives a piece's text, in which "▁" begins a word; `end` is the piece that ends a text.
        """
        nods, left = 1.0, 0.0
        grown = [_Begun(1.0, 0, end, "")]
        for step in range(STEPS):
            best = nlargest(BEAMS, grown)
            if step:
                writer.write([each.row for each in best], [each.piece for each in best])
            left, grown = nods - sum(each.chance for each in best), []
            for row, pieces in enumerate(writer.likeliest(PIECES)):
                seen = sum(math.exp(likely) for _, likely in pieces)
                for piece, likely in pieces:
                    chance = best[row].chance * math.exp(likely) / seen
                    if piece == end:
                        left += chance
                    elif self.may_become(text := best[row].text + spelled(piece)):
                        grown.append(_Begun(chance, row, piece, text))
            nods = left + sum(each.chance for each in grown)
            if nods < sure or left >= sure or not grown:
                break
        return nods

    def may_become(self, text: str) -> bool:
        """Whether what begins so may be nothing but such words (rule 1)."""
        said = text.replace(_SPACE, " ").lower()
        words = [_NO_LETTERS.sub("", word) for word in _WORD.findall(said)]
        return self._words.issuperset(words[:-1]) and self._beginnings.issuperset(words[-1:])
