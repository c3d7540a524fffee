"""The likeliest words by a model that writes piece by piece, helped by what is likely to be said. Pure.

Rule 1. Hypotheses are compared by the model's own log probability, plus `WEIGHT` times what their words are
        worth to the `Ngrams`; a word that has begun counts as what it may become.
Rule 2. `BEAMS` are followed at a time, each with its `PIECES` likeliest next pieces.
Rule 3. Words are compared as letters, digits and apostrophes in lower case: what a piece adds besides
        (capitals, commas) is the model's own affair.
Rule 4. It is over when no hypothesis that goes on is better than the best that has ended, or at `most`
        pieces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from antiphon.models.local.ngrams import END, START

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from antiphon.models.local.ngrams import Ngrams

__all__ = ["BEAMS", "Found", "Writer", "search"]

BEAMS: Final = 6
PIECES: Final = 16
WEIGHT: Final = 0.25
ENDING: Final = 0.3
"""How much of its worth an end counts: sentences may be cut short."""

_SPACE: Final = "\N{LOWER ONE EIGHTH BLOCK}"
_NO_LETTERS: Final = re.compile(r"[^a-z0-9']")


@dataclass(frozen=True, slots=True)
class Found:
    """The best hypothesis."""

    pieces: tuple[int, ...]
    mean: float
    """The model's mean log probability of a piece, the end among them."""


class Writer(Protocol):
    """A model at one point of several texts at once, each with its own row."""

    def likeliest(self, most: int) -> Sequence[Sequence[tuple[int, float]]]:
        """For each row up to `most` next pieces, with their log probabilities."""

    def write(self, rows: Sequence[int], pieces: Sequence[int]) -> None:
        """Goes on with these rows, each by its piece."""


@dataclass(frozen=True, slots=True)
class _Hypothesis:
    pieces: tuple[int, ...] = ()
    likely: float = 0.0
    worth: float = 0.0
    history: tuple[str, ...] = (START,)
    word: str = ""
    """What has begun."""

    def whole(self, ngrams: Ngrams) -> tuple[float, tuple[str, ...]]:
        """Its worth, and its history, when nothing is added to the word."""
        if not self.word:
            return self.worth, self.history
        worth = self.worth + ngrams.worth(self.history, self.word)
        return worth, (*self.history[-1:], self.word)


def search(writer: Writer, spelled: Callable[[int], str], end: int, ngrams: Ngrams, most: int) -> Found:
    """`spelled` gives a piece's text, in which "▁" begins a word; `end` is the piece that ends a text."""
    beams, ended = [_Hypothesis()], [(float("-inf"), Found((), 0.0))]
    grown: list[tuple[float, int, _Hypothesis]] = []
    for _ in range(most):
        grown = []
        for row, likeliest in enumerate(writer.likeliest(PIECES)):
            before = beams[row]
            for piece, chance in likeliest:
                likely = before.likely + chance
                if piece == end:
                    worth, history = before.whole(ngrams)
                    worth += ENDING * ngrams.worth(history, END)
                    found = Found(before.pieces, likely / (len(before.pieces) + 1))
                    ended.append((likely + WEIGHT * worth, found))
                    continue
                after = _grown(before, piece, likely, spelled(piece), ngrams)
                promise = ngrams.worth_so_far(after.word) if after.word else 0.0
                grown.append((likely + WEIGHT * (after.worth + promise), row, after))
        grown.sort(key=lambda each: each[0], reverse=True)
        del grown[BEAMS:]
        if not grown or grown[0][0] < max(score for score, _ in ended):
            break
        beams = [hypothesis for _, _, hypothesis in grown]
        writer.write([row for _, row, _ in grown], [each.pieces[-1] for each in beams])
    else:
        ended += [(score, Found(each.pieces, each.likely / most)) for score, _, each in grown[:1]]
    return max(ended, key=lambda each: each[0])[1]


def _grown(before: _Hypothesis, piece: int, likely: float, text: str, ngrams: Ngrams) -> _Hypothesis:
    letters = _NO_LETTERS.sub("", text.lower())
    pieces = (*before.pieces, piece)
    if text.startswith(_SPACE) and before.word:
        worth, history = before.whole(ngrams)
        return _Hypothesis(pieces, likely, worth, history, letters)
    return _Hypothesis(pieces, likely, before.worth, before.history, before.word + letters)
