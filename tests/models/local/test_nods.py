"""Whether it can be a nod, with a model whose every probability is written down."""

from __future__ import annotations

import pytest

from antiphon.models.local.beam_search import BEAMS
from antiphon.models.local.nods import STEPS, Nods
from tests.models.local.writing import STOP, Table

NODS = Nods(["okay", "oh", "i", "see", "uh-huh"])


def chance(table: Table, sure: float = 0.05) -> float:
    return NODS.chance(table, table.pieces.__getitem__, 0, sure)


@pytest.mark.parametrize(
    "text", ["", "▁O", "▁Ok", "▁Okay", "▁OKAY,▁oh", "▁I▁s", "▁Uh-huh.", "▁Uh…▁", "▁uhhu", "?"]
)
def test_what_may_become_a_nod(text: str) -> None:
    assert NODS.may_become(text)


@pytest.mark.parametrize("text", ["▁Old", "▁I▁want", "▁O▁okay", "▁okays", "▁I'm", "▁3", "▁好"])
def test_what_cannot(text: str) -> None:
    assert not NODS.may_become(text)


def test_what_cannot_be_a_nod_counts_with_its_whole_chance() -> None:
    table = Table({"": {"▁Oh": 0.3, "▁Stop": 0.7}})
    assert chance(table) == pytest.approx(0.3)


def test_what_begins_like_a_nod_is_told_from_it_by_what_follows() -> None:
    table = Table({"": {"▁I": 1.0}, "▁I": {"▁see": 0.2, "▁want": 0.8}, "▁I▁see": {"▁you": 0.5, STOP: 0.5}})
    assert chance(table) == pytest.approx(0.1)


def test_what_ends_as_a_nod_and_what_is_one_still_are_nods() -> None:
    again = Table({"▁oh" * times: {"▁oh": 0.5, "▁no": 0.5} for times in range(9)})
    assert chance(again) == pytest.approx(0.5**STEPS)
    assert chance(Table({"": {STOP: 0.4, "▁Go": 0.6}})) == pytest.approx(0.4)


def test_what_is_not_looked_at_does_not_count() -> None:
    assert chance(Table({"": {"▁Oh": 0.2, "▁Stop": 0.2}})) == pytest.approx(0.5)


def test_it_looks_no_closer_than_it_has_to() -> None:
    table = Table({"": {"▁I": 0.1, "▁Stop": 0.9}, "▁I": {"▁want": 1.0}})
    assert chance(table, sure=0.2) == pytest.approx(0.1)
    assert table.rows == [""]
    assert chance(table, sure=0.05) == 0.0
    table = Table({"": {"▁Oh": 0.5, STOP: 0.5}})
    assert chance(table, sure=0.2) == 1.0
    assert table.rows == [""]


def test_of_many_beginnings_the_likeliest_are_followed_and_the_others_remain_nods() -> None:
    nods = Nods(f"{letter}x" for letter in "abcdefghij")
    table = Table(
        {"": {f"▁{letter}": 0.1 for letter in "abcdefghij"}} | {f"▁{x}": {"▁no": 1.0} for x in "abcdefghij"}
    )
    left = nods.chance(table, table.pieces.__getitem__, 0, 0.05)
    assert left == pytest.approx(1 - BEAMS / 10)
    assert table.most_rows == BEAMS
