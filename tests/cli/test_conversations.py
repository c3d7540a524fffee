"""Conversations that commands hold, with a terminal and a device of the test's own."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, InMemoryRunner
from antiphon.cli import conversations
from antiphon.cli.conversations import Place, by_file, by_voice, chat, prepared, session
from antiphon.cli.exits import Exit
from antiphon.cli.handset import Handset
from antiphon.errors import ConfigurationError
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence
from tests.cli.conftest import Paper, Telephone, wav_file
from tests.models.local.parts import Brain, Prompted, said_in, spoken

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.virtual_clock


def runner(*heard: str) -> InMemoryRunner:
    model = LocalVoice(brain=Brain(said_in), recognizer=Prompted(*heard))
    return InMemoryRunner(Agent(name="guide", model=model), app_name="test")


async def test_a_session_is_found_or_begun() -> None:
    """contract 1.1"""
    one = runner()
    begun = await session(one, Place("ann", "s1"))
    assert begun == "s1" == await session(one, Place("ann", "s1"))
    assert await session(one, Place("ann")) != "s1"


async def test_by_text(monkeypatch: pytest.MonkeyPatch) -> None:
    paper = Paper(["hello there"], interactive=True)
    monkeypatch.setattr(conversations, "terminal", lambda: paper)
    agent = Agent(name="guide", model=Brain(said_in))
    assert await chat(InMemoryRunner(agent), Place(), intro="Welcome.") is Exit.OK
    assert paper.text.startswith("Welcome.\nguide on brain. Type to talk")


async def test_by_file(tmp_path: Path) -> None:
    paper, out = Paper(), tmp_path / "out.wav"
    wav = wav_file(tmp_path / "in.wav", silence(0.3) + spoken("please say it") + silence(0.5))
    assert await by_file(runner("please say it"), Place(), str(wav), str(out), paper) is Exit.OK
    assert "“please say it”\n" in paper.text and "1 answer, " in paper.text
    assert f"Both voices are in {out}: the user left, the agent right.\n" in paper.text and out.exists()


async def test_where_both_voices_cannot_be_kept_nothing_is_said(tmp_path: Path) -> None:
    wav = wav_file(tmp_path / "in.wav", spoken("please say it"))
    for out in (tmp_path / "none" / "out.wav", tmp_path):
        paper = Paper()
        with pytest.raises(ConfigurationError, match="cannot be written: name a file"):
            await by_file(runner("please say it"), Place(), str(wav), str(out), paper)
        assert not paper.text


@pytest.mark.parametrize("half_duplex", [False, True])
async def test_by_voice_until_ctrl_c(monkeypatch: pytest.MonkeyPatch, half_duplex: bool) -> None:
    presses: list[Handset] = []
    hang_up = Handset.hang_up

    def seen(handset: Handset) -> None:
        presses.append(handset)
        hang_up(handset)

    monkeypatch.setattr(Handset, "hang_up", seen)
    paper, phone = Paper(), Telephone(spoken("please say it"))
    phone.on_block = lambda phone: ctrl_c() if phone.seconds > 4 and not presses else None
    code = await by_voice(runner("please say it"), Place(), phone, paper, half_duplex=half_duplex)
    assert code is Exit.OK and presses
    assert "Ears and voice are loaded" in paper.text
    assert "Microphone: headset. Loudspeaker: headphones." in paper.text
    assert ("Half duplex:" in paper.text) is half_duplex
    assert ("Wear headphones" in paper.text) is not half_duplex
    assert "is heard" in paper.text and any(phone.played) and phone.closed == 1


def ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


async def test_without_devices_nothing_is_loaded_first() -> None:
    missing = ConfigurationError("There is no microphone here.")
    paper = Paper()
    with pytest.raises(ConfigurationError, match="no microphone"):
        await by_voice(runner(), Place(), Telephone(missing=missing), paper)
    assert paper.text == ""


async def test_other_models_have_nothing_to_load() -> None:
    paper = Paper()
    await prepared(InMemoryRunner(Agent(name="guide", model=Brain(said_in))), paper)
    assert paper.text == ""
