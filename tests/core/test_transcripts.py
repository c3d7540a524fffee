"""Both speakers' words."""

from __future__ import annotations

from antiphon.core.transcripts import Transcripts
from antiphon.types import Transcription


def test_the_whole_is_all_of_its_pieces() -> None:
    # contract 3.8
    words = Transcripts()
    assert words.piece("user", "good ", "en") == Transcription(
        text="good ", finished=False, language_code="en"
    )
    assert words.piece("user", "day", None) == Transcription(text="day", finished=False)
    assert words.finish("user") == Transcription(text="good day", finished=True, language_code="en")


def test_an_utterance_ends_once() -> None:
    # contract 3.8
    words = Transcripts()
    words.piece("model", "yes", None)
    assert words.open("model")
    assert words.finish("model") is not None
    assert not words.open("model")
    assert words.finish("model") is None


def test_the_speakers_do_not_mix() -> None:
    # contract 3.8
    words = Transcripts()
    words.piece("user", "ping", "en")
    words.piece("model", "pong", None)
    assert words.finish("model") == Transcription(text="pong", finished=True)
    assert words.finish("user") == Transcription(text="ping", finished=True, language_code="en")


def test_a_language_holds_for_one_utterance() -> None:
    words = Transcripts()
    words.piece("user", "hallo", "de")
    words.finish("user")
    words.piece("user", "hello", None)
    assert words.finish("user") == Transcription(text="hello", finished=True)
