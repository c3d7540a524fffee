"""Recognition by the real model, of sentences that a process of its own says."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.attention import BACKCHANNELS
from antiphon.models.local.moonshine import LONGEST_SECONDS, SETTLED_SECONDS, Moonshine, _Model
from antiphon.models.local.recognizer import Heard, Vocabulary
from antiphon.models.local.spelling import said
from tests.models.local.speaking import RATE, spoken

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.models.local.ngrams import Ngrams

ANYTHING = Vocabulary()
WEATHER = Vocabulary(phrases=("what is the weather in {city}",), slots=(("city", ("Paris", "Oslo")),))


def heard(pcm: bytes, vocabulary: Vocabulary = ANYTHING) -> Heard:
    hearing = Moonshine().hear(vocabulary)
    hearing.feed(pcm)
    return hearing.heard()


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "en-gb"])
@pytest.mark.parametrize(
    "sentence", ["Good morning to all of you.", "What time is it in London?", "No thanks."]
)
def test_whatever_is_said_is_heard(sentence: str, voice: str) -> None:
    assert said(heard(spoken(sentence, voice)).text) == said(sentence)


def test_what_is_likely_to_be_said_is_heard_best() -> None:
    pcm = spoken("What's the weather in Paris?")
    assert heard(pcm, WEATHER).text == "What is the weather in Paris?"
    assert heard(pcm).text != "What is the weather in Paris?"  # hard enough to prove something


def test_it_may_be_asked_before_all_is_said() -> None:
    hearing, pcm = Moonshine().hear(ANYTHING), spoken("What time is it in London?")
    assert hearing.heard() == Heard("", 0.0)
    half = len(pcm) // 4 * 2
    hearing.feed(pcm[:half])
    early = hearing.heard()
    hearing.feed(pcm[half:])
    assert early.text.startswith("What") and len(early.text) < len(hearing.heard().text)


@pytest.mark.parametrize("words", ["okay", "yeah", "stop talking now", "but what about tomorrow"])
def test_it_knows_early_whether_it_can_be_a_nod(words: str) -> None:
    hearing = Moonshine().hear(ANYTHING)
    assert hearing.nod(BACKCHANNELS, 0.08) == 1.0  # nothing was said
    hearing.feed(spoken(words)[: RATE * 2 * 7 // 10])  # 0.4 s of speech
    nod = hearing.nod(BACKCHANNELS, 0.08)
    assert nod > 0.9 if words in BACKCHANNELS else nod < 0.08


def test_it_does_not_matter_how_loud_or_in_what_pieces() -> None:
    pcm = spoken("What time is it in London?")
    faint = (np.frombuffer(pcm, np.int16) // 16).astype(np.int16).tobytes()
    assert heard(faint).text == heard(pcm).text
    hearing = Moonshine().hear(ANYTHING)
    for at in range(len(pcm)):
        hearing.feed(pcm[at : at + 1])
    assert hearing.heard() == heard(pcm)


@pytest.mark.parametrize(
    "pcm",
    [
        b"",
        b"\x01",
        bytes(RATE * 4),
        np.random.default_rng(1).integers(-3_000, 3_000, RATE, np.int16).tobytes(),
        np.random.default_rng(1).bytes(RATE // 10),
    ],
    ids=["nothing", "a byte", "silence", "noise", "too short"],
)
def test_nothing_is_heard_where_nothing_is_said(pcm: bytes) -> None:
    assert heard(pcm) == Heard("", 0.0)


def test_an_endless_utterance_is_heard_as_far_as_can_be() -> None:
    hearing = Moonshine().hear(ANYTHING)
    for _ in range(LONGEST_SECONDS // 4):
        hearing.feed(spoken("What time is it in London?"))
    assert hearing.heard().text.count("London") == LONGEST_SECONDS // 4


def test_what_was_found_of_a_long_utterance_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    listened: list[int] = []

    def listening(model: _Model, pcm: bytes, ngrams: Ngrams) -> Heard:
        listened.append(len(pcm))
        return transcribe(model, pcm, ngrams)

    transcribe = _Model.transcribe
    monkeypatch.setattr(_Model, "transcribe", listening)
    hearing, pcm = Moonshine().hear(ANYTHING), spoken("What time is it in London?")
    asked = SETTLED_SECONDS * RATE * 2 // len(pcm) + 1
    for _ in range(asked):
        hearing.feed(pcm)
    assert hearing.heard().text.count("London") == asked
    hearing.feed(pcm)
    later = hearing.heard()
    assert later.text.count("London") == asked + 1 and later.confidence > 0.3
    assert listened == [asked * len(pcm), len(pcm)]
    assert hearing.heard() == later
    assert hearing.nod(frozenset({"london"}), 0.1) == 0.0  # all those words are no nod


def test_many_threads_hear_the_same() -> None:
    pcm = spoken("What time is it in London?")
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(heard, [pcm] * 8)) == {heard(pcm)}


def test_without_a_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moonshine_voice", None)
    with pytest.raises(MissingExtra, match=r"needs moonshine_voice: pip install 'antiphon\[voice\]'"):
        Moonshine().hear(ANYTHING)


def test_another_model_has_to_be_there_and_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"tokenizer\.bin not found"):
        Moonshine(tmp_path).hear(ANYTHING)
    for name in ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin"):
        (tmp_path / name).write_bytes(b"no model")
    with pytest.raises(ConfigurationError, match=r"ONNX Runtime cannot load .*encoder_model\.ort"):
        Moonshine(tmp_path).hear(ANYTHING)
