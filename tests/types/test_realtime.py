from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.types import (
    ActivityEnd,
    ActivityStart,
    ContextWindowCompressionConfig,
    GoAway,
    HistoryConfig,
    Model,
    ProactivityConfig,
    RealtimeInputConfig,
    SessionResumptionConfig,
    SessionResumptionUpdate,
    VoiceActivity,
)

Agree = Callable[..., None]

WIRE: list[tuple[type[Model], dict[str, Any]]] = [
    (
        RealtimeInputConfig,
        {
            "automaticActivityDetection": {
                "disabled": False,
                "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
                "endOfSpeechSensitivity": "END_SENSITIVITY_LOW",
                "prefixPaddingMs": 20,
                "silenceDurationMs": 100,
            },
            "activityHandling": "NO_INTERRUPTION",
            "turnCoverage": "TURN_INCLUDES_ALL_INPUT",
        },
    ),
    (SessionResumptionConfig, {"handle": "h", "transparent": True}),
    (SessionResumptionUpdate, {"newHandle": "h", "resumable": True, "lastConsumedClientMessageIndex": 42}),
    (GoAway, {"timeLeft": "10s"}),
    (VoiceActivity, {"voiceActivityType": "ACTIVITY_START", "audioOffset": "0.160s"}),
    (ContextWindowCompressionConfig, {"triggerTokens": 25600, "slidingWindow": {"targetTokens": 12800}}),
    (ProactivityConfig, {"proactiveAudio": True}),
    (HistoryConfig, {"initialHistoryInClientContent": True}),
    (ActivityStart, {}),
    (ActivityEnd, {}),
]


@pytest.mark.parametrize(("cls", "wire"), WIRE)
def test_live_settings_and_signals_agree_with_the_official_package(
    cls: type[Model], wire: dict[str, Any], agree: Agree
) -> None:
    agree(cls, wire)


def test_misspelt_settings_are_refused_with_the_known_ones_and_news_from_the_model_is_kept() -> None:
    with pytest.raises(ValidationError, match="START_SENSITIVITY_HIGH"):
        RealtimeInputConfig.model_validate(
            {"automatic_activity_detection": {"start_of_speech_sensitivity": "SHARP"}}
        )
    with pytest.raises(ValidationError, match="NO_INTERRUPTION"):
        RealtimeInputConfig.model_validate({"activity_handling": "MAYBE"})
    assert VoiceActivity.model_validate({"voice_activity_type": "LAUGHTER"}).voice_activity_type == "LAUGHTER"
