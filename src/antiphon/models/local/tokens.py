"""Words of a sentence, and how alike two words are. Pure.

What a recogniser hears has no capitals and no punctuation, and now and then a wrong letter; what is typed has
all of these. Both are read alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Token", "alike", "distance", "nearest", "stem", "tokens", "words_of"]

_WORD: Final = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"  # an address of mail
    r"|\d+(?::\d\d)+|\d{4}-\d\d-\d\d(?:T[\d:]+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+|[#]?\w+(?:['’-]\w+)*|[$€£%]"
)
_NAME_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+")
_VOWEL: Final = re.compile(r"[aeiouy]")
_SUFFIXES: Final = ("ations", "ation", "ments", "ment", "ings", "ing", "ed", "ly")


@dataclass(frozen=True, slots=True)
class Token:
    """One word: as it was written and as it is compared, and where it stands."""

    text: str
    low: str
    start: int
    end: int
    breaks: bool = False
    """A comma or the end of a sentence follows."""


def tokens(text: str) -> list[Token]:
    found = list(_WORD.finditer(text))
    made = []
    for at, match in enumerate(found):
        until = found[at + 1].start() if at + 1 < len(found) else len(text)
        low = match.group().lower().replace("’", "'").lstrip("#")
        breaks = any(mark in text[match.end() : until] for mark in ",.;:!?")
        made.append(Token(match.group(), low, match.start(), match.end(), breaks))
    return made


def words_of(name: str) -> list[str]:
    """The words of an identifier, or of plain text, in lower case: `getOrderStatus`, `get_order_status`."""
    return [part.lower() for part in _NAME_PARTS.findall(name)]


@lru_cache(maxsize=4_096)
@lru_cache(maxsize=4_096)
def stem(word: str) -> str:
    """What is left of a word without its endings: `booking`, `booked` and `books` are `book`."""
    word = word.removesuffix("'s")
    if word.endswith("ies") and len(word) > 4:
        word = word[:-3] + "y"
    elif word.endswith("s") and len(word) > 3 and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    for suffix in _SUFFIXES:
        rest = word.removesuffix(suffix)
        enough = 4 if suffix in ("ation", "ations") else 3
        if rest != word and len(rest) >= enough and _VOWEL.search(rest):
            word = rest
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "ls":
                word = word[:-1]
            break
    if word.endswith("ll") and len(word) > 5:
        word = word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def distance(one: str, other: str, most: int = 2) -> int:
    """How many letters to put in, leave out, replace or swap to make one the other; at most `most` + 1."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        above, row = row, [i]
        for j, right in enumerate(other, 1):
            best = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right))
            if i > 1 and j > 1 and left == other[j - 2] and one[i - 2] == right:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before = above
    return min(row[-1], most + 1)


def alike(one: str, other: str) -> bool:
    """Whether one may be the other, misheard or mistyped: short words must be equal."""
    if one == other:
        return True
    shorter = min(len(one), len(other))
    most = 0 if shorter < 5 else 1 if shorter < 8 else 2
    if most == 0 or one[0] != other[0] or abs(len(one) - len(other)) > most:
        return False
    return distance(one, other, most) <= most


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one is, or most likely is meant to be."""
    found = [(distance(word, each), each) for each in known if alike(word, each)]
    return min(found)[1] if found else None
