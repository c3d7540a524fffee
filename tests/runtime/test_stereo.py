"""The timeline on the disk."""

from __future__ import annotations

import math
import struct
import wave
from typing import TYPE_CHECKING

import pytest

from antiphon.errors import MissingExtra
from antiphon.runtime import stereo as module
from antiphon.runtime.spool import CONVERSATION, Owner, Spool
from antiphon.runtime.stereo import RATE, Stereo, check_resampler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = struct.pack("<h", 1)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path, Owner("app", "ann", "s1", "e-1"))
    yield made
    made.close()


def heard(spool: Spool, stereo: Stereo) -> tuple[list[int], list[int]]:
    """The samples of both sides."""
    stereo.write()
    with wave.open(str(spool.path(f"{CONVERSATION}.wav"))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE)
        pcm = file.readframes(file.getnframes())
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    return list(samples[0::2]), list(samples[1::2])


def tone(rate: int, seconds: float, hertz: float = 440.0) -> bytes:
    count = round(rate * seconds)
    wave_form = (round(12_000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(count))
    return struct.pack(f"<{count}h", *wave_form)


def test_the_user_is_left_the_model_right_and_silence_between(spool: Spool) -> None:
    # contract 4.3
    stereo = Stereo(spool)
    stereo.place("user", ONE * 4, RATE, 2 / RATE)
    stereo.place("model", ONE, RATE, 5 / RATE)
    stereo.place("model", ONE, RATE, None)
    stereo.place("model", ONE, RATE, 9 / RATE)
    left, right = heard(spool, stereo)
    assert left == [0, 0, 1, 1, 1, 1, 0, 0, 0, 0]
    assert right == [0, 0, 0, 0, 0, 1, 1, 0, 0, 1]


def test_a_cut_takes_away_what_was_not_heard(spool: Spool) -> None:
    # contract 4.3, 3.6
    stereo = Stereo(spool)
    stereo.place("user", ONE * 3, RATE, 0.0)
    stereo.place("model", ONE * 10, RATE, 1 / RATE)
    stereo.cut(4 / RATE)
    stereo.place("model", ONE, RATE, None)
    left, right = heard(spool, stereo)
    assert (left, right) == ([1, 1, 1, 0, 0], [0, 1, 1, 1, 1])
    stereo.cut(1.0)
    assert heard(spool, stereo) == (left, right)


def test_a_cut_before_all_sound_leaves_none(spool: Spool) -> None:
    stereo = Stereo(spool)
    stereo.cut(0.0)
    stereo.place("user", ONE, RATE, 0.0)
    assert heard(spool, stereo) == ([1], [0])


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_another_rate_is_resampled_without_a_seam(spool: Spool, rate: int) -> None:
    # contract 4.3: in chunks of 20 ms, as it comes from a microphone; exactly as long as it was
    stereo, pcm = Stereo(spool), tone(rate, 1.0)
    size = rate // 50 * 2
    for start in range(0, len(pcm), size):
        stereo.place("user", pcm[start : start + size], rate, None if start else 0.25)
    left, _ = heard(spool, stereo)
    assert len(left) == RATE * 5 // 4
    assert not any(left[: RATE // 4])
    expected = struct.unpack(f"<{RATE}h", tone(RATE, 1.0))
    inner = range(RATE // 20, RATE - RATE // 20)  # edges ring
    assert max(abs(left[RATE // 4 + n] - expected[n]) for n in inner) < 12_000 * 0.01


def test_the_rate_may_change_on_the_way(spool: Spool) -> None:
    # contract 4.3
    stereo = Stereo(spool)
    stereo.place("user", tone(16_000, 0.5), 16_000, 0.0)
    stereo.place("user", tone(48_000, 0.5), 48_000, None)
    stereo.place("user", tone(RATE, 0.5), RATE, None)
    left, _ = heard(spool, stereo)
    assert len(left) == RATE * 3 // 2


def test_a_cut_keeps_what_the_resampler_still_held_of_what_was_heard(spool: Spool) -> None:
    stereo = Stereo(spool)
    stereo.place("model", tone(16_000, 1.0), 16_000, 0.0)
    stereo.cut(0.999)
    _, right = heard(spool, stereo)
    assert len(right) == round(0.999 * RATE)
    assert any(right[-RATE // 200 :])


def test_what_no_wav_can_hold_is_left_out(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LONGEST", 4)
    stereo = Stereo(spool)
    for _ in range(4):
        stereo.place("user", ONE * 2, RATE, None)
    assert heard(spool, stereo)[0] == [1] * 4
    assert caplog.text.count("as long as a WAV can be") == 1


def test_what_is_missing_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    check_resampler()
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[recording\]'"):
        check_resampler()
