"""What the emulated model answers by default, and what it is asked."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.testing.live_profiles import profile_named
from antiphon.testing.live_reply import Item, Pause, Prompt, Say, ToolCall, ToolResponse, asked, echo
from antiphon.testing.live_setup import Setup
from antiphon.testing.live_wire import Route, encoded

CITY = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}


def setup(name: str, parameters: Any) -> Setup:
    tools = [{"functionDeclarations": [{"name": name, "parameters": parameters}]}]
    return Setup({"model": "m", "tools": tools}, profile_named("any"), Route("developer"))


def answer(prompt: Prompt) -> list[Item]:
    return list(echo(prompt))


def test_it_says_what_it_was_told() -> None:
    assert answer(Prompt("Hello")) == [Say("You said: Hello")]
    assert answer(Prompt("Look", images=(b"1", b"2"))) == [Say("You said: Look I see 2 images.")]


def test_of_speech_it_knows_the_length() -> None:
    assert answer(Prompt(None, pcm=b"..", seconds=1.24)) == [Say("I heard 1.2 seconds of speech.")]


def test_it_counts_slowly() -> None:
    assert answer(Prompt("Please count to 2.")) == [Say("1 "), Pause(0.5), Say("2 "), Pause(0.5)]


def test_it_remembers() -> None:
    history = tuple(
        {"role": role, "parts": [{"text": text}]} for role, text in [("user", "a"), ("model", "b")]
    )
    assert answer(Prompt("What did I say?", history=history)) == [Say("You said: a.")]
    assert answer(Prompt("What did I say?")) == [Say("You said nothing yet.")]


@pytest.mark.parametrize(
    ("text", "city"),
    [
        ("weather in Paris", "Paris"),
        ("What's the weather in New York?", "New York"),
        ("Weather Rome", "Rome"),
    ],
)
def test_it_calls_the_function_that_is_named(text: str, city: str) -> None:
    assert answer(Prompt(text, setup=setup("get_weather", CITY))) == [
        [ToolCall("get_weather", {"city": city})]
    ]


def test_it_calls_nothing_that_is_not_named() -> None:
    assert answer(Prompt("Good morning", setup=setup("get_weather", CITY))) == [Say("You said: Good morning")]


def test_arguments_are_of_their_types() -> None:
    kinds: dict[str, Any] = {
        "seats": {"type": "INTEGER"},
        "price": {"type": "NUMBER"},
        "now": {"type": "BOOLEAN"},
        "cabin": {"type": "STRING", "enum": ["economy", "business"]},
        "names": {"type": "ARRAY", "items": {"type": "STRING"}},
        "extra": {"type": "OBJECT"},
    }
    told = Prompt("book flight 3 business for Ann", setup=setup("bookFlight", {"properties": kinds}))
    assert answer(told) == [
        [
            ToolCall(
                "bookFlight",
                {"seats": 3, "price": 3.0, "now": True, "cabin": "business", "names": ["Ann"], "extra": {}},
            )
        ]
    ]
    optional = Prompt("book flight", setup=setup("book_flight", {"properties": kinds, "required": []}))
    assert answer(optional) == [[ToolCall("book_flight", {})]]


def test_it_tells_what_the_tool_said() -> None:
    def told(**response: Any) -> list[Item]:
        return answer(Prompt(None, responses=(ToolResponse("1", "get_weather", {}, response),)))

    assert told(result="sunny") == [Say("get weather: sunny.")]
    assert told(output={"max_temp": 20, "sky": ["blue", "wide"]}) == [
        Say("get weather: max temp 20, sky blue, wide.")
    ]
    assert told(error="broken") == [Say("get weather: broken.")]
    assert told(sky="blue") == [Say("get weather: sky blue.")]


def test_client_content_asks_all_that_the_user_said_last() -> None:
    image = {"inlineData": {"mimeType": "image/png", "data": encoded(b"png")}}
    voice = {"inlineData": {"mimeType": "audio/pcm;rate=16000", "data": encoded(b"pcm!")}}
    history: list[dict[str, Any]] = [
        {"role": "user", "parts": [{"text": "first"}]},
        {"role": "model", "parts": [{"text": "yes?"}]},
        {"role": "user", "parts": [{"text": "see "}, image]},
        {"parts": [{"text": "this"}, voice]},
    ]
    prompt = asked(history)
    assert (prompt.text, prompt.images, prompt.pcm) == ("see this", (b"png",), b"pcm!")
    assert prompt.history == tuple(history[:2])


def test_results_of_tools_are_no_words_of_the_user() -> None:
    result = {"role": "user", "parts": [{"functionResponse": {"id": "1", "response": {}}}]}
    prompt = asked([{"role": "model", "parts": []}, result, {"role": "user", "parts": [{"text": "and?"}]}])
    assert prompt.text == "and?"
    assert prompt.history[-1] == result
