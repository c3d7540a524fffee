"""Dates, times of day and durations in a sentence. Pure: what day it is today is handed in.

"tomorrow at eight thirty", "next friday", "the third of may", "half past six", "an hour and a half", "8pm".
A time without "am" or "pm" from one to six is taken for the afternoon when nothing says otherwise; others are
as they are said. "Friday" is the next one to come; "next friday" is the same, but never tomorrow or today.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

from antiphon.models.local.english import MONTHS, UNITS, WEEKDAYS
from antiphon.models.local.numerals import number_at, ordinal_at
from antiphon.models.local.tokens import alike, nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.models.local.tokens import Token

__all__ = ["Moment", "Span", "dates", "durations", "times"]

_ISO_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::\d\d)?")
_WITH_HALF: Final = re.compile(r"(\d{1,2})(?::(\d\d))?(am|pm)")
_RELATIVE: Final = {"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1}
_PARTS: Final = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_LATE: Final = frozenset({"afternoon", "evening", "tonight", "night", "dinner", "supper"})


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or a time of day, and the words it takes."""

    value: date | time
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in seconds, and the words it takes."""

    seconds: float
    start: int
    end: int


def dates(words: Sequence[Token], today: date) -> list[Moment]:
    """All dates, from left to right."""
    found, at = [], 0
    while at < len(words):
        moment = _date_at(words, at, today)
        if moment is not None:
            found.append(moment)
        at = moment.end if moment else at + 1
    return found


def times(words: Sequence[Token]) -> list[Moment]:
    """All times of day, from left to right."""
    late = any(word.low in _LATE for word in words)
    early = any(word.low == "morning" for word in words)
    found, at = [], 0
    while at < len(words):
        moment = _time_at(words, at, late=late, early=early)
        if moment is not None:
            found.append(moment)
        at = moment.end if moment else at + 1
    return found


def durations(words: Sequence[Token]) -> list[Span]:
    """All lengths of time; what is joined by "and", or follows at once, is one."""
    found: list[Span] = []
    at = 0
    while at < len(words):
        span = _duration_at(words, at)
        if span is None:
            at += 1
            continue
        before = found[-1] if found else None
        between = [word.low for word in words[before.end : span.start]] if before else ["-"]
        if before is not None and between in ([], ["and"]):
            found[-1] = Span(before.seconds + span.seconds, before.start, span.end)
        else:
            found.append(span)
        at = span.end
    return found


def _date_at(words: Sequence[Token], at: int, today: date) -> Moment | None:
    low = words[at].low
    if _ISO_DATE.fullmatch(low[:10]):
        try:
            return Moment(date.fromisoformat(low[:10]), at, at + 1)
        except ValueError:
            return None
    if low == "day" and [word.low for word in words[at + 1 : at + 3]] == ["after", "tomorrow"]:
        return Moment(today + timedelta(days=2), at, at + 3)
    if (relative := nearest(low.removesuffix("'s"), _RELATIVE)) is not None:
        return Moment(today + timedelta(days=_RELATIVE[relative]), at, at + 1)
    if low == "in" and (span := _duration_at(words, at + 1)) and span.seconds % 86_400 == 0:
        return Moment(today + timedelta(seconds=span.seconds), at, span.end)
    return _weekday_at(words, at, today) or _day_of_month_at(words, at, today)


def _weekday_at(words: Sequence[Token], at: int, today: date) -> Moment | None:
    end, later = at, words[at].low == "next"
    if words[at].low in ("next", "this", "on") and at + 1 < len(words):
        end += 1
    low = words[end].low.removesuffix("'s")
    if later and low in ("week", "month"):
        return Moment(today + timedelta(days=7 if low == "week" else 30), at, end + 1)
    day = next((number for number, name in enumerate(WEEKDAYS) if alike(low, name)), None)
    if day is None:
        return None
    ahead = (day - today.weekday()) % 7 or 7
    if later and ahead == 1:
        ahead = 8
    return Moment(today + timedelta(days=ahead), at, end + 1)


def _day_of_month_at(words: Sequence[Token], at: int, today: date) -> Moment | None:
    """ "the third of may", "3 May", "may the third", "the 15th"; the next such day to come."""
    start = at
    if words[at].low in ("the", "on") and at + 1 < len(words):
        at += 1
        if words[at].low == "the" and at + 1 < len(words):
            at += 1
    if (month := _month(words, at)) is not None:
        after = at + 1 + (at + 1 < len(words) and words[at + 1].low == "the")
        day = _day(words, after)
        return _next_day(day[0], month, today, start, _year(words, day[1])) if day else None
    day = _day(words, at)
    if day is None:
        return None
    number, end = day
    after = end + (end < len(words) and words[end].low == "of")
    if (month := _month(words, after)) is not None:
        return _next_day(number, month, today, start, _year(words, after + 1))
    if start < at and ordinal_at(words, at) is not None:
        return _next_day(number, None, today, start, (None, end))
    return None


def _month(words: Sequence[Token], at: int) -> int | None:
    if at >= len(words):
        return None
    low = words[at].low
    for number, name in enumerate(MONTHS, 1):
        if alike(low, name) or (len(low) == 3 and name.startswith(low) and low != "may"):
            return number
    return None


def _day(words: Sequence[Token], at: int) -> tuple[int, int] | None:
    if at >= len(words):
        return None
    read = ordinal_at(words, at) or number_at(words, at)
    return (int(read.value), read.end) if read and 1 <= read.value <= 31 else None


def _year(words: Sequence[Token], at: int) -> tuple[int | None, int]:
    if at < len(words) and re.fullmatch(r"20\d\d", words[at].low):
        return int(words[at].low), at + 1
    return None, at


def _next_day(
    day: int, month: int | None, today: date, start: int, year: tuple[int | None, int]
) -> Moment | None:
    if month is not None and year[0] is not None:
        choices = [(year[0], month)]
    elif month is not None:
        choices = [
            (today.year + ahead, month) for ahead in range(9)
        ]  # the 29th of February may take its time
    else:
        choices = [(today.year + at // 12, at % 12 + 1) for at in range(today.month - 1, today.month + 11)]
    for in_year, in_month in choices:
        try:
            made = date(in_year, in_month, day)
        except ValueError:
            continue
        if made >= today or year[0] is not None:
            return Moment(made, start, year[1])
    return None


def _time_at(words: Sequence[Token], at: int, *, late: bool, early: bool) -> Moment | None:
    low = words[at].low
    if low in _PARTS:
        return Moment(_PARTS[low], at, at + 1)
    if "t" in low and _ISO_DATE.match(low):
        try:
            return Moment(datetime.fromisoformat(low).time(), at, at + 1)
        except ValueError:
            return None
    if read := _WITH_HALF.fullmatch(low):
        return _clock(int(read[1]), int(read[2] or 0), at, at + 1, read[3], sure=True)
    hour, minute, end, sure = _hour_at(words, at)
    if hour is None:
        return None
    said = [word.low for word in words[end : end + 2]]
    half = None
    if said[:1] in (["am"], ["pm"]):
        half, end = said[0], end + 1
    elif said in (["a", "m"], ["p", "m"]):
        half, end = said[0] + "m", end + 2
    elif said[:1] in (["o'clock"], ["oclock"]):
        sure, end = True, end + 1
    elif said == ["o", "clock"]:
        sure, end = True, end + 2
    sure = (
        sure
        or half is not None
        or (at > 0 and words[at - 1].low in ("at", "by", "until", "around", "before"))
    )
    if half is None and hour < 12 and not early and (late or 1 <= hour <= 6) and ":" not in low[:3]:
        half = "pm"
    return _clock(hour, minute, at, end, half, sure=sure and not _counts(words, end))


def _counts(words: Sequence[Token], end: int) -> bool:
    """Whether what was read counts something: "at 5 percent", "in ten minutes"."""
    return end < len(words) and words[end].low.removesuffix("s") in {
        *UNITS,
        "percent",
        "%",
        "degree",
        "people",
    }


def _hour_at(words: Sequence[Token], at: int) -> tuple[int | None, int, int, bool]:
    """Hour, minute, where it ends, and whether it cannot be anything else than a time."""
    low = words[at].low
    if read := _CLOCK.fullmatch(low):
        return int(read[1]), int(read[2]), at + 1, True
    said = [word.low for word in words[at : at + 3]]
    past = {"half": 30, "quarter": 15}.get(low)
    start = at + 1
    if (
        past is None
        and (read_minutes := number_at(words, at)) is not None
        and read_minutes.value in range(1, 60)
    ):
        past, start = int(read_minutes.value), read_minutes.end
        said = [low, *(word.low for word in words[start : start + 1])]
    if past is not None and said[1:2] in (["past"], ["to"], ["after"]) and start + 1 < len(words):
        hour = number_at(words, start + 1)
        if hour is not None and 1 <= hour.value <= 12 and hour.value == int(hour.value):
            if said[1] == "to":
                return (int(hour.value) - 1) or 12, 60 - past, hour.end, True
            return int(hour.value), past, hour.end, True
    whole = number_at(words, at)
    if whole is None or whole.value != int(whole.value) or not 0 <= whole.value <= 23:
        return None, 0, at, False
    end = whole.end
    if end < len(words) and words[end].low == "oh" and end + 1 < len(words):
        end += 1
    minutes = number_at(words, end) if end < len(words) and not words[end - 1].breaks else None
    if minutes is not None and minutes.value == int(minutes.value) and 0 <= minutes.value < 60:
        if (minutes.value >= 10 or end > whole.end) and not _counts(words, minutes.end):
            return int(whole.value), int(minutes.value), minutes.end, True
    return int(whole.value), 0, whole.end, False


def _clock(hour: int, minute: int, start: int, end: int, half: str | None, *, sure: bool) -> Moment | None:
    if half == "pm" and hour < 12:
        hour += 12
    elif half == "am" and hour == 12:
        hour = 0
    return Moment(time(hour, minute), start, end) if sure and hour < 24 and minute < 60 else None


def _duration_at(words: Sequence[Token], at: int) -> Span | None:
    """ "ten minutes", "an hour", "half an hour", "two and a half hours", "an hour and a half"."""
    if at >= len(words):
        return None
    if words[at].low in ("a", "an", "one") and at + 1 < len(words) and (unit := _unit(words, at + 1)):
        said = [word.low for word in words[at + 2 : at + 5]]
        if said == ["and", "a", "half"]:
            return Span(unit * 1.5, at, at + 5)
        return Span(unit, at, at + 2)
    read = number_at(words, at)
    if read is None or read.value < 0:
        return None
    if attached := re.fullmatch(r"[\d.]+(mins?|s|h|m)", words[at].low):
        return Span(read.value * {"s": 1, "h": 3_600}.get(attached[1], 60), at, at + 1)
    unit = _unit(words, read.end)
    return Span(read.value * unit, at, read.end + 1) if unit else None


def _unit(words: Sequence[Token], at: int) -> int | None:
    if at >= len(words):
        return None
    low = words[at].low
    return UNITS.get(low) or UNITS.get(low.removesuffix("s"))
