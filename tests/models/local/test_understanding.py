"""Sentences to calls, for four agents; what is not understood; questions and their answers."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.models.local.abilities import abilities
from antiphon.models.local.understanding import understand
from antiphon.tools import FunctionTool
from antiphon.tools.builtin import stop_streaming
from antiphon.types import Content, FunctionCall, FunctionResponse, Part, Tool
from tests.models.local.agents import (
    BILLING,
    BOOKING,
    HOME,
    NOW,
    WEATHER,
    able,
    ask,
    calls,
    get_balance,
    model,
    user,
)

Args = dict[str, Any]


def weather(city: str, **more: Any) -> tuple[str, Args]:
    return ("get_weather", {"city": city, **more})


def timer(minutes: float, **more: Any) -> tuple[str, Args]:
    return ("set_timer", {"minutes": minutes, **more})


def remind(text: str, when: str) -> tuple[str, Args]:
    return ("remind_me", {"text": text, "when": when})


def table(guests: int, date: str, time: str, **more: Any) -> tuple[str, Args]:
    return ("book_table", {"guests": guests, "date": date, "time": time, **more})


def pay(number: str, **more: Any) -> tuple[str, Args]:
    return ("pay_invoice", {"invoice_number": number, **more})


def to(agent: str) -> tuple[str, Args]:
    return ("transfer_to_agent", {"agent_name": agent})


TOMORROW, FRIDAY = "2026-11-22", "2026-11-27"
SENTENCES: list[tuple[list[Any], str, list[tuple[str, Args]]]] = [
    (WEATHER, "what's the weather in paris", [weather("paris")]),
    (WEATHER, "What is the weather in Paris?", [weather("Paris")]),
    (WEATHER, "whats the wether in london", [weather("london")]),
    (WEATHER, "whats the weathr like in berlin today", [weather("berlin", date="2026-11-21")]),
    (WEATHER, "weather paris", [weather("paris")]),
    (WEATHER, "paris weather please", [weather("paris")]),
    (WEATHER, "temperature in rome please", [weather("rome")]),
    (
        WEATHER,
        "How is the weather in New York tomorrow in fahrenheit?",
        [weather("New York", unit="fahrenheit", date=TOMORROW)],
    ),
    (WEATHER, "the weather for rio de janeiro in celcius", [weather("rio de janeiro", unit="celsius")]),
    (WEATHER, "is it going to rain in buenos aires tomorrow", [weather("buenos aires", date=TOMORROW)]),
    (WEATHER, "do i need an umbrella in berlin on friday", [weather("berlin", date=FRIDAY)]),
    (WEATHER, "will it snow in oslo next monday", [weather("oslo", date="2026-11-23")]),
    (WEATHER, "hey there could you please tell me the weather in madrid", [weather("madrid")]),
    (WEATHER, "um what's uh the weather in lisbon", [weather("lisbon")]),
    (WEATHER, "the weather in Paris and in London", [weather("Paris"), weather("London")]),
    (
        WEATHER,
        "the weather in Paris, London and Rome",
        [weather("Paris"), weather("London"), weather("Rome")],
    ),
    (WEATHER, "what's the weather in oslo and set a timer for two minutes", [weather("oslo"), timer(2)]),
    (WEATHER, "Set a timer for three minutes. Then what's the weather in Bonn?", [timer(3), weather("Bonn")]),
    (WEATHER, "set a timer for five minutes", [timer(5)]),
    (WEATHER, "set a timer for twenty five minutes called eggs", [timer(25, label="eggs")]),
    (WEATHER, "timer ten minutes", [timer(10)]),
    (WEATHER, "please start a timer of an hour and a half", [timer(90)]),
    (WEATHER, "set a timer for 90 seconds", [timer(1.5)]),
    (WEATHER, "set a timmer for one hour and ten minutes", [timer(70)]),
    (WEATHER, "can you set me a countdown of 2.5 minutes", [timer(2.5)]),
    (WEATHER, "timer for half an hour", [timer(30)]),
    (WEATHER, "cancel the timer", [("cancel_timer", {})]),
    (WEATHER, "stop the timer please", [("cancel_timer", {})]),
    (WEATHER, "remind me to buy milk tomorrow at eight thirty", [remind("buy milk", "2026-11-22T08:30")]),
    (WEATHER, "remind me at five pm to call my mother", [remind("call my mother", "2026-11-21T17:00")]),
    (WEATHER, "remind me to check the weather in an hour", [remind("check the weather", "2026-11-21T14:00")]),
    (
        WEATHER,
        "Remind me to call Dr. Miller on Friday at 9:15.",
        [remind("call Dr. Miller", "2026-11-27T09:15")],
    ),
    (
        WEATHER,
        "remind me to take bread and butter out at half past six",
        [remind("take bread and butter out", "2026-11-21T18:30")],
    ),
    (
        WEATHER,
        "don't forget to remind me about the meeting tomorrow at noon",
        [remind("the meeting", "2026-11-22T12:00")],
    ),
    (
        WEATHER,
        "remind me that the rent is due on the first of december at nine",
        [remind("the rent is due", "2026-12-01T09:00")],
    ),
    (BOOKING, "book a table for four tomorrow at seven pm", [table(4, TOMORROW, "19:00")]),
    (
        BOOKING,
        "i'd like to book a table for two people on friday at seven thirty pm under the name smith",
        [table(2, FRIDAY, "19:30", name="smith")],
    ),
    (
        BOOKING,
        "can i reserve a table for a party of six next friday at 8 pm outdoors",
        [table(6, FRIDAY, "20:00", outdoors=True)],
    ),
    (BOOKING, "table for two tonight at eight for anna", [table(2, "2026-11-21", "20:00", name="anna")]),
    (
        BOOKING,
        "book a table on the third of december at half past six for five people my name is Ann Lee",
        [table(5, "2026-12-03", "18:30", name="Ann Lee")],
    ),
    (BOOKING, "I need a table for 12 guests on December 24th at 18:45", [table(12, "2026-12-24", "18:45")]),
    (BOOKING, "dinner for three tomorrow at eight", [table(3, TOMORROW, "20:00")]),
    (
        BOOKING,
        "we want to make a reservation for seven persons on monday at one",
        [table(7, "2026-11-23", "13:00")],
    ),
    (
        BOOKING,
        "book a tabel for two tomorow at a quarter to nine in the evening",
        [table(2, TOMORROW, "20:45")],
    ),
    (BOOKING, "cancel my booking under the name miller", [("cancel_booking", {"name": "miller"})]),
    (BOOKING, "please cancel the reservation for smith", [("cancel_booking", {"name": "smith"})]),
    (BILLING, "what's my balance", [("get_balance", {})]),
    (BILLING, "how much do i owe", [("get_balance", {})]),
    (BILLING, "how much money is left on my account", [("get_balance", {})]),
    (BILLING, "pay invoice four seven one one", [pay("4711")]),
    (BILLING, "pay my bill number 4711 please", [pay("4711")]),
    (BILLING, "pay fifty euros on invoice 4711", [pay("4711", amount=50)]),
    (BILLING, "where is order AB 123", [("order_status", {"order_id": "AB123"})]),
    (BILLING, "where is my order number one two three four", [("order_status", {"order_id": "1234"})]),
    (BILLING, "track parcel double seven one", [("order_status", {"order_id": "771"})]),
    (BILLING, "my internet connection is broken", [to("support")]),
    (BILLING, "i have a problem with the router", [to("support")]),
    (BILLING, "talk to sales", [to("sales")]),
    (BILLING, "put me through to support please", [to("support")]),
    (BILLING, "could i speak with somebody from sales", [to("sales")]),
    (BILLING, "i want a new contract", [to("sales")]),
    (HOME, "turn on the light in the kitchen", [("set_light", {"room": "kitchen", "state": "on"})]),
    (HOME, "switch the living room lights off", [("set_light", {"room": "living_room", "state": "off"})]),
    (HOME, "lights off in the bed room please", [("set_light", {"room": "bedroom", "state": "off"})]),
    (HOME, "play some jazz at volume five", [("play_music", {"volume": 5, "genre": "jazz"})]),
    (HOME, "play clasical music volume 3", [("play_music", {"volume": 3, "genre": "classical"})]),
    (HOME, "add milk and bread to the shopping list", [("add_items", {"items": ["milk", "bread"]})]),
    (
        HOME,
        "add milk, two eggs and brown bread to my shopping list",
        [("add_items", {"items": ["milk", "two eggs", "brown bread"]})],
    ),
    (
        HOME,
        "send an email to ann@example.org saying i will be late",
        [("send_email", {"to": "ann@example.org", "message": "i will be late"})],
    ),
]


@pytest.mark.parametrize(("who", "said", "expected"), SENTENCES, ids=[said for _, said, _ in SENTENCES])
def test_a_sentence_is_a_call(who: list[Any], said: str, expected: list[tuple[str, Args]]) -> None:
    assert calls(who, said) == expected


OFF_TOPIC = """
who won the football game
what is the capital of france
tell me a joke
what is the biggest city in the world
how tall is the eiffel tower
open the door
play some music
what's the meaning of life
translate hello into french
how long is the timer set for
do you like cheese
the quick brown fox jumps over the lazy dog
i had a strange dream last night
can you drive a car
write me a poem about autumn
what should i cook for dinner
who is the president
asdf qwer yxcv
yes but no but maybe
my grandmother lives there
sing a song
one two three four
what's your favourite colour
""".strip().splitlines()


@pytest.mark.parametrize("said", OFF_TOPIC)
def test_what_is_not_understood_is_said_to_be(said: str) -> None:
    reply = ask(WEATHER, said)
    assert not reply.calls and reply.ability is None
    assert reply.text.startswith(
        "I did not understand that. I can tell you current weather in a city, set a timer"
    )


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (WEATHER, "please don't set a timer for five minutes"),
        (WEATHER, "do not cancel the timer"),
        (WEATHER, "how long is the timer set for"),
        (BOOKING, "when was my table booked"),
        (BOOKING, "change my booking to nine"),
        (able(get_balance), "cancel my account"),
    ],
)
def test_another_thing_is_not_done_instead(who: list[Any], said: str) -> None:
    assert not ask(who, said).calls


def test_whoever_wonders_is_asked_first() -> None:
    asked = ask(WEATHER, "what happens if i cancel the timer")
    assert asked.text == "Shall I cancel the running timer?" and not asked.calls
    assert calls(WEATHER, "how do i cancel the timer", "yes please") == [("cancel_timer", {})]
    assert ask(WEATHER, "how do i cancel the timer", "no").text == "All right."
    assert calls(WEATHER, "how do i cancel the timer", "weather in rome") == [weather("rome")]


def test_what_is_missing_is_asked_for_in_one_question() -> None:
    assert ask(WEATHER, "what is the weather").text == "Which city?"
    assert ask(BOOKING, "i want a table").text == "How many guests, what date and what time?"
    assert ask(HOME, "switch the kitchen light").text == "Which state: on or off?"


@pytest.mark.parametrize(
    ("who", "lines", "expected"),
    [
        (WEATHER, ["what is the weather", "in paris"], weather("paris")),
        (WEATHER, ["what is the weather", "paris please"], weather("paris")),
        (WEATHER, ["what is the weather", "I'd like the weather in Rome"], weather("Rome")),
        (WEATHER, ["set a timer", "five"], timer(5)),
        (WEATHER, ["set a timer", "two hours"], timer(120)),
        (WEATHER, ["set a timer", "um what", "ten minutes"], timer(10)),
        (WEATHER, ["set a timer", "blue", "ten minutes"], timer(10)),
        (WEATHER, ["set a timer", "blue", "green", "ten minutes"], timer(10)),
        (WEATHER, ["set a timer", "what is the weather in rome"], weather("rome")),
        (WEATHER, ["remind me to buy milk", "tomorrow at noon"], remind("buy milk", "2026-11-22T12:00")),
        (BOOKING, ["book a table", "for two tomorrow at eight pm"], table(2, TOMORROW, "20:00")),
        (BOOKING, ["book a table", "for two", "tomorrow", "at eight pm"], table(2, TOMORROW, "20:00")),
        (BOOKING, ["cancel my booking", "smith"], ("cancel_booking", {"name": "smith"})),
        (
            BOOKING,
            ["cancel my booking", "it's under the name van dyke"],
            ("cancel_booking", {"name": "van dyke"}),
        ),
        (BILLING, ["pay an invoice", "it's four seven one one"], pay("4711")),
        (BILLING, ["track my parcel", "A B 1 2"], ("order_status", {"order_id": "AB12"})),
        (HOME, ["kitchen light", "on please"], ("set_light", {"room": "kitchen", "state": "on"})),
        (
            HOME,
            ["turn the light off", "the living room"],
            ("set_light", {"room": "living_room", "state": "off"}),
        ),
    ],
)
def test_the_next_answer_is_the_value(who: list[Any], lines: list[str], expected: tuple[str, Args]) -> None:
    assert calls(who, *lines) == [expected]


def test_a_question_can_be_let_go() -> None:
    for leave in ("never mind", "stop", "that's all", "no thank you"):
        assert ask(WEATHER, "set a timer", leave).text == "All right."
    assert calls(WEATHER, "set a timer", "never mind", "five") == []
    assert ask(WEATHER, "set a timer", "what can you do").text.startswith("I can tell you")


def test_a_question_that_was_cut_off_is_one() -> None:
    said = [user("book a table"), model("How many guests, what"), user("two tomorrow at eight pm")]
    assert understand(said, BOOKING, NOW).calls == (table(2, TOMORROW, "20:00"),)


def test_yes_or_no_is_a_value() -> None:
    def water(plants: bool) -> None:
        """Waters the garden."""

    garden = able(water)
    assert ask(garden, "water the garden").text == "Plants, yes or no?"
    assert calls(garden, "water the garden", "no") == [("water", {"plants": False})]
    assert calls(garden, "water the garden", "yes please") == [("water", {"plants": True})]


def results(*answers: tuple[str, Args, Args]) -> list[Content]:
    made = [
        Part(function_call=FunctionCall(id=str(at), name=name, args=args))
        for at, (name, args, _) in enumerate(answers)
    ]
    came = [
        Part(function_response=FunctionResponse(id=str(at), name=name, response=response))
        for at, (name, _, response) in enumerate(answers)
    ]
    return [user("go"), Content(role="model", parts=made), Content(role="user", parts=came)]


def test_results_are_said() -> None:
    said = understand(
        results(("get_weather", {"city": "Paris"}, {"sky": "clear", "celsius": 21})), WEATHER, NOW
    )
    assert said.text == "Sky clear, 21 degrees Celsius." and not said.calls
    two = results(
        ("get_weather", {"city": "Paris"}, {"celsius": 21}),
        ("get_weather", {"city": "Oslo"}, {"celsius": -2}),
    )
    assert understand(two, WEATHER, NOW).text == "Paris: 21 degrees Celsius. Oslo: -2 degrees Celsius."


def test_what_was_said_meanwhile_is_answered_after_the_result() -> None:
    contents = [*results(("set_timer", {"minutes": 5}, {"result": None})), user("thank you")]
    assert understand(contents, WEATHER, NOW).text == "Done. You are welcome."


def test_later_results_come_in_words() -> None:
    late = user("(The call of order_status returned {'status': 'delivered'}.)")
    assert understand([user("hi"), model("Hello!"), late], BILLING, NOW).text == "Status delivered."


def test_without_anything_said_it_says_what_it_can_do() -> None:
    assert understand([], WEATHER, NOW).text.startswith("I can tell you current weather in a city")


def test_a_new_agent_does_not_hand_back_what_it_is_for() -> None:
    # contract 5.8
    billing = able(get_balance, targets={"front": "Welcomes callers, and sends them to billing or support."})
    assert understand([user("what's my balance")], billing, NOW).calls == (("get_balance", {}),)
    reply = understand([user("please talk to billing")], billing, NOW, "the billing agent")
    assert not reply.calls and reply.text.startswith("How can I help you?")


def test_who_it_does_not_know_it_hands_over_to_nobody() -> None:
    reply = ask(BILLING, "can i speak to the legal department")
    assert not reply.calls and "put you through to support or sales" in reply.text


def test_done_ends_the_task() -> None:
    # contract 5.9
    step = able(get_balance, ends=True)
    assert calls(step, "hello", "that's all") == [("task_completed", {})]
    assert ask(step, "that's all").text.startswith("How can I help you?")
    assert ask(WEATHER, "that's all thanks").text == "All right."


def test_streaming_tools_are_stopped_by_their_name() -> None:
    # contract 5.7
    def monitor_stock(symbol: str) -> None:
        """Tells the price of a stock whenever it changes."""

    tools = [FunctionTool(monitor_stock), stop_streaming]
    who = abilities([Tool(function_declarations=[each.declaration() for each in tools])])
    assert calls(who, "stop the function monitor stock") == [
        ("stop_streaming", {"function_name": "monitor_stock"})
    ]


def test_small_talk() -> None:
    assert ask(WEATHER, "hello").text == "Hello! What can I do for you?"
    assert ask(WEATHER, "thanks a lot").text == "You are welcome."
    assert ask(WEATHER, "goodbye").text == "Goodbye!"
    assert ask(WEATHER, "repeat after me: Good morning").text == "Good morning."
    assert ask(WEATHER, "hello", "say that again").text == "Hello! What can I do for you?"
    assert ask(WEATHER, "repeat that").text == "I have not said anything yet."
    assert ask(WEATHER, "count to three").text == "One. Two. Three."
    assert understand([user("who are you")], WEATHER, NOW, "the weather man").text.startswith(
        "I am the weather man. I can"
    )
    assert ask(WEATHER, "stop").text == "All right." and not ask(WEATHER, "stop").calls


def test_it_is_the_same_every_time() -> None:
    for who, said, _ in SENTENCES:
        assert ask(who, said) == ask(who, said)
