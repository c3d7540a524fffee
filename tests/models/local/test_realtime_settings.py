"""What `realtime_input_config` says of hearing, in whole conversations (contract 6.4)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from antiphon.config import RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media
from antiphon.core.signals import InputTranscript, ModelInterrupted, TurnComplete, VoiceActivityChanged
from antiphon.models import Setup
from antiphon.models.local.vad import Detector, VoiceActivity
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence, tone
from antiphon.types import Blob
from tests.models.listening import Ears
from tests.models.local.parts import Brain, Prompted
from tests.models.local.test_connection import PCM, Room

pytestmark = pytest.mark.virtual_clock

LONG = " ".join(f"This is sentence number {number}." for number in range(1, 40))


class Sure(VoiceActivity, Detector):
    """As sure that a tone is speech as it is told to be."""

    def __init__(self, probability: float) -> None:
        self.likely = probability

    def detector(self) -> Detector:
        return self

    def probability(self, frame: bytes) -> float:
        return self.likely if any(frame) else 0.0

    def reset(self) -> None: ...


async def hear(
    detection: dict[str, Any], *sounds: tuple[float, float], likely: float = 0.99
) -> list[VoiceActivityChanged]:
    """What was noticed of sounds and the silence after each, in seconds."""
    ears, run = Ears(), RunConfig(realtime_input_config={"automatic_activity_detection": detection})
    model = LocalVoice(
        brain=Brain(lambda last: "Yes."), recognizer=Prompted(*["hello"] * 9), voice_activity=Sure(likely)
    )
    model.check(run)
    connection = await model.connect(run, ears)
    connection.begin(Setup(run))
    await ears.ready()
    for loud, quiet in sounds:
        await Room(connection, ears).plays(tone(loud) + silence(quiet))
    await connection.close()
    return [each for each in ears.said if isinstance(each, VoiceActivityChanged)]


@pytest.mark.parametrize(("milliseconds", "utterances"), [(300, 2), (1_200, 1)])
async def test_the_silence_that_ends_an_utterance(milliseconds: int, utterances: int) -> None:  # contract 6.4
    noticed = await hear({"silence_duration_ms": milliseconds}, (1.0, 0.8), (1.0, 2.0))
    assert len(noticed) == 2 * utterances


@pytest.mark.parametrize(("milliseconds", "utterances"), [(100, 2), (600, 1), (2_000, 0)])
async def test_how_long_speech_lasts_before_it_counts(
    milliseconds: int, utterances: int
) -> None:  # contract 6.4
    noticed = await hear({"prefix_padding_ms": milliseconds}, (0.4, 2.0), (1.0, 2.0))  # contract 6.4
    assert len(noticed) == 2 * utterances


@pytest.mark.parametrize(
    ("sensitivity", "likely", "heard"),
    [("HIGH", 0.45, True), ("LOW", 0.65, False), ("LOW", 0.9, True), (None, 0.45, False), (None, 0.65, True)],
)
async def test_how_sure_the_start_has_to_be(sensitivity: str | None, likely: float, heard: bool) -> None:
    wanted = f"START_SENSITIVITY_{sensitivity}" if sensitivity else None
    noticed = await hear({"start_of_speech_sensitivity": wanted}, (1.0, 2.0), likely=likely)  # contract 6.4
    assert bool(noticed) is heard


@pytest.mark.parametrize(("sensitivity", "utterances"), [("HIGH", 2), ("LOW", 1)])
async def test_how_soon_the_end_is(sensitivity: str, utterances: int) -> None:  # contract 6.4
    detection = {"end_of_speech_sensitivity": f"END_SENSITIVITY_{sensitivity}"}
    noticed = await hear(detection, (1.0, 0.28), (1.0, 2.0))
    assert len(noticed) == 2 * utterances


async def test_without_detection_only_marks_count_and_interrupt() -> None:  # contract 3.6, 6.4
    settings: Any = {"automatic_activity_detection": {"disabled": True}}
    ears, run = Ears(), RunConfig(realtime_input_config=settings)
    brain = Brain(lambda last: LONG)
    model = LocalVoice(brain=brain, recognizer=Prompted("stop"), voice_activity=Sure(0.99))
    connection = await model.connect(run, ears)
    connection.begin(Setup(run))
    await ears.ready()
    here = Room(connection, ears)
    here.writes("go on")
    await asyncio.sleep(2.0)
    await here.plays(tone(2.0) + silence(1.0))
    assert not here.all(ModelInterrupted) and not here.all(VoiceActivityChanged)
    connection.send(ActivityEnded())
    connection.send(ActivityStarted())
    connection.send(ActivityStarted())
    connection.send(Media(Blob(data=tone(0.6), mime_type=PCM)))
    await here.until(ModelInterrupted)
    await here.until(TurnComplete)
    assert not here.all(InputTranscript)
    connection.send(ActivityEnded())
    connection.send(ActivityEnded())
    await here.until(InputTranscript)
    assert len(here.all(ModelInterrupted)) == 1 and len(here.all(VoiceActivityChanged)) == 2
    await connection.close()
