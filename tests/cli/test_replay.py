"""A recorded conversation in the terminal (contract 9.3)."""

from __future__ import annotations

import json
import os
import sys
import wave
from pathlib import Path
from typing import Any

import pytest

from antiphon import Event, types
from antiphon.cli.commands import run
from antiphon.cli.renderer import Renderer
from antiphon.cli.replay import Voices, as_json, in_time, shown, steps_of
from antiphon.cli.screen import plain
from antiphon.core.signals import UserMedia
from antiphon.models.tape import Tape
from antiphon.runtime.replay import Step

GOLDEN = Path(__file__).parent.parent / "models" / "golden_tape.jsonl"


def spoken(data: bytes, rate: int = 24_000, by: str = "helper") -> Event:
    blob = types.Blob(data=data, mime_type=f"audio/pcm;rate={rate}")
    return Event(author=by, content=types.Content(role="model", parts=[types.Part(inline_data=blob)]))


def pcm(path: Path) -> tuple[int, bytes]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), file.readframes(file.getnframes())


def test_a_replay_looks_like_the_talk_it_was(capsys: pytest.CaptureFixture[str]) -> None:
    """contract 9.3"""
    assert run(["replay", str(GOLDEN), "--fast"]) == 0
    assert capsys.readouterr().out == (
        "you> What is the weather in Paris?\n"
        '⚙ get_weather(city="Paris") … 0.0 s → "sunny"\n'
        "helper> It is sunny in Paris.\n"
    )


def test_events_for_programs_are_the_same_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    """contract 9.3"""
    for _ in range(2):
        assert run(["replay", str(GOLDEN), "--speed", "1000", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[: len(lines) // 2] == lines[len(lines) // 2 :]
    assert json.loads(lines[0])["lifecycle"] == {"kind": "ready"}
    assert all(Event.model_validate_json(line) for line in lines)


def test_voices_are_written_as_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "a" / "voices"
    assert run(["replay", str(GOLDEN), "--fast", "--audio", str(folder)]) == 0
    assert pcm(folder / "helper.wav") == (24_000, bytes(96))
    assert "helper.wav" in capsys.readouterr().err


def test_each_speaker_has_a_file_and_each_rate_one_more(tmp_path: Path) -> None:
    def user(data: bytes, mime_type: str) -> Step:
        return Step(0.0, UserMedia(types.Blob(data=data, mime_type=mime_type)))

    voices = Voices(tmp_path)
    steps = [
        user(b"ab", "audio/pcm;rate=16000"),
        user(b"png", "image/png"),
        Step(0.0, None, events=[spoken(b"cd"), spoken(b"ef", rate=8000), Event(author="helper")]),
        user(b"gh", "audio/pcm;rate=16000"),
        Step(0.0, None, events=[spoken(b"", by="other"), spoken(b"ij", by="billing")]),
    ]
    assert list(voices.heard(steps)) == steps
    assert [path.name for path in voices.written] == [
        "user.wav",
        "helper.wav",
        "helper-8000.wav",
        "billing.wav",
    ]
    assert [pcm(path) for path in voices.written] == [
        (16_000, b"abgh"),
        (24_000, b"cd"),
        (8_000, b"ef"),
        (24_000, b"ij"),
    ]


@pytest.mark.parametrize(("speed", "waits"), [(1.0, [1.0, 2.0]), (2.0, [0.5, 1.0])])
def test_steps_come_in_their_time(speed: float, waits: list[float]) -> None:
    now, waited = [100.0], []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    steps = [Step(0.0, None), Step(1.0, None), Step(1.0, None), Step(3.0, None)]
    assert list(in_time(steps, speed, clock=lambda: now[0], wait=wait)) == steps
    assert waited == waits


def test_half_a_tape_says_where_it_ends() -> None:
    """contract 9.5"""
    data = GOLDEN.read_bytes()
    tape = Tape.read(data[: -len(data) // 3])
    text = plain(
        [piece for pieces in shown(steps_of(tape, None, None), Renderer(), tape) for piece in pieces]
    )
    assert text.startswith("you> What is the weather in Paris?\n")
    assert text.endswith("the tape ends here; the conversation went on\n")


def test_what_the_user_only_showed_is_not_quoted() -> None:
    tape = Tape.load(GOLDEN)
    turn = next(step for step in steps_of(tape, None, None) if step.signal is not None)
    turn.signal.content.parts[0].text = None  # type: ignore[union-attr, index]
    assert list(shown([turn], Renderer(), tape)) == []


@pytest.mark.parametrize("problem", ["missing", "damaged"])
def test_a_tape_that_cannot_be_read_ends_with_2(
    problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """contract 9.5"""
    path = tmp_path / "call.jsonl"
    if problem == "damaged":
        path.write_text("no tape\n")
    assert run(["replay", str(path), "--fast"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("antiphon: ") and "call.jsonl" in err and err.count("\n") == 1


def test_json_lines_are_the_wire_form() -> None:
    """contract 3.1"""
    event = spoken(b"ab")
    assert list(as_json([Step(0.0, None, events=[event])])) == [
        event.model_dump_json(exclude_none=True, by_alias=True)
    ]


def test_a_talk_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 9.1"""
    from antiphon.cli.chat import Chat, Ending

    taken: list[Any] = []

    async def talk(chat: Chat, user: str, session: str) -> Ending:
        taken.append(chat._tape)
        return Ending.LEFT

    read, write = os.pipe()
    os.close(write)
    monkeypatch.setattr(Chat, "run", talk)
    monkeypatch.setenv("GOOGLE_API_KEY", "any")
    path = str(tmp_path / "call.jsonl")
    with os.fdopen(read) as empty:
        monkeypatch.setattr(sys, "stdin", empty)
        assert run(["talk", "--tape", path]) == 0
    assert taken == [path]
