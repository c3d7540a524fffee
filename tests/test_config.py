"""How one conversation runs."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.config import Limits, Retry, RunConfig, StreamingMode
from antiphon.types import (
    AudioTranscriptionConfig,
    AutomaticActivityDetection,
    Modality,
    RealtimeInputConfig,
    SessionResumptionConfig,
)


def test_the_defaults_are_those_of_a_spoken_live_conversation() -> None:
    # contract 6.1
    config = RunConfig()
    assert config.modality == "AUDIO"
    assert config.streaming_mode is StreamingMode.BIDI
    assert config.input_audio_transcription == config.output_audio_transcription == AudioTranscriptionConfig()
    assert config.session_resumption is None
    assert config.max_llm_calls == 500
    assert not config.save_live_blob
    assert not config.record_conversation
    assert config.recording_spool is None
    assert config.lifecycle_events
    assert config.shutdown_timeout == 5.0


@pytest.mark.parametrize(
    ("chosen", "modality"),
    [(["TEXT"], "TEXT"), ([Modality.AUDIO], "AUDIO"), (["audio"], "AUDIO"), (None, "AUDIO")],
)
def test_one_modality_may_be_chosen(chosen: Any, modality: str) -> None:
    # contract 6.1
    assert RunConfig(response_modalities=chosen).modality == modality


@pytest.mark.parametrize("chosen", [["TEXT", "AUDIO"], []])
def test_two_modalities_or_none_are_refused_with_the_reason(chosen: Any) -> None:
    # contract 6.1
    with pytest.raises(ValidationError, match="exactly one modality"):
        RunConfig(response_modalities=chosen)


@pytest.mark.parametrize("kind", [RunConfig, Retry, Limits])
def test_unknown_fields_are_refused_by_name(kind: type[RunConfig | Retry | Limits]) -> None:
    # contract 6.1
    with pytest.raises(ValidationError, match="colour"):
        kind.model_validate({"colour": "red"})


@pytest.mark.parametrize("kind", [RunConfig, Retry, Limits])
def test_a_configuration_does_not_change(kind: type[RunConfig | Retry | Limits]) -> None:
    config = kind()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, next(iter(kind.model_fields)), None)


@pytest.mark.parametrize("kind", [Retry, Limits])
def test_every_limit_has_a_documented_default(kind: type[Retry | Limits]) -> None:
    # contract 6.1
    assert all(field.description and not field.is_required() for field in kind.model_fields.values())


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (Retry, {"attempts": -1}),
        (Retry, {"window": 0}),
        (Retry, {"jitter": 1.5}),
        (Limits, {"max_turns": 0}),
        (Limits, {"idle_timeout": 0}),
        (RunConfig, {"shutdown_timeout": 0}),
        (RunConfig, {"connect_timeout": -1}),
        (RunConfig, {"event_buffer": 1}),
        (RunConfig, {"held_audio": -1}),
        (RunConfig, {"streaming_mode": "sometimes"}),
    ],
)
def test_limits_that_cannot_be_kept_are_refused(kind: Any, fields: dict[str, Any]) -> None:
    # contract 6.1
    with pytest.raises(ValidationError, match=next(iter(fields))):
        kind(**fields)


def test_the_old_name_of_save_live_blob_warns_and_works() -> None:
    # contract 6.1
    with pytest.warns(DeprecationWarning, match="save_live_blob"):
        assert RunConfig.model_validate({"save_live_audio": True}).save_live_blob


def test_a_configuration_is_not_changed_by_being_read() -> None:
    fields = {"save_live_audio": True}
    with pytest.warns(DeprecationWarning):
        RunConfig.model_validate(fields)
    assert fields == {"save_live_audio": True}
    config = RunConfig(max_llm_calls=3)
    assert RunConfig.model_validate(config) == config


@pytest.mark.parametrize(
    ("realtime", "manual"),
    [
        (None, False),
        (RealtimeInputConfig(), False),
        (RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection()), False),
        (RealtimeInputConfig(automatic_activity_detection=AutomaticActivityDetection(disabled=True)), True),
    ],
)
def test_activity_is_manual_when_detection_is_disabled(
    realtime: RealtimeInputConfig | None, manual: bool
) -> None:
    # contract 6.4
    assert RunConfig(realtime_input_config=realtime).manual_activity is manual


def test_settings_may_be_dicts() -> None:
    config = RunConfig.model_validate({"session_resumption": {"handle": "h"}, "limits": {"max_turns": 2}})
    assert config.session_resumption == SessionResumptionConfig(handle="h")
    assert config.limits == Limits(max_turns=2)
