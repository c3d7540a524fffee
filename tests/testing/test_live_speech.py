"""The emulated model's ears and voice (wire 1.6)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.testing.live_speech import (
    CHUNK,
    LARGEST_CHUNK,
    Ears,
    Heard,
    chunks,
    seconds_of,
    silence,
    spoken,
    tone,
)


def heard(ears: Ears, pcm: bytes, size: int = 640, rate: int = 16_000) -> list[Heard]:
    return [one for start in range(0, len(pcm), size) for one in ears.hear(pcm[start : start + size], rate)]


@pytest.mark.parametrize("size", [640, 641, 100_000])
def test_speech_begins_and_ends_as_on_the_service(size: int) -> None:
    """Wire 1.6: noticed 139–261 ms after the onset, and 1188–1279 ms after the last speech."""
    start, end = heard(Ears(), silence(0.5) + tone(2.0) + silence(2.0), size)
    assert start.kind == "start"
    assert 0.5 + 0.139 <= start.offset <= 0.5 + 0.261
    assert end.kind == "end"
    assert 2.5 + 1.188 <= end.offset <= 2.5 + 1.279
    assert end.seconds == pytest.approx(2.0, abs=0.1)
    assert len(end.pcm) >= len(tone(2.0))


def test_other_rates_are_heard_alike() -> None:
    pcm = tone(1.0, rate=48_000) + silence(1.5, rate=48_000)
    start, end = heard(Ears(), pcm, rate=48_000)
    assert end.rate == 48_000
    assert end.seconds == pytest.approx(1.0, abs=0.1)
    assert start.offset < 0.3


@pytest.mark.parametrize(
    ("detection", "onset", "ending"),
    [
        ({"prefixPaddingMs": 40, "silenceDurationMs": 100}, 0.04, 0.1),
        ({"startOfSpeechSensitivity": "START_SENSITIVITY_HIGH"}, 0.1, 1.2),
        (
            {
                "startOfSpeechSensitivity": "START_SENSITIVITY_LOW",
                "endOfSpeechSensitivity": "END_SENSITIVITY_HIGH",
            },
            0.26,
            0.8,
        ),
    ],
)
def test_the_setup_says_how_sharp_the_ears_are(
    detection: dict[str, Any], onset: float, ending: float
) -> None:
    start, end = heard(Ears(detection), tone(1.0) + silence(2.0))
    assert start.offset == pytest.approx(onset)
    assert end.offset == pytest.approx(1.0 + ending)


def test_a_click_is_not_speech() -> None:
    click = tone(0.05) + silence(0.5)
    assert heard(Ears(), click * 5) == []


def test_a_breath_does_not_end_it() -> None:
    ears = Ears()
    kinds = [one.kind for one in heard(ears, (tone(0.5) + silence(0.8)) * 2 + silence(1.0))]
    assert kinds == ["start", "end"]


def test_the_end_of_the_stream_ends_speech() -> None:
    """Wire 1.4: `audioStreamEnd` flushes."""
    ears = Ears()
    heard(ears, tone(1.0))
    [end] = ears.end()
    assert end.kind == "end"
    assert end.seconds == pytest.approx(1.0)
    assert ears.end() == []


def test_in_manual_mode_the_client_says_when() -> None:
    ears = Ears({"disabled": True})
    assert heard(ears, tone(1.0)) == [], "sound alone begins nothing"
    [start] = ears.begin()
    assert start.kind == "start"
    assert ears.begin() == [], "it began already"
    assert heard(ears, silence(0.5) + tone(0.5)) == []
    [end] = ears.end()
    assert end.pcm == silence(0.5) + tone(0.5)
    assert end.seconds == pytest.approx(1.0)


def test_offsets_go_on_from_where_they_were() -> None:
    """Wire 1.5: they survive a resume."""
    [start] = heard(Ears(offset=10.0), tone(0.5))
    assert start.offset == pytest.approx(10.16)


def test_an_utterance_has_a_bound() -> None:
    ears = Ears({"disabled": True})
    ears.begin()
    for _ in range(130):
        ears.hear(silence(1.0))
    [end] = ears.end()
    assert len(end.pcm) == 120 * 32_000


def test_spoken_words_are_chunks_of_40_ms() -> None:
    """Wire 1.6; about 60 ms per character."""
    pcm = spoken("Hello there, how are you?")
    assert seconds_of(pcm) == pytest.approx(25 * 0.06, rel=0.1)
    assert len(pcm) % CHUNK == 0
    cut = chunks(pcm)
    assert b"".join(cut) == pcm
    assert all(0 < len(chunk) <= LARGEST_CHUNK and len(chunk) % CHUNK == 0 for chunk in cut)
    assert spoken("") == b""


def test_words_sound_different_but_the_same_each_time() -> None:
    assert spoken("one") == spoken("one") != spoken("six")
    assert (
        max(abs(int.from_bytes(spoken("one")[i : i + 2], "little", signed=True)) for i in range(0, 400, 2))
        > 500
    )
