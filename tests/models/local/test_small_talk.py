from __future__ import annotations

import pytest

from antiphon.models.local.small_talk import COUNTS_TO, counting, echo, remark
from antiphon.models.local.tokens import tokens


@pytest.mark.parametrize(
    ("kind", "lines"),
    [
        ("greeting", "hello|Hi there!|good morning"),
        ("how_are_you", "how are you|hello how are you today|how's it going"),
        ("farewell", "bye|okay goodbye|see you later"),
        ("thanks", "thanks|thank you so much|great thanks a lot"),
        ("yes", "yes|yes please|sure|go ahead"),
        ("no", "no|no thank you|never mind|cancel that"),
        ("stop", "stop|please stop|that's enough|um wait"),
        ("repeat", "repeat that|can you say that again|sorry what|pardon"),
        ("abilities", "what can you do|help|so what can i ask you|how can you help me"),
        ("who", "who are you|what's your name"),
        ("done", "that's all|no that's it|that will be all thank you"),
        (None, "stop the timer|what time is it|cancel my booking|yes but no|thanks to him|"),
    ],
)
def test_remarks(kind: str | None, lines: str) -> None:
    for said in lines.split("|"):
        assert remark(tokens(said)) == kind, said


def test_echo() -> None:
    assert echo("Repeat after me: the Rain in Spain") == "the Rain in Spain"
    assert echo("repeat that") is None


@pytest.mark.parametrize(
    ("said", "first", "last", "how_many"),
    [
        ("count to ten", "One.", "Ten.", 10),
        ("please count from five to eight", "Five.", "Eight.", 4),
        ("count down from three", "Three.", "One.", 3),
        ("count backwards from 10 to 5", "Ten.", "Five.", 6),
        ("count from ninety", "Ninety.", "One hundred.", 11),
    ],
)
def test_counting_has_a_sentence_for_each_number(said: str, first: str, last: str, how_many: int) -> None:
    row = counting(tokens(said))
    assert row is not None and row.startswith(first) and row.endswith(last) and row.count(".") == how_many


def test_counting_has_an_end() -> None:
    assert counting(tokens(f"count to {COUNTS_TO + 1}")) == "I only count to one hundred."
    assert counting(tokens("count on me")) is None and counting(tokens("count my 3 apples")) is None
    assert counting(tokens("ten")) is None
