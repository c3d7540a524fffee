from __future__ import annotations

from antiphon.models.local.matching import COMMON, ENOUGH, concepts, match
from antiphon.models.local.tokens import tokens
from tests.models.local.agents import BILLING, BOOKING, WEATHER, able, cancel_booking


def best(who: list[object], said: str) -> str | None:
    found = match(tokens(said), who)[0]  # type: ignore[arg-type]
    return (found.ability.target or found.ability.name) if found.evidence >= ENOUGH else None


def test_the_name_speaks_for_a_tool() -> None:
    assert best([*WEATHER], "timer") == "set_timer"
    assert best([*WEATHER], "cancel it") == "cancel_timer"
    assert best([*BOOKING], "cancel my booking") == "cancel_booking"
    assert best([*BILLING], "a question about prices") == "sales"


def test_words_that_mean_the_same_and_words_nearly_written_the_same() -> None:
    assert best([*WEATHER], "will it rain") == "get_weather"
    assert best([*WEATHER], "the wether") == "get_weather"
    assert best([*WEATHER], "will it raiin") is None
    assert set(concepts("rain")) & set(concepts("weather"))
    assert "weather" in COMMON and "smith" not in COMMON


def test_a_tool_that_does_something_else_is_not_meant() -> None:
    only = able(cancel_booking)
    assert best([*only], "make a booking") is None and best([*only], "is there a booking") is None
    assert best([*only], "cancel my booking") == "cancel_booking"


def test_words_that_have_nothing_to_do_with_it_speak_against_it() -> None:
    assert best([*WEATHER], "rain") == "get_weather"
    assert best([*WEATHER], "purple rain guitar solo") is None


def test_values_say_nothing_and_names_speak_against_nothing() -> None:
    said = tokens("rain guitar solo")
    assert match(said, WEATHER, spent={0})[0].evidence < ENOUGH
    assert match(said, WEATHER, named={1, 2})[0].evidence >= ENOUGH
    assert match(said, WEATHER)[0].hits == {0}


def test_words_that_say_little_count_where_there_are_no_others() -> None:
    def get_current_time() -> None:
        """Returns the time."""

    who = able(get_current_time, cancel_booking)
    assert best([*who], "what time is it") == "get_current_time"
    assert best([*who], "what time do the shops close") is None


def test_without_tools_nothing_matches() -> None:
    assert match(tokens("weather"), []) == []


def test_examples_of_values_are_none_of_the_tools_own_words() -> None:
    def get_forecast(city: str) -> None:
        """The weather in a city, now.

        Args:
            city: The city, e.g. Paris, or such as Rome.
        """

    said = tokens("what is the weather in paris")
    assert match(said, able(get_forecast))[0].hits == {3}, "paris is a value to be filled in"
