from __future__ import annotations

from typing import Any

import pytest

from antiphon.models.chat_history import PENDING
from antiphon.models.local.phrasing import answered, can_do, joined, sentence, task_of
from antiphon.tools.result import error_response, tool_failed
from tests.models.local.agents import BILLING, WEATHER, able


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"result": None}, "Done."),
        ({}, "Done."),
        ({"status": "ok"}, "Done."),
        ({"result": "it is raining"}, "It is raining."),
        ({"result": True}, "Yes."),
        ({"result": 2.50001}, "2.50001."),
        ({"sky": "clear", "celsius": 21}, "Sky clear, 21 degrees Celsius."),
        ({"city": "Oslo", "celsius": 1}, "Oslo: 1 degrees Celsius."),
        ({"minutes": 1}, "1 minute."),
        ({"status": "success", "time_left": 5}, "Time left 5."),
        ({"confirmed": True, "paid": False}, "Confirmed, not paid."),
        ({"message": "Your table is booked.", "id": 7}, "Your table is booked."),
        ({"date": "2026-11-27"}, "Date 27 November 2026."),
        ({"when": "2026-11-27T20:30:00"}, "When 27 November 2026 at 20:30."),
        ({"date": "2026-99-99"}, "Date 2026-99-99."),
        ({"result": ["a", "b", "c"]}, "A, b and c."),
        ({"result": []}, "There is nothing."),
        ({"slots": []}, "No slots."),
        ({"slots": [{"at": "8:00"}, {"at": "9:00"}]}, "Slots: at 8:00; at 9:00."),
        ({"result": list(range(12))}, "0, 1, 2, 3, 4, 5, 6, 7 and 4 more."),
        ({"a": {"b": {"c": {"d": 1}}}}, "A: b: c: 1 fields."),
        ({"a": [[[[1]]]]}, "A: 1 items."),
        (
            {f"k{n}": n for n in range(10)},
            "K 0 0, k 1 1, k 2 2, k 3 3, k 4 4, k 5 5, k 6 6, k 7 7, and 2 more.",
        ),
        (dict(PENDING), "I have started that; I will tell you when there is a result."),
        (error_response("TIMEOUT", "It took too long."), "I could not look up: it took too long."),
        (tool_failed(ValueError("no such city")), "I could not look up: no such city."),
        ({"error": "no"}, "I could not look up: no."),
    ],
)
def test_answers_are_sentences(response: dict[str, Any], said: str) -> None:
    assert answered("look_up", {"city": "Oslo"}, response) == said


def test_one_of_several_answers_says_which() -> None:
    assert answered("look_up", {}, {"result": 3}, "Rome") == "Rome: 3."
    assert answered("look_up", {}, {"result": "Rome is fine"}, "Rome") == "Rome is fine."


def test_sentences_and_lists() -> None:
    assert sentence(" well? ") == "Well?" and sentence("") == ""
    assert joined([]) == "" and joined(["a"]) == "a" and joined(["a", "b"], "or") == "a or b"


def test_what_it_can_do() -> None:
    assert can_do(WEATHER) == (
        "I can tell you current weather in a city, set a timer, cancel the running timer and remind you of "
        "something at a time."
    )
    assert can_do(BILLING).endswith("tell you where an order is and put you through to support or sales.")
    assert can_do([]) == "I can only say hello, repeat what I said, and count."


def test_tasks_are_said_as_descriptions_or_names_say_them() -> None:
    def do_it_now() -> None: ...

    def carries() -> None:
        """Carries the user's bags."""

    def http() -> None:
        """HTTP status of a page."""

    def now() -> None:
        """Returns the time."""

    assert task_of(able(now)[0]) == "tell you the time"
    assert [task_of(each) for each in able(do_it_now, carries, http)] == [
        "do it now", "tell you carries your bags", "tell you HTTP status of a page",
    ]  # fmt: skip


def test_many_things_are_not_all_listed() -> None:
    assert can_do(WEATHER * 3).endswith("and 4 more things.")
