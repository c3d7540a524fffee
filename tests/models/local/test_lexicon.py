"""How words are pronounced."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.models.local.lexicon import PHONES, arpabet, pronunciations

if TYPE_CHECKING:
    from pathlib import Path

# ruff: noqa: RUF001

DICTIONARY = "hello HH AH L OW\nhello(2) HH EH L OW\nzurich Z UH R IH K\n"


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "dictionary"
    path.write_text(DICTIONARY, encoding="utf-8")
    return path


def test_a_word_of_the_dictionary_is_said_in_all_its_ways(dictionary: Path) -> None:
    assert pronunciations(["hello"], dictionary) == {"hello": ["HH AH L OW", "HH EH L OW"]}


def test_an_unknown_name_is_said_by_its_letters(dictionary: Path) -> None:
    ways = pronunciations(["antiphon", "siobhan's"], dictionary)
    assert ways["antiphon"] == ["AE N T IH F AA N"]
    assert set(ways["siobhan's"][0].split()) <= set(PHONES)


def test_accents_do_not_hide_a_word(dictionary: Path) -> None:
    assert pronunciations(["zürich"], dictionary) == {"zürich": ["Z UH R IH K"]}


def test_what_cannot_be_said_in_english_is_left_out(dictionary: Path) -> None:
    assert pronunciations(["日本", "hello"], dictionary).keys() == {"hello"}


@pytest.mark.parametrize(
    ("ipa", "phones"),
    [("tʃˈɜːtʃ", "CH ER CH"), ("ˈaɪɚlənd", "AY ER L AH N D"), ("bˈʌʔn̩", "B AH T AH N"), ("?!", "")],
)
def test_the_phonetic_alphabet_is_translated(ipa: str, phones: str) -> None:
    assert arpabet(ipa) == phones


def test_there_are_all_sounds_of_english() -> None:
    assert len(PHONES) == 39
