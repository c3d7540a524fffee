"""The run's configuration, as thresholds."""

from __future__ import annotations

import pytest

from antiphon.errors import ConfigurationError
from antiphon.models.local.attention import Attention, endpointing_for
from antiphon.models.local.endpointing import Adaptive, Fixed
from antiphon.types import (
    ActivityHandling,
    AutomaticActivityDetection,
    EndSensitivity,
    RealtimeInputConfig,
    StartSensitivity,
)

USUAL = Attention()


def detecting(**detection: object) -> RealtimeInputConfig:
    return RealtimeInputConfig(
        automatic_activity_detection=AutomaticActivityDetection.model_validate(detection)
    )


@pytest.mark.parametrize("config", [None, RealtimeInputConfig(), detecting()])
def test_what_is_not_configured_stays(config: RealtimeInputConfig | None) -> None:
    assert USUAL.configured(config) == USUAL
    waits = Adaptive(finished=0.3)
    assert endpointing_for(config, waits) is waits


def test_sensitivity_of_the_start() -> None:
    high = USUAL.configured(detecting(start_of_speech_sensitivity=StartSensitivity.START_SENSITIVITY_HIGH))
    low = USUAL.configured(detecting(start_of_speech_sensitivity=StartSensitivity.START_SENSITIVITY_LOW))
    assert high.onset < USUAL.onset < low.onset
    assert high.least < USUAL.least < low.least
    assert low.onset_over_speech > USUAL.onset_over_speech
    assert low.certain == 1.0


def test_sensitivity_of_the_end() -> None:
    high = USUAL.configured(detecting(end_of_speech_sensitivity=EndSensitivity.END_SENSITIVITY_HIGH))
    low = USUAL.configured(detecting(end_of_speech_sensitivity=EndSensitivity.END_SENSITIVITY_LOW))
    assert high.patience < USUAL.patience < low.patience
    assert high.release > USUAL.release > low.release


@pytest.mark.parametrize("start", list(StartSensitivity))
@pytest.mark.parametrize("end", list(EndSensitivity))
def test_all_sensitivities_go_together(start: StartSensitivity, end: EndSensitivity) -> None:
    USUAL.configured(detecting(start_of_speech_sensitivity=start, end_of_speech_sensitivity=end))


def test_durations_of_the_configuration_are_kept_exactly() -> None:
    config = detecting(
        prefix_padding_ms=200, silence_duration_ms=700, end_of_speech_sensitivity="END_SENSITIVITY_LOW"
    )
    assert USUAL.configured(config).least == 0.2
    assert USUAL.configured(config).patience == 1.0
    assert endpointing_for(config, Adaptive()) == Fixed(0.7)
    assert USUAL.configured(detecting(prefix_padding_ms=0)).least == 0.032


def test_detection_may_be_turned_off_and_interruption_too() -> None:
    assert USUAL.configured(detecting(disabled=True)).manual
    config = RealtimeInputConfig(activity_handling=ActivityHandling.NO_INTERRUPTION)
    changed = USUAL.configured(config)
    assert not changed.interruptible
    config = RealtimeInputConfig(activity_handling=ActivityHandling.START_OF_ACTIVITY_INTERRUPTS)
    assert changed.configured(config).interruptible


def test_numbers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="prefix_padding_ms=-1"):
        USUAL.configured(detecting(prefix_padding_ms=-1))
    with pytest.raises(ConfigurationError, match="silence_duration_ms=0"):
        endpointing_for(detecting(silence_duration_ms=0), Adaptive())
    with pytest.raises(ConfigurationError, match=r"onset=0\.2"):
        Attention(onset=0.2)
    with pytest.raises(ConfigurationError, match="insists=-1"):
        Attention(insists=-1.0)
