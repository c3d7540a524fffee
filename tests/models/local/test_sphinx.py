"""Recognition by PocketSphinx: real speech, a real decoder, one for all tests."""

from __future__ import annotations

import gc
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local import sphinx
from antiphon.models.local.recognizer import Heard, Vocabulary
from antiphon.models.local.sphinx import LONGEST_SECONDS, PocketSphinx
from tests.models.local.speaking import RATE, spoken

if TYPE_CHECKING:
    from collections.abc import Iterator

VOCABULARY = Vocabulary(
    phrases=(
        "hello",
        "what's the weather in {city}",
        "set a timer for {number} minutes",
        "set a timer for 90 seconds",
        "transfer me to billing",
        "call {name}",
        "stop",
        "thank you",
    ),
    words=("please", "tomorrow"),
    slots=(
        ("city", ("paris", "london", "berlin", "reykjavik")),
        ("number", ("five", "ten", "twenty five")),
        ("name", ("antiphon", "siobhan", "zbigniew")),
    ),
)
SECOND = RATE * 2


@pytest.fixture(scope="module")
def recognizer() -> PocketSphinx:
    made = PocketSphinx()
    made.prepare(VOCABULARY)
    return made


def heard(recognizer: PocketSphinx, pcm: bytes, piece: int = 3_200) -> Heard:
    hearing = recognizer.hear(VOCABULARY)
    for begin in range(0, len(pcm), piece):
        hearing.feed(pcm[begin : begin + piece])
    return hearing.end()


def test_most_spoken_questions_are_recognised_word_for_word(recognizer: PocketSphinx) -> None:
    questions = [
        (sentence, voice)
        for sentence in ("what's the weather in paris", "set a timer for 5 minutes", "transfer me to billing")
        for voice in ("en-us", "en-us+m3", "en-us+f3", "en-gb")
    ]
    right = [
        sentence
        for sentence, voice in questions
        if heard(recognizer, spoken(sentence, voice)).text == sentence
    ]
    assert len(right) >= 0.7 * len(questions), "it has got worse: see benchmarks/hearing.py"


def test_numbers_are_given_in_digits(recognizer: PocketSphinx) -> None:
    assert heard(recognizer, spoken("set a timer for ninety seconds")).text == "set a timer for 90 seconds"


def test_a_name_no_dictionary_knows_is_recognised(recognizer: PocketSphinx) -> None:
    assert heard(recognizer, spoken("call antiphon")).text == "call antiphon"


def test_words_are_told_while_they_are_said(recognizer: PocketSphinx) -> None:
    hearing = recognizer.hear(VOCABULARY)
    pcm = spoken("what's the weather in london")
    so_far = [hearing.feed(pcm[begin : begin + 640]) for begin in range(0, len(pcm), 640)]
    first = next(at for at, words in enumerate(so_far) if words)
    assert first * 640 < len(pcm) / 2
    assert "weather" in so_far[-1]


def test_one_byte_at_a_time_is_the_same_as_all_at_once(recognizer: PocketSphinx) -> None:
    pcm = spoken("hello")
    assert heard(recognizer, pcm, 1) == heard(recognizer, pcm, 999) == heard(recognizer, pcm, len(pcm))


def test_who_spoke_before_makes_no_difference(recognizer: PocketSphinx) -> None:
    pcm = spoken("set a timer for ten minutes")
    first = heard(recognizer, pcm)
    heard(recognizer, bytes(np.clip(np.frombuffer(spoken("stop"), np.int16) * 2, -9, 9).astype(np.int16)))
    assert heard(recognizer, pcm) == first


def tones() -> bytes:
    time = np.arange(2 * RATE) / RATE
    chords = sum(np.sin(2 * np.pi * pitch * time) for pitch in (220.0, 277.2, 329.6, 440.0))
    return (np.asarray(chords) * 4_000).astype(np.int16).tobytes()


GARBAGE = {
    "nothing": b"",
    "one byte": b"\x01",
    "silence": bytes(SECOND),
    "faint noise": (np.random.default_rng(1).standard_normal(RATE) * 30).astype(np.int16).tobytes(),
    "loud noise": (np.random.default_rng(2).standard_normal(RATE) * 6_000).astype(np.int16).tobytes(),
    "music": tones(),
    "all at the limit": b"\xff\x7f" * RATE,
    "a square wave": (b"\xff\x7f" * 80 + b"\x00\x80" * 80) * 100,
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_what_is_no_speech_is_no_words(recognizer: PocketSphinx, kind: str) -> None:
    assert heard(recognizer, GARBAGE[kind]).text == ""


def test_random_bytes_in_random_pieces_never_raise(recognizer: PocketSphinx) -> None:
    chance = random.Random(5)
    hearing = recognizer.hear(VOCABULARY)
    for _ in range(40):
        hearing.feed(chance.randbytes(chance.randrange(2_000)))
    assert 0.0 <= hearing.end().confidence <= 1.0


def test_several_are_heard_at_once(recognizer: PocketSphinx) -> None:
    sentences = ["stop", "thank you", "what's the weather in paris", "transfer me to billing"] * 2
    sounds = [spoken(sentence) for sentence in sentences]
    with ThreadPoolExecutor(4) as threads:
        texts = [one.text for one in threads.map(lambda pcm: heard(recognizer, pcm), sounds)]
    assert texts == sentences


def test_who_finds_no_decoder_is_heard_at_the_end() -> None:
    recognizer = PocketSphinx(decoders=1)
    pcm = spoken("transfer me to billing")
    first, second = recognizer.hear(VOCABULARY), recognizer.hear(VOCABULARY)
    assert first.feed(pcm)
    assert second.feed(pcm) == ""
    assert second.end().text == first.end().text == "transfer me to billing"


def test_who_finds_no_decoder_goes_on_when_one_is_free() -> None:
    recognizer = PocketSphinx(decoders=1)
    pcm = spoken("transfer me to billing")
    first, second = recognizer.hear(VOCABULARY), recognizer.hear(VOCABULARY)
    first.feed(pcm)
    assert second.feed(pcm[:-640]) == ""
    first.end()
    assert second.feed(pcm[-640:]) == "transfer me to billing"


def test_an_utterance_that_is_left_alone_gives_its_decoder_back() -> None:
    recognizer = PocketSphinx(decoders=1)
    pcm = spoken("thank you")
    for _ in range(3):
        abandoned = recognizer.hear(VOCABULARY)
        assert abandoned.feed(pcm)
        del abandoned
        gc.collect()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What decoders were made of, in order."""
    made: list[str] = []
    original = sphinx._Language.decoder

    def decoder(language: sphinx._Language) -> object:
        made.append(str(language))
        return original(language)

    monkeypatch.setattr(sphinx._Language, "decoder", decoder)
    yield made


def test_decoders_are_used_again_and_no_more_than_told(counted: list[str]) -> None:
    recognizer = PocketSphinx(decoders=2)
    others = [Vocabulary(phrases=(text,)) for text in ("good morning", "good night", "yes", "no")]
    for vocabulary in (*others, *others[2:], *others[2:]):
        recognizer.prepare(vocabulary)
    assert len(counted) == 4
    pool = recognizer._pool
    assert (pool._count, len(pool._returned) + len(pool._idle)) == (2, 2)


def test_language_models_are_kept_up_to_a_number() -> None:
    recognizer = PocketSphinx(decoders=1)
    for number in range(sphinx.VOCABULARIES + 2):
        recognizer.hear(Vocabulary(phrases=(f"{number} people",)))
    assert len(recognizer._pool._languages) == sphinx.VOCABULARIES


def test_an_endless_utterance_is_heard_up_to_a_limit() -> None:
    recognizer = PocketSphinx(decoders=1)
    busy, hearing = recognizer.hear(VOCABULARY), recognizer.hear(VOCABULARY)
    busy.feed(bytes(SECOND))
    for _ in range(LONGEST_SECONDS + 5):
        hearing.feed(bytes(SECOND))
    assert isinstance(hearing, sphinx._Listening)
    assert hearing._pcm == bytes(LONGEST_SECONDS * SECOND)


def test_an_empty_vocabulary_hears_nothing() -> None:
    hearing = PocketSphinx().hear(Vocabulary())
    hearing.feed(spoken("hello"))
    assert hearing.end().text == ""


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    sphinx._package.cache_clear()
    with pytest.raises(MissingExtra, match=r"antiphon\[voice\]"):
        PocketSphinx().hear(VOCABULARY)


@pytest.mark.parametrize("wrong", [{"decoders": 0}, {"least_confidence": 1.5}])
def test_numbers_out_of_range_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        PocketSphinx(**wrong)
