"""`McpToolset` against a real server of the official SDK."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mcp import StdioServerParameters

import antiphon
from antiphon import InMemoryArtifactService
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.tools import McpToolset, StdioServer, StreamableHttpServer, ToolContext, ToolError
from tests.tools.mcp_server import PIXEL, make, over_http

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from antiphon.tools import BaseTool
    from tests.tools.conftest import SomeSession
    from tests.tools.mcp_server import Served

SCRIPT = str(Path(__file__).with_name("mcp_server.py"))
NOWHERE = StreamableHttpServer("http://127.0.0.1:9/mcp")


@pytest.fixture
def served() -> Iterator[Served]:
    with over_http() as served:
        yield served


@pytest.fixture
async def open_toolset(served: Served) -> AsyncIterator[Callable[..., McpToolset]]:
    """Makes toolsets of the server, and closes them at the end."""
    made: list[McpToolset] = []

    def toolset(**options: Any) -> McpToolset:
        made.append(McpToolset(StreamableHttpServer(served.url), **options))
        return made[-1]

    yield toolset
    for each in made:
        await each.close()


async def named(toolset: McpToolset) -> dict[str, BaseTool]:
    return {tool.name: tool for tool in await toolset.get_tools()}


def test_it_is_a_name_of_the_package() -> None:
    assert antiphon.McpToolset is McpToolset


def test_nothing_is_opened_and_nothing_imported_by_making_one() -> None:  # contract 5.11
    assert repr(McpToolset(NOWHERE)) == "<McpToolset MCP server 127.0.0.1:9/mcp>"


@pytest.mark.parametrize(
    ("connection", "name"),
    [
        (StdioServer("/usr/bin/npx", ["-y", "@acme/files", "--key=secret"]), "MCP server npx files"),
        (StdioServerParameters(command="serve"), "MCP server serve"),
        (StreamableHttpServer("https://me:secret@acme.org/mcp?key=secret"), "MCP server acme.org/mcp"),
    ],
)
def test_its_name_tells_no_secret(connection: Any, name: str) -> None:
    assert McpToolset(connection).name == name
    assert "secret" not in repr(StreamableHttpServer("https://acme.org", {"Authorization": "secret"}))


@pytest.mark.parametrize(
    ("connection", "options", "said"),
    [
        ("https://acme.org/mcp", {}, "StreamableHttpServer"),
        (NOWHERE, {"timeout": 0}, "timeout=0 must be seconds above 0"),
        (NOWHERE, {"connect_timeout": -1}, "connect_timeout=-1 must be seconds above 0"),
        (NOWHERE, {"tool_filter": "read"}, "must be a list of names"),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_made(
    connection: Any, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        McpToolset(connection, **options)


def test_without_the_sdk_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("antiphon.tools.mcp.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[mcp\]'"):
        McpToolset(NOWHERE)


async def test_an_sdk_of_another_version_is_told_when_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert importlib.util.find_spec("mcp")
    monkeypatch.setitem(sys.modules, "antiphon.tools.mcp_client", None)
    toolset = McpToolset(NOWHERE)
    with pytest.raises(MissingExtra, match="version 2"):
        await toolset.get_tools()
    await toolset.close()


@pytest.mark.parametrize(
    "connection",
    [
        StdioServer(sys.executable, ("-W", "ignore", SCRIPT), {"SOME": "thing"}, cwd=Path(SCRIPT).parent),
        StdioServerParameters(command=sys.executable, args=["-W", "ignore", SCRIPT]),
    ],
)
async def test_a_process_of_this_machine_is_called(connection: Any, context: ToolContext) -> None:
    """contract 5.12; that closing leaves no process, thread or pipe is seen to by every test's fixtures"""
    toolset = McpToolset(connection)
    add = (await named(toolset))["add"]
    assert await add.bind({"a": 1, "b": 2}, context)() == {"result": 3}
    await toolset.close()
    await toolset.close()


async def test_a_tool_is_declared_and_called(
    open_toolset: Callable[..., McpToolset], context: ToolContext
) -> None:  # contract 5.12
    tools = await named(open_toolset())
    add, level = tools["add"], tools["level"]
    assert (add.kind, add.timeout, add.description, add.facts.cancel_on_interruption) == (
        "async",
        60.0,
        "Adds two numbers.",
        False,
    )
    declaration = add.declaration()
    assert declaration and declaration.parameters and declaration.parameters.properties
    assert declaration.parameters.properties.keys() == {"a", "b"}
    assert await add.bind({"a": 1, "b": 2}, context)() == {"result": 3}
    assert await level.bind({"of": "2"}, context)() == {"result": "level 2"}, (
        "told as a string, read as a number"
    )


async def test_the_same_tools_are_given_until_they_change(open_toolset: Callable[..., McpToolset]) -> None:
    toolset = open_toolset()
    first = await toolset.get_tools()
    assert await toolset.get_tools() is first  # contract 5.11


async def test_what_a_tool_says_of_its_failure_is_told_to_the_model(
    open_toolset: Callable[..., McpToolset], context: ToolContext
) -> None:  # contract 5.4
    fail = (await named(open_toolset()))["fail"]
    with pytest.raises(ToolError) as told:
        await fail.bind({"why": "There is no such city."}, context)()
    [error] = told.value.response().values()
    assert error["code"] == "TOOL_FAILED" and "There is no such city." in error["message"]


async def test_bad_arguments_are_the_servers_to_refuse(
    open_toolset: Callable[..., McpToolset], context: ToolContext
) -> None:  # contract 5.4
    add = (await named(open_toolset()))["add"]
    with pytest.raises(ToolError, match="valid integer"):
        await add.bind({"a": "x", "b": 2}, context)()


async def test_files_in_a_result_become_artifacts(
    open_toolset: Callable[..., McpToolset], session: SomeSession
) -> None:  # contract 5.12
    artifacts = InMemoryArtifactService()
    context = ToolContext(
        session, agent_name="guide", invocation_id="e-1", function_call_id="c1", artifacts=artifacts
    )
    show = (await named(open_toolset()))["show"]
    answer = await show.bind({}, context)()
    assert answer == {
        "result": "Here you are.",
        "files": [
            {"mime_type": "image/png", "bytes": 8, "artifact": "show-c1-1.png"},
            {"mime_type": "audio/wav", "bytes": 3, "artifact": "show-c1-2.wav"},
        ],
    }
    assert context.actions.artifact_delta == {"show-c1-1.png": 0, "show-c1-2.wav": 0}
    kept = await context.load_artifact("show-c1-1.png")
    assert kept and kept.inline_data and kept.inline_data.mime_type == "image/png"
    assert len(PIXEL) == 12 and kept.inline_data.data == b"\x89PNG\r\n\x1a\n"


async def test_files_without_an_artifact_service_are_told_to_be_lost(
    open_toolset: Callable[..., McpToolset], context: ToolContext
) -> None:
    show = (await named(open_toolset()))["show"]
    answer = await show.bind({}, context)()
    assert [each["note"] for each in answer["files"]] == [
        "It was not kept: the application has no artifact service."
    ] * 2


async def test_tools_are_chosen_and_renamed(
    open_toolset: Callable[..., McpToolset], caplog: pytest.LogCaptureFixture, context: ToolContext
) -> None:
    chosen = await named(open_toolset(tool_filter=["add", "subtract"], tool_name_prefix="math_"))
    assert chosen.keys() == {"math_add"}
    assert await chosen["math_add"].bind({"a": 1, "b": 2}, context)() == {"result": 3}
    assert "has no tool called subtract" in caplog.text
    assert (await named(open_toolset(tool_filter=lambda name: name.startswith("f")))).keys() == {"fail"}


async def test_its_options_hold_for_every_tool(open_toolset: Callable[..., McpToolset]) -> None:
    tools = await open_toolset(timeout=None, cancel_on_interruption=True).get_tools()
    assert {(tool.timeout, tool.facts.cancel_on_interruption) for tool in tools} == {(None, True)}


async def test_tools_that_no_model_can_be_told_of_are_left_out_by_name(
    caplog: pytest.LogCaptureFixture,
) -> None:  # contract 5.12
    server = make()
    server.add_tool(lambda: 1, name="x" * 70, description="Too long a name.")
    server.add_tool(lambda: 1, name="files.read", description="A name with a dot.")
    tree = server._tool_manager.add_tool(lambda: 1, name="tree", description="Refers to itself.")
    tree.parameters = {"type": "object", "properties": {"left": {"$ref": "#"}}}
    with over_http(server) as served:
        toolset = McpToolset(StreamableHttpServer(served.url))
        tools = await named(toolset)
        await toolset.close()
    assert "files_read" in tools and "tree" not in tools and not any("xxx" in name for name in tools)
    assert "the tool tree is left out: " in caplog.text and "no model takes such a name" in caplog.text


async def test_two_tools_of_one_name_are_refused(context: ToolContext) -> None:
    server = make()
    for name in ("a.b", "a/b"):
        server.add_tool(lambda: 1, name=name)
    with over_http(server) as served:
        toolset = McpToolset(StreamableHttpServer(served.url))
        with pytest.raises(ConfigurationError, match=r"'a/b' and 'a\.b' are both called 'a_b'"):
            await toolset.get_tools()
        await toolset.close()


async def test_one_session_serves_all_who_ask(
    open_toolset: Callable[..., McpToolset], context: ToolContext
) -> None:  # contract 5.11
    tools = await named(open_toolset())
    calls = [tools["meet"].bind({"people": 8}, context)() for _ in range(8)]
    assert await asyncio.gather(*calls) == [{"result": 8}] * 8


async def test_after_closing_it_opens_again(open_toolset: Callable[..., McpToolset]) -> None:  # contract 5.11
    toolset = open_toolset()
    first = await toolset.get_tools()
    await toolset.close()
    assert [tool.name for tool in await toolset.get_tools()] == [tool.name for tool in first]
