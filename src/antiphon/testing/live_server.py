"""A Gemini Live server for tests and demos, which speaks the service's wire (docs: testing).

```python
async def script(call: Call) -> None:
    await call.setup()
    assert await call.receive_text() == "Hello"
    await call.turn("Hello yourself.")

async with LiveServer(script) as server:
    model = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
    ...
    first = await server.connected(1)
    assert first.setup["model"] == "models/gemini-3.8-live"
```

Without a script the emulated model answers: it hears speech, calls tools, is interrupted, is resumed.
`python -m antiphon.testing --port 9000` keeps one running.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from antiphon.testing import live_frames as frames
from antiphon.testing.live_call import Call
from antiphon.testing.live_connection import LOGGED, PATIENCE, Changes, Connection
from antiphon.testing.live_faults import (
    Abort,
    Close,
    Faults,
    Freeze,
    Garbage,
    GoAway,
    Inject,
    Mishap,
    Oversized,
)
from antiphon.testing.live_host import Host
from antiphon.testing.live_line import CallEnded, Line
from antiphon.testing.live_profiles import PROFILES, HandlePolicy, Profile, Timing, profile_named
from antiphon.testing.live_reply import (
    Hold,
    Item,
    Pause,
    Prompt,
    Raw,
    Reply,
    Say,
    Think,
    ToolCall,
    ToolResponse,
    echo,
)
from antiphon.testing.live_service import Options, Script, Service
from antiphon.testing.live_setup import FunctionDeclaration
from antiphon.testing.live_speech import silence, spoken, tone
from antiphon.testing.live_wire import Message, route

if TYPE_CHECKING:
    import ssl
    from types import TracebackType

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request, Response

__all__ = [
    "PROFILES",
    "Abort",
    "Call",
    "CallEnded",
    "Close",
    "Connection",
    "Faults",
    "Freeze",
    "FunctionDeclaration",
    "Garbage",
    "GoAway",
    "HandlePolicy",
    "Hold",
    "Inject",
    "Item",
    "LiveServer",
    "Message",
    "Mishap",
    "Oversized",
    "Pause",
    "Profile",
    "Prompt",
    "Raw",
    "Reply",
    "Say",
    "Script",
    "Think",
    "Timing",
    "ToolCall",
    "ToolResponse",
    "echo",
    "frames",
    "silence",
    "spoken",
    "tone",
]

T = TypeVar("T")

_PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


class LiveServer:
    """Listens on this machine while its `async with` block lasts.

    - `scenario`: a script `async def script(call)`, or one per connection in order (the last for all further
      ones; None for the emulated model). Without it, the emulated model.
    - `reply`: what the emulated model answers; see `live_reply`.
    - `profile`: whose peculiarities the model has (wire 1.10), by name or your own; None: by model name.
    - `tls`: True for a certificate of its own, which clients trust by `ca_file`; or a server's `SSLContext`.
    - `faults`: what goes wrong; may be changed at any time.
    - `handle_policy`: when resumption handles are told; None: as the profile does.
    - `timing`: how fast the emulated model is; None: as the service; `Timing.instant()`: no delays.
    - `transcribe`: the words of an utterance (PCM, hertz); None: the model knows only how long it was.
    - `accept_keys`, `models`: the keys and models that exist; None: any.
    - `vertex_verbatim`: every path is taken, as behind the SDK's custom `base_url`.
    - `text_frames`: frames are text instead of binary.
    - `clock`: that stamps messages and by which handles grow old, in seconds; None: the loop's.
    - `handle_lifetime`: seconds that a handle is good for after its session's last connection.
    - `log`: messages kept of a connection, each way; when it is full the older half is forgotten.

    Leaving the block closes every connection (1001) and raises the first error of a script.
    """

    def __init__(
        self,
        scenario: Script | Sequence[Script | None] | None = None,
        *,
        reply: Reply = echo,
        profile: str | Profile | None = None,
        tls: bool | ssl.SSLContext = False,
        faults: Faults | Mapping[int, Faults] | None = None,
        handle_policy: HandlePolicy | str | None = None,
        timing: Timing | None = None,
        transcribe: Callable[[bytes, int], str] | None = None,
        accept_keys: Collection[str] | None = None,
        models: Collection[str] | None = None,
        vertex_verbatim: bool = False,
        text_frames: bool = False,
        clock: Callable[[], float] | None = None,
        handle_lifetime: float = 7200.0,
        log: int = LOGGED,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.faults = faults if isinstance(faults, Faults) else Faults()
        """What goes wrong; its switches may be set at any time, `faults.on(n, …)` for one connection."""
        for number, own in faults.items() if isinstance(faults, Mapping) else ():
            self.faults.on(number, own)
        self.connections: list[Connection] = []
        """Every attempt to connect, oldest first; those that were refused have a `status` other than 101."""
        options = Options(
            reply=reply,
            profile=profile_named(profile) if isinstance(profile, str) else profile,
            timing=timing or Timing(),
            handle_policy=HandlePolicy(handle_policy) if handle_policy else None,
            transcribe=transcribe,
            accept_keys=accept_keys,
            models=models,
            handle_lifetime=handle_lifetime,
        )
        scripts = [scenario] if callable(scenario) else [*(scenario or [])]
        self._service = Service(scripts, self.faults, options)
        self._verbatim = vertex_verbatim
        self._text_frames = text_frames
        self._log = log
        self._clock = clock
        self._changes = Changes()
        self._logs: dict[ServerConnection, Connection] = {}
        self._host = Host((host, port), tls, self._arrived, self._requested, self._upgraded)

    # --- where it is ---

    @property
    def port(self) -> int:
        """Known once the block is entered."""
        return self._host.port

    @property
    def base_url(self) -> str:
        """What clients take as `base_url`: "http://127.0.0.1:PORT", with TLS "https://localhost:PORT"."""
        return self._host.url

    @property
    def ws_url(self) -> str:
        """The whole address, for a bare WebSocket client: "ws://127.0.0.1:PORT/ws/…BidiGenerateContent"."""
        return "ws" + self.base_url.removeprefix("http") + _PATH

    @property
    def ca_file(self) -> str | None:
        """A file with the authority to trust, with `tls=True`; removed when the block is left."""
        return self._host.ca_file

    @property
    def calls(self) -> Mapping[int, Call]:
        """Connection number → the server's end of it, where a test may speak or hang up at any time."""
        return self._service.calls

    # --- what tests wait for ---

    async def connected(self, n: int = 1, *, within: float = PATIENCE) -> Connection:
        """The `n`-th connection that sent its setup, once it did.

        Raises `TimeoutError` after `within` seconds of the loop's clock, or what a script raised.
        """

        def found(server: LiveServer) -> Connection | None:
            ready = [connection for connection in server.connections if connection.setup is not None]
            return ready[n - 1] if len(ready) >= n else None

        return await self.until(found, within=within, what=f"setup number {n}")

    async def until(
        self,
        condition: Callable[[LiveServer], T | None],
        *,
        within: float = PATIENCE,
        what: str = "a condition",
    ) -> T:
        """Waits until `condition(server)` is true; returns its value. Raises as `connected` does."""
        return await self._changes.until(
            lambda: condition(self), lambda: f"{what}; {self.connections}", within
        )

    @contextlib.asynccontextmanager
    async def unreachable(self) -> AsyncIterator[None]:
        """Within the block nobody listens: new connections are refused by the operating system."""
        self._host.stop_listening()
        try:
            yield
        finally:
            await self._host.listen()

    # --- its life ---

    async def __aenter__(self) -> Self:
        try:
            await self._host.listen()
        except BaseException:
            await self._host.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._host.close()
        if error is None and self._changes.error is not None:
            raise self._changes.error

    def _arrived(self, socket: ServerConnection) -> None:
        number = len(self.connections) + 1
        if self.faults.of(number).refuse_tcp:
            connection = Connection(number, "", {}, self._changes)
            connection.close_code = 1006
            self.connections.append(connection)
            Line(socket, connection, self.faults, self._changes).abort()
            self._changes.tell()

    def _requested(self, socket: ServerConnection, request: Request) -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.raw_items()}
        if headers.get("upgrade", "").lower() != "websocket":
            return None  # answered with 426
        number, where = len(self.connections) + 1, route(request.path, verbatim=self._verbatim)
        connection = Connection(number, request.path, headers, self._changes, route=where, limit=self._log)
        self.connections.append(connection)
        status = self.faults.of(connection.number).http_status or (404 if where is None else 101)
        connection.status = status
        self._changes.tell()
        if status != 101:
            return socket.respond(status, f"refused with {status}\n")
        self._logs[socket] = connection
        return None

    async def _upgraded(self, socket: ServerConnection) -> None:
        connection = self._logs.pop(socket)
        line = Line(
            socket,
            connection,
            self.faults,
            self._changes,
            text_frames=self._text_frames,
            clock=self._clock,
        )
        try:
            await line.serve(partial(self._service.answer, line))
        except Exception as error:
            self._changes.fail(error)
            await line.close(1011, f"{type(error).__name__}: {error}")


async def _run(arguments: argparse.Namespace) -> None:
    server = LiveServer(
        profile=arguments.profile,
        tls=arguments.tls,
        log=1000,
        host=arguments.host,
        port=arguments.port,
    )
    async with server:
        trust = f"; trust it with SSL_CERT_FILE={server.ca_file}" if server.ca_file else ""
        sys.stdout.write(f"Gemini Live, emulated, at {server.base_url}{trust}\n")
        sys.stdout.flush()
        await forever()


async def forever() -> None:
    await asyncio.get_running_loop().create_future()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m antiphon.testing",
        description="A Gemini Live server for tests and demos. Any API key will do.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--tls", action="store_true", help="with a certificate of its own")
    parser.add_argument(
        "--profile", choices=[profile.name for profile in PROFILES], help="default: by model name"
    )
    chosen = parser.parse_args(arguments)
    try:
        asyncio.run(_run(chosen))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        where = f"{chosen.host}:{chosen.port}"
        parser.exit(1, f"cannot listen on {where}: {error.strerror}; choose another --port\n")
