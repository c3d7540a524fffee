"""Whatever comes from a microphone: the conversation goes on, and errors name the cause."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import numpy
import pytest

from antiphon.config import RunConfig
from antiphon.core.messages import Media, StreamEnded
from antiphon.core.signals import InputTranscript, ModelError, ModelText, TurnComplete, VoiceActivityChanged
from antiphon.models import Setup
from antiphon.models.chat_link import HELD_IMAGES
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary
from antiphon.models.local.vad import Detector, VoiceActivity
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence, tone
from antiphon.types import Blob
from tests.models.listening import Ears
from tests.models.local.parts import Brain, Prompted, memory, spoken
from tests.models.local.test_connection import PCM, Room, room

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.virtual_clock

RANDOM = numpy.random.default_rng(5)
QUESTION = "hello there"
VOICE = spoken(QUESTION)


def samples(values: Any) -> bytes:
    return bytes(numpy.clip(values, -32_768, 32_767).astype("<i2").tobytes())


def heard() -> numpy.ndarray[Any, numpy.dtype[numpy.float64]]:
    return numpy.frombuffer(VOICE, "<i2").astype(numpy.float64)


def stereo() -> bytes:
    return samples(numpy.repeat(heard(), 2))


GARBAGE: dict[str, Callable[[], bytes]] = {
    "random bytes": lambda: RANDOM.bytes(64_001),
    "NaN as 32-bit floats": lambda: struct.pack("<f", float("nan")) * 16_000,
    "infinity as 64-bit floats": lambda: struct.pack("<d", float("inf")) * 8_001,
    "all ones": lambda: b"\xff" * 64_000,
    "square wave": lambda: b"\xff\x7f\x00\x80" * 16_000,
    "clipped speech": lambda: samples(heard() * 100),
    "speech on a constant": lambda: samples(heard() / 4 + 24_000),
    "byte order": lambda: samples(heard().astype("<i2").byteswap()),
    "half a sample off": lambda: b"\x01" + VOICE,
    "a WAV header": lambda: b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00" * 400,
    "compressed": lambda: b"OggS\x00\x02" + RANDOM.bytes(30_000),
    "stereo as mono": stereo,
}


async def asks(here: Room, text: str = "are you there?") -> None:
    """Writes, and waits for an answer."""
    already = len(here.all(TurnComplete))
    here.writes(text)
    await here.ears.until(lambda: len(here.all(TurnComplete)) > already and here.words.endswith("here."))


@pytest.mark.parametrize("kind", GARBAGE)
@pytest.mark.parametrize("rate", [16_000, 44_100])
async def test_garbage_is_survived_and_a_question_after_it_heard(kind: str, rate: int) -> None:
    brain = Brain(lambda last: "Still here.")
    async with room(brain, *["hello"] * 50) as here:
        await here.plays(GARBAGE[kind](), f"audio/pcm;rate={rate}", size=3_201, pace=0.0)
        here.connection.send(StreamEnded())
        await asyncio.sleep(2.0)
        before = len(here.all(InputTranscript))
        await here.says(QUESTION)
        await here.ears.until(lambda: len(here.all(InputTranscript)) > before)
        await asks(here)
        assert not here.all(ModelError)


@pytest.mark.parametrize("rate", [8_000, 11_025, 44_100, 48_000, 192_000])
async def test_any_rate_is_heard_when_it_is_said(rate: int) -> None:  # contract 2.7
    ears = Prompted("hello")
    model = LocalVoice(brain=Brain(lambda last: "Still here."), recognizer=ears)
    told, run = Ears(), RunConfig()
    connection = await model.connect(run, told)
    connection.begin(Setup(run))
    await told.ready()
    here = Room(connection, told)
    await here.plays(spoken(QUESTION, rate) + bytes(rate * 3), f"audio/pcm;rate={rate}", size=rate // 25 * 2)
    await here.until(InputTranscript)
    start, end = here.all(VoiceActivityChanged)
    assert 0.1 < float(end.activity.audio_offset[:-1]) - float(start.activity.audio_offset[:-1]) < 1.2
    await connection.close()


@pytest.mark.parametrize(
    ("real", "said"), [(48_000, 16_000), (16_000, 48_000), (8_000, 44_100), (44_100, 8_000)]
)
async def test_a_rate_that_is_a_lie_breaks_nothing(real: int, said: int) -> None:
    async with room(Brain(lambda last: "Still here."), *["hello"] * 9) as here:
        await here.plays(spoken(QUESTION, real), f"audio/pcm;rate={said}", size=4_000, pace=0.02)
        here.connection.send(StreamEnded())
        await asks(here)
        assert not here.all(ModelError)


@pytest.mark.parametrize("size", [1, 2, 3, 320_000])
async def test_a_question_is_heard_in_chunks_of_any_length(size: int) -> None:  # contract 2.7
    pcm = silence(0.4) + VOICE + silence(1.5)
    async with room(Brain(lambda last: "Still here."), "hello") as here:
        for at in range(0, len(pcm), size):
            here.connection.send(Media(Blob(data=pcm[at : at + size], mime_type=PCM)))
            if at % 1_000 == 0:
                here.connection.send(Media(Blob(data=b"", mime_type=PCM)))
        await here.until(TurnComplete)
        assert here.all(InputTranscript) == [InputTranscript("hello", finished=True)]
        assert not here.all(ModelError)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("audio/pcm;rate=16000;channels=2", "one channel"),
        ("audio/pcm;rate=2000", "between 4000 and 192000"),
        ("audio/pcm;rate=fast", "number of hertz"),
        ("audio/wav", "Strip the header"),
        ("audio/mpeg", "'audio/mpeg' cannot be sent"),
        ("video/mp4", "'video/mp4' cannot be sent"),
        ("text/plain", "'text/plain' cannot be sent"),
        ("", "needs its type"),
        ("nonsense", "'nonsense' cannot be sent"),
    ],
)
async def test_what_is_no_audio_is_refused_by_name(kind: str, told: str) -> None:  # contract 2.7, 3.10
    async with room(Brain(lambda last: "Still here.")) as here:
        for _ in range(3):
            here.connection.send(Media(Blob(data=VOICE, mime_type=kind)))
        (error,) = here.all(ModelError)
        assert error.code == "INVALID_REQUEST" and told in error.message
        await asks(here)
        assert len(here.all(ModelError)) == 1


async def test_of_a_video_the_newest_frames_are_seen() -> None:
    brain = Brain(lambda last: "Still here.")
    async with room(brain) as here:
        for number in range(100):
            here.connection.send(Media(Blob(data=b"%d" % number, mime_type="image/jpeg")))
        await asks(here)
        parts = brain.requests[0][-1].parts or []
        seen = [part.inline_data.data for part in parts if part.inline_data]
        assert seen == [b"%d" % number for number in range(100 - HELD_IMAGES, 100)]


async def test_audio_of_a_conversation_in_text_is_heard_and_never_spoken() -> None:  # contract 6.1
    brain = Brain(lambda last: "Still here.")
    async with room(brain, "hello", response_modalities=["TEXT"]) as here:
        await here.plays(RANDOM.bytes(9_999), size=333, pace=0.0)
        await here.says(QUESTION)
        await here.until(TurnComplete)
        assert "".join(each.text for each in here.all(ModelText)) == "Still here." and not here.words


async def test_audio_before_it_is_ready_and_after_its_end() -> None:
    told, run = Ears(), RunConfig()
    model = LocalVoice(brain=Brain(lambda last: "Still here."), recognizer=Prompted("hello"))
    connection = await model.connect(run, told)
    connection.begin(Setup(run))
    connection.send(Media(Blob(data=silence(0.4) + VOICE + silence(1.5), mime_type=PCM)))
    await told.until(lambda: any(isinstance(each, TurnComplete) for each in told.said))
    await connection.close()
    said = len(told.said)
    for data in (VOICE, b"\0"):
        connection.send(Media(Blob(data=data, mime_type=PCM)))
    connection.send(StreamEnded())
    await asyncio.sleep(5.0)
    assert len(told.said) == said and told.losses == [(None, ())]


# --- hours --------------------------------------------------------------------------------------------


class Loudness(VoiceActivity, Detector):
    """Quick: an hour takes a second."""

    def detector(self) -> Detector:
        return self

    def probability(self, frame: bytes) -> float:
        return 1.0 if frame.count(0) < len(frame) // 2 else 0.0

    def reset(self) -> None: ...


class Forgetful(Recognizer):
    """Hears the same of everybody, and keeps nothing."""

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        return _Forgetful()


class _Forgetful(Hearing):
    def feed(self, pcm: bytes) -> None: ...

    def heard(self) -> Heard:
        return Heard("hello")


async def hours(here: Room, chunk: bytes, seconds: float) -> None:
    """As fast as it is taken."""
    for _ in range(int(seconds * 32_000 / len(chunk))):
        if not here.connection.writable:
            times = here.ears.times_writable
            await here.ears.until(lambda: here.ears.times_writable > times)  # noqa: B023
        here.connection.send(Media(Blob(data=chunk, mime_type=PCM)))


async def opened(activity: VoiceActivity | None, brain: Brain) -> Room:
    told, run = Ears(), RunConfig()
    model = LocalVoice(brain=brain, recognizer=Forgetful(), voice_activity=activity)
    connection = await model.connect(run, told)
    connection.begin(Setup(run))
    await told.ready()
    return Room(connection, told)


async def test_after_an_hour_of_silence_a_question_is_answered() -> None:
    here = await opened(Loudness(), Brain(lambda last: "Still here."))
    await hours(here, silence(10.0), 600.0)
    before = memory()
    await hours(here, silence(10.0), 3_000.0)
    assert memory() - before < 8e6 and not here.kinds
    await hours(here, VOICE, len(VOICE) / 32_000)
    await hours(here, silence(2.0), 2.0)
    await here.until(TurnComplete)
    assert here.kinds == ["InputTranscript", "GenerationComplete", "TurnComplete"]
    start = here.all(VoiceActivityChanged)[0].activity.audio_offset
    assert 3_600.0 <= float(start[:-1]) < 3_600.5  # it has not drifted
    await here.connection.close()


async def test_after_an_hour_of_din_a_question_is_answered() -> None:
    here = await opened(Loudness(), Brain(lambda last: "Still here."))
    din = RANDOM.bytes(320_000)
    await hours(here, din, 600.0)
    before = memory()
    await hours(here, din, 3_000.0)
    await here.ears.until(lambda: len(here.all(InputTranscript)) >= 59)  # one a minute (`Attention.longest`)
    assert memory() - before < 16e6
    here.connection.send(StreamEnded())
    await asks(here)
    assert not here.all(ModelError)
    await here.connection.close()


async def test_minutes_of_noise_are_nothing_to_the_real_detector() -> None:
    here = await opened(None, Brain(lambda last: "Still here."))
    await hours(here, samples(RANDOM.standard_normal(16_000 * 10) * 500), 60.0)
    await hours(here, tone(5.0, amplitude=0.02), 20.0)
    await asks(here)
    assert not here.all(InputTranscript)
    await here.connection.close()
