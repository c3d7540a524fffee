"""What a local voice must show: whole conversations by its default parts, from sound to sound."""

from __future__ import annotations

import asyncio
import wave
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import soxr

from antiphon import Agent, InMemoryRunner, LiveRequestQueue
from antiphon.cli.spoken import config_for, from_file
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.recognizer import Vocabulary
from antiphon.models.local.spelling import said
from antiphon.models.local.voice import LocalVoice
from antiphon.types import Blob
from tests.models.local.parts import Brain
from tests.models.local.speaking import spoken

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.cli.timeline import Line

pytestmark = pytest.mark.virtual_clock

RATE = 16_000
COUNTING = " ".join(f"This is number {number}." for number in range(90))


def get_weather(city: str) -> str:
    """Tells the weather of a city."""
    return f"Take your umbrella to {city}."


def in_noise(pcm: bytes, below: float) -> bytes:
    """White noise so many decibels below the loudest, and a second of it before and after."""
    speech = np.frombuffer(pcm, "<i2").astype(np.float64)
    sound = np.concatenate([np.zeros(RATE), speech, np.zeros(RATE)])
    sound += np.random.default_rng(3).standard_normal(len(sound)) * 10 ** (-below / 20) * np.abs(speech).max()
    return bytes(np.clip(sound, -32_768, 32_767).astype("<i2").tobytes())


def transcribed(pcm: bytes, rate: int) -> str:
    """By the recogniser itself, without any vocabulary to help it."""
    hearing = Moonshine().hear(Vocabulary())
    heard = soxr.resample(np.frombuffer(pcm, "<i2"), rate, RATE)
    hearing.feed(bytes(RATE // 2) + heard.astype("<i2").tobytes())
    return said(hearing.heard().text)


def wav(path: Path, pcm: bytes) -> str:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(pcm)
    return str(path)


@pytest.mark.parametrize(
    ("voice", "speed", "below"),
    [
        ("en-us", 150, 60),
        ("en-us+f3", 150, 60),
        ("en-gb", 130, 60),
        ("en-us+m3", 180, 60),
        ("en-us", 150, 30),
        ("en-us+f3", 140, 30),
    ],
)
async def test_a_question_in_a_file_is_answered_by_a_tool_and_by_words_that_can_be_heard(
    tmp_path: Path, voice: str, speed: int, below: int
) -> None:
    agent = Agent(name="guide", model=LocalVoice(), tools=[get_weather], instruction="You tell the weather.")
    runner = InMemoryRunner(agent, app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    question = wav(
        tmp_path / "question.wav", in_noise(spoken("What is the weather in Paris?", voice, speed), below)
    )
    lines: list[Line] = []
    voices, timeline = await from_file(runner, question, "u", "s", lines.append)
    assert 'calls get_weather(city="Paris")' in [line.what for line in lines]
    spoke = bytes(voices.agent).lstrip(b"\0")
    assert transcribed(spoke[len(spoke) % 2 :], 24_000) == "take your umbrella to paris"
    assert timeline.answers == 1 and timeline.waits[0] < 1.0


class Talk:
    """A conversation in which sound is sent as fast as it is spoken."""

    def __init__(self, brain: Brain) -> None:
        self.runner = InMemoryRunner(Agent(name="guide", model=LocalVoice(brain=brain)), app_name="test")
        self.queue = LiveRequestQueue()
        self.events: list[tuple[float, Event]] = []

    async def listen(self) -> None:
        now = asyncio.get_running_loop().time
        async for event in self.runner.run_live(
            user_id="u", session_id="s", live_request_queue=self.queue, run_config=config_for(self.runner)
        ):
            self.events.append((now(), event))

    async def says(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), 1_280):
            self.queue.send_realtime(Blob(data=pcm[at : at + 1_280], mime_type="audio/pcm;rate=16000"))
            await asyncio.sleep(0.04)

    def sound(self) -> list[tuple[float, bytes]]:
        return [
            (at, part.inline_data.data or b"")
            for at, event in self.events
            for part in ((event.content.parts or []) if event.content else [])
            if part.inline_data
        ]


async def cut_off_by(pcm: bytes, onset: float) -> tuple[Talk, list[Event], float, float]:
    """The conversation, what is stored of it, when the user began to speak and when the agent fell silent."""
    talk = Talk(Brain(lambda last: COUNTING))
    service = talk.runner.session_service
    await service.create_session(app_name="test", user_id="u", session_id="s")
    async with asyncio.TaskGroup() as group:
        group.create_task(talk.listen())
        talk.queue.send_content("count")
        await asyncio.sleep(3.0)
        began = asyncio.get_running_loop().time() + onset
        await talk.says(pcm)
        await talk.says(bytes(RATE // 2 * 2))
        cut = next((at for at, event in talk.events if event.interrupted), began + 1.5)
        before = [(at, len(data) / 48_000) for at, data in talk.sound() if at <= cut]
        talk.queue.close()
    until = 0.0
    for at, seconds in before:
        until = max(until, at) + seconds
    session = await service.get_session(app_name="test", user_id="u", session_id="s")
    assert session is not None
    return talk, session.events, began, until


async def test_who_cuts_in_is_listened_to_at_once_and_the_record_ends_with_the_sound() -> (
    None
):  # contract 3.6
    talk, stored, began, silent = await cut_off_by(spoken("Stop it please."), 0.3)
    assert began < silent < began + 0.3
    cut = next(event for event in stored if event.interrupted and event.output_transcription)
    assert cut.output_transcription is not None and cut.output_transcription.text
    heard = transcribed(b"".join(data for at, data in talk.sound() if at < began + 0.5), 24_000).split()
    kept = said(cut.output_transcription.text).split()
    assert len(kept) > 8 and heard[: len(kept) - 3] == kept[:-3]  # a sentence broken off is not heard well


def hum() -> bytes:
    """A listener's "mm-hm", with the mouth closed."""
    sounds = []
    for seconds, begins, ends in ((0.18, 130.0, 124.0), (0.3, 137.0, 162.0)):
        turns = np.cumsum(np.linspace(begins, ends, int(seconds * RATE))) / RATE
        voice = sum(np.sin(2 * np.pi * k * turns) / (1 + (k / 2.2) ** 2) for k in range(1, 16))
        fade = np.minimum(np.arange(len(turns)), np.arange(len(turns))[::-1]) / (0.03 * RATE)
        sounds += [voice * np.minimum(fade, 1), np.zeros(RATE // 20)]
    sound: Any = np.concatenate([np.zeros(RATE // 4), *sounds, np.zeros(RATE)])
    sound += np.random.default_rng(2).standard_normal(len(sound)) * 0.003
    return bytes((sound * 12_000).astype("<i2").tobytes())


def clicks() -> bytes:
    """A few keys of a keyboard, and a door."""
    draw = np.random.default_rng(4)
    sound = draw.standard_normal(RATE * 2) * 20
    for at in range(2_000, 16_000, 2_500):
        sound[at : at + 300] += draw.standard_normal(300) * np.exp(-np.arange(300) / 60) * 12_000
    slam = np.cumsum(draw.standard_normal(RATE // 2)) * np.exp(-np.arange(RATE // 2) / 1_500)
    sound[20_000 : 20_000 + len(slam)] += slam / np.abs(slam).max() * 24_000
    return bytes(np.clip(sound, -32_768, 32_767).astype("<i2").tobytes())


@pytest.mark.parametrize(
    "sound", [hum(), clicks(), spoken("Okay.")], ids=["mm-hm", "keys and a door", "okay"]
)
async def test_what_means_nothing_does_not_interrupt(sound: bytes) -> None:  # contract 6.4
    _, stored, began, silent = await cut_off_by(sound, 0.0)
    assert not any(event.interrupted for event in stored if event.input_transcription)
    assert silent > began + 1.5  # held for a while at most
    assert not any(event.input_transcription for event in stored)


@pytest.mark.parametrize("pause", [0.3, 0.6])
async def test_who_hesitates_is_not_cut_in_two(pause: float) -> None:
    talk = Talk(Brain(lambda last: "All right."))
    await talk.runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    before, after = spoken("I would like a table for"), spoken("two people.")
    hesitating = before[: -int(0.5 * RATE) * 2] + bytes(int(pause * RATE) * 2) + after[int(0.3 * RATE) * 2 :]
    async with asyncio.TaskGroup() as group:
        group.create_task(talk.listen())
        await talk.says(bytes(RATE) + hesitating + bytes(RATE * 4))
        talk.queue.close()
    heard = [
        said(event.input_transcription.text or "")
        for _, event in talk.events
        if event.input_transcription and event.input_transcription.finished
    ]
    assert heard == ["i would like a table for two people"]


def test_people_are_understood() -> None:
    package = find_spec("moonshine_voice")
    assert package is not None and package.origin is not None
    recording = Path(package.origin).parent / "assets" / "two_cities.wav"
    if not recording.is_file():
        pytest.skip("This moonshine-voice comes without the recording of a person.")
    with wave.open(str(recording), "rb") as file:
        sound, rate = file.readframes(file.getframerate() * 8), file.getframerate()
    assert transcribed(sound, rate) == (
        "it was the best of times it was the worst of times "
        "it was the age of wisdom it was the age of foolishness"
    )
