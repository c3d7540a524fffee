"""Servers of the Model Context Protocol as toolsets (contract 5.11, 5.12)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from antiphon.core.calls import ToolFacts
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.tools.mcp_content import declared, model_name, read_back, read_result, said
from antiphon.tools.mcp_thread import SessionThread
from antiphon.tools.tool import BaseTool, ToolError
from antiphon.tools.toolset import BaseToolset
from antiphon.types import Blob, FunctionDeclaration, Part

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from mcp import StdioServerParameters
    from mcp_types import Tool

    from antiphon.tools.context import ToolContext
    from antiphon.tools.mcp_client import McpClient
    from antiphon.tools.mcp_content import File

__all__ = ["McpTool", "McpToolset", "StdioServer", "StreamableHttpServer"]

log = logging.getLogger(__name__)

INSTALL = "MCP servers need the official SDK, version 2: pip install 'antiphon[mcp]'."


@dataclass(frozen=True, slots=True)
class StdioServer:
    """A server that is a process of this machine, spoken to by its standard input and output.

    Its standard error is the application's. Of the application's environment it is given the few variables
    that are safe (`PATH`, `HOME` and the like), and those of `env`.
    """

    command: str
    args: Sequence[str] = ()
    env: Mapping[str, str] | None = None
    cwd: str | Path | None = None


@dataclass(frozen=True, slots=True)
class StreamableHttpServer:
    """A server reached by streamable HTTP. `headers` go with every request, e.g. `Authorization`."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class McpToolset(BaseToolset):
    """The tools of an MCP server.

    There is one session with the server, shared by all conversations, on a thread of its own. It is opened
    when a conversation first needs it, and again when it was lost: see contract 5.11 and 5.12. Where the
    first start takes long, `await toolset.get_tools()` when the application starts.

    Args:
        connection: A `StdioServer`, a `StreamableHttpServer`, or the SDK's own `StdioServerParameters`.
        tool_filter: Which tools to offer, by the server's names: a collection of them, or a function of one.
        tool_name_prefix: Put before every name that a model is told, for servers whose tools are alike.
        timeout: Seconds a call may take, `None` is without limit; then the model is told `TIMEOUT`.
        connect_timeout: Seconds that opening the session may take.
        cancel_on_interruption: Barge-in cancels running calls (contract 5.5).

    Raises:
        MissingExtra: the SDK is not installed.
        ConfigurationError: `connection` is none, or a timeout is not above zero.
    """

    def __init__(
        self,
        connection: StdioServer | StreamableHttpServer | StdioServerParameters,
        *,
        tool_filter: Collection[str] | Callable[[str], bool] | None = None,
        tool_name_prefix: str = "",
        timeout: float | None = 60.0,
        connect_timeout: float = 30.0,
        cancel_on_interruption: bool = False,
    ) -> None:
        if find_spec("mcp") is None or find_spec("mcp_types") is None:
            raise MissingExtra(INSTALL)
        for limit, name in ((timeout, "timeout"), (connect_timeout, "connect_timeout")):
            if limit is not None and not limit > 0:
                raise ConfigurationError(f"McpToolset: {name}={limit!r} must be seconds above 0.")
        if isinstance(tool_filter, str):
            raise ConfigurationError(f"McpToolset: tool_filter={tool_filter!r} must be a list of names.")
        self.name = _name_of(connection)
        self._filter = tool_filter
        self._prefix = tool_name_prefix
        self._timeout = timeout
        self._facts = ToolFacts(cancel_on_interruption=cancel_on_interruption)
        self._session = SessionThread(partial(_serve, connection, self.name, connect_timeout), "antiphon-mcp")
        self._listed: tuple[Tool, ...] | None = None
        self._tools: tuple[BaseTool, ...] = ()

    def __repr__(self) -> str:
        return f"<McpToolset {self.name}>"

    async def get_tools(self) -> Sequence[BaseTool]:
        """The server's tools, as far as `tool_filter` lets them through and a model can be told of them.

        The rest is named in the log, once.

        Raises:
            ToolError: the server cannot be reached, or gives no list.
            ConfigurationError: two tools come to the same name.
        """
        listed = await self._session.run(_tools_of)
        if listed is not self._listed:
            self._tools = self._made(listed)
            self._listed = listed
        return self._tools

    async def close(self) -> None:
        """Ends the session. A process that stays when its input ends is stopped, within 7 s at most."""
        await self._session.close()

    def _made(self, listed: Sequence[Tool]) -> tuple[BaseTool, ...]:
        made: dict[str, McpTool] = {}
        for tool in listed:
            if not self._wants(tool.name):
                continue
            name = model_name(self._prefix + tool.name)
            if name is None:
                log.warning("%s: %r is left out: no model takes such a name.", self.name, tool.name)
                continue
            if name in made:
                raise ConfigurationError(
                    f"{self.name}: {tool.name!r} and {made[name].remote!r} are both called {name!r} for a "
                    "model. Leave one out by tool_filter."
                )
            try:
                made[name] = McpTool(self._session, tool, name, self._facts, self._timeout)
            except ValueError as error:
                log.warning("%s: the tool %s is left out: %s.", self.name, tool.name, error)
        if isinstance(self._filter, Collection) and (
            absent := set(self._filter) - {tool.name for tool in listed}
        ):
            log.warning("%s has no tool called %s.", self.name, ", ".join(sorted(absent)))
        return tuple(made.values())

    def _wants(self, name: str) -> bool:
        if self._filter is None:
            return True
        return self._filter(name) if callable(self._filter) else name in self._filter


class McpTool(BaseTool):
    """One tool of a server. Its arguments are checked there.

    Raises:
        ValueError: no model can be told of its arguments.
    """

    kind = "async"

    def __init__(
        self, session: SessionThread, tool: Tool, name: str, facts: ToolFacts, timeout: float | None
    ) -> None:
        self._declaration = declared(tool, name)
        super().__init__(name, self._declaration.description or "", facts=facts, timeout=timeout)
        self.remote = tool.name
        """What the server calls it."""
        self._schema = tool.input_schema
        self._session = session

    def declaration(self) -> FunctionDeclaration:
        return self._declaration

    def bind(self, args: dict[str, Any], context: ToolContext) -> Callable[[], Any]:
        return partial(self._call, args, context)

    async def _call(self, args: dict[str, Any], context: ToolContext) -> dict[str, Any]:
        asked = read_back(args, self._schema, self._schema)
        result = await self._session.run(lambda client: client.call(self.remote, asked))
        if result.is_error:
            raise ToolError(said(result) or f"{self.name} failed, and does not say why.")
        response, files = read_result(result)
        if files:
            kept = [await self._keep(each, number, context) for number, each in enumerate(files, 1)]
            response.setdefault("files", kept)
        return response

    async def _keep(self, file: File, number: int, context: ToolContext) -> dict[str, Any]:
        """Saves a file as an artifact, and gives what the model is told of it."""
        told: dict[str, Any] = {"mime_type": file.mime_type, "bytes": len(file.data)}
        kind = file.mime_type.partition(";")[0].partition("/")[2]
        extension = f".{kind}" if kind.isalnum() else ""
        name = f"{self.name}-{context.function_call_id}-{number}{extension}"
        part = Part(inline_data=Blob(data=file.data, mime_type=file.mime_type))
        try:
            await context.save_artifact(name, part)
        except ConfigurationError:
            return told | {"note": "It was not kept: the application has no artifact service."}
        return told | {"artifact": name}


async def _tools_of(client: McpClient) -> tuple[Tool, ...]:
    return await client.tools()


def _name_of(connection: object) -> str:
    """What the server is called in messages, without what may be secret: queries, options and the rest."""
    if isinstance(connection, StreamableHttpServer):
        url = urlsplit(connection.url)
        return f"MCP server {url.netloc.rpartition('@')[2]}{url.path}"
    if isinstance(connection, StdioServer) or type(connection).__name__ == "StdioServerParameters":
        words = [getattr(connection, "command", ""), *getattr(connection, "args", ())]
        plain = [Path(word).name for word in words if not word.startswith("-")]
        return f"MCP server {' '.join(plain[:2])}"
    raise ConfigurationError(
        "McpToolset needs to know its server: StdioServer('command', ['argument']) or "
        f"StreamableHttpServer('https://…/mcp'), not {connection!r}."
    )


def _serve(
    connection: StdioServer | StreamableHttpServer | StdioServerParameters, name: str, connect_timeout: float
) -> AbstractAsyncContextManager[McpClient]:
    """Imports the SDK, which takes a second: called on the session's thread."""
    try:
        from mcp import StdioServerParameters

        from antiphon.tools.mcp_client import McpClient
    except ImportError as error:
        raise MissingExtra(INSTALL) from error
    if isinstance(connection, StreamableHttpServer):
        return McpClient((connection.url, dict(connection.headers)), name, connect_timeout).serving()
    if isinstance(connection, StdioServer):
        env = None if connection.env is None else dict(connection.env)
        connection = StdioServerParameters(
            command=connection.command, args=list(connection.args), env=env, cwd=connection.cwd
        )
    return McpClient(connection, name, connect_timeout).serving()
