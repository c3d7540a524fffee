"""How long the user waits: parts that add up (contract 1.7)."""

from __future__ import annotations

import pytest

from antiphon.core import drafts
from antiphon.runtime.latency import Latency, Measured

HELLO = drafts.text("a", "Hello", thought=False, partial=True)


class Answers:
    """What was measured of a conversation."""

    def __init__(self) -> None:
        self.all: list[Measured] = []
        self.latency = Latency(self.all.append)

    def answer(self, began: float, sent: float) -> None:
        self.latency.received(began)
        self.latency.said(began)
        self.latency.shows(HELLO)
        self.latency.took(HELLO, sent)

    @property
    def one(self) -> Measured:
        self.latency.close()
        [measured] = self.all
        return measured


@pytest.fixture
def answers() -> Answers:
    return Answers()


def test_all_moments_known(answers: Answers) -> None:
    answers.latency.prompted("speech", 1.5, 1.0)
    answers.answer(2.0, 2.25)
    answers.latency.played(500, None, 3.0)
    parts = {"endpointing": 0.5, "model": 0.5, "delivery": 0.25, "playback": 0.25}
    assert answers.all == [Measured("speech", parts, 1.5)]
    assert answers.latency.parts == parts
    answers.latency.completed(cut=False)
    assert answers.latency.parts == {}


def test_parts_always_add_up(answers: Answers) -> None:
    answers.latency.prompted("text", 1.0)
    answers.answer(2.0, 2.5)
    assert answers.one == Measured("text", {"model": 1.0, "delivery": 0.5}, 1.5)


def test_what_was_never_taken_is_in_no_part(answers: Answers) -> None:
    """The application does not read: the event was shed, or waits still."""
    answers.latency.prompted("text", 1.0)
    answers.latency.said(2.0)
    answers.latency.shows(HELLO)
    answers.latency.played(100, None, 3.0)
    assert answers.one.parts == {"model": 1.0}


def test_an_equal_event_of_another_answer_is_not_this_one(answers: Answers) -> None:
    answers.latency.prompted("text", 1.0)
    answers.latency.said(2.0)
    answers.latency.shows(HELLO)
    answers.latency.took(HELLO.model_copy(), 3.0)
    assert answers.one.parts == {"model": 1.0}


def test_what_was_kept_back_began_when_it_came(answers: Answers) -> None:
    """A callback looks at words before they are told."""
    answers.latency.prompted("text", 1.0)
    answers.latency.received(2.0)
    answers.latency.received(2.5)
    answers.latency.said(3.0)
    answers.latency.shows(HELLO)
    answers.latency.took(HELLO, 3.5)
    assert answers.one.parts == {"model": 1.0, "delivery": 1.5}


def test_nobody_asked(answers: Answers) -> None:
    answers.answer(2.0, 2.0)
    answers.latency.close()
    assert answers.all == []
    assert answers.latency.parts == {}


def test_when_more_of_it_changes_nothing(answers: Answers) -> None:
    latency = answers.latency
    assert not latency.settled
    latency.prompted("text", 1.0)
    latency.said(2.0)
    assert not latency.settled, "nothing is to be heard yet"
    latency.shows(HELLO)
    assert latency.settled
    latency.completed(cut=False)
    assert not latency.settled
    latency.said(3.0)
    assert latency.settled


def test_the_user_speaks_on(answers: Answers) -> None:
    answers.latency.prompted("speech", 1.0, 0.5)
    assert answers.latency.asked == 0.5
    answers.latency.withdrawn()
    assert answers.latency.asked is None
    answers.answer(2.0, 2.0)
    answers.latency.close()
    assert answers.all == []


def test_a_word_thrown_in_asks_for_nothing(answers: Answers) -> None:
    """The agent goes on, and what it says next was not asked for by that."""
    answers.answer(0.0, 0.0)
    answers.latency.prompted("speech", 1.0, 0.5)
    assert not answers.latency.waiting
    answers.latency.said(2.0)
    answers.latency.completed(cut=False)
    answers.answer(9.0, 9.0)
    answers.latency.close()
    assert answers.all == []


def test_what_cuts_in_asks_for_an_answer(answers: Answers) -> None:
    answers.answer(0.0, 0.0)
    answers.latency.prompted("speech", 1.0, 0.5)
    answers.latency.completed(cut=True)
    answers.answer(2.0, 2.0)
    assert answers.one.total == 1.5


def test_what_was_written_meanwhile_is_answered_next(answers: Answers) -> None:
    answers.answer(0.0, 0.0)
    answers.latency.prompted("text", 1.0)
    answers.latency.completed(cut=False)
    answers.answer(4.0, 4.0)
    assert answers.one.total == 3.0


def test_an_answer_may_begin_with_tools(answers: Answers) -> None:
    answers.latency.prompted("text", 1.0)
    answers.latency.said(2.0)
    answers.latency.completed(cut=False, unfinished=True)
    answers.answer(5.0, 5.0)
    assert answers.one.parts == {"model": 1.0, "delivery": 3.0}


def test_a_turn_of_nothing_to_see_is_no_answer(answers: Answers) -> None:
    answers.latency.prompted("text", 1.0)
    answers.latency.said(2.0)
    answers.latency.completed(cut=False)
    answers.answer(5.0, 5.0)
    answers.latency.close()
    assert answers.all == []


@pytest.mark.parametrize(
    ("milliseconds", "turn", "parts"),
    [
        (0, None, {"model": 1.0, "delivery": 0.0}),
        (100, 0, {"model": 1.0, "delivery": 0.0}),
        (100, 1, {"model": 1.0, "delivery": 0.0, "playback": 0.5}),
        (9000, 1, {"model": 1.0, "delivery": 0.0, "playback": 0.0}),
    ],
    ids=["nothing yet", "of another answer", "of this one", "more than can be"],
)
def test_reports_of_playback(
    answers: Answers, milliseconds: float, turn: int | None, parts: dict[str, float]
) -> None:
    answers.answer(0.0, 0.0)
    answers.latency.completed(cut=False)
    answers.latency.prompted("text", 1.0)
    answers.answer(2.0, 2.0)
    answers.latency.played(milliseconds, turn, 2.6)
    assert answers.one.parts == pytest.approx(parts)


def test_each_answer_is_reported_once(answers: Answers) -> None:
    for at in (1.0, 5.0):
        answers.latency.prompted("text", at)
        answers.answer(at + 1, at + 1)
        answers.latency.completed(cut=False)
    answers.latency.close()
    answers.latency.close()
    assert [measured.total for measured in answers.all] == [1.0, 1.0]
