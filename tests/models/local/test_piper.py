"""Speech by Piper, with a stand-in for the package: it is large, and ships no voice."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.piper import Piper

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class SynthesisConfig:
    speaker_id: int | None = None
    length_scale: float | None = None


class PiperVoice:
    loaded = 0

    @staticmethod
    def load(path: Path) -> PiperVoice:
        if path.read_bytes() != b"a voice":
            raise RuntimeError("no protobuf")
        PiperVoice.loaded += 1
        return PiperVoice()

    def synthesize(self, text: str, manner: SynthesisConfig) -> Iterator[Any]:
        assert manner.length_scale is not None
        for _ in text.split(". "):
            chunk = type("AudioChunk", (), {})()
            chunk.audio_int16_bytes = bytes(2 * int(1000 * manner.length_scale)) + bytes(
                2 * (manner.speaker_id or 0)
            )
            yield chunk


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> None:
    piper = ModuleType("piper")
    piper.PiperVoice, piper.SynthesisConfig = PiperVoice, SynthesisConfig  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "piper", piper)
    PiperVoice.loaded = 0


@pytest.fixture
def model(tmp_path: Path) -> Path:
    described = {
        "audio": {"sample_rate": 16_000},
        "inference": {"length_scale": 1.5},
        "num_speakers": 2,
        "speaker_id_map": {"ann": 0, "bob": 1},
    }
    (tmp_path / "v.onnx").write_bytes(b"a voice")
    (tmp_path / "v.onnx.json").write_text(json.dumps(described))
    return tmp_path / "v.onnx"


def test_a_sentence_is_said_and_cut_at_its_words(package: None, model: Path) -> None:
    voice = Piper(model)
    assert voice.rate == 16_000
    found = list(voice.say("Hello there. You."))
    assert [each.text for each in found] == ["Hello ", "there. ", "You."]
    assert sum(len(each.pcm) for each in found) == 2 * 2 * 1500
    assert PiperVoice.loaded == 1
    list(voice.say("Again."))
    voice.prepare()
    assert PiperVoice.loaded == 1
    assert [(each.text, each.pcm) for each in voice.say("🙂")] == [("🙂", b"")]


def test_speed_and_speaker(package: None, model: Path) -> None:
    [fast] = Piper(model, speed=1.5, speaker="bob").say("Hello")
    assert len(fast.pcm) == 2 * 1000 + 2
    with pytest.raises(ConfigurationError, match=r"no speaker 'eve'.*ann, bob"):
        Piper(model, speaker="eve")
    with pytest.raises(ConfigurationError, match="no speaker 2"):
        Piper(model, speaker=2)
    with pytest.raises(ConfigurationError, match=r"from 0\.25 to 4"):
        Piper(model, speed=9)


def test_what_is_missing_or_broken_is_named(
    package: None, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.onnx: get one with"):
        Piper(model.with_name("none.onnx"))
    voice = Piper(model)
    model.write_bytes(b"cut off")
    with pytest.raises(ConfigurationError, match=r"no protobuf\): download it again"):
        voice.prepare()
    monkeypatch.setitem(sys.modules, "piper", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[piper\]'"):
        voice.prepare()
    Path(f"{model}.json").write_text("{}")
    with pytest.raises(ConfigurationError, match="does not describe"):
        Piper(model)
