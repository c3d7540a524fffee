"""What is told by where it stands; whole sentences are in `test_understanding`."""

from __future__ import annotations

import pytest

from antiphon.models.local.abilities import Parameter
from antiphon.models.local.phrases import Phrases
from antiphon.models.local.tokens import tokens
from antiphon.types import Schema


def phrases(said: str, *, hits: tuple[int, ...] = (), answering: bool = False) -> Phrases:
    return Phrases(said, tokens(said), hits, (), answering=answering)


CITY = Parameter("city", "place", Schema(), required=True)
NAME = Parameter("name", "person", Schema(), required=True)
TEXT = Parameter("text", "text", Schema(), required=True)
ORDER = Parameter("order_id", "code", Schema(), required=True)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("in the hague", ["hague"]),
        ("in New York City right now", ["New York City"]),
        ("in paris, london or in rome", ["paris", "london", "rome"]),
        ("in rome and tell me", ["rome"]),
        ("lisbon please", ["lisbon"]),
        ("tell me", []),
    ],
)
def test_places(said: str, found: list[str]) -> None:
    assert phrases(said).places(CITY) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("for anna", ["anna"]),
        ("i'm Ann Lee and it is late", ["Ann Lee"]),
        ("on behalf of mister jones", ["mister jones"]),
        ("for dinner", []),
        ("under the name of", []),
    ],
)
def test_names(said: str, found: list[str]) -> None:
    assert phrases(said).persons(NAME) == found


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("order 4711", "4711"),
        ("the order A B twelve", "AB12"),
        ("my 2 cats want order triple oh seven", "0007"),
        ("X1Y2", "X1Y2"),
        ("none", ""),
    ],
)
def test_codes(said: str, found: str) -> None:
    read = phrases(said)
    assert read.spelt(read.code(ORDER, cued=False)) == found


def test_where_from_is_not_where_to() -> None:
    origin = Parameter("origin", "place", Schema(), required=True)
    assert phrases("i want to get to madrid").places(origin) == []
    assert phrases("dollars to euros").places(origin) == ["dollars"]


def test_codes_with_a_word_of_their_own() -> None:
    assert not phrases("4711").code(ORDER, cued=True) and phrases("order 4711").code(ORDER, cued=True)


def test_free_text_is_what_is_left() -> None:
    assert phrases("note that the Code is blue", hits=(0,)).texts(TEXT) == ["the Code is blue"]
    read = phrases("note milk tomorrow", hits=(0,))
    read.take(2)
    assert read.texts(TEXT) == ["milk"] and phrases("note", hits=(0,)).texts(TEXT) == []


def test_optional_text_wants_a_label() -> None:
    label = Parameter("label", "text", Schema())
    assert phrases("timer called eggs", hits=(0,)).texts(label) == ["eggs"]
    assert phrases("timer eggs", hits=(0,)).texts(label) == []


def test_mails() -> None:
    assert phrases("to ann@example.org").mails() == ["ann@example.org"]
