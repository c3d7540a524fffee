"""Speech by the real library."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local import espeak
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.manner import Manner
from antiphon.models.local.synthesizer import Speech

SENTENCE = "Hello, it's 10:30 and 3.5 degrees. Go on!"


def said(text: str, voice: Espeak | None = None) -> list[Speech]:
    return list((voice or Espeak()).say(text))


def sound(text: str, voice: Espeak | None = None) -> bytes:
    return b"".join(each.pcm for each in said(text, voice))


def test_a_sentence_is_said_word_by_word() -> None:
    found = said(SENTENCE)
    assert [each.text for each in found] == [
        *("Hello, ", "it's ", "10:30 ", "and ", "3.5 ", "degrees. ", "Go ", "on!")
    ]
    assert all(len(each.pcm) > 2 * 22_050 // 20 for each in found)
    assert 3 < sum(len(each.pcm) for each in found) / 2 / Espeak.rate < 10


def test_every_word_has_its_own_sound() -> None:
    found = said("Stop. Go. Stop. Go.")
    assert [each.text for each in found] == ["Stop. ", "Go. ", "Stop. ", "Go."]
    one, two, three, four = (numpy.frombuffer(each.pcm, "<i2").astype(float) for each in found)

    def alike(some: Any, other: Any) -> float:
        """How alike two spectra are: 1 for the same."""
        both = [numpy.abs(numpy.fft.rfft(sound, 16_384))[:6_000] for sound in (some, other)]
        return float(numpy.corrcoef(both[0], both[1])[0, 1])

    assert min(alike(one, three), alike(two, four)) > max(
        alike(one, two), alike(three, four), alike(one, four)
    )


@pytest.mark.parametrize("text", ["", " ", "🙂", "… — *** ", "\x00\x1b", "\ud800"])
def test_what_cannot_be_said_is_silent(text: str) -> None:
    assert said(text) == [Speech(text=text, pcm=b"")]


def test_marks_and_emoji_are_passed_over_and_words_keep_their_places() -> None:
    found = said("**Bold** 🙂 words \ud800 here")
    assert [each.text for each in found] == ["**Bold** 🙂 ", "words \ud800 ", "here"]
    assert len(sound("**Bold** 🙂 words here")) == pytest.approx(len(sound("Bold words here")), rel=0.1)


def test_settings_change_the_sound() -> None:
    assert len(sound(SENTENCE, Espeak(words_per_minute=300))) < 0.8 * len(sound(SENTENCE))
    assert sound(SENTENCE, Espeak(pitch=90)) != sound(SENTENCE)
    assert sound(SENTENCE, Espeak("en-us+f3")) != sound(SENTENCE, Espeak("en-us+m3"))
    assert repr(Espeak("de", pitch=30)) == "Espeak('de', words_per_minute=175, pitch=30)"


@pytest.mark.parametrize(
    ("voice", "text"), [("de", "Wie geht's?"), ("cmn", "你好世界。"), ("ar", "مرحبا بك")]
)
def test_other_languages_by_name(voice: str, text: str) -> None:
    found = said(text, Espeak(voice))
    assert len(found) > 1
    assert "".join(each.text for each in found) == text
    assert sound(text, Espeak(voice))


def test_a_long_text_is_said_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    library = type(espeak._loaded())
    say = library.say

    def counted(self: Any, text: str, manner: Any) -> Any:
        asked.append(text)
        return say(self, text, manner)

    monkeypatch.setattr(library, "say", counted)
    text = "word " * 300 + "x" * 900
    found = said(text)
    assert "".join(each.text for each in found) == text
    assert max(map(len, asked)) <= espeak.LONGEST
    assert len(found) > 290


def test_it_may_be_closed_early_and_another_speaks() -> None:
    stream = iter(Espeak().say(SENTENCE))
    next(stream)
    assert sound("Hi.")
    stream.close()  # type: ignore[attr-defined]
    assert sound("Hi.")


@pytest.mark.parametrize(
    ("voice", "message"),
    [
        ("klingonx", r"no voice 'klingonx'.*de.*en-us"),
        ("en-us+zz", "no variant 'zz'.*en-us\\+f3"),
        ("en-us+", "no voice"),
    ],
)
def test_a_voice_there_is_none_of_is_refused_with_some_there_are(voice: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        said("Hi.", Espeak(voice))
    with pytest.raises(ConfigurationError, match=message):
        Espeak(voice).prepare()
    assert sound("Hi.")


@pytest.mark.parametrize(
    "wrong", [{"words_per_minute": 20}, {"words_per_minute": 900}, {"pitch": -1}, {"pitch": 101}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigurationError, match=r"speaks between|from 0 to 100"):
        Espeak(**wrong)  # type: ignore[arg-type]


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[voice\]'"):
        espeak._Library()


def test_many_voices_speak_at_once_each_its_own() -> None:
    voices = [
        Espeak(voice, words_per_minute=speed) for voice in ("en-us", "en-gb+f3", "de") for speed in (150, 200)
    ]
    alone = [[each.text for each in said(SENTENCE, voice)] for voice in voices]
    lengths = [len(sound(SENTENCE, voice)) for voice in voices]

    def speak(turn: int) -> bool:
        voice = turn % len(voices)
        found = said(SENTENCE, voices[voice])
        length = sum(len(each.pcm) for each in found)
        return [each.text for each in found] == alone[voice] and abs(length - lengths[voice]) < 0.02 * length

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(speak, range(48)))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_whatever_the_text_all_stretches_are_it(text: str) -> None:
    found = said(text)
    assert "".join(each.text for each in found) == text
    assert all(len(each.pcm) % 2 == 0 for each in found)


@pytest.mark.parametrize(
    ("own", "manner", "voice"),
    [
        ("en-us", Manner(language="de-AT"), "de"),
        ("en-us", Manner(language="pt-BR"), "pt-br"),
        ("en-us+f3", Manner(language="de"), "de+f3"),
        ("en-us", Manner("f3"), "en-us+f3"),
        ("en-us", Manner("f3", "de"), "de+f3"),
        ("en-us", Manner("en-gb+m1"), "en-gb+m1"),
        ("en-us", Manner("en-gb", "de"), "en-gb"),
    ],
)
def test_voice_and_language_may_be_chosen_later(
    own: str, manner: Manner, voice: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # contract 6.6
    named: list[bytes] = []

    class Noting:
        def __init__(self, library: Any) -> None:
            self.library = library

        def __getattr__(self, name: str) -> Any:
            return self.named if name == "espeak_SetVoiceByName" else getattr(self.library, name)

        def named(self, voice: bytes) -> int:
            named.append(voice)
            return int(self.library.espeak_SetVoiceByName(voice))

    library = espeak._loaded()
    monkeypatch.setattr(library, "_call", Noting(library._call))
    Espeak(own, pitch=60).speaking(manner).prepare()
    Espeak(voice, pitch=60).prepare()
    assert named[0] == named[1] and library._manner and library._manner.pitch == 60


@pytest.mark.parametrize(
    ("manner", "message"),
    [
        (Manner("Puck"), r"no voice 'Puck'.*'en-gb\+f3'.*de, el"),
        (Manner(language="xx-YY"), "no voice 'xx-YY'"),
        (Manner("+zz", "de"), "no variant 'zz'.*de\\+f1"),
    ],
)
def test_a_choice_there_is_none_of_is_refused_with_some_there_are(manner: Manner, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):  # contract 6.6
        Espeak().speaking(manner).prepare()
