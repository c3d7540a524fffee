"""A conversation by voice, with a timeline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from antiphon import Agent, InMemoryRunner, RunConfig
from antiphon.cli.commands import run
from antiphon.cli.loudspeaker import Loudspeaker
from antiphon.cli.spoken import LEAD_IN, config_for, from_file, says, talk_through
from antiphon.errors import ConfigurationError
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence
from tests.cli.conftest import wav_file
from tests.models.local.parts import Brain, said_in, spoken
from tests.models.local.speaking import ESPEAK_RATE, said

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.capabilities import Capabilities
    from antiphon.cli.timeline import Line


def get_weather(city: str) -> dict[str, str]:
    """Tells the weather of a city."""
    return {"city": city, "sky": "sunny"}


@pytest.mark.virtual_clock
async def test_a_whole_conversation_from_a_file() -> None:
    agent = Agent(name="guide", model=LocalVoice(), tools=[get_weather], instruction="You tell the weather.")
    runner = InMemoryRunner(agent, app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    lines: list[Line] = []
    pcm = silence(0.5) + spoken("what is the weather in paris") + silence(0.5)
    loudspeaker = Loudspeaker()
    voices, timeline = await talk_through(
        runner, RunConfig(), says(pcm), "u", "s", lines.append, loudspeaker=loudspeaker
    )
    told = [str(line)[10:].rstrip() for line in lines]
    assert [line for line in told if line.startswith("user")] == [
        "user         speaks",
        "user         is done",
        "user         “What is the weather in Paris?”",
    ]
    called = next(
        at for at, line in enumerate(told) if line.startswith('guide        calls get_weather(city="')
    )
    assert told[called + 1].startswith("get_weather  → ")
    heard = next(line for line in told if "is heard" in line)
    assert float(heard.split(", ")[1].split()[0]) < 0.7  # after the user
    assert "sunny" in next(line for line in told if line.startswith("guide        “"))
    assert timeline.summary().startswith("1 answer, 0.")
    assert voices.seconds > 2 and len(voices.user) == len(pcm)
    assert loudspeaker.playing and any(loudspeaker.take(24_000))


@pytest.mark.virtual_clock
async def test_what_fails_is_raised() -> None:
    class Broken(Brain):
        async def generate(self, request: object, *, stream: bool) -> object:  # type: ignore[override]
            raise ValueError("broken")
            yield

    runner = InMemoryRunner(Agent(name="guide", model=LocalVoice(brain=Broken(said_in))), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    pcm = silence(0.5) + spoken("what time is it") + silence(0.5)
    with pytest.raises(Exception, match="broken"):
        await talk_through(runner, RunConfig(), says(pcm), "u", "s", lambda line: None)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = wav_file(tmp_path / "in.wav", silence(0.2))
    assert run(["talk", "--wav", str(path), "--out", str(tmp_path / "out.wav")]) == 0
    assert "Nothing was answered." in capsys.readouterr().out and (tmp_path / "out.wav").exists()
    assert run(["talk", "--wav", str(tmp_path / "none.wav")]) == 2


def test_a_model_at_another_rate_is_refused_and_one_that_resumes_may() -> None:
    class Deep(LocalVoice):
        @property
        def capabilities(self) -> Capabilities:
            return replace(super().capabilities, output_rate=8_000, session_resumption=True)

    class Resumable(LocalVoice):
        @property
        def capabilities(self) -> Capabilities:
            return replace(super().capabilities, session_resumption=True)

    def runner(model: LocalVoice) -> InMemoryRunner:
        return InMemoryRunner(Agent(name="guide", model=model))

    with pytest.raises(ConfigurationError, match="local speaks at 8000 Hz; here 24000"):
        config_for(runner(Deep()))
    assert config_for(runner(LocalVoice())).session_resumption is None
    assert config_for(runner(Resumable())).session_resumption is not None


@pytest.mark.virtual_clock
async def test_it_is_recorded_on_tape(tmp_path: Path) -> None:
    """contract 9.1"""
    runner = InMemoryRunner(Agent(name="guide", model=LocalVoice(brain=Brain(said_in))), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    wav, tape = wav_file(tmp_path / "in.wav", silence(0.2)), tmp_path / "talk.jsonl"
    voices, timeline = await from_file(runner, str(wav), "u", "s", lambda line: None, str(tape))
    assert tape.exists() and timeline.answers == 0 and len(voices.user) == 32_000 * LEAD_IN + 6_400


@pytest.mark.virtual_clock
async def test_a_file_may_begin_in_the_middle_of_a_word(tmp_path: Path) -> None:
    """A voice that is there at once is heard from its beginning."""
    runner = InMemoryRunner(Agent(name="guide", model=LocalVoice(brain=Brain(said_in))), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    question = np.frombuffer(said("What time is it?", "en", 175), np.int16)
    begins = int(np.flatnonzero(np.abs(question) > 1_000)[0])
    wav = wav_file(tmp_path / "in.wav", question[begins:].tobytes(), rate=ESPEAK_RATE)
    lines: list[Line] = []
    await from_file(runner, str(wav), "u", "s", lines.append)
    told = [str(line)[10:].rstrip() for line in lines if "“" in str(line) and "user" in str(line)]
    assert told == ["user         “What time is it?”"]
