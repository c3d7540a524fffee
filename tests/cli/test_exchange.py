from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.cli.exchange import SILENCE, SILENCE_AFTER_TOOL, Exchange
from tests.cli.conftest import WEATHER, call, complete, fact, interrupted, result, speech, words

if TYPE_CHECKING:
    from antiphon.events import Event


def exchange(*events: Event) -> Exchange:
    """The user asks, then these happen."""
    made = Exchange()
    made.asked()
    for event in events:
        made.event(event)
    return made


ANSWERED: dict[str, list[Event]] = {
    "text": [words("Hi"), words("Hi", partial=False), complete()],
    "speech": [speech("Hi"), speech("Hi", whole=True), complete()],
    "nothing": [complete()],
    "a tool in the turn": [call(), result(WEATHER), words("Sunny"), complete()],
    "a tool after the turn": [call(), complete(), result(WEATHER), speech("Sunny"), complete()],
    "words, then a tool after the turn": [
        words("Wait"),
        call(),
        complete(),
        result(WEATHER),
        words("So"),
        complete(),
    ],
    "a long-running tool": [call(long=True), words("Later"), complete()],
    "cut off": [words("Hi"), interrupted(), complete(cut=True)],
    "a cancelled call": [call(), complete(), result({"error": {"code": "CANCELLED", "message": "no"}})],
}
OPEN: dict[str, list[Event]] = {
    "not begun": [],
    "half said": [words("Hi"), fact("generation_complete")],
    "a tool runs": [call(), complete()],
    "a tool has more to say": [call(), complete(), result(WEATHER, goes_on=True)],
    "a tool has answered": [call(), complete(), result(WEATHER)],
    "a tool has answered in the turn": [words("Wait"), call(), result(WEATHER), complete()],
    "one of two tools": [call(id="1"), call(id="2"), result(WEATHER, id="1"), words("So"), complete()],
}


@pytest.mark.parametrize("events", ANSWERED.values(), ids=ANSWERED)
def test_answered(events: list[Event]) -> None:
    """contract 3.5, 5.2, 5.6"""
    assert not exchange(*events).busy


@pytest.mark.parametrize("events", OPEN.values(), ids=OPEN)
def test_not_answered_yet(events: list[Event]) -> None:
    """contract 5.3"""
    assert exchange(*events).busy


def test_more_asked_in_mid_answer_wants_the_next_turn() -> None:
    """contract 3.6"""
    talk = exchange(words("One, two"))
    talk.asked()
    talk.event(interrupted())
    talk.event(complete(cut=True))
    assert talk.busy
    talk.event(words("Yes?"))
    talk.event(complete())
    assert not talk.busy


def test_a_model_that_speaks_unasked_is_busy() -> None:
    greeting = Exchange()
    assert not greeting.busy
    greeting.event(speech("Welcome"))
    assert greeting.busy and greeting.speaking


def test_words_are_all_there_while_they_are_still_spoken() -> None:
    """contract 3.11"""
    talk = exchange(speech("Hi"), speech("Hi", whole=True), fact("generation_complete"))
    assert talk.busy and not talk.speaking
    asked_again = exchange(speech("Hi"), fact("generation_complete"))
    asked_again.asked()
    assert asked_again.speaking


def test_the_rest_of_a_turn_given_up_does_not_count() -> None:
    talk = exchange(words("One"), call())
    talk.gave_up()
    talk.event(words("two"))
    assert not talk.busy and not talk.speaking
    talk.asked()
    talk.event(complete(cut=True))
    assert talk.busy, "the turn given up was not the answer"
    talk.event(words("Yes"))
    talk.event(complete())
    assert not talk.busy


def test_patience() -> None:
    """Running tools have timeouts of their own; a model may have nothing to add to what they return."""
    assert exchange().patience == SILENCE
    assert exchange(call()).patience is None
    quiet = exchange(call(), complete(), result(WEATHER))
    assert quiet.patience == SILENCE_AFTER_TOOL and quiet.silent_by_choice
    assert not exchange().silent_by_choice
