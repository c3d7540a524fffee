"""What the user wrote, was sent, and has not been answered."""

from __future__ import annotations

from antiphon.core.messages import StreamEnded, Turn
from antiphon.core.questions import Questions
from antiphon.types import Content, Part


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part(text=text)]))


def test_what_was_sent_on_a_lost_link_may_be_forgotten() -> None:
    # contract 7.3
    questions, first, second = Questions(), turn("a"), turn("b")
    questions.sent(first)
    assert questions.resumed()
    questions.sent(second)
    assert questions.forgotten() == [first], "what was sent on this link was heard"
    assert questions.forgotten() == [], "it is asked again once"


def test_an_answer_settles_everything() -> None:
    questions = Questions()
    questions.sent(turn("a"))
    questions.resumed()
    questions.sent(turn("b"))
    questions.answered()
    assert not questions.resumed()


def test_what_never_left_is_sent_in_any_case() -> None:
    # contract 7.3
    questions, heard, unheard = Questions(), turn("a"), turn("a")
    questions.sent(heard)
    questions.sent(unheard)
    questions.returned((StreamEnded(), unheard))
    questions.resumed()
    (left,) = questions.forgotten()
    assert left is heard


def test_what_never_left_may_be_reported_after_the_session_went_on() -> None:
    # contract 7.3
    questions, late = Questions(), turn("a")
    questions.sent(late)
    questions.resumed()
    questions.returned((late,))
    assert questions.forgotten() == []


def test_what_is_told_anew_is_what_is_not_told_by_what_is_stored() -> None:
    # contract 7.6
    questions, before, here = Questions(), turn("a"), turn("b")
    questions.sent(before)
    questions.resumed()
    questions.sent(here)
    questions.sent(Turn(Content(role="user", parts=[Part(text="aloud")]), retold=True))
    assert len(questions) == 3
    assert questions.has(before) and questions.has(here) and not questions.has(turn("a"))
    questions.unsaid()
    assert len(questions) == 2
    assert questions.take_all() == [before, here]
    assert len(questions) == 0
