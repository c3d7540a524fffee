from __future__ import annotations

import pytest

from antiphon.models.local.tokens import alike, distance, nearest, stem, tokens, words_of


def test_words_keep_how_they_were_written() -> None:
    said = tokens("What's up, Dr. Müller-Lee? Mail ann.lee@example.org at 8:30, #4711 or $1,200.50!")
    assert [word.low for word in said] == [
        "what's", "up", "dr", "müller-lee", "mail", "ann.lee@example.org", "at", "8:30", "4711",
        "or", "$", "1,200.50",
    ]  # fmt: skip
    assert said[3].text == "Müller-Lee" and said[1].breaks and not said[0].breaks


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("get_order_status", ["get", "order", "status"]),
        ("getHTTPStatus", ["get", "http", "status"]),
        ("room2", ["room", "2"]),
    ],
)
def test_names_are_made_of_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["book", "books", "booked", "booking", "bookings"], "book"),
        (["cancel", "cancels", "cancelled", "cancellation"], "cancel"),
        (["reserve", "reservation", "reserving"], "reserv"),
        (["city", "cities"], "city"),
        (["pay", "payment", "payments"], "pay"),
        (["stop", "stopped"], "stop"),
        (["weather"], "weather"),
        (["status"], "status"),
    ],
)
def test_endings_do_not_count(words: list[str], expected: str) -> None:
    assert {stem(word) for word in words} == {expected}


def test_short_words_must_be_equal() -> None:
    assert alike("weather", "wether") and alike("celsius", "celcius") and alike("tomorrow", "tomorow")
    assert not alike("time", "tame") and not alike("weather", "leather") and not alike("kitchen", "kitten")
    assert distance("form", "from") == 1 and distance("a", "abcd") == 3
    assert (
        nearest("wensday", ["monday", "wednesday"]) == "wednesday"
        or nearest("tusday", ["tuesday"]) == "tuesday"
    )
    assert nearest("lamp", ["lamb"]) is None
