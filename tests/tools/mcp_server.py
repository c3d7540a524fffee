"""An MCP server of the official SDK, for tests: a script that speaks stdio; `over_http` serves it here."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import anyio
from mcp import MCPError
from mcp.server.lowlevel import NotificationOptions, Server
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.runner import serve_loop
from mcp.server.stdio import stdio_server
from mcp_types import METHOD_NOT_FOUND, AudioContent, CallToolResult, ImageContent, TextContent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.responses import PlainTextResponse

AnyServer = MCPServer[Any] | Server[Any]
PIXEL = "iVBORw0KGgo="


def make(*, legacy: bool = False) -> MCPServer[Any]:
    """A server with some tools. A `legacy` one speaks the protocol as it was before 2026."""
    server = MCPServer("tests", log_level="CRITICAL")
    inside: list[int] = []
    full = anyio.Event()

    @server.tool()
    def add(a: int, b: int) -> int:
        """Adds two numbers."""
        return a + b

    @server.tool()
    def level(of: Literal[1, 2]) -> str:
        """Says the level."""
        return f"level {of!r}"

    @server.tool()
    def fail(why: str) -> str:
        """Fails."""
        raise ToolError(why)

    @server.tool()
    def pid() -> int:
        """The process."""
        return os.getpid()

    @server.tool()
    def die() -> None:
        """Ends the process."""
        os._exit(1)

    @server.tool()
    async def meet(people: int) -> int:
        """Returns when so many calls of it run at the same time."""
        inside.append(1)
        if len(inside) == people:
            full.set()
        await full.wait()
        return len(inside)

    @server.tool()
    async def wait(traces: str, ctx: Context) -> str:
        """Never returns; leaves files named `begun` and `cancelled` in a folder."""
        await ctx.report_progress(1, 2, "half way")
        (Path(traces) / "begun").touch()
        try:
            await anyio.sleep_forever()
        except anyio.get_cancelled_exc_class():
            (Path(traces) / "cancelled").touch()
            raise
        return "never"

    @server.tool()
    def show() -> CallToolResult:
        """Text, a picture and a sound."""
        return CallToolResult(
            content=[
                TextContent(text="Here you are."),
                ImageContent(data=PIXEL, mime_type="image/png"),
                AudioContent(data="AAAA", mime_type="audio/wav"),
            ]
        )

    @server.tool()
    async def talk(ctx: Context) -> None:
        """Sends a line for the client's log, in the way that is going out of use."""
        await ctx.info("knock, knock")

    @server.tool()
    async def grow(ctx: Context) -> str:
        """Gives the server one more tool."""
        server.add_tool(add, name="files.add")
        if legacy:
            await ctx.session.send_tool_list_changed()
        else:
            await ctx.notify_tools_changed()
        return "grown"

    if legacy:
        server.middleware.append(_no_discovery)
        low = server._lowlevel_server
        options = partial(low.create_initialization_options, NotificationOptions(tools_changed=True))
        setattr(low, "create_initialization_options", options)  # noqa: B010
    return server


async def _no_discovery(ctx: Any, call_next: Any) -> Any:
    if ctx.method == "server/discover":
        raise MCPError(METHOD_NOT_FOUND, "Method not found")
    return await call_next(ctx)


class Served:
    """A server on loopback, which may be taken away and brought back."""

    def __init__(self, server: AnyServer, **options: Any) -> None:
        self._server = server
        self._options = options
        self._port = 0
        self.instead: PlainTextResponse | None = None
        """What is answered instead, as a gateway would."""
        self._serving: Any = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/mcp"

    def renew(self, server: AnyServer) -> None:
        """Another one in its place, from the next start on."""
        self._server = server

    def start(self) -> None:
        import uvicorn

        listening = socket.create_server(("127.0.0.1", self._port))
        self._port = listening.getsockname()[1]
        app = self._server.streamable_http_app(**self._options)

        async def gateway(scope: Any, receive: Any, send: Any) -> None:
            inside = app if self.instead is None or scope["type"] != "http" else self.instead
            await inside(scope, receive, send)

        config = uvicorn.Config(
            gateway, loop="asyncio", ws="none", log_config=None, timeout_graceful_shutdown=0
        )
        self._serving = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._serving.run, kwargs={"sockets": [listening]})
        self._thread.start()

    def stop(self) -> None:
        """Breaks off all connections."""
        if self._thread is not None:
            self._serving.should_exit = True
            self._thread.join()
            self._thread = None


@contextmanager
def over_http(server: AnyServer | None = None, **options: Any) -> Iterator[Served]:
    served = Served(server or make(), **options)
    served.start()
    try:
        yield served
    finally:
        served.stop()


async def _over_a_pipe_as_of_old() -> None:
    low = make(legacy=True)._lowlevel_server
    async with low.lifespan(low) as state, stdio_server() as (reading, writing):
        options = low.create_initialization_options()
        await serve_loop(low, reading, writing, lifespan_state=state, init_options=options)


if __name__ == "__main__":
    if "legacy" in sys.argv:
        anyio.run(_over_a_pipe_as_of_old)
    else:
        make().run("stdio")
