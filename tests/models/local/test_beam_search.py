"""The search, with a model whose every probability is written down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from antiphon.models.local.beam_search import BEAMS, search
from antiphon.models.local.ngrams import Ngrams
from tests.models.local.writing import STOP, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.models.local.beam_search import Found

NOTHING = Ngrams([], [], {})


def written(table: Table, ngrams: Ngrams, most: int = 20) -> tuple[str, Found]:
    found = search(table, table.pieces.__getitem__, 0, ngrams, most)
    return "".join(table.pieces[piece] for piece in found.pieces), found


def test_the_likeliest_whole_wins_over_the_likeliest_beginning() -> None:
    table = Table({"": {"▁a": 0.6, "▁b": 0.4}, "▁a": {STOP: 0.1, "▁x": 0.1}, "▁b": {STOP: 0.9}})
    text, found = written(table, NOTHING)
    assert text == "▁b" and math.isclose(found.mean, math.log(0.4 * 0.9) / 2)


def test_known_words_win_over_others_that_sound_alike() -> None:
    chances = {"": {"▁Whet": 0.5, "▁Weat": 0.4}, "▁Whet": {"her": 0.9}, "▁Weat": {"her": 0.9}}
    assert written(Table(chances), NOTHING)[0] == "▁Whether"
    assert written(Table(chances), Ngrams(["weather"], [], {}))[0] == "▁Weather"


def test_what_is_known_does_not_win_against_what_is_clearly_said() -> None:
    chances = {"": {"▁Heather": 0.999, "▁weather": 0.001}}
    assert written(Table(chances), Ngrams(["weather"], [], {}))[0] == "▁Heather"


def test_a_phrase_wins_over_its_words_in_another_order() -> None:
    chances = {"": {"▁two": 0.5, "▁for": 0.5}, "▁two": {"▁for": 1.0}, "▁for": {"▁two": 1.0}}
    assert written(Table(chances), Ngrams(["for two"], [], {}))[0] == "▁for▁two"


def test_commas_and_capitals_belong_to_the_model() -> None:
    chances = {"": {"▁Yes": 1.0}, "▁Yes": {",": 1.0}, "▁Yes,": {"▁please": 0.5, "▁peas": 0.5}}
    assert written(Table(chances), Ngrams(["yes please"], [], {}))[0] == "▁Yes,▁please"


def test_going_round_in_circles_ends() -> None:
    class Circle(Table):
        def likeliest(self, most: int) -> Sequence[Sequence[tuple[int, float]]]:
            return [[(1, math.log(0.9)), (0, math.log(1e-30))] for _ in self.rows]

    text, _ = written(Circle({"": {"▁la": 1.0}}), NOTHING, most=7)
    assert text == "▁la" * 7


def test_no_more_are_followed_than_that() -> None:
    table = Table({"": {f"▁{letter}": 1 / 20 for letter in "abcdefghijklmnopqrst"}})
    written(table, NOTHING)
    assert table.most_rows == BEAMS
