from __future__ import annotations

from datetime import date

import pytest

from antiphon.models.local.dates import dates, durations, times
from antiphon.models.local.tokens import tokens

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("today", "2026-11-21"),
        ("tonight", "2026-11-21"),
        ("tomorow", "2026-11-22"),
        ("yesterday", "2026-11-20"),
        ("the day after tomorrow", "2026-11-23"),
        ("on friday", "2026-11-27"),
        ("this saturday", "2026-11-28"),
        ("sunday", "2026-11-22"),
        ("next sunday", "2026-11-29"),
        ("next wednsday", "2026-11-25"),
        ("next week", "2026-11-28"),
        ("in three days", "2026-11-24"),
        ("in two weeks", "2026-12-05"),
        ("the third of may", "2027-05-03"),
        ("december 24th", "2026-12-24"),
        ("3 Dec", "2026-12-03"),
        ("may the fourth 2027", "2027-05-04"),
        ("5 november 2026", "2026-11-05"),
        ("the 15th", "2026-12-15"),
        ("on the 30th", "2026-11-30"),
        ("29 february", "2028-02-29"),
        ("2027-01-31", "2027-01-31"),
        ("2027-13-31", None),
        ("in ten minutes", None),
        ("the first time", "2026-12-01"),
        ("may i", None),
        ("31 february", None),
    ],
)
def test_dates(said: str, expected: str | None) -> None:
    assert [each.value.isoformat() for each in dates(tokens(said), TODAY)] == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("at eight thirty", "08:30"),
        ("at 8:30 pm", "20:30"),
        ("8pm", "20:00"),
        ("8:15am", "08:15"),
        ("at eight p m", "20:00"),
        ("twelve am", "00:00"),
        ("half past six in the evening", "18:30"),
        ("a quarter to nine in the morning", "08:45"),
        ("ten to one", "12:50"),
        ("twenty past seven", "07:20"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("at five", "17:00"),
        ("at five in the morning", "05:00"),
        ("seven o'clock tonight", "19:00"),
        ("seven o clock", "07:00"),
        ("at nine oh five", "09:05"),
        ("18:45", "18:45"),
        ("by eleven", "11:00"),
        ("2026-11-22T08:30", "08:30"),
        ("25:00", None),
        ("five people", None),
        ("at five percent", None),
        ("five", None),
    ],
)
def test_times(said: str, expected: str | None) -> None:
    found = [each.value.isoformat()[:5] for each in times(tokens(said))]
    assert found == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("ten minutes", [600]),
        ("an hour", [3600]),
        ("half an hour", [1800]),
        ("an hour and a half", [5400]),
        ("two and a half hours", [9000]),
        ("one hour and ten minutes", [4200]),
        ("1 hour 30 min", [5400]),
        ("90s", [90]),
        ("10min", [600]),
        ("five minutes or two hours", [300, 7200]),
        ("minutes", []),
    ],
)
def test_lengths_of_time(said: str, seconds: list[float]) -> None:
    assert [each.seconds for each in durations(tokens(said))] == seconds
