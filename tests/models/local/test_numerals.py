from __future__ import annotations

import pytest

from antiphon.models.local.numerals import in_words, number_at, numbers, ordinal_at
from antiphon.models.local.tokens import tokens


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("5", [5]),
        ("twenty five", [25]),
        ("twenty-five", [25]),
        ("two and a half", [2.5]),
        ("three and a quarter", [3.25]),
        ("one hundred and twenty", [120]),
        ("three thousand four hundred", [3400]),
        ("two million", [2_000_000]),
        ("a hundred", [100]),
        ("half a", [0.5]),
        ("a couple of", [2]),
        ("a dozen", [12]),
        ("1,200.50", [1200.5]),
        ("2.5 million", [2_500_000]),
        ("three point one four", [3.14]),
        ("minus ten", [-10]),
        ("90s 5km", [90, 5]),
        ("two, three", [2, 3]),
        ("four seven one one", [4, 7, 1, 1]),
        ("two and three", [2, 3]),
        ("zero", [0]),
        ("nineteen ninety", [19, 90]),
        ("hundred and", []),
        ("no numbers at all", []),
        ("minus", []),
    ],
)
def test_numbers_in_digits_and_words(said: str, expected: list[float]) -> None:
    assert [each.plain for each in numbers(tokens(said))] == expected


def test_a_number_knows_its_words() -> None:
    (found,) = numbers(tokens("set it to twenty five please"))
    assert (found.start, found.end) == (3, 5) and isinstance(found.plain, int)
    assert number_at(tokens("please"), 0) is None


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("third", 3),
        ("23rd", 23),
        ("twenty third", 23),
        ("twenty-first", 21),
        ("thirtieth", 30),
        ("three", None),
    ],
)
def test_places_in_a_row(said: str, expected: int | None) -> None:
    found = ordinal_at(tokens(said), 0)
    assert (found.plain if found else None) == expected


def test_numbers_are_said_in_words() -> None:
    assert [in_words(number) for number in (0, 7, 13, 20, 42, 100)] == [
        "zero", "seven", "thirteen", "twenty", "forty-two", "one hundred",
    ]  # fmt: skip
