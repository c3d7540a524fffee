"""Text as it is said and as it is written: "seven thirty" and "7:30". English; pure."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["said", "written"]

_UNITS: Final = tuple(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen".split()
)
_TENS: Final = ("", "", *"twenty thirty forty fifty sixty seventy eighty ninety".split())
_SCALES: Final = ((10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_ORDINALS: Final = tuple(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth "
    "fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth".split()
)
_ROUND_ORDINALS: Final = (
    "",
    "",
    *"twentieth thirtieth fortieth fiftieth sixtieth seventieth eightieth ninetieth".split(),
)
_SIGNS: Final = {
    "%": " percent",
    "°": " degrees",
    "&": " and ",
    "+": " plus ",
    "=": " equals ",
    "×": " times ",
}
_MONEY: Final = {"$": "dollars", "€": "euros", "£": "pounds"}

_NUMBER: Final = re.compile(
    r"(?P<money>[$€£]?)(?:(?P<hour>\d{1,2}):(?P<minute>\d{2})|(?P<ordinal>\d{1,2})(?:st|nd|rd|th)\b"
    r"|(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+))?)"
)
_WORD: Final = re.compile(r"\{\w+\}|[^\W\d_]+(?:'[^\W\d_]+)*")
_HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])(?![^{]*\})")
_VALUES: Final = {word: value for value, word in enumerate(_UNITS)} | {
    word: value * 10 for value, word in enumerate(_TENS) if word
}
_FACTORS: Final = {word: scale for scale, word in _SCALES}
_ENDS_AN_ORDINAL: Final = frozenset(_ORDINALS[1:]) - {"second"}
_COUNTED_AFTER: Final = frozenset(
    "at by count for from in minus number over past plus roll set than times to until".split()
)
_TIME_AFTER: Final = frozenset("after at before by until".split())


def said(text: str) -> str:
    """The words of a text, in lower case, between single spaces: "At 7:30, Ada?" as "at seven thirty ada".

    Names in braces stay as they are.
    """
    text = text.replace("’", "'").replace("_", " ") if "{" not in text else text
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = _NUMBER.sub(lambda found: f" {_number(found)} ", text)
    return " ".join(_WORD.findall(_HUMP.sub(" ", text).lower()))


def _number(found: re.Match[str]) -> str:
    if found["hour"]:
        minute = int(found["minute"])
        past = f"oh {_UNITS[minute]}" if 0 < minute < 10 else "o'clock" if minute == 0 else _cardinal(minute)
        return f"{_cardinal(int(found['hour']))} {past}"
    if found["ordinal"]:
        return _ordinal(int(found["ordinal"]))
    digits = found["whole"].replace(",", "")
    words = _digits(digits) if len(digits) > 9 or (digits[0] == "0" and len(digits) > 1) else _whole(digits)
    if found["part"]:
        words += f" point {_digits(found['part'])}"
    return f"{words} {_MONEY[found['money']]}" if found["money"] else words


def _whole(digits: str) -> str:
    value = int(digits)
    if 1100 <= value < 2000 and value % 100 >= 10:  # a year, more often than not
        return f"{_cardinal(value // 100)} {_cardinal(value % 100)}"
    return _cardinal(value)


def _digits(digits: str) -> str:
    return " ".join(_UNITS[int(digit)] for digit in digits)


def _cardinal(value: int) -> str:
    for scale, word in _SCALES:
        if value >= scale:
            rest = f" {_cardinal(value % scale)}" if value % scale else ""
            return f"{_cardinal(value // scale)} {word}{rest}"
    if value < 20:
        return _UNITS[value]
    return f"{_TENS[value // 10]} {_UNITS[value % 10]}" if value % 10 else _TENS[value // 10]


def _ordinal(value: int) -> str:
    if value < 20:
        return _ORDINALS[value]
    return f"{_TENS[value // 10]} {_ORDINALS[value % 10]}" if value % 10 else _ROUND_ORDINALS[value // 10]


def written(text: str) -> str:
    """Words with their numbers in digits: "at seven thirty" as "at 7:30".

    "One" stays a word where it seems to be none ("this one"); so does what belongs to an ordinal.
    """
    words = text.split()
    result: list[str] = []
    at = 0
    while at < len(words):
        value, after = _cardinal_at(words, at)
        following = words[after] if after < len(words) else ""
        before = words[at - 1] if at else ""
        if value is None or following in _ENDS_AN_ORDINAL:
            result += words[at : max(after, at + 1)]
            at = max(after, at + 1)
            continue
        if words[at:after] == ["one"] and not _counts(before, following, len(words)):
            result.append("one")
            at = after
            continue
        number = str(value)
        more, end = _cardinal_at(words, after)
        if following == "point" and (digits := _single_digits(words, after + 1)):
            number, after = f"{value}.{digits}", after + 1 + len(digits)
        elif more is not None and before in _TIME_AFTER and 1 <= value <= 12 and 10 <= more < 60:
            number, after = f"{value}:{more}", end
        elif more is not None and 11 <= value <= 20 and 10 <= more < 100 and end - at <= 4:
            number, after = f"{value}{more}", end
        result.append(number)
        at = after
    return " ".join(result)


def _counts(before: str, following: str, length: int) -> bool:
    return length == 1 or before in _COUNTED_AFTER or before in _VALUES or following in _VALUES


def _single_digits(words: list[str], at: int) -> str:
    digits = ""
    while at < len(words) and _VALUES.get(words[at], 10) < 10:
        digits += str(_VALUES[words[at]])
        at += 1
    return digits


def _cardinal_at(words: list[str], at: int) -> tuple[int | None, int]:
    """The number that begins there, and where it ends; `None` when there is none."""
    total, group, room = 0, None, 0  # `room`: what may still be added to the group is less than that
    begin = at
    while at < len(words):
        word = words[at]
        value, factor = _VALUES.get(word), _FACTORS.get(word)
        if value is not None and (group is None or (0 < value < room)):
            group = (group or 0) + value
            room = 10 if value >= 20 else 0
        elif factor == 100 and group is not None and 0 < group < 100:
            group, room = group * 100, 100
        elif factor and factor > 100 and group is not None and (total == 0 or factor < 10**6):
            total, group, room = total + group * factor, 0, factor
            room = 1000
        elif not (word == "and" and room >= 100 and at + 1 < len(words) and words[at + 1] in _VALUES):
            break
        at += 1
    return (None, begin) if group is None else (total + group, at)
