"""What a replayed model is told, held against its tape (contract 9.4)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, Message, Opening
from antiphon.core.signals import LinkLost
from antiphon.models import Setup
from antiphon.models.replay_script import RecordedLink, script_of
from antiphon.models.retelling import Retelling
from antiphon.models.tape import Begun, Fed, Record, Told
from antiphon.types import Content, FunctionDeclaration, GenerateContentConfig, Part, Tool
from tests.models.test_replay import OPEN, result, tape_of, turn

TOOLS = [Tool(function_declarations=[FunctionDeclaration(name="look", description="Looks.")])]
WORDS = Content(role="user", parts=[Part(text="Hello")])


def link(*records: Record) -> RecordedLink:
    return script_of(tape_of(*records)).links[0]


FULL: dict[str, Any] = {
    "instruction": "Be kind.",
    "tools": TOOLS,
    "generation": GenerateContentConfig(temperature=0.5),
    "history": (WORDS,),
    "pending": WORDS,
}


@pytest.mark.parametrize("field", [None, *FULL])
def test_every_part_of_the_set_up_counts(field: str | None) -> None:
    """contract 9.4"""
    recorded = link(*OPEN[:3], Begun(0.0, 1, **FULL))
    told = Setup(RunConfig(), **{name: value for name, value in FULL.items() if name != field})
    wrong = Retelling(recorded, "call.jsonl", strict=True).begin(told)
    assert bool(wrong) is (field is not None)
    assert field is None or f"line 5: the model is set up with the {field}" in wrong
    assert Retelling(recorded, "call.jsonl", strict=False).begin(told) == ""


def test_the_place_of_results_is_told_so_that_the_user_goes_on() -> None:
    retelling = Retelling(link(*OPEN, Told(0.0, 1, turn()), Told(0.0, 1, result())), "call", strict=True)
    assert retelling.hear(turn()) == ("", None)
    assert retelling.hear(result()) == ("", 6)
    assert (retelling.amount.control, retelling.amount.results) == (1, 1)


def test_activity_is_told_from_turns_without_strictness_too() -> None:
    retelling = Retelling(link(*OPEN, Told(0.0, 1, ActivityStarted())), "call", strict=False)
    assert retelling.hear(ActivityEnded()) == ("", None)
    assert retelling.amount.control == 0
    assert retelling.hear(ActivityStarted()) == ("", None)
    assert retelling.amount.control == 1


def test_the_last_that_left_is_what_may_not_have_been_read() -> None:
    """contract 7.6, 9.4"""
    lost = LinkLost(1, None, (turn(),), (Opening(), result(), turn()))
    told = [Told(0.0, 1, each) for each in (turn(), turn(), result(), turn())]
    retelling = Retelling(link(*OPEN, *told, Fed(1.0, lost)), "call", strict=True)
    said: list[Message] = [turn(), turn(), result(), turn()]
    for each in said:
        assert retelling.hear(each)[0] == ""
    assert [id(each) for each in retelling.unsent()] == [id(said[3])]
    opening, *rest = retelling.doubtful()
    assert opening == Opening()
    assert [id(each) for each in rest] == [id(said[1]), id(said[2])]


def test_where_nothing_was_lost_nothing_is_unsent() -> None:
    retelling = Retelling(link(*OPEN, Told(0.0, 1, turn())), "call", strict=True)
    retelling.hear(turn())
    assert retelling.unsent() == retelling.doubtful() == ()
