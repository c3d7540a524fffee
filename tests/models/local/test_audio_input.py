"""The user's audio, on its way to where it is listened to."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from antiphon.events import ErrorCode
from antiphon.models.local.attention import Attention
from antiphon.models.local.audio_input import REASONS, TELL_AGAIN, AudioInput, Owner
from antiphon.models.local.backlog import FULL, LATE
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.microphone import Began, Microphone, News, Said
from antiphon.models.local.recognizer import Vocabulary
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import Detector, VoiceActivity
from antiphon.testing.live_speech import silence, tone
from tests.models.local.parts import Prompted, spoken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.virtual_clock

PCM = "audio/pcm;rate=16000"


@dataclass
class Heard:
    news: list[News] = field(default_factory=list)
    trouble: list[tuple[ErrorCode, str]] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    writable: asyncio.Event = field(default_factory=asyncio.Event)
    said: asyncio.Event = field(default_factory=asyncio.Event)

    def owner(self) -> Owner:
        def told(news: News) -> None:
            self.news.append(news)
            if isinstance(news, Said):
                self.said.set()

        return Owner(told, lambda *told: self.trouble.append(told), self.ready.set, self.writable.set)


def microphone() -> Microphone:
    recognizer = Prompted("hello there", "again")
    return Microphone(Attention(), Adaptive(), Silero(), lambda: recognizer.hear(Vocabulary()), eager=True)


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[AudioInput, Heard]]:
    heard = Heard()
    audio = AudioInput(heard.owner())
    audio.open(microphone)
    await heard.ready.wait()
    yield audio, heard
    await audio.close()


@pytest.mark.parametrize("size", [1, 777, 3_200, 10_000_000])
async def test_chunks_of_any_length_are_listened_to(size: int) -> None:  # contract 2.7
    pcm = silence(0.4) + spoken("hello there") + silence(1.5)
    async with opened() as (audio, heard):
        for at in range(0, len(pcm), size):
            audio.add(pcm[at : at + size], PCM)
        await heard.said.wait()
        assert [type(each) for each in heard.news] == [Began, Said] and not heard.trouble


async def test_audio_that_stops_ends_an_utterance() -> None:
    async with opened() as (audio, heard):
        audio.add(silence(0.4) + spoken("hello there"), PCM)
        await heard.said.wait()
        assert asyncio.get_running_loop().time() == pytest.approx(1.0)  # `Attention.stall`


async def test_what_cannot_be_listened_to_is_refused_once_by_name() -> None:  # contract 2.7, 3.10
    async with opened() as (audio, heard):
        for kind in (
            "audio/pcm;rate=16000;channels=2",
            "audio/opus",
            "audio/pcm;rate=1000",
            "image/png",
            PCM,
        ):
            audio.add(tone(0.1), kind)
            audio.add(tone(0.1), kind)
        assert {code for code, _ in heard.trouble} == {ErrorCode.INVALID_REQUEST}
        two, opus, slow, image = (why for _, why in heard.trouble)
        assert "channels=2" in two and "audio/opus" in opus and "4000" in slow and "image/png" in image
        for number in range(2 * REASONS):
            audio.refuse(str(number))
        assert len(heard.trouble) == REASONS


async def test_more_than_it_takes_at_once_is_told() -> None:  # contract 2.2, models/base: writable
    async with opened() as (audio, heard):
        audio.add(silence(FULL + 5), PCM)
        assert audio.full
        await heard.writable.wait()
        assert not audio.full and not heard.trouble


async def test_audio_is_left_out_and_told_when_listening_does_not_keep_up() -> None:  # contract 2.2
    heard = Heard()
    audio = AudioInput(heard.owner())  # nobody listens
    for _ in range(int((LATE + 2 * TELL_AGAIN) * 10)):
        audio.add(silence(0.1), PCM)
        await asyncio.sleep(0.1)
    told = [why for code, why in heard.trouble if code is ErrorCode.RESOURCE_EXHAUSTED]
    assert len(told) == len(heard.trouble) == 2 and "does not keep up" in told[0]
    await audio.close()


async def test_an_ear_that_cannot_be_made_leaves_the_conversation_to_text() -> None:
    heard = Heard()
    audio = AudioInput(heard.owner())

    def broken() -> Microphone:
        raise OSError("no model")

    audio.open(broken)
    await heard.ready.wait()
    audio.add(tone(0.1), PCM)
    assert [(code, why.endswith("OSError: no model")) for code, why in heard.trouble] == [
        (ErrorCode.UNAVAILABLE, True)
    ]
    await audio.close()


async def test_nothing_is_told_after_it_was_left() -> None:
    async with opened() as (audio, heard):
        audio.add(silence(0.4) + spoken("hello there") + silence(1.5), PCM)
        audio.leave()
        await asyncio.sleep(5.0)
        assert not heard.news


async def test_without_an_ear_audio_is_nothing_to_wait_for() -> None:  # text has to get past it
    heard = Heard()
    audio = AudioInput(heard.owner())

    def broken() -> Microphone:
        raise OSError("no model")

    audio.open(broken)
    audio.add(silence(FULL + 5), PCM)
    assert audio.full
    await heard.writable.wait()
    for _ in range(20):
        audio.add(silence(10.0), PCM)
        await asyncio.sleep(10.0)
    assert not audio.full and len(heard.trouble) == 1
    await audio.close()


class Breaking(VoiceActivity, Detector):
    """Breaks after so many frames of speech."""

    def __init__(self, frames: int) -> None:
        self.frames = frames

    def detector(self) -> Detector:
        return self

    def probability(self, frame: bytes) -> float:
        self.frames -= 1
        if self.frames < 0:
            raise OSError("the detector is gone")
        return 1.0

    def reset(self) -> None: ...


async def test_a_detector_that_breaks_ends_what_was_being_said() -> None:
    heard = Heard()
    audio = AudioInput(heard.owner())
    audio.open(
        lambda: Microphone(
            Attention(), Adaptive(), Breaking(30), lambda: Prompted("hi").hear(Vocabulary()), eager=True
        )
    )
    await heard.ready.wait()
    audio.add(tone(3.0), PCM)
    await heard.said.wait()
    await asyncio.sleep(5.0)
    assert [type(each) for each in heard.news] == [Began, Said]
    ((code, why),) = heard.trouble
    assert code is ErrorCode.UNAVAILABLE and why.endswith("OSError: the detector is gone")
    await audio.close()
