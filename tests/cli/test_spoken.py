"""A conversation from a file, with a timeline."""

from __future__ import annotations

import wave
from array import array
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, Event, InMemoryRunner, RunConfig
from antiphon.cli.commands import run
from antiphon.cli.spoken import Timeline, Voices, read_wav, talk_through
from antiphon.errors import ConfigurationError
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence, tone
from antiphon.types import Content, Part, Transcription
from tests.models.local.parts import Brain, said_in, spoken

if TYPE_CHECKING:
    from pathlib import Path


def get_weather(city: str) -> dict[str, str]:
    """Tells the weather of a city."""
    return {"city": city, "sky": "sunny"}


def written(path: Path, pcm: bytes, *, rate: int = 16_000, width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


@pytest.mark.parametrize(
    ("rate", "width", "channels"),
    [(16_000, 2, 1), (48_000, 2, 2), (8_000, 1, 1), (44_100, 3, 2), (16_000, 4, 1)],
)
def test_any_wav_is_read(tmp_path: Path, rate: int, width: int, channels: int) -> None:
    samples = array("h", tone(0.5, rate=rate))
    frames = bytearray()
    for sample in samples:
        wide = sample << 16
        one = (
            bytes([(sample >> 8) + 128])
            if width == 1
            else (wide >> (32 - 8 * width)).to_bytes(width, "little", signed=True)
        )
        frames += one * channels
    pcm = read_wav(written(tmp_path / "in.wav", bytes(frames), rate=rate, width=width, channels=channels))
    heard = array("h", pcm)
    assert len(heard) == pytest.approx(8_000, abs=2)
    assert max(heard) == pytest.approx(max(samples), rel=0.1)


def test_what_is_no_wav_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in.wav").write_bytes(b"RIFF nothing")
    for name in ("in.wav", "missing.wav"):
        with pytest.raises(ConfigurationError, match=name):
            read_wav(tmp_path / name)


def test_voices_lie_where_they_were_heard(tmp_path: Path) -> None:
    voices = Voices()
    voices.user += tone(1.0)
    voices.speaks(tone(0.5, rate=24_000), 2.0)
    voices.speaks(tone(0.5, rate=24_000), 2.1)  # it came before it was to be heard
    assert voices.seconds == pytest.approx(3.0)
    voices.cut(2.75)
    assert voices.seconds == pytest.approx(2.75)
    voices.write(tmp_path / "out.wav")
    with wave.open(str(tmp_path / "out.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (24_000, 2)
        both = array("h", file.readframes(file.getnframes()))
    left, right = both[0::2], both[1::2]
    assert len(left) / 24_000 == pytest.approx(2.75)
    assert any(left[:24_000]) and not any(left[24_100:])
    assert not any(right[:48_000]) and any(right[48_000:])
    with pytest.raises(ConfigurationError, match="cannot be written"):
        voices.write(tmp_path / "nowhere" / "out.wav")


def test_the_timeline_says_what_went_wrong_and_what_was_cut_off() -> None:
    timeline = Timeline()
    cut = Event(
        author="guide",
        output_transcription=Transcription(text="It is ", finished=True),
        partial=False,
        interrupted=True,
    )
    text = Event(author="guide", content=Content(role="model", parts=[Part(text="Hi.")]), partial=False)
    failed = Event(author="guide", error_code="UNAVAILABLE", error_message="try again")
    lines = [line for event in (cut, text, failed) for line in timeline.event(event, 1.5)]
    assert lines == [
        "    1.50  guide        “It is” — cut off",
        "    1.50  guide        “Hi.”",
        "    1.50  error        UNAVAILABLE: try again",
    ]
    assert timeline.summary() == "Nothing was answered."


@pytest.mark.virtual_clock
async def test_a_whole_conversation_from_a_file() -> None:
    agent = Agent(name="guide", model=LocalVoice(), tools=[get_weather], instruction="You tell the weather.")
    runner = InMemoryRunner(agent, app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    lines: list[str] = []
    pcm = silence(0.5) + spoken("what is the weather in paris") + silence(0.5)
    voices = await talk_through(runner, RunConfig(), pcm, "u", "s", lines.append)
    told = [line[10:].rstrip() for line in lines]
    assert [line for line in told if line.startswith("user")] == [
        "user         speaks",
        "user         is done",
        "user         “what is the weather in paris”",
    ]
    called = next(
        at for at, line in enumerate(told) if line.startswith('guide        calls get_weather(city="')
    )
    assert told[called + 1].startswith("get_weather  → ")
    heard = next(line for line in told if "is heard" in line)
    assert float(heard.split(", ")[1].split()[0]) < 0.7  # after the user
    assert "sunny" in next(line for line in told if line.startswith("guide        “"))
    assert lines[-1].startswith("1 answers, 0.") and voices.seconds > 2 and len(voices.user) == len(pcm)


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
        await talk_through(runner, RunConfig(), pcm, "u", "s", lambda line: None)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "in.wav", silence(0.2))
    assert run(["talk", "--wav", str(path), "--out", str(tmp_path / "out.wav")]) == 0
    assert "Nothing was answered." in capsys.readouterr().out and (tmp_path / "out.wav").exists()
    assert run(["talk", "--wav", str(tmp_path / "none.wav")]) == 2
