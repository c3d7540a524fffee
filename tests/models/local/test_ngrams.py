"""The language model: that it is one, and what it finds likely."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest

from antiphon.models.local.ngrams import arpa, slots_of

Model = dict[tuple[str, ...], tuple[float, float]]

PHRASES = ["hello", "weather in {city}", "timer for {number} minutes {please}"]
SLOTS = {"city": ["paris", "new york"], "number": ["five", "twenty five"], "please": ["", "please"]}


def read(text: str) -> Model:
    grams: Model = {}
    order = 0
    for line in text.splitlines():
        if line.endswith("-grams:"):
            order = int(line[1])
        elif order and line and line[0] != "\\":
            fields = line.split()
            backoff = float(fields[order + 1]) if len(fields) > order + 1 else 0.0
            grams[tuple(fields[1 : order + 1])] = (10 ** float(fields[0]), 10**backoff)
    return grams


def chance(grams: Model, *gram: str) -> float:
    if gram in grams:
        return grams[gram][0]
    return grams.get(gram[:-1], (0.0, 1.0))[1] * chance(grams, *gram[1:])


def sentence(grams: Model, text: str) -> float:
    words = ["<s>", *text.split(), "</s>"]
    return math.prod(chance(grams, *words[max(0, at - 2) : at + 1]) for at in range(1, len(words)))


@pytest.fixture(scope="module")
def model() -> Model:
    return read(arpa(PHRASES, ["rome"], SLOTS, ["[AA]", "[B]"]))


@pytest.mark.parametrize(
    "history", [(), ("in",), ("<s>", "weather"), ("for", "twenty"), ("[AA]",), ("rome",)]
)
def test_all_words_after_a_history_add_up_to_one(model: Model, history: tuple[str, ...]) -> None:
    words = {gram[0] for gram in model if len(gram) == 1} - {"<s>"}
    assert sum(chance(model, *history, word) for word in words) == pytest.approx(1.0, abs=0.01)


def test_phrases_weigh_the_same_however_many_sentences_they_make(model: Model) -> None:
    first = [chance(model, "<s>", word) for word in ("hello", "weather", "timer")]
    assert max(first) == pytest.approx(min(first), rel=0.01)


def test_slots_are_filled_and_may_be_left_out(model: Model) -> None:
    for text in ("weather in new york", "timer for twenty five minutes", "timer for five minutes please"):
        assert sentence(model, text) > 0.01


def test_words_may_come_in_new_orders_at_a_price(model: Model) -> None:
    assert 0 < sentence(model, "weather for rome") < sentence(model, "weather in paris") / 100


def test_the_counts_in_the_head_are_right() -> None:
    text = arpa(PHRASES, [], SLOTS)
    grams = read(text)
    for order in (1, 2, 3):
        assert f"ngram {order}={sum(len(gram) == order for gram in grams)}" in text
    assert all(gram[:-1] in grams for gram in grams if len(gram) > 1)
    assert not [pair for gram in grams for pair in pairwise(gram) if pair[1] == "<s>"]


def test_slots_are_names_in_braces() -> None:
    assert slots_of("from {place} to {other}") == ["place", "other"]


@pytest.mark.parametrize("strangers", [(), ("[AH]", "[B]")])
@pytest.mark.parametrize(("phrases", "slots"), [([], {}), ([""], {}), (["{x}"], {"x": ()})])
def test_a_model_of_nothing_is_one_of_silence(
    phrases: list[str], slots: dict[str, tuple[str, ...]], strangers: tuple[str, ...]
) -> None:
    model = read(arpa(phrases, [], slots, strangers))
    assert chance(model, "<s>", "</s>") == pytest.approx(1.0 if not strangers else 0.96, abs=0.04)
