"""The adapter of faster-whisper, as far as it can be tested without a model."""

from __future__ import annotations

import importlib.util
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.recognizer import Heard, Vocabulary
from antiphon.models.local.whisper import FasterWhisper, _heard

if TYPE_CHECKING:
    from pathlib import Path

installed = pytest.mark.skipif(
    importlib.util.find_spec("faster_whisper") is None, reason="faster-whisper is not installed"
)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(MissingExtra, match=r"antiphon\[whisper\]"):
        FasterWhisper().hear(Vocabulary())


def test_at_least_one_is_heard_at_a_time() -> None:
    with pytest.raises(ConfigurationError, match="at_once"):
        FasterWhisper(at_once=0)


@installed
def test_a_missing_directory_says_what_to_put_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.bin"):
        FasterWhisper(str(tmp_path / "nothing")).prepare(Vocabulary())


@installed
def test_a_directory_without_a_model_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        FasterWhisper(str(tmp_path), device="cpu").prepare(Vocabulary())


@installed
def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"tiny\.en"):
        FasterWhisper("nosuch").prepare(Vocabulary())


def test_what_is_probably_no_speech_is_left_out() -> None:
    speech = SimpleNamespace(text=" Hello", avg_logprob=-0.1, no_speech_prob=0.1)
    noise = SimpleNamespace(text=" Thank you.", avg_logprob=-1.0, no_speech_prob=0.9)
    found = _heard([speech, noise])
    assert found.text == "Hello"
    assert found.confidence == pytest.approx(0.905, abs=0.001)
    assert _heard([noise]) == _heard([]) == Heard("", 0.0)
