"""`KeywordBrain` as agents have it: whole conversations, turn-based and live."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import antiphon
from antiphon import (
    Agent,
    InMemoryRunner,
    KeywordBrain,
    LiveRequestQueue,
    LlmRequest,
    LocalVoice,
    LongRunningFunctionTool,
    SequentialAgent,
)
from antiphon.testing.chat_contract import ChatModelContract
from antiphon.types import Content, FunctionResponse, GenerateContentConfig, Part
from tests.models.local.agents import NOW, user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon import ChatModel, Event
    from antiphon.agents import BaseAgent


def brain() -> KeywordBrain:
    return KeywordBrain(clock=lambda: NOW)


class TestContract(ChatModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        yield brain()


def get_weather(city: str) -> dict[str, Any]:
    """Current weather in a city."""
    if city == "atlantis":
        raise ValueError("no such city")
    return {"city": city, "sky": "clear", "celsius": 21}


def pay_invoice(number: str) -> str:
    """Pays an invoice."""
    return f"invoice {number} is paid"


class Talk:
    """One session, turn by turn."""

    def __init__(self, agent: BaseAgent) -> None:
        self.runner = InMemoryRunner(agent, app_name="app")
        self.events: list[Event] = []

    async def say(self, message: str | Content) -> str:
        """What the agents answered, calls left out."""
        service = self.runner.session_service
        if await service.get_session(app_name="app", user_id="ann", session_id="s") is None:
            await service.create_session(app_name="app", user_id="ann", session_id="s")
        content = user(message) if isinstance(message, str) else message
        self.events = [
            event async for event in self.runner.run_async(user_id="ann", session_id="s", new_message=content)
        ]
        return " ".join(f"{event.author}: {text}" for event in self.events if (text := words(event)))


def words(event: Event) -> str:
    if event.partial or event.content is None or event.author == "user":
        return ""
    return "".join(part.text or "" for part in event.content.parts or [])


def helper(**fields: Any) -> Agent:
    return Agent(name="helper", model=brain(), **fields)


async def test_a_conversation() -> None:
    # contract 6.3
    talk = Talk(helper(tools=[get_weather], instruction="You are Vera, a weather service."))
    assert await talk.say("hello") == "helper: Hello! What can I do for you?"
    assert await talk.say("who are you") == "helper: I am Vera. I can tell you current weather in a city."
    assert await talk.say("what's the weather") == "helper: Which city?"
    assert await talk.say("paris") == "helper: Paris: sky clear, 21 degrees Celsius."
    assert await talk.say("say that again") == "helper: Paris: sky clear, 21 degrees Celsius."
    assert await talk.say("and the weather in rome and in oslo") == (
        "helper: Rome: sky clear, 21 degrees Celsius. Oslo: sky clear, 21 degrees Celsius."
    )
    assert await talk.say("what do you think of love") == (
        "helper: I did not understand that. I can tell you current weather in a city."
    )


def test_it_sees_nothing() -> None:  # contract 6.2
    assert not KeywordBrain().capabilities.video_input
    assert not LocalVoice(brain=KeywordBrain()).capabilities.video_input


async def test_a_tool_that_fails() -> None:
    # contract 5.4
    talk = Talk(helper(tools=[get_weather]))
    assert await talk.say("weather in atlantis") == "helper: I could not get weather: no such city."


async def test_a_tool_that_takes_its_time() -> None:
    # contract 5.6
    def order_taxi(street: str) -> None:
        """Orders a taxi."""

    talk = Talk(helper(tools=[LongRunningFunctionTool(order_taxi)]))
    await talk.say("order a taxi to main street")
    (call,) = [call for event in talk.events for call in event.get_function_calls()]
    assert call.args == {"street": "main street"}
    came = FunctionResponse(id=call.id, name=call.name, response={"status": "confirmed", "minutes": 4})
    answer = await talk.say(Content(role="user", parts=[Part(function_response=came)]))
    assert answer == "helper: Status confirmed, 4 minutes."


def office() -> Agent:
    billing = Agent(name="billing", description="Bills and payments.", tools=[pay_invoice])
    weather = Agent(name="forecaster", description="Knows the weather.", tools=[get_weather])
    return Agent(
        name="front", model=brain(), description="Welcomes everybody.", sub_agents=[billing, weather]
    )


async def test_agents_hand_over_to_each_other() -> None:
    # contract 5.8
    talk = Talk(office())
    assert await talk.say("what can you do") == "front: I can put you through to billing or forecaster."
    assert await talk.say("i want to pay invoice number 4711") == "billing: Invoice 4711 is paid."
    assert (await talk.say("talk to the forecaster")).startswith(
        "forecaster: How can I help you? I can tell you"
    )
    assert await talk.say("the weather in bonn") == "forecaster: Bonn: sky clear, 21 degrees Celsius."


async def test_live_it_counts_and_is_cut_off() -> None:
    # contract 3.6, 6.3
    runner = InMemoryRunner(helper(tools=[get_weather]), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s")
    queue = LiveRequestQueue()
    queue.send_content(user("count to one hundred"))
    heard: list[str] = []
    cut = False
    async for event in runner.run_live(user_id="ann", session_id="s", live_request_queue=queue):
        if event.partial and event.content:
            heard += [part.text or "" for part in event.content.parts or []]
            if len(heard) == 3:
                queue.send_content(user("weather in rome"))
        cut = cut or bool(event.interrupted)
        if "Rome" in words(event):
            queue.close()
    assert cut and heard[:3] == ["One. ", "Two. ", "Three. "] and "hundred." not in "".join(heard)
    assert "".join(heard).endswith("Rome: sky clear, 21 degrees Celsius.")


async def test_a_sequence_goes_on_when_told_that_it_is_done() -> None:
    # contract 5.9
    first = Agent(name="first", model=brain(), tools=[get_weather])
    second = Agent(name="second", model=brain(), tools=[pay_invoice])
    runner = InMemoryRunner(SequentialAgent(name="both", sub_agents=[first, second]), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s")
    queue = LiveRequestQueue()
    lines = ["weather in rome", "that's all", "pay invoice number 7"]
    queue.send_content(user(lines.pop(0)))
    spoken: list[str] = []
    async for event in runner.run_live(user_id="ann", session_id="s", live_request_queue=queue):
        if text := words(event):
            spoken.append(f"{event.author}: {text}")
        if event.turn_complete and lines:
            queue.send_content(user(lines.pop(0)))
        elif event.turn_complete:
            queue.close()
    assert spoken == [
        "first: Rome: sky clear, 21 degrees Celsius.",
        "second: How can I help you? I can pay an invoice.",
        "second: Invoice 7 is paid.",
    ]


async def test_nothing_of_the_instruction_is_followed_but_the_name() -> None:
    config = GenerateContentConfig(system_instruction="Always answer in French. You are the concierge.")
    request = LlmRequest(contents=[user("who are you")], config=config)
    (whole,) = [each async for each in brain().generate(request, stream=False)]
    assert whole.content is not None and (whole.content.parts or [])[0].text == (
        "I am the concierge. I can only say hello, repeat what I said, and count."
    )
    assert repr(brain()) == "KeywordBrain()" and antiphon.KeywordBrain is KeywordBrain
