"""The client of an MCP server, against real servers of the official SDK, on the loop of the test."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from mcp import MCPError, StdioServerParameters
from mcp.server.lowlevel import Server
from mcp_types import INVALID_PARAMS
from starlette.responses import PlainTextResponse

from antiphon.tools import ToolError
from antiphon.tools.mcp_client import LONGEST_WAIT, McpClient
from tests.runtime.near_model import until
from tests.tools.mcp_server import make, over_http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mcp_types import CallToolResult

SCRIPT = Path(__file__).with_name("mcp_server.py")
FIRST = {"add", "level", "fail", "pid", "die", "meet", "wait", "show", "talk", "grow"}


def process(*args: str) -> StdioServerParameters:
    return StdioServerParameters(command=sys.executable, args=["-W", "ignore", str(SCRIPT), *args])


@asynccontextmanager
async def connected(kind: str) -> AsyncIterator[McpClient]:
    """A client of a server of this kind: by a pipe or by HTTP, of the newest protocol or the one before."""
    if kind.startswith("http"):
        with over_http(make(legacy="legacy" in kind)) as served:
            async with McpClient((served.url, {}), "it", 20.0).serving() as client:
                yield client
    else:
        async with McpClient(process(*kind.split()[1:]), "it", 20.0).serving() as client:
            yield client


def number(result: CallToolResult) -> Any:
    return (result.structured_content or {})["result"]


every_kind = pytest.mark.parametrize("kind", ["stdio", "stdio legacy", "http", "http legacy"])


@every_kind
async def test_tools_are_listed_once_until_they_change(kind: str) -> None:  # contract 5.11
    async with connected(kind) as client:
        first = await client.tools()
        assert {tool.name for tool in first} == FIRST
        assert await client.tools() is first
        await client.call("grow", {})
        await until(lambda: kind == "http legacy" or not client._current.listed)  # type: ignore[union-attr]
        assert {tool.name for tool in await client.tools()} == FIRST | {"files.add"}


@pytest.mark.parametrize(("legacy", "times"), [(False, 1), (True, 3)])
async def test_a_list_is_kept_while_changes_are_sure_to_be_told(legacy: bool, times: int) -> None:
    """contract 5.11: of old, a server on HTTP told them by a stream that may be missing"""
    asked: list[str] = []

    async def count(ctx: Any, call_next: Any) -> Any:
        asked.append(ctx.method)
        return await call_next(ctx)

    server = make(legacy=legacy)
    server.middleware.append(count)
    with over_http(server) as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            for _ in range(3):
                await client.tools()
            assert asked.count("tools/list") == times


async def test_a_list_that_was_not_waited_for_is_asked_for_again() -> None:  # contract 5.11
    asked, go = asyncio.Event(), asyncio.Event()
    here = asyncio.get_running_loop()

    async def hold(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/list" and not go.is_set():
            here.call_soon_threadsafe(asked.set)
            await anyio.sleep_forever()
        return await call_next(ctx)

    server = make()
    server.middleware.append(hold)
    with over_http(server) as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            hasty = asyncio.ensure_future(client.tools())
            await asked.wait()
            hasty.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hasty
            go.set()
            assert {tool.name for tool in await client.tools()} == FIRST


async def test_a_connection_given_up_while_others_wait_for_it_is_not_theirs() -> None:  # contract 5.12
    with over_http() as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            asking = asyncio.ensure_future(client.call("add", {"a": 1, "b": 2}))
            await until(lambda: client._current)
            first = client._current
            assert first is not None

            def set_and_retire(told: Callable[[], None] = first.opened.set) -> None:
                told()
                first.retire()

            setattr(first.opened, "set", set_and_retire)  # noqa: B010
            assert number(await asking) == 3
            assert client._current is not first


async def test_a_server_without_tools_gives_none() -> None:
    with over_http(Server("bare")) as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            assert await client.tools() == ()


@pytest.mark.parametrize("kind", ["stdio", "http"])
async def test_calls_run_at_the_same_time_on_one_connection(kind: str) -> None:  # contract 5.12
    async with connected(kind) as client:
        met = await asyncio.gather(*(client.call("meet", {"people": 5}) for _ in range(5)))
        assert [number(each) for each in met] == [5] * 5


@every_kind
async def test_cancelling_a_call_is_told_to_the_server(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # contract 5.5, 5.12
    caplog.set_level(logging.DEBUG, "antiphon")
    async with connected(kind) as client:
        call = asyncio.ensure_future(client.call("wait", {"traces": str(tmp_path)}))
        await until(lambda: "it: wait: 1.0 of 2.0. half way" in caplog.text)  # progress is logged
        await until((tmp_path / "begun").exists)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await until((tmp_path / "cancelled").exists)
        assert number(await client.call("add", {"a": 1, "b": 2})) == 3, "nothing else was cancelled"


async def test_a_dead_process_fails_the_call_and_is_replaced_for_the_next(
    caplog: pytest.LogCaptureFixture,
) -> None:  # contract 5.12
    async with connected("stdio") as client:
        first = number(await client.call("pid", {}))
        with pytest.raises(ToolError, match="may have been carried out or not") as told:
            await client.call("die", {})
        assert told.value.code == "UNAVAILABLE"
        assert number(await client.call("pid", {})) != first
    assert "it failed, and is connected to anew" in caplog.text


async def test_a_process_that_died_meanwhile_fails_no_call() -> None:  # contract 5.12
    async with connected("stdio") as client:
        tools = await client.tools()
        first = client._current
        assert first is not None
        os.kill(number(await client.call("pid", {})), signal.SIGKILL)
        await until(lambda: not first.usable)
        assert await client.tools() == tools
        assert number(await client.call("add", {"a": 1, "b": 2})) == 3


async def test_calls_on_a_connection_that_is_given_up_are_not_disturbed(tmp_path: Path) -> None:
    """A call whose failure puts the connection in doubt must not take others with it."""
    with over_http() as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            met = [asyncio.ensure_future(client.call("meet", {"people": 2}))]
            await until(lambda: client._current and client._current.calls)
            doubtful = client._current
            assert doubtful is not None
            doubtful.retire()
            met.append(asyncio.ensure_future(client.call("meet", {"people": 2})))
            assert [number(each) for each in await asyncio.gather(*met)] == [2, 2]
            assert client._current is not doubtful
            await until(lambda: doubtful.over)


async def test_a_server_over_http_may_go_and_come_back(tmp_path: Path) -> None:  # contract 5.12
    with over_http() as served:
        async with McpClient((served.url, {"X-Key": "1"}), "it", 20.0).serving() as client:
            call = asyncio.ensure_future(client.call("wait", {"traces": str(tmp_path)}))
            await until((tmp_path / "begun").exists)
            await asyncio.to_thread(served.stop)
            for asked in (call, client.call("add", {"a": 1, "b": 2})):
                with pytest.raises(ToolError, match=r"^it ") as told:
                    await asked
                assert told.value.code == "UNAVAILABLE"
            await asyncio.to_thread(served.start)
            assert number(await client.call("add", {"a": 1, "b": 2})) == 3


@pytest.mark.parametrize("answer", [PlainTextResponse("bad gateway", 502), PlainTextResponse("welcome", 200)])
async def test_something_else_that_answers_over_http_is_an_error_of_the_call(
    answer: PlainTextResponse,
) -> None:
    """contract 5.12"""
    with over_http() as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            assert number(await client.call("add", {"a": 1, "b": 2})) == 3
            for ask in (lambda: client.call("add", {"a": 1, "b": 2}), client.tools):
                served.instead = answer
                with pytest.raises(ToolError, match=r"^it (failed|cannot be reached)") as told:
                    await ask()
                assert told.value.code == "UNAVAILABLE"
                served.instead = None
                assert number(await client.call("add", {"a": 1, "b": 2})) == 3
            assert len(client._connections) == 1, "what was given up is closed"


async def test_a_session_that_the_server_has_forgotten_is_opened_anew() -> None:  # contract 5.12
    with over_http(make(legacy=True)) as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            await client.tools()
            await asyncio.to_thread(served.stop)
            served.renew(make(legacy=True))
            await asyncio.to_thread(served.start)
            with pytest.raises(ToolError, match=r"Session terminated|Session not found"):
                await client.call("add", {"a": 1, "b": 2})
            assert number(await client.call("add", {"a": 1, "b": 2})) == 3


async def test_what_is_no_message_is_logged_and_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    chatty = process().model_copy(update={"command": "sh", "args": ["-c", 'echo Loading...; exec "$0" "$@"']})
    chatty.args += [process().command, *process().args]
    async with McpClient(chatty, "it", 20.0).serving() as client:
        assert number(await client.call("add", {"a": 1, "b": 2})) == 3
    assert "it sent something that could not be read" in caplog.text


async def test_what_a_server_logs_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "antiphon")
    async with connected("stdio") as client:
        await client.call("talk", {})
        await until(lambda: "it: knock, knock" in caplog.text)


@pytest.mark.parametrize(("code", "told"), [(INVALID_PARAMS, "INVALID_ARGUMENTS"), (-31999, "TOOL_FAILED")])
async def test_an_error_of_the_protocol_that_is_the_calls_own_leaves_the_connection_alone(
    code: int, told: str
) -> None:  # contract 5.4, 5.12
    async def refuse(ctx: Any, call_next: Any) -> Any:
        if ctx.method == "tools/call":
            raise MCPError(code, "Not like this.")
        return await call_next(ctx)

    server = make()
    server.middleware.append(refuse)
    with over_http(server) as served:
        async with McpClient((served.url, {}), "it", 20.0).serving() as client:
            await client.tools()
            before = client._current
            with pytest.raises(ToolError, match=r"^Not like this\.$") as error:
                await client.call("add", {"a": 1, "b": 2})
            assert error.value.code == told
            assert before is client._current and before and before.usable


async def test_attempts_are_spaced_out_when_the_server_stays_away() -> None:  # contract 5.12
    now = 0.0
    with over_http() as served:
        served.stop()
        async with McpClient((served.url, {}), "it", 20.0, lambda: now).serving() as client:

            async def attempted() -> bool:
                before = client._failures
                with pytest.raises(ToolError, match="it cannot be reached: ConnectError"):
                    await client.tools()
                return client._failures > before

            assert [await attempted() for _ in range(4)] == [True, True, False, False]
            waits = []
            for _ in range(8):
                waits.append(client._retry_at - now)
                now = client._retry_at - 0.01
                assert not await attempted()
                now += 0.02
                assert await attempted()
            assert [round(each) for each in waits] == [1, 2, 4, 8, 16, *[LONGEST_WAIT] * 3]
            await asyncio.to_thread(served.start)
            now += LONGEST_WAIT + 1
            assert await client.tools()
            assert client._failures == 0


@pytest.mark.parametrize(
    ("server", "why"),
    [
        (StdioServerParameters(command="/nowhere/to/be/found"), "FileNotFoundError"),
        (StdioServerParameters(command=sys.executable, args=["-c", "pass"]), "Connection closed"),
        (("http://127.0.0.1:9/mcp", {}), "ConnectError"),
        (("no url", {}), "UnsupportedProtocol|without a protocol|missing"),
    ],
)
async def test_a_server_that_is_not_there_is_named_with_the_reason(server: Any, why: str) -> None:
    async with McpClient(server, "it", 20.0).serving() as client:
        for ask in (client.tools, lambda: client.call("add", {})):
            with pytest.raises(ToolError, match=f"it cannot be reached: .*({why})") as told:
                await ask()
            assert told.value.code == "UNAVAILABLE"


async def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    """Its process is stopped, too: the test would fail for what it leaves behind."""
    mute = StdioServerParameters(command=sys.executable, args=["-c", "import sys; sys.stdin.read()"])
    async with McpClient(mute, "it", 0.05).serving() as client:
        with pytest.raises(ToolError, match=r"no answer within 0\.05 s"):
            await client.tools()


@pytest.mark.parametrize("started", [False, True])
async def test_leaving_while_it_connects_does_not_wait_for_the_server(started: bool) -> None:
    """Nor does it forget the process, whether that has started or is about to."""
    mute = StdioServerParameters(command=sys.executable, args=["-c", "import sys; sys.stdin.read()"])
    async with McpClient(mute, "it", 600.0).serving() as client:
        asking = asyncio.ensure_future(client.tools())
        await until(lambda: client._current and (client._current.incoming or not started))
    with pytest.raises(ToolError, match="it was closed"):
        await asking


async def test_leaving_ends_the_calls_that_run(tmp_path: Path) -> None:
    async with connected("stdio") as client:
        call = asyncio.ensure_future(client.call("wait", {"traces": str(tmp_path)}))
        await until((tmp_path / "begun").exists)
    with pytest.raises(ToolError) as told:
        await call
    assert told.value.code == "UNAVAILABLE"


async def test_unusable_arguments_and_unknown_tools_leave_the_connection_alone() -> None:  # contract 5.4
    async with connected("http") as client:
        before = (await client.tools(), client._current)
        assert (await client.call("add", {"a": "x", "b": 1})).is_error
        assert (await client.call("nothing", {})).is_error
        assert (await client.tools(), client._current) == before


async def test_many_who_ask_at_once_share_one_connection_and_one_list() -> None:
    async with connected("http") as client:
        lists = await asyncio.gather(*(client.tools() for _ in range(10)))
        assert all(each is lists[0] for each in lists)
        assert len(client._connections) == 1


async def test_a_question_that_is_given_up_leaves_the_opening_to_the_others() -> None:
    async with connected("http") as client:
        hasty, patient = (asyncio.ensure_future(client.tools()) for _ in range(2))
        await until(lambda: client._current)
        hasty.cancel()
        assert len(await patient) == len(FIRST)
        assert len(client._connections) == 1
