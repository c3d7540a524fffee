"""The models and their pace, as data (wire 1.6, 1.10)."""

from __future__ import annotations

import math

import pytest

from antiphon.testing.live_profiles import PROFILES, HandlePolicy, Timing, profile_named, profile_of


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("models/gemini-2.5-flash-native-audio-preview-09-2025", "2.5-native-audio"),
        ("models/gemini-3.1-flash-live-preview", "3.1-flash-live-preview"),
        ("gemini-3.8-live", "3.8-live"),
        ("models/gemini-3.8-live-extended-thinking", "3.8-live-extended-thinking"),
        ("publishers/google/models/gemini-live-2.5-flash", "vertex-live-2.5-flash"),
        ("models/gemini-robotics-er-2-streaming", "robotics-er-2-streaming"),
        ("models/whatever", "any"),
    ],
)
def test_a_model_is_known_by_its_name(model: str, profile: str) -> None:
    assert profile_of(model).name == profile
    assert profile_named(profile) is profile_of(model)


def test_an_unknown_profile_is_told_which_there_are() -> None:
    with pytest.raises(ValueError, match=r"2\.5-native-audio.*any"):
        profile_named("4.0")


def test_native_audio_speaks_only() -> None:
    """Wire 1.10."""
    speaking = {profile.name for profile in PROFILES if profile.modalities == ("AUDIO",)}
    assert speaking == {
        "2.5-native-audio",
        "3.1-flash-live-preview",
        "3.8-live",
        "3.8-live-extended-thinking",
    }


def test_only_2_5_tells_handles_turn_by_turn() -> None:
    """Wire 1.8."""
    assert [p.name for p in PROFILES if p.handles is HandlePolicy.PER_TURN] == ["2.5-native-audio"]


def test_instant_takes_no_time_but_what_is_asked_for() -> None:
    instant = Timing.instant(playback=1.0)
    assert (instant.setup, instant.first_audio, instant.pauses, instant.playback) == (0, 0, 0, 1.0)
    assert instant.delivery == math.inf
    assert Timing().first_audio > 0
