"""Stretches: a sentence and its sound, cut at the same words.

Rule 1  All texts together are the sentence, all sounds together its sound; neither is ever reordered.
Rule 2  A stretch begins with a word and ends before the next; what stands between goes with the word before.
Rule 3  Words whose place in the sound is not known share the sound that their neighbours leave, by length.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from antiphon.models.local.synthesizer import Speech

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["cut", "sayable", "spread", "spread_as_it_comes", "words"]

SECONDS_PER_CHARACTER: Final = 1 / 15
"""How long a character of English takes to say, about; for sound whose length is not known yet."""

_CJK: Final = "\u3040-\u30ff\u3400-\u9fff"
_WORD: Final = re.compile(rf"[{_CJK}]|[^\s{_CJK}]+")
_SAYABLE: Final = re.compile(r"[^\W_]")


def sayable(text: str) -> bool:
    """Whether there is a letter or a digit in it."""
    return _SAYABLE.search(text) is not None


def words(sentence: str) -> list[int]:
    """Where its words begin. Scripts without spaces count every character as one."""
    return [found.start() for found in _WORD.finditer(sentence)]


def cut(sentence: str, pcm: bytes, places: Iterable[tuple[int, int]]) -> Iterator[Speech]:
    """The sentence in stretches, of which some are known: (character, sample), in the order of the sound.

    A place is taken for that of the word it stands in; one that goes back, in text or in sound, is left out.
    """
    starts = words(sentence)
    cuts = [(0, 0)]
    index = -1
    for character, sample in places:
        before = index
        while index + 1 < len(starts) and starts[index + 1] <= character:
            index += 1
        if index > before and sample * 2 > cuts[-1][1] and starts[index] > cuts[-1][0] and index > 0:
            cuts.append((starts[index], min(sample * 2, len(pcm))))
    cuts.append((len(sentence), len(pcm)))
    for (begins, sounds), (ends, silent) in pairwise(cuts):
        yield Speech(text=sentence[begins:ends], pcm=pcm[sounds:silent])


def spread(sentence: str, pcm: bytes) -> Iterator[Speech]:
    """The sentence word by word, when only the sound of the whole is known: by length (rule 3)."""
    samples = len(pcm) // 2
    yield from cut(sentence, pcm, ((at, samples * at // len(sentence)) for at in words(sentence)))


def spread_as_it_comes(sentence: str, pieces: Iterable[bytes], rate: int) -> Iterator[Speech]:
    """The same while the sound is still coming: by the pace of ordinary speech, what is left with the last.

    Pieces may end in the middle of a sample.
    """
    starts = [*words(sentence)[1:], len(sentence)]
    told = heard = 0
    held = b""
    for piece in pieces:
        whole = held + piece
        even = len(whole) & ~1
        held, now = whole[even:], whole[:even]
        if not now:
            continue
        heard += even // 2
        pace = heard / rate / SECONDS_PER_CHARACTER
        reached = max((start for start in starts[:-1] if start <= pace), default=0)
        yield Speech(text=sentence[told:reached], pcm=now)
        told = reached
    yield Speech(text=sentence[told:], pcm=b"")
