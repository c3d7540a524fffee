"""A conversation at a microphone and a loudspeaker; the device is the test's own, all else is real."""

from __future__ import annotations

import re
from array import array
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, InMemoryRunner
from antiphon.cli.handset import GONE, Handset, MicrophoneGone
from antiphon.cli.spoken import config_for, talk_through
from antiphon.errors import ConfigurationError
from antiphon.models.local.voice import LocalVoice
from antiphon.queue import LiveRequestQueue
from antiphon.testing.live_speech import silence
from tests.cli.conftest import Telephone
from tests.models.local.parts import Brain, Prompted, spoken

if TYPE_CHECKING:
    from antiphon.cli.timeline import Line

pytestmark = pytest.mark.virtual_clock

LONG = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


async def talk(
    phone: Telephone, *heard: str, until: float, half_duplex: bool = False
) -> tuple[list[Line], InMemoryRunner]:
    """Talks until the device has been open for so many seconds."""
    model = LocalVoice(brain=Brain(lambda said: LONG), recognizer=Prompted(*heard))
    runner = InMemoryRunner(Agent(name="guide", model=model), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    handset = Handset(phone, half_duplex=half_duplex)
    lines: list[Line] = []
    phone.on_block = lambda phone: handset.hang_up() if phone.seconds >= until else None
    await talk_through(
        runner,
        config_for(runner),
        handset.user,
        "u",
        "s",
        lines.append,
        loudspeaker=handset.loudspeaker,
    )
    return lines, runner


def sounds(pcm: bytearray, begin: float, end: float) -> bool:
    samples = array("h", pcm[int(begin * 24_000) * 2 : int(end * 24_000) * 2])
    return max(map(abs, samples), default=0) > 500


async def test_who_cuts_in_silences_the_loudspeaker_and_the_record_says_what_was_heard() -> None:
    """contract 3.6, 4.5"""
    question = spoken("please count for me")
    second = len(question) / 32_000 + 2.5
    phone = Telephone(question + silence(2.5) + question, latency=0.3)
    lines, runner = await talk(phone, "please count for me", "stop it now", until=second + 0.9)
    told = [str(line)[10:] for line in lines]
    assert "user         “please count for me”" in told
    cut = next(line for line in lines if line.what.endswith("cut off"))
    assert second < cut.at < second + 0.8
    assert sounds(phone.played, cut.at - 0.3, cut.at) and not sounds(
        phone.played, cut.at + 0.05, second + 0.9
    )
    session = await runner.session_service.get_session(app_name="test", user_id="u", session_id="s")
    assert session is not None
    stored = [
        event.output_transcription.text or ""
        for event in session.events
        if event.output_transcription and event.interrupted
    ]
    said = re.search("“(.*)”", cut.what)
    assert stored and said is not None and LONG.startswith(stored[0].strip())
    assert phone.closed == 1


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, int | None]]:
    """Milliseconds and turn of each report of what was played."""
    told: list[tuple[float, int | None]] = []
    send = LiveRequestQueue.send_playback

    def seen(queue: LiveRequestQueue, played_ms: float, *, turn: int | None = None) -> None:
        told.append((played_ms, turn))
        send(queue, played_ms, turn=turn)

    monkeypatch.setattr(LiveRequestQueue, "send_playback", seen)
    return told


async def test_playback_is_reported_less_the_way_to_the_ear(reports: list[tuple[float, int | None]]) -> None:
    """contract 4.5"""
    question = spoken("please count for me")
    phone = Telephone(question, latency=0.3)
    await talk(phone, "please count for me", until=len(question) / 32_000 + 3)
    assert {turn for _, turn in reports} == {0} and len(reports) > 15
    assert [ms for ms, _ in reports] == sorted(ms for ms, _ in reports)
    begun = next(at for at in range(len(phone.played) // 960) if any(phone.played[at * 960 : (at + 1) * 960]))
    heard = phone.seconds - begun * 0.02 - 0.3
    assert reports[-1][0] / 1000 == pytest.approx(heard, abs=0.15)


async def test_each_answer_is_reported_from_its_own_beginning(
    reports: list[tuple[float, int | None]],
) -> None:
    """contract 4.5"""
    question = spoken("please count for me")
    phone = Telephone(question + silence(2.0) + question)
    await talk(phone, "please count for me", "once again", until=2 * len(question) / 32_000 + 4)
    assert [turn for _, turn in reports] == sorted(turn or 0 for _, turn in reports)
    for turn in (0, 1):
        assert min(ms for ms, of in reports if of == turn) < 300


@pytest.mark.parametrize("half_duplex", [True, False])
async def test_half_duplex_is_deaf_while_it_speaks(half_duplex: bool) -> None:
    question = spoken("please count for me")
    phone = Telephone(question + silence(2.0) + question)
    until = 2 * len(question) / 32_000 + 3
    lines, _ = await talk(phone, "please count for me", "stop it now", until=until, half_duplex=half_duplex)
    assert any(line.what.endswith("cut off") for line in lines) is not half_duplex


async def test_a_microphone_that_falls_silent_ends_the_talk() -> None:
    phone = Telephone()
    phone.microphone = False
    with pytest.raises(MicrophoneGone, match=f"for {GONE:g} s. Check that it is connected"):
        await talk(phone, until=60)
    assert phone.closed == 1 and phone.seconds < GONE + 1


async def test_what_stops_the_device_is_raised() -> None:
    with pytest.raises(ConfigurationError, match="no microphone"):
        await talk(Telephone(missing=ConfigurationError("There is no microphone here.")), until=1)
