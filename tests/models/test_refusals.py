"""What models refuse."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from antiphon.capabilities import Capabilities
from antiphon.config import RunConfig
from antiphon.errors import UnsupportedByModel
from antiphon.models import Listener, LiveModel, ModelConnection

ALL = Capabilities(affective_dialog=True, proactive_audio=True)
MANUAL = {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}


class Able(LiveModel):
    """A model that can do what it is said to."""

    name = "able"

    def __init__(self, can: Capabilities) -> None:
        self._can = can

    @property
    def capabilities(self) -> Capabilities:
        return self._can

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        raise NotImplementedError


ASKED: list[tuple[str, dict[str, Any], str, str]] = [
    ("text_output", {"response_modalities": ["TEXT"]}, 'response_modalities=["TEXT"]', 'Use ["AUDIO"]'),
    ("audio_output", {"response_modalities": ["AUDIO"]}, 'response_modalities=["AUDIO"]', 'Use ["TEXT"]'),
    ("audio_output", {}, 'response_modalities=["AUDIO"]', 'Use ["TEXT"]'),
    ("manual_activity", MANUAL, "activity signals", "automatic activity detection"),
    ("affective_dialog", {"enable_affective_dialog": True}, "enable_affective_dialog", "Leave it out"),
    ("proactive_audio", {"proactivity": {"proactive_audio": True}}, "proactivity", "Leave it out"),
    (
        "context_window_compression",
        {"context_window_compression": {}},
        "context_window_compression",
        "Leave it out",
    ),
    (
        "session_resumption",
        {"session_resumption": {"handle": "h"}},
        "session_resumption",
        "without the handle",
    ),
]


@pytest.mark.parametrize(("capability", "settings", "what", "cure"), ASKED)
def test_what_the_model_cannot_do_is_refused_with_what_to_change(  # contract 6.2
    capability: str, settings: dict[str, Any], what: str, cure: str
) -> None:
    config = RunConfig.model_validate(settings)
    Able(ALL).check(config)
    with pytest.raises(UnsupportedByModel, match=f"'able' cannot do {re.escape(what)}.*{re.escape(cure)}"):
        Able(replace(ALL, **{capability: False})).check(config)


def test_what_is_not_asked_for_is_not_refused() -> None:
    least = Capabilities(
        text_output=False,
        manual_activity=False,
        session_resumption=False,
        context_window_compression=False,
        input_transcription=False,
        output_transcription=False,
    )
    Able(least).check(
        RunConfig.model_validate(
            {
                "enable_affective_dialog": False,
                "proactivity": {"proactive_audio": False},
                "session_resumption": {},
            }
        )
    )
