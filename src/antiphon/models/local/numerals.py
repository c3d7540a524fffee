"""Numbers in a sentence, in digits or in words: "twenty five", "two and a half", "1,200". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.models.local.english import HUNDRED, ORDINALS, SCALES, SMALL_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.models.local.tokens import Token

__all__ = ["Numeral", "in_words", "number_at", "numbers", "ordinal_at"]

_DIGITS: Final = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_ORDINAL: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_WITH_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)(?:min|mins|s|h|m|km|kg|k)")
_FIXED: Final[dict[tuple[str, ...], float]] = {
    ("half", "a"): 0.5,
    ("half", "an"): 0.5,
    ("a", "half"): 0.5,
    ("a", "quarter"): 0.25,
    ("a", "dozen"): 12,
    ("a", "couple", "of"): 2,
    ("a", "couple"): 2,
    ("a", "hundred"): 100,
    ("a", "thousand"): 1000,
    ("a", "million"): 1_000_000,
    ("dozen",): 12,
}
_IN_ORDER: Final = [word for word, _ in sorted(SMALL_NUMBERS.items(), key=lambda each: each[1])]
_TENS: Final = _IN_ORDER[20:]


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number, and the words it takes: those from `start` up to `end`, which is not one of them."""

    value: float
    start: int
    end: int

    @property
    def plain(self) -> int | float:
        """As an `int` where it is whole."""
        return int(self.value) if self.value == int(self.value) else self.value


def numbers(words: Sequence[Token]) -> list[Numeral]:
    """All numbers, from left to right. Two that follow each other without a scale are two: "two three"."""
    found, at = [], 0
    while at < len(words):
        numeral = number_at(words, at)
        if numeral is None:
            at += 1
        else:
            found.append(numeral)
            at = numeral.end
    return found


def number_at(words: Sequence[Token], at: int) -> Numeral | None:
    """The number that begins here."""
    start, minus = at, False
    if words[at].low in ("minus", "negative") and at + 1 < len(words):
        at, minus = at + 1, True
    read = _digits(words, at) or _fixed(words, at) or _spelt(words, at)
    if read is None:
        return None
    value, end = _with_fraction(words, *read)
    return Numeral(-value if minus else value, start, end)


def ordinal_at(words: Sequence[Token], at: int) -> Numeral | None:
    """A place in a row: "third", "twenty third", "23rd"."""
    low = words[at].low
    if digits := _ORDINAL.fullmatch(low):
        return Numeral(int(digits[1]), at, at + 1)
    if low in ORDINALS:
        return Numeral(ORDINALS[low], at, at + 1)
    tens, _, ones = low.partition("-")
    end = at + 1
    if not ones and end < len(words):
        ones, end = words[end].low, end + 1
    if tens in _TENS and ORDINALS.get(ones, 10) < 10:
        return Numeral(SMALL_NUMBERS[tens] + ORDINALS[ones], at, end)
    return None


def in_words(number: int) -> str:
    """From 0 to 100, as it is said."""
    if number == 100:
        return "one hundred"
    if number < 20:
        return _IN_ORDER[number]
    tens = _TENS[number // 10 - 2]
    return f"{tens}-{_IN_ORDER[number % 10]}" if number % 10 else tens


def _digits(words: Sequence[Token], at: int) -> tuple[float, int] | None:
    low = words[at].low
    read = _DIGITS.fullmatch(low) or _WITH_UNIT.fullmatch(low)
    if read is None:
        return None
    value = float((read[1] if read.re is _WITH_UNIT else read[0]).replace(",", ""))
    if at + 1 < len(words) and (scale := {HUNDRED: 100, **SCALES}.get(words[at + 1].low)):
        return value * scale, at + 2
    return value, at + 1


def _fixed(words: Sequence[Token], at: int) -> tuple[float, int] | None:
    for length in (3, 2, 1):
        said = tuple(word.low for word in words[at : at + length])
        if said in _FIXED:
            return _FIXED[said], at + length
    return None


def _spelt(words: Sequence[Token], at: int) -> tuple[float, int] | None:
    """Hundreds, tens and ones, as long as each fits below the one before it."""
    flat = [(part, index) for index in range(at, len(words)) for part in words[index].low.split("-")]
    total, group, room, end = 0, 0, 1_000, at
    for place, (low, index) in enumerate(flat):
        value = SMALL_NUMBERS.get(low)
        following = flat[place + 1][0] if place + 1 < len(flat) else ""
        if value is not None and value < room and (value or not group):
            group += value
            room = 10 if value >= 20 else 0 if value else 1
        elif low == HUNDRED and 0 < group < 10:
            group, room = group * 100, 100
        elif low in SCALES and group:
            total, group, room = total + group * SCALES[low], 0, 1_000
        elif low == "and" and end > at and room == 100 and following in SMALL_NUMBERS:
            continue
        elif low == "point" and end > at and SMALL_NUMBERS.get(following, 10) < 10:
            return _after_point(flat, place + 1, total + group)
        else:
            break
        end = index + 1
        if words[index].breaks:
            break
    return (float(total + group), end) if end > at else None


def _after_point(flat: Sequence[tuple[str, int]], at: int, whole: int) -> tuple[float, int]:
    digits = ""
    while at < len(flat) and SMALL_NUMBERS.get(flat[at][0], 10) < 10:
        digits += str(SMALL_NUMBERS[flat[at][0]])
        at += 1
    return float(f"{whole}.{digits}"), flat[at - 1][1] + 1


def _with_fraction(words: Sequence[Token], value: float, end: int) -> tuple[float, int]:
    """ "two and a half"; "two" alone is two."""
    said = [word.low for word in words[end : end + 3]]
    if said[:3] == ["and", "a", "half"]:
        return value + 0.5, end + 3
    if said[:3] == ["and", "a", "quarter"]:
        return value + 0.25, end + 3
    return value, end
