"""Whatever comes over the wire, in frames."""

from __future__ import annotations

import sys

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import MissingExtra, UsageError
from antiphon.models.local.framing import Framing
from antiphon.models.local.vad import FRAME_BYTES, RATE
from antiphon.testing.live_speech import tone


@given(st.lists(st.binary(max_size=3000), max_size=10))
def test_pieces_of_any_length_make_the_same_frames(pieces: list[bytes]) -> None:
    framing = Framing()
    frames = [frame for piece in pieces for frame in framing.feed(piece)]
    sound = b"".join(pieces)
    whole = len(sound) - len(sound) % FRAME_BYTES
    assert b"".join(frames) == sound[:whole]
    rest = sound[whole : len(sound) & ~1]
    assert b"".join(framing.end()) == rest + bytes(-len(rest) % FRAME_BYTES)
    assert framing.end() == []


@pytest.mark.parametrize("rate", [8_000, 22_050, 24_000, 44_100, 48_000])
def test_other_rates_are_resampled(rate: int) -> None:
    tone = (numpy.sin(numpy.arange(rate) / rate * 2 * numpy.pi * 440) * 16_000).astype("<i2").tobytes()
    framing = Framing()
    frames = [f for at in range(0, len(tone), 777) for f in framing.feed(tone[at : at + 777], rate)]
    frames += framing.end()
    heard = numpy.frombuffer(b"".join(frames), "<i2").astype(float)
    assert len(heard) == pytest.approx(RATE, abs=2 * FRAME_BYTES)
    assert numpy.argmax(numpy.abs(numpy.fft.rfft(heard, RATE))) == pytest.approx(440, abs=1)


def test_a_stream_may_change_its_rate_and_go_on_after_its_end() -> None:
    framing = Framing()
    assert framing.feed(bytes(3), 48_000) == []
    assert framing.feed(bytes(FRAME_BYTES), RATE) == [bytes(FRAME_BYTES)]
    framing.feed(bytes(5000), 48_000)
    framing.end()
    assert len(framing.feed(bytes(96_000), 48_000)) in (29, 30, 31)


def test_half_a_sample_at_another_rate_is_dropped() -> None:
    framing = Framing()
    frame = bytes(range(256)) * (FRAME_BYTES // 256)
    framing.feed(b"\x07")
    framing.feed(b"", 8_000)
    assert framing.feed(frame, RATE) == [frame]


@pytest.mark.parametrize("rate", [0, -1, 100, 10**9])
def test_a_rate_that_no_sound_has_is_refused_and_changes_nothing(rate: int) -> None:
    framing = Framing()
    with pytest.raises(UsageError, match="real rate"):
        framing.feed(b"", rate)
    assert len(framing.feed(bytes(FRAME_BYTES))) == 1


def test_without_a_resampler_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[voice\]', or send 16000 Hz"):
        Framing().feed(b"", 48_000)


def test_a_lost_byte_costs_a_sample_and_no_more() -> None:
    pcm = tone(1.0)
    framing = Framing()
    frames = framing.feed(pcm[:3_199])
    for at in range(3_200, len(pcm), 3_200):
        frames += framing.feed(pcm[at : at + 3_200])
    assert b"".join(frames[4:]) in pcm  # from the second chunk on


def test_half_samples_belong_together_where_they_make_sense() -> None:
    pcm = tone(1.0)
    framing = Framing()
    frames = [frame for at in range(0, len(pcm), 777) for frame in framing.feed(pcm[at : at + 777])]
    assert pcm.startswith(b"".join(frames)) and len(frames) == 31
