"""What a killed process has left of its recordings."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, ConfigurationError, InMemorySessionService, Runner
from antiphon.core.recording import Voice
from antiphon.runtime.spool import Owner, Spool
from antiphon.runtime.wav import header
from tests.runtime.killed import MODEL, USER
from tests.runtime.recording import HERE, Studio, read_wav

if TYPE_CHECKING:
    from pathlib import Path

OWNER = Owner("app", "ann", "s1", "e-1")


@pytest.fixture
async def studio(tmp_path: Path) -> Studio:
    made = Studio(tmp_path)
    await made.sessions.create_session(**HERE)
    return made


def killed(folder: Path) -> None:
    """Runs a conversation in a process of its own, and kills it in the middle."""
    command = [sys.executable, "-m", "tests.runtime.killed", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "recorded\n"
        finally:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL


def left(spool: Path, *stems: str, owner: Owner = OWNER) -> Spool:
    """A folder that a conversation has left behind, with a recording of each name."""
    made = Spool(spool, owner)
    for stem in stems:
        made.append(stem, Voice("user", "user"), b"\1\0", 16_000)
    made.close()
    return made


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
async def test_a_killed_process_loses_a_second_at_most(tmp_path: Path, studio: Studio) -> None:
    # contract 4.3
    killed(tmp_path)
    for path in studio.spool.glob("*/*_*.wav"):
        assert read_wav(path.read_bytes())[2] in (USER, MODEL), "it can be played as it was left"
    events = await studio.runner.recover_recordings(studio.spool)
    files = {(await studio.file(event))[0]: event for event in events}
    assert list(files) == ["00002_user.wav", "00003_model.wav", "conversation.wav"]
    stored = await studio.stored()
    assert [event.id for event in stored] == [event.id for event in events]
    assert len({event.id for event in events}) == 3
    assert [event.author for event in events] == ["user", "helper", "helper"]
    mono = await studio.heard(events[:2])
    assert [(rate, pcm) for _, _, rate, pcm in mono] == [(24_000, USER), (24_000, MODEL)]
    channels, rate, both = read_wav((await studio.file(files["conversation.wav"]))[1])
    assert (channels, rate) == (2, 24_000)
    assert b"\7" * 100 in both[2::4], "the turn before is on the timeline, too"
    assert studio.left_in_spool() == []
    assert await studio.runner.recover_recordings(studio.spool) == []


async def test_conversations_that_live_are_left_alone(studio: Studio) -> None:
    # contract 4.3
    living = Spool(studio.spool, OWNER)
    living.append("00001_user", Voice("user", "user"), b"\1\0", 16_000)
    assert await studio.runner.recover_recordings(studio.spool) == []
    living.close()
    assert len(await studio.runner.recover_recordings(studio.spool)) == 1


async def test_recordings_of_another_application_are_left_alone(studio: Studio) -> None:
    # contract 8.7
    left(studio.spool, "00001_user", owner=Owner("other", "ann", "s1", "e-1"))
    before = studio.left_in_spool()
    assert await studio.runner.recover_recordings(studio.spool) == []
    assert studio.left_in_spool() == before


async def test_what_was_saved_when_the_process_was_killed_is_not_saved_twice(studio: Studio) -> None:
    # contract 4.3: nor told twice
    spool = left(studio.spool, "00001_user")
    kept = {path: path.read_bytes() for path in spool.folder.iterdir()}
    first = await studio.runner.recover_recordings(studio.spool)
    spool.folder.mkdir()
    for path, data in kept.items():
        path.write_bytes(data)
    again = await studio.runner.recover_recordings(studio.spool)
    assert [event.actions.artifact_delta for event in first] == [
        event.actions.artifact_delta for event in again
    ]
    assert list(again[0].actions.artifact_delta.values()) == [0]
    assert len(await studio.stored()) == 1
    assert studio.left_in_spool() == []


async def test_a_session_that_is_gone_needs_no_event(studio: Studio) -> None:
    left(studio.spool, "00001_user", owner=Owner("app", "ann", "gone", "e-1"))
    [event] = await studio.runner.recover_recordings(studio.spool)
    [name] = event.actions.artifact_delta
    where: Any = {**HERE, "session_id": "gone"}
    assert await studio.artifacts.load_artifact(**where, filename=name) is not None
    assert await studio.stored() == []


async def test_what_holds_no_audio_is_cleared_away(studio: Studio) -> None:
    # killed between two steps of beginning a recording
    spool = left(studio.spool, "00001_user")
    beside = json.dumps(asdict(Voice("user", "user")))
    spool.path("00002_user.json").write_text(beside)
    spool.path("00003_model.json").write_text(beside)
    spool.path("00003_model.wav").write_bytes(header(0, 24_000))
    assert len(await studio.runner.recover_recordings(studio.spool)) == 1
    assert studio.left_in_spool() == []


async def test_one_that_cannot_be_saved_stays_and_the_others_do_not(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left(studio.spool, "00001_user", "00002_model")
    save = studio.artifacts.save_file

    async def picky(**names: Any) -> int:
        if names["filename"].endswith("00001_user.wav"):
            raise OSError("No space left on device")
        return await save(**names)

    with monkeypatch.context() as full:
        full.setattr(studio.artifacts, "save_file", picky)
        assert len(await studio.runner.recover_recordings(studio.spool)) == 1
    assert "00001_user.wav failed; it stays where it is" in caplog.text
    assert len(await studio.runner.recover_recordings(studio.spool)) == 1


async def test_without_an_artifact_service_nothing_can_be_recovered(tmp_path: Path) -> None:
    runner = Runner(
        app_name="app",
        agent=Agent(name="helper", model=Studio(tmp_path).model),
        session_service=InMemorySessionService(),
    )
    with pytest.raises(ConfigurationError, match="give the Runner an artifact_service"):
        await runner.recover_recordings(tmp_path)
