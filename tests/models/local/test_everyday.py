"""The data of everyday phrases."""

from __future__ import annotations

from antiphon.models.local.everyday import PHRASES, SLOTS, WORDS
from antiphon.models.local.ngrams import slots_of
from antiphon.models.local.spelling import said


def test_everything_is_words_as_they_are_said() -> None:
    texts = [*PHRASES, *WORDS, *(value for values in SLOTS.values() for value in values)]
    assert [text for text in texts if said(text) != text] == []


def test_every_slot_is_there_and_used_or_offered_to_tools() -> None:
    assert {slot for phrase in PHRASES for slot in slots_of(phrase)} <= SLOTS.keys()
