"""A server as a process: the address it listens on, and uvicorn with bounds (contract 8.3, 8.8)."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import aiofastnet
import uvicorn
from uvicorn.supervisors import Multiprocess

from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.server.connections import BoundedHttp
from antiphon.server.direct import DirectWebSockets
from antiphon.server.limits import ServerLimits

try:
    import resource
except ImportError:  # Windows, which has no such bound
    resource = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from fastapi import FastAPI

__all__ = ["address_of", "allow_files", "event_loop", "listen", "serve"]

log = logging.getLogger(__name__)

ENDING: Final = 10
"""Seconds that requests under way have left once conversations were drained."""
BESIDES: Final = 1_000
"""Open files besides connections."""
COLLECT_AFTER: Final = 500
"""New objects, of those that can be part of a cycle, after which these are searched for garbage.

It takes a part of a millisecond, and three times that for every third: sound that comes meanwhile waits,
and near the limit of a processor much else after that.
"""
COLLECT_EVERY: Final = 300.0
"""Seconds after which all are: a quarter of a millisecond for each conversation."""
STANDS: Final = 1.0
"""Seconds after which an application has started."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes a free one.

    Raises:
        ConfigurationError: the port is taken or not allowed, or this machine has no such address.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise ConfigurationError(_told(host, port, error)) from error


def address_of(listening: socket.socket, host: str) -> str:
    """Where a browser on this machine finds it."""
    port = listening.getsockname()[1]
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}"


def serve(
    application: FastAPI | str,
    listening: socket.socket,
    *,
    limits: ServerLimits | None = None,
    workers: int = 1,
    access_log: bool = True,
    log_level: str = "info",
) -> None:
    """Serves until `SIGTERM`, which drains conversations first, or `SIGINT`.

    Args:
        application: What `create_app` has made; with several workers the name of a function that makes it
            in each, as `module:function`.
        listening: Of `listen`; closed at the end.
        limits: The application's, for the frames that WebSockets may bring.
        workers: Processes. A conversation lives in one of them; a client that comes back may reach another.
        access_log: Whether each request is logged. Tokens are not in it.
        log_level: Of the server's own log: `info`, `warning`, …

    Raises `AntiphonError` when the application does not start.
    """
    allow_files(BoundedHttp.connections_at_once + BESIDES)
    settings = _settings(limits or ServerLimits()) | {"access_log": access_log, "log_level": log_level}
    config = uvicorn.Config(
        application, factory=isinstance(application, str), workers=workers, http=BoundedHttp, **settings
    )
    with listening:
        if workers > 1:
            Multiprocess(config, sockets=[listening]).run()
            return
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except SystemExit as error:  # uvicorn has told what failed
            raise AntiphonError("The application did not start: what failed is said above.") from error


def allow_files(wanted: int) -> int:
    """Raises the process's own bound of open files towards `wanted`; returns what it is now."""
    if resource is None:
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed < wanted:
        log.warning("This process may open %d files, too few for %d connections: ulimit -n", allowed, wanted)
    return allowed


def _settings(limits: ServerLimits) -> dict[str, Any]:
    return {
        "server_header": False,
        "timeout_graceful_shutdown": ENDING,
        "ws_max_size": max(limits.media_bytes, limits.text_bytes),
        "ws": DirectWebSockets,
        "ws_per_message_deflate": False,  # sound does not shrink; and no bombs, and no 300 KB for each socket
        "loop": f"{__name__}:event_loop",
    }


def event_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a server's process (docs/performance.md says why).

    asyncio's, with clients' sockets in compiled code. Garbage is looked for among `COLLECT_AFTER` new objects
    at a time, among the rest once in `COLLECT_EVERY` seconds, and not among what stands when the application
    has started: conversations hardly make any, and each look through them is a pause for all of them.
    """
    loop = asyncio.new_event_loop()
    loop.create_server = partial(aiofastnet.create_server, loop)  # type: ignore[method-assign]
    gc.set_threshold(COLLECT_AFTER, 2, 1_000_000)
    loop.call_later(STANDS, gc.freeze)
    loop.call_later(COLLECT_EVERY, _collect, loop)
    return loop


def _collect(loop: asyncio.AbstractEventLoop) -> None:
    """Looks for garbage among all that is not new any more."""
    gc.collect()
    loop.call_later(COLLECT_EVERY, _collect, loop)


def _told(host: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} of {host} is taken: end what uses it, or take another: --port {port + 1}."
        case errno.EACCES:
            return f"Port {port} needs rights that you do not have: take one above 1023, e.g. --port 8000."
        case errno.EADDRNOTAVAIL:
            return (
                f"This machine does not have the address {host}: --host 127.0.0.1, or 0.0.0.0 for all it has."
            )
    return f"{host} port {port} cannot be listened on ({error}): choose others by --host and --port."
