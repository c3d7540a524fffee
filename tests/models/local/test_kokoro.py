"""Speech by Kokoro, with a stand-in for the package: it is large, and ships no model."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import pytest

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.kokoro import Kokoro


class Model:
    loaded = 0

    def __init__(self, model: str, voices: str) -> None:
        if Path(model).read_bytes() != b"a model":
            raise RuntimeError("no protobuf")
        Model.loaded += 1

    def get_voices(self) -> list[str]:
        return ["af_heart", "bm_george"]

    def create(self, text: str, voice: str, speed: float, lang: str) -> tuple[Any, int]:
        if "²" in text:
            raise ValueError("Nothing to synthesize")
        assert (voice, lang) == ("bm_george", "en-gb")
        return numpy.linspace(-2, 2, int(1000 / speed), dtype=numpy.float32), 24_000


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, Path]:
    package = ModuleType("kokoro_onnx")
    package.Kokoro = Model  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kokoro_onnx", package)
    Model.loaded = 0
    (tmp_path / "k.onnx").write_bytes(b"a model")
    (tmp_path / "voices.bin").write_bytes(b"")
    return tmp_path / "k.onnx", tmp_path / "voices.bin"


def test_a_sentence_is_said_and_cut_at_its_words(files: tuple[Path, Path]) -> None:
    voice = Kokoro(*files, voice="bm_george", language="en-gb", speed=0.5)
    found = list(voice.say("Hello there."))
    assert [each.text for each in found] == ["Hello ", "there."]
    sound = numpy.frombuffer(b"".join(each.pcm for each in found), "<i2")
    assert len(sound) == 2000
    assert (sound[0], sound[-1]) == (-32_767, 32_767)
    list(voice.say("Again."))
    assert Model.loaded == 1


@pytest.mark.parametrize("text", ["", "🙂", "²"])
def test_what_cannot_be_said_is_silent(files: tuple[Path, Path], text: str) -> None:
    voice = Kokoro(*files, voice="bm_george")
    assert [(each.text, each.pcm) for each in voice.say(text)] == [(text, b"")]


def test_what_is_missing_or_broken_is_named(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, voices = files
    with pytest.raises(ConfigurationError, match=r"none\.onnx: get kokoro-v1\.0\.onnx"):
        Kokoro(model.with_name("none.onnx"), voices)
    with pytest.raises(ConfigurationError, match=r"from 0\.5 to 2\.0"):
        Kokoro(model, voices, speed=3)
    with pytest.raises(ConfigurationError, match=r"no voice 'eve'.*af_heart, bm_george"):
        Kokoro(model, voices, voice="eve").prepare()
    broken = Kokoro(model, voices)
    model.write_bytes(b"cut off")
    with pytest.raises(ConfigurationError, match=r"no protobuf\): download them again"):
        broken.prepare()
    monkeypatch.setitem(sys.modules, "kokoro_onnx", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[kokoro\]'"):
        broken.prepare()
