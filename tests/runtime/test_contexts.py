"""What tools and callbacks are given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon import Agent, ToolContext

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_state_written_by_a_tool_lands_with_its_event(converse: Converse) -> None:
    """contract 4.6"""

    def remember(name: str, tool_context: ToolContext) -> str:
        tool_context.state["name"] = name
        tool_context.state["user:seen"] = 1
        tool_context.state["temp:scratch"] = 2
        return "noted"

    def recall(tool_context: ToolContext) -> str:
        return str(tool_context.state["name"])

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.tool_call("remember", {"name": "Ann"})
        await call.receive_tool_response()
        await call.tool_call("recall")
        [answer] = await call.receive_tool_response()
        assert answer["response"] == {"result": "Ann"}
        await call.turn_complete()
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[remember, recall])) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        session = await talk.session()
    assert session.state == {"name": "Ann", "user:seen": 1}


async def test_lists_changed_in_place_land_with_each_event_and_change_none_before(converse: Converse) -> None:
    """contract 4.6"""

    def note(text: str, tool_context: ToolContext) -> int:
        log = tool_context.state.setdefault("log", [])
        log.append(text)
        return len(log)

    async def script(call: Call) -> None:
        await call.setup()
        for text in ("one", "two"):
            await call.tool_call("note", {"text": text})
            await call.receive_tool_response()
        await call.turn("Noted.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[note])) as talk:
        await talk.until(lambda event: event.turn_complete)
        told = [event.actions.state_delta for event in talk.seen if event.get_function_responses()]
        session = await talk.session()
    assert told == [{"log": ["one"]}, {"log": ["one", "two"]}]
    stored = [event.actions.state_delta for event in session.events if event.get_function_responses()]
    assert stored == told
    assert session.state["log"] == ["one", "two"]
