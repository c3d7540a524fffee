"""Toolsets in conversations: the app is told of those that give no tools, and none is waited for long."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, FunctionTool, McpToolset, RunConfig
from antiphon.errors import ConfigurationError, SessionNotFound
from antiphon.runtime.toolsets import close_all, gather
from antiphon.tools import BaseToolset, StdioServer, StreamableHttpServer
from tests.runtime.near_model import until
from tests.tools import mcp_server
from tests.tools.mcp_server import over_http

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from antiphon import Event
    from antiphon.testing.live_server import Call
    from antiphon.tools import BaseTool
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz


def greet(name: str) -> str:
    """Greets."""
    return f"Hello {name}"


def wave() -> str:
    """Waves."""
    return "waved"


class Shelf(BaseToolset):
    """Gives these functions as tools, after `first` was awaited."""

    def __init__(self, *functions: Any, first: Callable[[], Awaitable[object]] | None = None) -> None:
        self.functions = functions
        self.first = first
        self.asked = self.closed = 0

    def __repr__(self) -> str:
        return "<Shelf>"

    async def get_tools(self) -> Sequence[BaseTool]:
        self.asked += 1
        if self.first is not None:
            await self.first()
        return [FunctionTool(function) for function in self.functions]

    async def close(self) -> None:
        self.closed += 1


class Broken(Shelf):
    """Gives nothing."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error

    async def get_tools(self) -> Sequence[BaseTool]:
        raise self.error

    async def close(self) -> None:
        raise self.error


async def forever() -> None:
    await asyncio.Event().wait()


def answers(events: list[Event]) -> list[Any]:
    return [response.response for event in events for response in event.get_function_responses()]


def missing(events: list[Event]) -> list[str | None]:
    return [e.lifecycle.reason for e in events if e.lifecycle and e.lifecycle.kind == "toolset_unavailable"]


# Gathering.


async def test_all_are_asked_at_the_same_time() -> None:  # contract 5.11
    meeting = asyncio.Barrier(3)
    shelves = [Shelf(greet, first=meeting.wait) for _ in range(3)]
    gathered = await gather(shelves, 60.0)
    assert [gathered.tools[shelf][0].name for shelf in shelves] == ["greet"] * 3
    assert gathered.unavailable == {}


@pytest.mark.virtual_clock
async def test_one_that_takes_too_long_or_fails_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    """contract 5.11"""
    began = asyncio.get_running_loop().time()
    good, slow, bad, mute = Shelf(greet), Shelf(first=forever), Broken(OSError("no")), Broken(OSError())
    gathered = await gather([good, slow, bad, mute], 3.0)
    assert asyncio.get_running_loop().time() - began == 3.0
    assert list(gathered.tools) == [good]
    assert gathered.unavailable == {slow: "it gave no tools within 3 s", bad: "no", mute: "OSError"}
    assert caplog.text.count("The conversation starts without the tools of <Shelf>") == 3


@pytest.mark.virtual_clock
async def test_one_that_will_not_be_cancelled_is_not_waited_for_long() -> None:
    began = asyncio.get_running_loop().time()
    let_go = asyncio.Event()

    async def stubborn() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                continue

    gathered = await gather([Shelf(first=stubborn)], 3.0)
    assert asyncio.get_running_loop().time() - began == 4.0
    assert len(gathered.unavailable) == 1
    let_go.set()


async def test_an_application_set_up_wrongly_is_told() -> None:
    with pytest.raises(ConfigurationError, match="no SDK"):
        await gather([Shelf(greet), Broken(ConfigurationError("no SDK"))], 60.0)


async def test_nothing_gives_nothing() -> None:
    assert (await gather([], 1.0)).tools == {}
    await close_all([])


async def test_one_that_cannot_be_closed_does_not_keep_the_others_open(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shelf = Shelf()
    await close_all([Broken(OSError("stuck")), shelf])
    assert shelf.closed == 1
    assert "<Shelf> could not be closed" in caplog.text


# In conversations.


async def test_the_tools_of_a_toolset_are_the_agents(converse: Converse) -> None:
    """contract 5.11: declared with its own, and called like them"""
    shelf = Shelf(greet)

    async def script(call: Call) -> None:
        setup = await call.setup()
        [tools] = setup["tools"]
        assert [each["name"] for each in tools["functionDeclarations"]] == ["wave", "greet"]
        await call.receive_text()
        await call.tool_call("greet", {"name": "Ann"})
        await call.receive_tool_response()
        await call.turn("Done.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[shelf, wave])) as talk:
        assert shelf.asked == 0, "nothing is asked before a conversation begins"
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        assert answers(talk.seen) == [{"result": "Hello Ann"}]
        assert shelf.asked == 1 and shelf.closed == 0
        await talk.runner.aclose()
    assert shelf.closed == 1


async def test_a_conversation_goes_on_without_what_is_not_there(converse: Converse) -> None:
    """contract 5.11, 3.11: and says so before all else"""

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert [each["name"] for each in setup["tools"][0]["functionDeclarations"]] == ["wave"]
        await call.receive_text()
        await call.turn("Hello.")
        await call.closed()

    agent = Agent(name="helper", tools=[wave, Broken(OSError("no route"))])
    async with converse(script, agent=agent, config=RunConfig(custom_metadata={"call": 7})) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        assert missing(talk.seen) == ["<Shelf>: no route"]
        told = talk.seen[0]
        assert told.lifecycle and told.lifecycle.kind == "toolset_unavailable"
        assert told.invocation_id == talk.seen[1].invocation_id
        assert (told.author, told.custom_metadata) == ("helper", {"call": 7})
        assert not any(event.lifecycle for event in (await talk.session()).events), "it is not stored"


async def test_lifecycle_events_may_be_left_out(converse: Converse) -> None:  # contract 3.11
    agent = Agent(name="helper", tools=[Broken(OSError("no route"))])
    async with converse(agent=agent, config=RunConfig(lifecycle_events=False)) as talk:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        assert talk.runner.metrics.snapshot()["toolset_unavailable"] == 1
        assert missing(talk.seen) == []


async def test_two_tools_of_one_name_are_refused_with_both_named(converse: Converse) -> None:
    """contract 5.11"""
    for tools, said in (
        ([greet, Shelf(greet)], "two tools called 'greet': its own, and one of <Shelf>"),
        ([Shelf(greet), Shelf(greet)], "two tools called 'greet': one of <Shelf>, and one of <Shelf>"),
    ):
        async with converse(agent=Agent(name="helper", tools=tools)) as talk:
            with pytest.raises(ConfigurationError, match=said):
                await talk.all()
            assert talk.server.connections == []


async def test_toolsets_are_not_asked_for_a_session_that_is_not_there(converse: Converse) -> None:
    """contract 1.4"""
    shelf = Shelf(greet)
    async with converse(agent=Agent(name="helper", tools=[shelf])) as talk:
        running = talk.runner.run_live(user_id="bob", session_id="s1", live_request_queue=talk.queue)
        with pytest.raises(SessionNotFound):
            await anext(running)
    assert shelf.asked == 0


async def test_leaving_while_toolsets_are_asked_leaves_nothing_running(converse: Converse) -> None:
    """contract 1.6"""
    shelf = Shelf(first=forever)
    async with converse(agent=Agent(name="helper", tools=[shelf])) as talk:
        leaving = asyncio.ensure_future(talk.all())
        await until(lambda: shelf.asked)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert talk.server.connections == []


async def test_a_runner_closes_a_shared_toolset_once(converse: Converse) -> None:  # contract 5.11
    shelf = Shelf(greet)
    below = Agent(name="below", tools=[shelf])
    async with converse(agent=Agent(name="helper", tools=[shelf], sub_agents=[below])) as talk:
        async with talk.runner as runner:
            assert runner is talk.runner
        assert shelf.closed == 1


# With a real MCP server.


async def test_an_mcp_tool_is_called_in_a_conversation_and_its_server_may_die(converse: Converse) -> None:
    """contract 5.12: the call that meets a dead server is an error to the model, and the next one works"""
    script_path = str(Path(mcp_server.__file__))
    toolset = McpToolset(StdioServer(sys.executable, ["-W", "ignore", script_path]))
    pids: list[int] = []

    async def script(call: Call) -> None:
        setup = await call.setup()
        names = {each["name"] for each in setup["tools"][0]["functionDeclarations"]}
        assert {"add", "pid", "die"} <= names
        await call.receive_text()
        for name, args in (("pid", {}), ("die", {}), ("add", {"a": 1, "b": 2}), ("pid", {})):
            await call.tool_call(name, args)
            [answer] = await call.receive_tool_response()
            if name == "pid":
                pids.append(answer["response"]["result"])
        os.kill(pids[-1], signal.SIGKILL)
        await call.tool_call("pid", {})
        await call.receive_tool_response()
        await call.turn("Done.")
        await call.closed()

    async with converse(script, agent=Agent(name="helper", tools=[toolset])) as talk, talk.runner:
        talk.queue.send_content("go")
        await talk.until(lambda e: e.turn_complete)
        first, dead, added, second, _ = answers(talk.seen)
        assert dead["error"]["code"] == "UNAVAILABLE" and "MCP server" in dead["error"]["message"]
        assert added == {"result": 3}
        assert first != second, "it was started anew"


async def test_a_slow_mcp_tool_holds_nothing_back_and_barge_in_reaches_its_server(
    converse: Converse, tmp_path: Path
) -> None:
    """contract 5.3, 5.5, 5.12"""
    with over_http() as served:
        toolset = McpToolset(StreamableHttpServer(served.url), cancel_on_interruption=True)

        async def script(call: Call) -> None:
            await call.setup()
            await call.receive_text()
            await call.tool_call("wait", {"traces": str(tmp_path)})
            for _ in range(50):
                await call.audio(FRAME)
            await until((tmp_path / "begun").exists)
            for _ in range(50):
                await call.audio(FRAME)
            await call.interrupted()
            await until((tmp_path / "cancelled").exists)
            await call.turn_complete()
            await call.closed()

        async with converse(script, agent=Agent(name="helper", tools=[toolset])) as talk, talk.runner:
            talk.queue.send_content("go")
            await talk.until(lambda e: e.turn_complete)
        heard = [e for e in talk.seen if e.content and e.content.parts and e.content.parts[0].inline_data]
        assert len(heard) == 100
        cancelled = [e for e in talk.seen if e.lifecycle and e.lifecycle.kind == "tool_cancelled"]
        assert len(cancelled) == 1


async def test_conversations_share_a_toolset_whose_server_comes_late(converse: Converse) -> None:
    """contract 5.11: the first goes on without it, later ones have it"""
    with over_http() as served:
        await asyncio.to_thread(served.stop)
        toolset = McpToolset(StreamableHttpServer(served.url))
        agent = Agent(name="helper", tools=[toolset])
        declared: list[int] = []

        async def script(call: Call) -> None:
            setup = await call.setup()
            declared.append(sum(len(tool["functionDeclarations"]) for tool in setup.get("tools", [])))
            await call.receive_text()
            await call.turn("Hello.")
            await call.closed()

        async def converses() -> list[Event]:
            async with converse(script, agent=agent) as talk:
                talk.queue.send_content("go")
                async with aclosing(talk.events()) as events:
                    async for event in events:
                        if event.turn_complete:
                            break
                seen: list[Event] = talk.seen
            return seen

        assert len(missing(await converses())) == 1
        await asyncio.to_thread(served.start)
        later = await asyncio.gather(converses(), converses())
        assert [missing(seen) for seen in later] == [[], []]
        await toolset.close()
    assert declared == [0, 10, 10]
