"""The line of one connection: frames go over it, and mishaps happen on it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket as sockets
import struct
from collections import Counter
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from antiphon.testing import live_frames as frames
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
    received_steps,
    sent_steps,
)
from antiphon.testing.live_tasks import race
from antiphon.testing.live_wire import Message, Unreadable, merged, read, truncated

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping

    from websockets.asyncio.server import ServerConnection

    from antiphon.testing.live_connection import Changes, Connection

__all__ = ["CallEnded", "Line"]

_FLUSHING = 500  # turns of the loop that a reset waits for the last frames to arrive
_UNREAD = 4096  # messages that wait to be received by a script; then the client's socket fills up


class CallEnded(Exception):
    """The connection is closed. In a script it need not be caught: the script ends with its connection."""


class Line:
    """Sends frames and receives messages on a socket; logs both, and does what the faults say.

    Everything raises `CallEnded` once the connection is closed.
    """

    def __init__(
        self,
        socket: ServerConnection,
        connection: Connection,
        faults: Faults,
        changes: Changes,
        *,
        text_frames: bool = False,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.connection = connection
        self.ended_at: float | None = None
        """When the connection ended, by the clock."""
        self._socket = socket
        self._faults = faults
        self._changes = changes
        self._text_frames = text_frames
        self._clock = clock or asyncio.get_running_loop().time
        self._inbox: asyncio.Queue[Message | None] = asyncio.Queue(_UNREAD)
        self._steps: Counter[str] = Counter()
        self._frozen = False
        self._doom: asyncio.Queue[tuple[float, Close | Abort]] = asyncio.Queue()

    @property
    def faults(self) -> Faults:
        """What holds for this connection now."""
        return self._faults.of(self.connection.number)

    def now(self) -> float:
        """Seconds of the clock that messages are stamped with."""
        return self._clock()

    @property
    def open(self) -> bool:
        return self._socket.state is State.OPEN

    async def serve(self, answer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Keeps the line until the connection is closed, with `answer` running beside it."""

        async def talk() -> None:
            with contextlib.suppress(CallEnded):
                await answer()
            await self.drain()

        async def listen() -> None:
            await self._read()
            await asyncio.get_running_loop().create_future()  # it is for `talk` to end

        try:
            await race(talk(), listen(), self._meet_doom())
        finally:
            self._note_end()

    async def gone(self) -> None:
        """Returns when the socket is closed."""
        await self._socket.wait_closed()
        self._note_end()

    def _note_end(self) -> None:
        if self.connection.close_code is None and self._socket.state is State.CLOSED:
            self.ended_at = self.now()
            self.connection.close_code = self._socket.close_code
            self.connection.close_reason = self._socket.close_reason
        self._changes.tell()

    # --- receiving ---

    async def _read(self) -> None:
        try:
            with contextlib.suppress(CallEnded):
                await self._step("connect")
            while True:
                frame = await self._socket.recv()
                message = self._message(frame)
                self.connection.note(message, self.connection.received)
                if message.kind == "setup" and self.faults.setup_hangs:
                    self._frozen = True
                for step in received_steps(message):
                    await self._step(step)
                await self._inbox.put(message)
        except (ConnectionClosed, CallEnded):
            pass
        finally:
            self._note_end()
        await self._inbox.put(None)

    def _message(self, frame: str | bytes) -> Message:
        try:
            return read(frame, time=self.now())
        except Unreadable as error:
            raw = frame.encode() if isinstance(frame, str) else frame
            return Message({}, time=self.now(), raw=raw, problem=str(error))

    async def receive(self) -> Message:
        """The next message, in order."""
        message = await self._inbox.get()
        if message is None:
            self._inbox.put_nowait(None)
            raise CallEnded(f"{self.connection!r} is closed")
        return message

    async def drain(self) -> None:
        """Until the end of the connection; what still comes is only logged."""
        with contextlib.suppress(CallEnded):
            while True:
                await self.receive()

    # --- sending ---

    async def send(self, frame: Mapping[str, Any]) -> None:
        """One frame, then the mishaps of its steps."""
        if not await self._send(frame):
            return
        steps = sent_steps(frame)
        if "model_turn" in steps and self.faults.empty_frames:
            await self._send({})
            await self._send({"serverContent": {}})
        for step in steps:
            await self._step(step)

    async def _send(self, frame: Mapping[str, Any]) -> bool:
        text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
        return await self.send_bytes(text.encode(), frame)

    async def send_bytes(self, data: bytes | str, frame: Mapping[str, Any] | None = None) -> bool:
        """Anything: `bytes` in a binary frame, `str` in a text one. False if it was lost, in a freeze."""
        raw = data.encode() if isinstance(data, str) else data
        if not self.open:
            raise CallEnded(f"{self.connection!r} is closed")
        if self._frozen or self.faults.frozen:
            return False
        self.connection.note(Message(frame or {}, time=self.now(), raw=raw), self.connection.sent)
        try:
            if frame is None:
                await self._socket.send(data)
            else:
                await self._socket.send(raw, text=self._text_frames)
        except ConnectionClosed:
            raise CallEnded(f"{self.connection!r} is closed") from None
        return True

    async def close(self, code: int, reason: str = "") -> None:
        """A close frame; returns when the client answered it, or took too long."""
        await self._socket.close(code, truncated(reason))
        self._note_end()

    def abort(self) -> Awaitable[None]:
        """Resets the connection once what was sent has arrived, or a moment later if nobody reads it; may be
        awaited until that is done."""
        self._frozen = True
        self._reset(_FLUSHING)
        return _Gone(self)

    def _reset(self, patience: int) -> None:
        transport = self._socket.transport
        raw = transport.get_extra_info("socket")
        if patience and (transport.get_write_buffer_size() or _on_its_way(raw)):
            asyncio.get_running_loop().call_soon(self._reset, patience - 1)
            return
        with contextlib.suppress(OSError):  # of a socket that is gone already
            raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()

    def freeze(self) -> None:
        """From now on frames are lost; the socket stays up."""
        self._frozen = True

    # --- mishaps ---

    async def _step(self, step: str) -> None:
        self._steps[step] += 1
        for mishap in self.faults.mishaps(step, self._steps[step]):
            await self.suffer(mishap)

    async def suffer(self, mishap: Mishap) -> None:
        """Makes it happen."""
        match mishap:
            case Close(code, reason):
                await self.close(code, reason)
                raise CallEnded(f"{self.connection!r} was closed")
            case Abort():
                await self.abort()
                raise CallEnded(f"{self.connection!r} was aborted")
            case Freeze():
                self.freeze()
            case GoAway(seconds, then):
                await self.send(frames.go_away(seconds))
                if then is not None:
                    self._doom.put_nowait((asyncio.get_running_loop().time() + seconds, then))
            case Inject(frame):
                await self._send(merged(frame))
            case Garbage(data):
                await self.send_bytes(data)
            case Oversized(size):
                head, tail = b'{"serverContent":{"modelTurn":{"parts":[{"text":"', b'"}]}}}'
                await self.send_bytes(head + b"x" * (size - len(head) - len(tail)) + tail)

    async def _meet_doom(self) -> None:
        """What was announced to happen later."""
        while True:
            due, mishap = await self._doom.get()
            loop = asyncio.get_running_loop()
            await asyncio.sleep(due - loop.time())
            with contextlib.suppress(CallEnded):
                await self.suffer(mishap)


def _on_its_way(raw: sockets.socket) -> int:
    """Bytes that the kernel has, and the client's kernel not yet; 0 where that cannot be known."""
    try:
        import fcntl  # not on every system
        import termios

        (count,) = struct.unpack("i", fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(count)
    except (ImportError, OSError, ValueError):
        return 0


class _Gone:
    """The end of a line, for those who want to wait for it; need not be awaited."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __await__(self) -> Generator[Any, None, None]:
        return self._line.gone().__await__()
