"""What a `speech_config` asks for."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.errors import ConfigurationError
from antiphon.models.local.manner import Manner, manner_of
from antiphon.types import SpeechConfig


@pytest.mark.parametrize(
    ("speech", "manner"),
    [
        (None, None),
        ("", None),
        ({}, None),
        ({"voice_config": {}}, None),
        ("f3", Manner("f3")),
        ({"voice_config": {"prebuilt_voice_config": {"voice_name": "f3"}}}, Manner("f3")),
        ({"voice_config": {"voice": "f3"}, "language_code": "de-DE"}, Manner("f3", "de-DE")),
        ({"language_code": "de-DE"}, Manner(None, "de-DE")),
    ],
)
def test_a_voice_and_a_language_are_read(speech: Any, manner: Manner | None) -> None:  # contract 6.6
    assert manner_of(SpeechConfig(**speech) if isinstance(speech, dict) else speech) == manner


@pytest.mark.parametrize(
    "speech",
    [
        {"multi_speaker_voice_config": {"speaker_voice_configs": []}},
        {"voice_config": {"replicated_voice_config": {}}},
    ],
)
def test_what_no_voice_here_does_is_refused_by_name(speech: Any) -> None:  # contract 6.6
    name = next(
        name for name in ("multi_speaker_voice_config", "replicated_voice_config") if name in str(speech)
    )
    with pytest.raises(ConfigurationError, match=name):
        manner_of(SpeechConfig(**speech))
