"""The client of an MCP server, by the official SDK: connects when there is a need, and replaces what is dead.

Everything here runs on the one loop of a `SessionThread`. Importing this imports the SDK.

Rule 1  A connection is opened when something is asked of the server, and by all who ask together.
Rule 2  It is replaced when it is dead, or a call failed in a way that leaves its state in doubt; calls that
        run on it are not disturbed, and the last of them closes it.
Rule 3  One failure is followed by a new attempt at the next question; several in a row are spaced out, and a
        question in between is answered by the last failure.
Rule 4  The list of tools is kept while the server has promised to tell of changes, or that there are none.
"""

from __future__ import annotations

import asyncio
import logging
import math
import sys
import time
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CONNECTION_CLOSED,
    INTERNAL_ERROR,
    INVALID_PARAMS,
    INVALID_REQUEST,
    Implementation,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from antiphon.tools.result import ErrorKind
from antiphon.tools.tool import ToolError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from anyio.abc import TaskGroup, TaskStatus
    from mcp.client._transport import TransportStreams
    from mcp.client.session import IncomingMessage
    from mcp_types import CallToolResult, LoggingMessageNotificationParams, Tool

__all__ = ["McpClient"]

log = logging.getLogger(__name__)

FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 30.0
"""Seconds between attempts to connect, from the second failure in a row on; doubled each time."""
CLOSING: Final = 3.0
"""Seconds to say goodbye to an HTTP server. A process has those of the SDK: 2 to end, 2 more when told to."""
WATCHING: Final = 5.0
"""Seconds in which a server may accept that changes are to be told."""
PAGES: Final = 100
"""Pages of tools that are asked for."""
HTTP_TIMEOUT: Final = httpx2.Timeout(30.0, read=None)
"""A response may take as long as the call: that one has a limit of its own."""

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "notice": logging.INFO}


class _Connection:
    """One connection. A task of its own opens it, keeps it while it is wanted, and closes it."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        """It is open, or has failed: see `error`."""
        self.leave = asyncio.Event()
        self.scope = anyio.CancelScope()
        self.error: Exception | None = None
        self.over = False
        self.retired = False
        self.calls = 0
        self.incoming: object = None
        self.client: Client | None = None
        self.watchers: TaskGroup | None = None
        self.watched = False
        """The list of tools does not change without notice."""
        self.listed = False
        """The list of tools was asked for, and has not changed since."""

    @property
    def usable(self) -> bool:
        """Whether it may be asked something; also while it is being opened."""
        gone = isinstance(self.incoming, MemoryObjectReceiveStream) and (
            self.incoming.statistics().open_send_streams == 0  # the process has closed its output
        )
        return not (self.over or self.retired or gone)

    def retire(self) -> None:
        """Closes it as soon as no call runs on it."""
        self.retired = True
        if not self.calls:
            self.leave.set()

    def end(self) -> None:
        """Closes it now, or as soon as its process has started."""
        self.retired = True
        if self.client is None and self.scope.deadline < math.inf:
            self.scope.cancel()
        self.leave.set()

    @contextmanager
    def used(self) -> Iterator[Client]:
        """The client, for a question: until it is answered the connection is not closed for being retired."""
        assert self.client is not None
        self.calls += 1
        try:
            yield self.client
        finally:
            self.calls -= 1
            if self.retired and not self.calls:
                self.leave.set()

    def limit(self, seconds: float) -> None:
        """From now on its opening may be broken off, and is after `seconds`."""
        self.scope.deadline = -math.inf if self.retired else anyio.current_time() + seconds


class McpClient:
    """The tools of one server, and calls of them. Use it within its `async with` block.

    Args:
        server: A process to start, or where the server is reached, with headers to send there.
        name: What it is called in messages.
        connect_timeout: Seconds from the start of a process, or of a request, to a server that is ready.
        clock: Seconds, for the spacing of attempts.
    """

    def __init__(
        self,
        server: StdioServerParameters | tuple[str, dict[str, str]],
        name: str,
        connect_timeout: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._server = server
        self._name = name
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._in_doubt = {CONNECTION_CLOSED}
        if not isinstance(server, StdioServerParameters):
            # The server has forgotten the session; a gateway does not reach it.
            self._in_doubt |= {INVALID_REQUEST, INTERNAL_ERROR}
        self._owners: TaskGroup | None = None
        self._current: _Connection | None = None
        self._connections: set[_Connection] = set()
        self._failures = 0
        self._retry_at = -math.inf
        self._listing = asyncio.Lock()
        self._tools: tuple[Tool, ...] = ()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[McpClient]:
        """The client, until the block is left; then all connections are closed."""
        async with anyio.create_task_group() as self._owners:
            yield self
            for connection in self._connections:
                connection.end()

    async def tools(self) -> tuple[Tool, ...]:
        """The server's tools: the very same tuple, as long as they are the same.

        Raises:
            ToolError: the server cannot be reached, or gives no list.
        """
        async with self._listing:
            connection = await self._connected()
            if not (connection.watched and connection.listed):
                await self._list(connection)
            return self._tools

    async def call(self, name: str, args: dict[str, Any]) -> CallToolResult:
        """Calls a tool. Cancelling this tells the server so.

        Raises:
            ToolError: the server cannot be reached, was lost meanwhile, or does not take the arguments.
        """
        connection = await self._connected()

        async def told(progress: float, total: float | None, message: str | None) -> None:
            log.debug("%s: %s: %s of %s. %s", self._name, name, progress, total, message or "")

        try:
            with connection.used() as client:
                return await client.call_tool(name, args, progress_callback=told)
        except (MCPError, anyio.ClosedResourceError, anyio.BrokenResourceError) as error:
            raise self._failed(connection, error) from error

    # Connections.

    async def _connected(self) -> _Connection:
        """The connection, opened if there is none that works; once more if it is over as soon as it is up."""
        connection = await self._opened()
        return connection if connection.usable else await self._opened()

    async def _opened(self) -> _Connection:
        connection = self._current
        if connection is None or not connection.usable:
            if connection is not None:
                connection.retire()
                if connection.error is not None and self._clock() < self._retry_at:
                    raise self._out_of_reach(connection.error)
            assert self._owners is not None
            connection = self._current = _Connection()
            self._connections.add(connection)
            self._owners.start_soon(self._own, connection)
        await connection.opened.wait()
        if connection.error is not None:
            raise self._out_of_reach(connection.error)
        return connection

    async def _own(self, connection: _Connection) -> None:
        """A connection from its opening to its end, in the one task that anyio wants for it."""
        try:
            with connection.scope:
                async with Client(
                    self._transport(connection),
                    cache=None,
                    message_handler=partial(self._heard, connection),
                    logging_callback=self._logged,
                    log_level="info",
                    client_info=Implementation(name="antiphon", version=version("antiphon")),
                ) as client:
                    connection.scope.deadline = math.inf
                    connection.client = client
                    self._failures = 0
                    connection.opened.set()
                    async with anyio.create_task_group() as connection.watchers:
                        await connection.leave.wait()
                        connection.watchers.cancel_scope.cancel()
                    connection.scope.deadline = anyio.current_time() + CLOSING
            if connection.client is None:
                late = f"no answer within {self._connect_timeout:g} s"
                raise TimeoutError("it was closed" if connection.retired else late)
        except Exception as error:
            if connection.client is None:
                self._did_not_open(connection, error)
            elif not connection.retired:
                log.warning("The connection to %s was lost: %s", self._name, _reason(error))
        finally:
            connection.over = True
            connection.opened.set()
            self._connections.discard(connection)

    def _did_not_open(self, connection: _Connection, error: Exception) -> None:
        connection.error = error
        wait = 0.0
        if self._failures:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(self._failures - 1, 60))
        self._failures += 1
        self._retry_at = self._clock() + wait

    @asynccontextmanager
    async def _transport(self, connection: _Connection) -> AsyncIterator[TransportStreams]:
        if isinstance(self._server, StdioServerParameters):
            errlog = cast("TextIO", sys.__stderr__)  # `None` makes the process inherit what there is
            async with stdio_client(self._server, errlog) as streams:
                # Not before: a process that is half started would never be ended.
                connection.limit(self._connect_timeout)
                connection.incoming = streams[0]
                yield streams
        else:
            url, headers = self._server
            connection.limit(self._connect_timeout)
            async with (
                httpx2.AsyncClient(headers=headers, timeout=HTTP_TIMEOUT) as http,
                streamable_http_client(url, http_client=http) as streams,
            ):
                yield streams

    # What goes wrong.

    def _out_of_reach(self, error: Exception) -> ToolError:
        return ToolError(f"{self._name} cannot be reached: {_reason(error)}", ErrorKind.UNAVAILABLE)

    def _failed(self, connection: _Connection, error: Exception) -> ToolError:
        """What a failed question means for the connection, and to the model."""
        code = error.code if isinstance(error, MCPError) else CONNECTION_CLOSED
        if code == INVALID_PARAMS:
            return ToolError(str(error), ErrorKind.INVALID_ARGUMENTS)
        if code not in self._in_doubt:
            return ToolError(str(error))
        connection.retire()
        log.warning("%s failed, and is connected to anew when it is needed: %s", self._name, _reason(error))
        return ToolError(
            f"{self._name} failed during the call ({_reason(error)}): it may have been carried out or not.",
            ErrorKind.UNAVAILABLE,
        )

    # The list of tools.

    async def _list(self, connection: _Connection) -> None:
        """Asks for the tools, and to be told when they change."""
        try:
            with connection.used() as client:
                if not connection.watched:
                    await self._watch(connection, client)
                connection.listed = True  # unless it is said to have changed meanwhile
                found = await _listed(client)
        except BaseException as error:
            connection.listed = False
            if not isinstance(error, MCPError | anyio.ClosedResourceError | anyio.BrokenResourceError):
                raise
            connection.retire()
            raise self._out_of_reach(error) from error
        if found != self._tools:
            self._tools = found

    async def _watch(self, connection: _Connection, client: Client) -> None:
        """Sees to it that changes of the list are told, if the server does that."""
        assert connection.watchers is not None
        can = client.server_capabilities.tools
        if can is None or not can.list_changed:
            connection.watched = True  # nothing changes
        elif client.protocol_version in MODERN_PROTOCOL_VERSIONS:
            with anyio.move_on_after(WATCHING):
                await connection.watchers.start(self._listen, connection, client)
        else:
            # Over HTTP it tells by a stream that may be refused or break without notice: ask every time.
            connection.watched = isinstance(self._server, StdioServerParameters)

    async def _listen(
        self, connection: _Connection, client: Client, *, task_status: TaskStatus[None]
    ) -> None:
        begun = False
        try:
            async with client.listen(tools_list_changed=True) as changes:
                begun = connection.watched = True
                task_status.started()
                async for _ in changes:
                    connection.listed = False
        except (MCPError, RuntimeError) as error:
            log.debug("%s no longer tells of changes: %s", self._name, error)
        finally:
            connection.watched = False
            if not begun:
                task_status.started()

    # What the server says unasked.

    async def _heard(self, connection: _Connection, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            connection.listed = False
        elif isinstance(message, Exception):
            log.warning("%s sent something that could not be read: %s", self._name, message)

    async def _logged(self, params: LoggingMessageNotificationParams) -> None:
        log.log(_LEVELS.get(params.level, logging.WARNING), "%s: %s", self._name, params.data)


async def _listed(client: Client) -> tuple[Tool, ...]:
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(PAGES if client.server_capabilities.tools is not None else 0):
        page = await client.list_tools(cursor=cursor)
        found += page.tools
        cursor = page.next_cursor
        if cursor is None:
            break
    return tuple(found)


def _reason(error: BaseException) -> str:
    """What went wrong, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    text = " ".join(str(error).split())
    return text if text and isinstance(error, MCPError | TimeoutError) else f"{type(error).__name__}: {text}"
