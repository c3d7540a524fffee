from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, Gemini, InMemoryRunner, RunConfig, SequentialAgent
from antiphon.cli.chat import Chat, Ending, NoAnswer
from antiphon.cli.renderer import Renderer
from antiphon.cli.samples import demo_agent
from antiphon.errors import ModelConnectionError, SessionNotFound
from antiphon.testing.live_server import Abort, Faults, Hold, LiveServer, Say, Timing, ToolCall
from tests.cli.conftest import Paper, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.agents import BaseAgent
    from antiphon.models import LiveModel

pytestmark = pytest.mark.virtual_clock


@asynccontextmanager
async def chat(paper: Paper, make: Any = demo_agent, **server: Any) -> AsyncIterator[Chat]:
    options: dict[str, Any] = {"reply": reply, "timing": Timing.instant()} | server
    async with LiveServer(**options) as live:
        model = Gemini("gemini-3.8-live", base_url=live.base_url, api_key="x", vertexai=False)
        runner = InMemoryRunner(make(model), app_name="t")
        await runner.session_service.create_session(app_name="t", user_id="u", session_id="s")
        yield Chat(runner, paper, Renderer(), RunConfig())


async def test_piped_lines_are_answered_one_by_one() -> None:
    """Each line is a turn, and the end of the input waits for the last answer."""
    paper = Paper(["weather in Paris", "  ", "count to 3"])
    async with chat(paper) as talk:
        assert await talk.run("u", "s") is Ending.LEFT
    asked, called, weather, asked_again, counted = paper.text.splitlines()
    assert asked == "you> weather in Paris"
    assert called.startswith('⚙ get_weather(city="Paris") … ') and called.endswith('"celsius": 22}')
    assert weather == "antiphon> It is sunny in Paris, 22 degrees."
    assert (asked_again, counted) == ("you> count to 3", "antiphon> 1 2 3")


async def test_a_typed_line_cuts_in() -> None:
    """contract 3.6"""
    paper = Paper(["count to 90", "hello"], interactive=True, ends=False)

    async def before(line: str) -> None:
        if line == "hello":
            await paper.shows("1 2 3")

    paper.before = before
    async with chat(paper, timing=None) as talk, asyncio.TaskGroup() as group:
        running = group.create_task(talk.run("u", "s"))
        await paper.shows("Type while I speak to cut in.")
        for _ in range(3):
            paper.press()
        assert await running is Ending.INTERRUPTED
    assert " —\nyou> hello\nantiphon> Hello!" in paper.text
    assert "90" not in paper.text.split("you> hello")[1]


async def test_ctrl_c_cuts_the_model_off_then_leaves() -> None:
    paper = Paper(["count to 90"], interactive=True, ends=False)
    async with chat(paper, timing=None) as talk, asyncio.TaskGroup() as group:
        running = group.create_task(talk.run("u", "s"))
        await paper.shows("1 2 3")
        paper.press()
        assert paper.text.endswith(" [interrupted]\n")
        paper.press()
        assert paper.text.endswith("Ctrl-C again to leave.\n")
        paper.press()
        assert await running is Ending.INTERRUPTED


async def test_ctrl_c_twice_must_be_soon() -> None:
    paper = Paper(interactive=True, ends=False)
    async with chat(paper) as talk, asyncio.TaskGroup() as group:
        running = group.create_task(talk.run("u", "s"))
        await asyncio.sleep(1)
        paper.press()
        await asyncio.sleep(3)
        paper.press()
        assert paper.text.count("Ctrl-C again to leave.") == 2
        paper.press()
        assert await running is Ending.INTERRUPTED


async def test_ctrl_c_ends_a_chat_where_nobody_types() -> None:
    paper = Paper(["count to 90"])
    async with chat(paper, timing=None) as talk, asyncio.TaskGroup() as group:
        running = group.create_task(talk.run("u", "s"))
        await paper.shows("1 2 3")
        paper.press()
        assert await running is Ending.INTERRUPTED


async def test_the_end_of_typed_input_leaves_at_once() -> None:
    """contract 1.5"""
    paper = Paper(["count to 90"], interactive=True)
    async with chat(paper, timing=None) as talk:
        assert await talk.run("u", "s") is Ending.LEFT


async def test_being_cancelled_leaves_nothing_behind() -> None:
    """contract 1.6"""
    paper = Paper(["count to 90"])
    async with chat(paper, timing=None) as talk:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3):
                await talk.run("u", "s")


async def test_a_tool_that_leaves_the_model_nothing_to_say_is_not_waited_for_forever() -> None:
    def reply(prompt: Any) -> Any:
        return [] if prompt.responses else [ToolCall("get_time", {"city": "Lima"})]

    paper = Paper(["now", "again"])
    async with chat(paper, reply=reply) as talk:
        assert await talk.run("u", "s") is Ending.LEFT
    assert paper.text.count("⚙ get_time") >= 2


async def test_a_model_that_never_answers_fails_the_chat() -> None:
    async with chat(Paper(["hello"]), reply=lambda prompt: [Hold()]) as talk:
        with pytest.raises(NoAnswer, match="within 60 s"):
            await talk.run("u", "s")


async def test_agents_may_end_the_conversation() -> None:
    """contract 5.9"""

    def make(model: LiveModel) -> BaseAgent:
        return SequentialAgent(name="steps", sub_agents=[Agent(name="first", model=model)])

    paper = Paper(["task completed", "one more"])
    async with chat(paper, make) as talk:
        assert await talk.run("u", "s") is Ending.ENDED
    assert "✓ first is done" in paper.text


async def test_what_the_conversation_fails_by_is_raised() -> None:
    """contract 1.4, 1.5"""
    async with chat(Paper(["hello"])) as talk:
        with pytest.raises(SessionNotFound):
            await talk.run("u", "nowhere")
    async with chat(Paper(["hello"]), accept_keys=["another"]) as talk:
        with pytest.raises(ModelConnectionError):
            await talk.run("u", "s")


async def test_an_input_that_breaks_fails_the_chat() -> None:
    async def broken(line: str) -> None:
        raise OSError("the terminal is gone")

    async with chat(Paper(["hello"], before=broken)) as talk:
        with pytest.raises(OSError, match="gone"):
            await talk.run("u", "s")


async def test_a_reconnect_is_invisible_but_for_a_note() -> None:
    """contract 7.1"""
    paper = Paper(["one", "two"])
    faults = {1: Faults(at={"turn_complete": Abort()})}
    async with chat(paper, reply=lambda prompt: [Say(f"heard {prompt.text}")], faults=faults) as talk:
        assert await talk.run("u", "s") is Ending.LEFT
    assert "antiphon> heard one" in paper.text and "antiphon> heard two" in paper.text
    assert "… reconnect" in paper.text
