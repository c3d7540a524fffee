"""The visitor of the demo, with a brain that is easily understood."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, InMemoryRunner
from antiphon.cli.demonstration import Question, Visitor, mixed
from antiphon.cli.loudspeaker import Loudspeaker
from antiphon.cli.spoken import config_for, talk_through
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.voice import LocalVoice
from tests.models.local.parts import Brain, Prompted

if TYPE_CHECKING:
    from antiphon.cli.timeline import Line
    from antiphon.cli.voices import Voices

pytestmark = pytest.mark.virtual_clock

COUNT = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"


async def visit(visitor: Visitor, *heard: str) -> tuple[list[Line], Voices]:
    model = LocalVoice(brain=Brain(lambda said: COUNT), recognizer=Prompted(*heard))
    runner = InMemoryRunner(Agent(name="guide", model=model), app_name="test")
    await runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    lines: list[Line] = []
    voices, _ = await talk_through(runner, config_for(runner), visitor.user, "u", "s", lines.append)
    return lines, voices


async def test_the_visitor_waits_for_answers_and_cuts_in_where_it_wants_to() -> None:
    questions = Question("Please count to sixteen.", hears=1.5), Question("Please count once more.")
    visitor = Visitor(Espeak(), questions)
    lines, voices = await visit(visitor, "count", "again")
    first, second = (line for line in lines if "“one" in line.what)
    assert first.what.endswith("cut off") and second.what == f"“{COUNT}”"
    heard = next(line.at for line in lines if line.what.startswith("is heard"))
    assert 1.4 < first.at - heard < 2.5
    assert second.at < len(voices.user) / 32_000 < second.at + 1  # and leaves when it has its answer
    aloud = visitor.aloud.take(int(voices.seconds * 48_000) * 2)
    assert max(array("h", aloud)) > 1_000


async def test_what_is_not_answered_is_given_up() -> None:
    lines, voices = await visit(Visitor(Espeak(), [Question("Please count.")]))
    assert not [line for line in lines if line.who == "guide"]
    assert len(voices.user) / 32_000 < 8


async def test_who_leaves_says_no_more() -> None:
    visitor = Visitor(Espeak(), [Question("Please count.")])
    visitor.leave()
    _, voices = await visit(visitor)
    assert not voices.user


def test_voices_are_mixed_and_loud_ones_do_not_wrap_around() -> None:
    one, other = Loudspeaker(), Loudspeaker()
    one.speaks(0, array("h", [30_000, -30_000, 5]).tobytes())
    other.speaks(0, array("h", [30_000, -30_000]).tobytes())
    assert array("h", mixed(one, other)(8)).tolist() == [32_767, -32_768, 5, 0]
