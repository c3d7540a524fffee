"""Text as it is said and as it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.models.local.spelling import said, written


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("At 7:30, Ada?", "at seven thirty ada"),
        ("24 people", "twenty four people"),
        ("$5", "five dollars"),
        ("3.5%", "three point five percent"),
        ("1984", "nineteen eighty four"),
        ("the 21st of May", "the twenty first of may"),
        ("1,200", "one thousand two hundred"),
        ("007", "zero zero seven"),
        ("at 8:05", "at eight oh five"),
        ("at 8:00", "at eight o'clock"),
        ("12345678901", "one two three four five six seven eight nine zero one"),
        ("What’s Europe/New_York?", "what's europe new york"),
        ("findFlight in São Paulo", "find flight in são paulo"),
        ("weather in {place}", "weather in {place}"),
        ("…", ""),
    ],
)
def test_text_becomes_words(text: str, words: str) -> None:
    assert said(text) == words


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("set a timer for five minutes", "set a timer for 5 minutes"),
        ("a timer for one minute", "a timer for 1 minute"),
        ("this one", "this one"),
        ("one", "1"),
        ("the twenty first of may", "the twenty first of may"),
        ("two hundred and five", "205"),
        ("one hundred thousand", "100000"),
        ("three million two hundred thousand and six", "3200006"),
        ("at seven thirty", "at 7:30"),
        ("nineteen eighty four", "1984"),
        ("twenty twenty six", "2026"),
        ("one two three", "1 2 3"),
        ("salt and pepper", "salt and pepper"),
        ("two and three", "2 and 3"),
        ("five point two five", "5.25"),
        ("a hundred", "a hundred"),
        ("zero", "0"),
        ("", ""),
    ],
)
def test_words_become_text(words: str, text: str) -> None:
    assert written(words) == text


@given(st.integers(2, 999_999_999))
def test_a_number_comes_back(number: int) -> None:
    if not 1100 <= number < 2000:  # read as years
        assert written(said(f"{number} things")) == f"{number} things"


@given(st.text())
def test_any_text_is_words_between_single_spaces(text: str) -> None:
    words = said(text)
    assert words == " ".join(words.split())
    written(words)
