"""What words are worth where, told from phrases."""

from __future__ import annotations

import math

import pytest

from antiphon.models.local.ngrams import END, START, UNKNOWN, Ngrams, slots_of

PHRASES = ["hello", "weather in {city}", "timer for {number} minutes {please}"]
SLOTS = {"city": ["paris", "new york"], "number": ["five", "twenty five"], "please": ["", "please"]}
WORDS = "hello weather in paris new york timer for five twenty minutes please rome".split()


@pytest.fixture(scope="module")
def ngrams() -> Ngrams:
    return Ngrams(PHRASES, ["rome"], SLOTS)


def chance(ngrams: Ngrams, history: tuple[str, ...], word: str) -> float:
    worth = ngrams.worth(history, word)
    return math.exp(worth + UNKNOWN) if worth else 0.0


def sentence(ngrams: Ngrams, text: str) -> float:
    words = [START, *text.split(), END]
    return sum(ngrams.worth(tuple(words[max(0, at - 2) : at]), words[at]) for at in range(1, len(words)))


@pytest.mark.parametrize(
    "history", [(), ("in",), (START, "weather"), ("for", "twenty"), ("rome",), ("moon",)]
)
def test_all_words_after_a_history_are_chances(ngrams: Ngrams, history: tuple[str, ...]) -> None:
    assert sum(chance(ngrams, history, word) for word in (*WORDS, END)) == pytest.approx(1.0, abs=0.02)


def test_phrases_weigh_the_same_however_many_sentences_they_make(ngrams: Ngrams) -> None:
    first = [chance(ngrams, (START,), word) for word in ("hello", "weather", "timer")]
    assert max(first) == pytest.approx(min(first), rel=0.01)


def test_slots_are_filled_and_may_be_left_out(ngrams: Ngrams) -> None:
    for text in ("weather in new york", "timer for twenty five minutes", "timer for five minutes please"):
        assert all(
            chance(ngrams, tuple([START, *text.split()][max(0, at - 1) : at + 1]), word) > 0.1
            for at, word in enumerate(text.split())
        )


def test_words_may_come_in_new_orders_at_a_price(ngrams: Ngrams) -> None:
    assert 0 < sentence(ngrams, "weather for rome") < sentence(ngrams, "weather in paris") - 5


def test_unknown_words_are_worth_nothing(ngrams: Ngrams) -> None:
    assert ngrams.worth(("weather", "in"), "atlantis") == 0.0
    assert ngrams.worth_so_far("atl") == 0.0


def test_a_beginning_is_worth_what_the_likeliest_word_is(ngrams: Ngrams) -> None:
    assert ngrams.worth_so_far("p") == max(ngrams.worth((), word) for word in ("paris", "please"))
    assert ngrams.worth_so_far("paris") == ngrams.worth((), "paris")


@pytest.mark.parametrize(("phrases", "slots"), [([], {}), ([""], {}), (["{x}"], {"x": ()})])
def test_of_nothing_nothing_is_known(phrases: list[str], slots: dict[str, tuple[str, ...]]) -> None:
    nothing = Ngrams(phrases, [], slots)
    assert nothing.worth((START,), "hello") == nothing.worth_so_far("h") == 0.0


def test_slots_are_names_in_braces() -> None:
    assert slots_of("from {place} to {other}") == ["place", "other"]
