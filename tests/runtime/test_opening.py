"""What a model is told when its session begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent, CallbackContext, SequentialAgent, Session, ToolContext
from antiphon.agents import assemble
from antiphon.errors import ConfigurationError
from antiphon.runtime.opening import Opening

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.agents import BaseAgent
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

MODEL = "gemini-3.8-live"
FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_the_instruction_is_filled_in_from_state(converse: Converse) -> None:
    """contract 6.1; DESIGN 6"""

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert setup["systemInstruction"]["parts"] == [{"text": "You help Ann."}]
        await call.closed()

    async with converse(script, agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        await talk.runner.session_service.delete_session(app_name="app", user_id="ann", session_id="s1")
        await talk.runner.session_service.create_session(
            app_name="app", user_id="ann", session_id="s1", state={"name": "Ann"}
        )
        await talk.until(lambda e: e.lifecycle)


async def test_an_instruction_that_cannot_be_filled_in_is_an_error_that_says_so(converse: Converse) -> None:
    async with converse(agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        with pytest.raises(ConfigurationError, match="'name'"):
            await talk.all()


async def test_a_new_invocation_is_told_the_stored_conversation(converse: Converse) -> None:
    """contract 4.4"""

    async def first(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.turn("Your name is Ann.")
        await call.closed()

    async def second(call: Call) -> None:
        setup = await call.setup()
        assert setup["historyConfig"] == {"initialHistoryInClientContent": True}
        told = await call.receive()
        assert [turn["parts"] for turn in told["clientContent"]["turns"]] == [
            [{"text": "I am Ann"}],
            [{"text": "Your name is Ann."}],
        ]
        await call.closed()

    async with converse([first, second]) as talk:
        talk.queue.send_content("I am Ann")
        await talk.until(lambda e: e.turn_complete)
        talk.queue = type(talk.queue)()
        await talk.until(lambda e: e.lifecycle)
        await talk.server.connected(2)


async def test_an_agent_that_could_not_begin_does_not_take_over(
    converse: Converse, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 5.4, 5.8: the one that called goes on, and may do better"""

    def take_name(name: str, tool_context: ToolContext) -> str:
        """Keeps the name."""
        tool_context.state["name"] = name
        return "kept"

    second = Agent(name="second", instruction="You bill {name}.")
    root = Agent(name="first", tools=[take_name], sub_agents=(second,))
    leave = "transfer_to_agent", {"agent_name": "second"}

    async def script(call: Call) -> None:
        setup = await call.setup()
        if "systemInstruction" in setup:
            assert setup["systemInstruction"]["parts"] == [{"text": "You bill Ann."}]
            await call.turn("Hello Ann.")
            await call.closed()
            return
        await call.receive_text()
        await call.tool_call(*leave)
        [refused] = await call.receive_tool_response()
        assert refused["response"]["error"]["code"] == "AGENT_NOT_READY"
        assert "'name'" in refused["response"]["error"]["message"]
        await call.tool_call("take_name", {"name": "Ann"})
        await call.receive_tool_response()
        await call.tool_call(*leave)
        await call.closed()

    async with converse(script, agent=root) as talk:
        talk.queue.send_content("my bill")
        await talk.until(lambda e: e.author == "second" and e.turn_complete)
    assert "was not done" in caplog.text


def obstacle(root: BaseAgent, **wanted: object) -> str | None:
    """Why agent "a" could not give way as its tool wants to."""
    opening = Opening.__new__(Opening)
    opening._troupe = assemble(root)
    context = ToolContext(Session(id="s", app_name="app", user_id="ann"), agent_name="a", invocation_id="e-1")
    context.actions.transfer_to_agent = wanted.get("transfer_to")  # type: ignore[assignment]
    context.task_completed = bool(wanted.get("completed"))
    context.state.update(wanted.get("state", {}))  # type: ignore[call-overload]
    return opening.obstacle(context)


def test_the_next_agent_of_a_sequence_is_looked_at_too() -> None:
    """contract 5.9: by what the state will be"""
    second = Agent(name="b", model=MODEL, instruction="You bill {name}.")
    root = SequentialAgent(name="all", sub_agents=(Agent(name="a", model=MODEL), second))
    assert "'name'" in (obstacle(root, completed=True) or "")
    assert obstacle(root, completed=True, state={"name": "Ann"}) is None
    assert obstacle(root) is None


def test_only_texts_can_be_looked_at_beforehand() -> None:
    """contract 5.8: an instruction callable is not called twice"""

    def instruct(_: object) -> str:
        raise AssertionError

    root = Agent(name="a", model=MODEL, sub_agents=(Agent(name="b", instruction=instruct),))
    for target in ("b", "nobody"):
        assert obstacle(root, transfer_to=target) is None


def test_a_callback_on_the_way_may_set_what_is_missing() -> None:
    """contract 5.8, 5.10"""

    def before(callback_context: object) -> None:
        return None

    second = Agent(name="b", model=MODEL, instruction="You bill {name}.", before_agent_callback=before)
    root = Agent(name="a", model=MODEL, sub_agents=(second,))
    assert obstacle(root, transfer_to="b") is None
    inside = SequentialAgent(
        name="all",
        before_agent_callback=before,
        sub_agents=(
            Agent(name="a", model=MODEL),
            Agent(name="b", model=MODEL, instruction="You bill {name}."),
        ),
    )
    assert "'name'" in (obstacle(inside, completed=True) or ""), "who is inside is not entered again"


async def test_a_callback_may_set_what_the_first_agent_needs(converse: Converse) -> None:
    """contract 5.10"""

    def before(callback_context: CallbackContext) -> None:
        callback_context.state["name"] = "Ann"

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert setup["systemInstruction"]["parts"] == [{"text": "You help Ann."}]
        await call.closed()

    agent = Agent(name="helper", instruction="You help {name}.", before_agent_callback=before)
    async with converse(script, agent=agent) as talk:
        await talk.until(lambda e: e.lifecycle)
