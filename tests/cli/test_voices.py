"""Sound from and to WAV files."""

from __future__ import annotations

import sys
import wave
from array import array
from typing import TYPE_CHECKING

import pytest

from antiphon.cli import voices as module
from antiphon.cli.voices import Voices, read_wav, resampled
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.testing.live_speech import tone
from tests.cli.conftest import wav_file

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("rate", "width", "channels"),
    [(16_000, 2, 1), (48_000, 2, 2), (8_000, 1, 1), (44_100, 3, 2), (16_000, 4, 1)],
)
def test_any_wav_is_read(tmp_path: Path, rate: int, width: int, channels: int) -> None:
    samples = array("h", tone(0.5, rate=rate))
    frames = bytearray()
    for sample in samples:
        wide = sample << 16
        one = (
            bytes([(sample >> 8) + 128])
            if width == 1
            else (wide >> (32 - 8 * width)).to_bytes(width, "little", signed=True)
        )
        frames += one * channels
    pcm = read_wav(wav_file(tmp_path / "in.wav", bytes(frames), rate=rate, width=width, channels=channels))
    heard = array("h", pcm)
    assert len(heard) == pytest.approx(8_000, abs=2)
    assert max(heard) == pytest.approx(max(samples), rel=0.1)


def test_what_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_bytes(b"RIFF nothing")
    for name in ("in.wav", "missing.wav"):
        with pytest.raises(ConfigurationError, match=name):
            read_wav(tmp_path / name)


def test_voices_lie_where_they_were_heard(tmp_path: Path) -> None:
    voices = Voices()
    voices.user += tone(1.0)
    voices.speaks(tone(0.5, rate=24_000), 2.0)
    voices.speaks(tone(0.5, rate=24_000), 2.1)  # it came before it was to be heard
    assert voices.seconds == pytest.approx(3.0)
    voices.cut(2.75)
    assert voices.seconds == pytest.approx(2.75)
    voices.write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 2)
        both = array("h", file.readframes(file.getnframes()))
    left, right = both[0::2], both[1::2]
    assert len(left) / 24_000 == pytest.approx(2.75)
    assert any(left[:24_000]) and not any(left[24_100:])
    assert not any(right[:48_000]) and any(right[48_000:])
    with pytest.raises(ConfigurationError, match="cannot be written"):
        voices.write(tmp_path / "nowhere" / "out.wav")


def test_only_the_beginning_of_a_long_conversation_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1.0)
    voices = Voices()
    for second in range(3):
        voices.hears(tone(1.0))
        voices.speaks(tone(0.5, rate=24_000), float(second))
    assert len(voices.user) == 32_000 and voices.seconds == pytest.approx(0.5)


def test_another_rate_keeps_the_length() -> None:
    assert len(resampled(tone(1.0), 16_000, 24_000)) == pytest.approx(48_000, abs=4)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r"soxr: pip install 'antiphon\[voice\]'"):
        resampled(b"", 16_000, 24_000)
    with pytest.raises(MissingExtra, match="--wav needs soxr"):
        read_wav(tmp_path / "in.wav")
