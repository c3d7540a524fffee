"""The demo, step by step: what is shown where, with a device of the test's own."""

from __future__ import annotations

import os
import signal
import wave
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.cli import brains, conversations, demo
from antiphon.cli.demo import OUT, Wishes, show
from antiphon.cli.exits import Exit
from antiphon.errors import ConfigurationError, MissingExtra, UsageError
from antiphon.models.local.brain import choose_brain
from tests.cli.conftest import Paper, Telephone

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.virtual_clock

NO_DEVICE = ConfigurationError("There is no microphone here.")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(brains, "choose_brain", partial(choose_brain, local=()))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    paper = Paper()
    monkeypatch.setattr(demo, "PlainTerminal", lambda *_: paper)
    monkeypatch.setattr(conversations, "terminal", lambda: paper)
    return paper


async def test_where_nobody_types_a_visitor_talks_and_both_voices_are_kept(paper: Paper) -> None:
    phone = Telephone()
    assert await show(Wishes(), phone, typed=False, mute=True) is Exit.OK
    text = paper.text
    assert "is the weather like in Paris?”" in text
    assert 'antiphon     calls get_weather(city="Paris")' in text and "— cut off" in text
    assert f"Both voices are in {OUT}: the user left, the agent right." in text
    assert any(phone.played) and phone.closed
    with wave.open(OUT) as file:
        assert file.getnchannels() == 2 and 10 < file.getnframes() / file.getframerate() < 30


async def test_without_a_loudspeaker_it_is_seen_and_where_it_cannot_be_kept_it_is_said(
    paper: Paper, tmp_path: Path
) -> None:
    (tmp_path / OUT).mkdir()
    assert await show(Wishes(listen=True), Telephone(missing=NO_DEVICE), typed=True, mute=False) is Exit.OK
    assert "There is no loudspeaker here" in paper.text and "Name another file with --out." in paper.text
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await show(
            Wishes(listen=True, out=str(tmp_path)), Telephone(missing=NO_DEVICE), typed=True, mute=False
        )


async def test_at_a_terminal_without_a_microphone_the_user_then_types(paper: Paper) -> None:
    paper.typed = ["What is the weather in Lima?"]
    assert await show(Wishes(), Telephone(missing=NO_DEVICE), typed=True, mute=False) is Exit.OK
    before, _, after = paper.text.partition("Now you.")
    assert "cut off" in before
    assert "By text: There is no microphone here." in after and "KeywordBrain answers" in after
    assert '⚙ get_weather(city="Lima")' in after and "19" in after


@pytest.mark.parametrize(("answer", "by_voice"), [("", True), ("t", False)])
async def test_at_a_terminal_with_a_microphone_the_user_chooses(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, answer: str, by_voice: bool
) -> None:
    chosen: list[str] = []

    async def instead(name: str, *_: Any, **__: Any) -> Exit:
        chosen.append(name)
        return Exit.OK

    monkeypatch.setattr(demo, "_visit", partial(instead, "visit"))
    monkeypatch.setattr(conversations, "by_voice", partial(instead, "voice"))
    monkeypatch.setattr(conversations, "chat", partial(instead, "chat"))
    paper.typed = [answer]
    await show(Wishes(), Telephone(), typed=True, mute=False)
    assert chosen == ["visit", "voice" if by_voice else "chat"]
    assert "There is a microphone (headset)." in paper.text


async def test_by_voice_at_once(paper: Paper) -> None:
    phone = Telephone()

    def over(phone: Telephone) -> None:
        if phone.seconds > 1:
            phone.on_block = lambda phone: None
            os.kill(os.getpid(), signal.SIGINT)

    phone.on_block = over
    assert await show(Wishes(voice=True, out="both.wav"), phone, typed=True, mute=False) is Exit.OK
    assert "Microphone: headset. Loudspeaker: headphones." in paper.text
    assert "Nothing was answered." in paper.text and "Both voices are in both.wav" in paper.text


async def test_without_the_voice_it_goes_on_by_text(paper: Paper, monkeypatch: pytest.MonkeyPatch) -> None:
    async def missing(*_: Any) -> None:
        raise MissingExtra("The voice needs soxr: pip install 'antiphon[voice]'.")

    monkeypatch.setattr(conversations, "prepared", missing)
    paper.typed = ["count to 3"]
    assert await show(Wishes(), Telephone(missing=NO_DEVICE), typed=True, mute=False) is Exit.OK
    assert "pip install 'antiphon[voice]'. Until then by text." in paper.text and "Three." in paper.text
    with pytest.raises(MissingExtra):
        await show(Wishes(listen=True), Telephone(), typed=True, mute=False)


async def test_what_is_piped_in_is_answered(paper: Paper) -> None:
    paper.typed = ["What time is it in Tokyo?"]
    assert await show(Wishes(), Telephone(), typed=False, mute=False) is Exit.OK
    assert "cut off" not in paper.text and '⚙ get_time(city="Tokyo")' in paper.text


def test_one_thing_at_a_time() -> None:
    with pytest.raises(UsageError, match="Choose one of --listen, --voice, --text and --wav"):
        Wishes(listen=True, voice=True)
