"""A sentence and its sound, cut at the same words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.models.local.stretches import cut, sayable, spread, spread_as_it_comes, words

SOUND = bytes(range(200))  # a hundred samples


def test_words_begin_after_spaces_and_characters_of_scripts_without_spaces_are_words() -> None:
    assert words("It's  3.5 — “so”.") == [0, 6, 10, 12]
    assert words("好 世界a") == [0, 2, 3, 4]
    assert words(" ") == []


@pytest.mark.parametrize(
    ("text", "expected"), [("a", True), ("3", True), ("好", True), ("_ … 🙂", False), ("", False)]
)
def test_only_letters_and_digits_can_be_said(text: str, expected: bool) -> None:
    assert sayable(text) is expected


def test_stretches_begin_where_the_words_are() -> None:
    found = list(cut("one two three", SOUND, [(0, 0), (4, 30), (8, 70)]))
    assert [(each.text, len(each.pcm) // 2) for each in found] == [("one ", 30), ("two ", 40), ("three", 30)]


def test_a_place_inside_a_word_is_the_word_s_and_only_the_first_counts() -> None:
    found = list(cut("it is 3.5 now", SOUND, [(0, 0), (7, 40), (8, 60), (10, 80)]))
    assert [each.text for each in found] == ["it is ", "3.5 ", "now"]
    assert [len(each.pcm) // 2 for each in found] == [40, 40, 20]


def test_places_that_go_back_are_left_out() -> None:
    found = list(cut("one two three", SOUND, [(4, 30), (0, 40), (8, 20), (8, 50)]))
    assert "".join(each.text for each in found) == "one two three"
    assert b"".join(each.pcm for each in found) == SOUND


def test_without_places_words_share_the_sound_by_their_length() -> None:
    found = list(spread("aa bbbbbbb", SOUND))
    assert [(each.text, len(each.pcm) // 2) for each in found] == [("aa ", 30), ("bbbbbbb", 70)]


def test_sound_that_is_still_coming_is_told_at_the_pace_of_speech() -> None:
    pieces = [bytes(2 * 800)] * 30  # 0.1 s each, at 8 kHz
    found = list(spread_as_it_comes("Hello there, it is me.", pieces, 8000))
    assert found[0].text == "" and len(found[0].pcm) == 1600
    spoken = 0
    for count, each in enumerate(found[:-1], 1):
        spoken += len(each.text)
        assert spoken <= count * 0.1 * 15 + 1e-6
    assert "".join(each.text for each in found) == "Hello there, it is me."


@given(st.text("ab .\n好", max_size=30), st.lists(st.binary(max_size=9), max_size=20))
def test_nothing_is_lost_of_what_comes_in_odd_pieces(text: str, pieces: list[bytes]) -> None:
    found = list(spread_as_it_comes(text, pieces, 10))
    sound = b"".join(pieces)
    assert "".join(each.text for each in found) == text
    assert b"".join(each.pcm for each in found) == sound[: len(sound) & ~1]
    assert all(len(each.pcm) % 2 == 0 for each in found)


@given(
    st.text("ab .\n好", max_size=30),
    st.binary(max_size=200),
    st.lists(st.tuples(st.integers(-3, 40), st.integers(0, 200))),
)
def test_whatever_the_places_all_stretches_are_the_sentence(
    text: str, pcm: bytes, places: list[tuple[int, int]]
) -> None:
    for found in (list(cut(text, pcm, places)), list(spread(text, pcm))):
        assert "".join(each.text for each in found) == text
        assert b"".join(each.pcm for each in found) == pcm
