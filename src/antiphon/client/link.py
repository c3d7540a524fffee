"""One conversation over as many sockets as it takes: the tasks that read, write and come back."""

from __future__ import annotations

import asyncio
from random import random
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed

from antiphon.client import items
from antiphon.client.door import Broken
from antiphon.client.downlink import item_of
from antiphon.client.errors import BacklogFull, ClientError, ConversationLost, ConversationRefused
from antiphon.client.inbox import Inbox
from antiphon.core.backoff import Backoff
from antiphon.runtime.tasks import TaskOwner
from antiphon.server import messages
from antiphon.server.wire import Malformed, decode_down, encode

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from antiphon.client.door import Door
    from antiphon.client.downlink import Downlink
    from antiphon.client.uplink import Uplink
    from antiphon.config import Retry
    from antiphon.server.messages import Media, Queue, Received, Sequenced, ServerHello, Unknown

__all__ = ["Link"]

ACK_AFTER: Final = 0.5
"""Seconds in which nothing else goes, after which what came is acknowledged."""
LEAVING: Final = 2.0
"""Seconds for the last words, when the conversation is left."""

_OVER: Final = 1000
_FULL: Final = 1013
_UNKNOWN: Final = 4004
_FOR_GOOD: Final = {1002, 1003, 1007, 1008, 1009, 4001, 4008, 4029}


class Link:
    """Connects what goes and what comes with the server. `begin` first, `leave` at the end."""

    def __init__(self, door: Door, uplink: Uplink, downlink: Downlink, retry: Retry) -> None:
        self.uplink = uplink
        self.inbox = Inbox()
        self.hello: ServerHello | None = None
        self._door = door
        self._downlink = downlink
        self._backoff = Backoff(retry, random)
        self._socket: ClientConnection | None = None  # on which the server has said hello
        self._over = False
        self._outgoing = asyncio.Event()
        self._begun = asyncio.get_running_loop().create_future()
        self._tasks = TaskOwner(self._end)

    async def begin(self) -> None:
        """Returns when the server has let this client in, or into the line.

        Raises `ConversationRefused` and `ConversationLost`.
        """
        self._tasks.spawn(self._run(), "conversation with a server")
        await self._begun

    def wake(self) -> None:
        """There is something to send."""
        self._outgoing.set()

    async def leave(self) -> None:
        """Sends what waits, says that it is over, and ends. Leaving twice is fine."""
        if (socket := self._socket) is not None and not self._over:
            try:
                async with asyncio.timeout(LEAVING):
                    self.uplink.say(messages.Close)
                    while (frame := self.uplink.next()) is not None:
                        await socket.send(frame)
                    await socket.close(_OVER)
            except (BacklogFull, ConnectionClosed, TimeoutError):
                pass  # it is left all the same
        await self._tasks.cancel_all(within=LEAVING)
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        self.uplink.close()
        self.inbox.end(error)
        if self._begun.done():
            return
        if error is None:
            self._begun.set_result(None)
        else:
            self._begun.set_exception(error)

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._attend()
                    break
                except Broken as broken:
                    await self._pause(broken)
        except ClientError as error:
            self._end(error)
        else:
            self._end(None)

    async def _pause(self, broken: Broken) -> None:
        if not self._begun.done():
            raise ConversationLost(f"There is no conversation: {broken}. Look at `url`.") from broken
        wait = self._backoff.failed(asyncio.get_running_loop().time())
        if wait is None:
            raise ConversationLost(f"Trying again did not help: {broken}.") from broken
        self.inbox.put(items.Disconnected(str(broken), wait))
        await asyncio.sleep(wait)

    async def _attend(self) -> None:
        """One socket, until the conversation is over. Raises `Broken` when another is needed."""
        socket = await self._door.open()
        writer: asyncio.Task[None] | None = None
        said = ""
        try:
            await socket.send(encode(self._downlink.hello()))
            while True:
                message = decode_down(await socket.recv())
                if isinstance(message, messages.ServerHello):
                    self._welcome(message)
                    self._socket = socket
                    writer = self._tasks.spawn(self._write(socket), "writing to a server")
                elif isinstance(message, messages.Error):
                    said = message.message
                    if message.code != "unknown_conversation":  # what that means is done, not told
                        self.inbox.put(items.Refused(message.code, message.message, message.n))
                else:
                    self._take(message)
                await self.inbox.room()
        except ConnectionClosed as closed:
            self._judge(closed, said)
        except (Malformed, ValidationError) as error:
            raise ConversationLost(f"The server broke the protocol: {error}") from error
        finally:
            self._socket = None
            if writer is not None:
                self._tasks.cancel(writer)
            await socket.close()

    def _welcome(self, hello: ServerHello) -> None:
        self.hello = hello
        self._downlink.welcome(hello)
        self.uplink.come_back(hello.received)
        self.inbox.put(items.Connected(hello.resumed, hello.role))
        self.wake()
        self._let_in()

    def _let_in(self) -> None:
        if not self._begun.done():
            self._begun.set_result(None)

    def _take(self, message: Queue | Received | Sequenced | Unknown | Media) -> None:
        seen = self._downlink.seq
        match message:
            case messages.Queue(position, length):
                self.inbox.put(items.QueuePosition(position, length))
                self._let_in()
            case messages.Received(n):
                self.uplink.received(n)
            case messages.Unknown():
                self._downlink.is_new(message)
            case _ if self._downlink.is_new(message):
                if isinstance(message, messages.Flush):
                    self.inbox.flush(message.stream)
                self._over = self._over or isinstance(message, messages.Closed)
                self.inbox.put(item_of(message))
        if self._downlink.seq != seen:
            self.uplink.acknowledge(self._downlink.seq)
            self.wake()

    def _judge(self, closed: ConnectionClosed, said: str) -> None:
        """What it means that the socket was closed; returns when the conversation is over."""
        code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
        reason = said or reason or "the server closed the socket"
        if self._over or code == _OVER:
            return
        if code == _UNKNOWN:
            self._downlink.begin_anew()
            self.uplink.begin_anew()
        elif code in _FOR_GOOD or (code == _FULL and not self._begun.done()):
            raise ConversationRefused(code, reason) from closed
        raise Broken(f"{reason} ({code})") from closed

    async def _write(self, socket: ClientConnection) -> None:
        while True:
            try:
                async with asyncio.timeout(ACK_AFTER if self.uplink.owes else None):
                    await self._outgoing.wait()
                idle = False
            except TimeoutError:
                idle = True
            self._outgoing.clear()
            while (frame := self.uplink.next(idle)) is not None:
                try:
                    await socket.send(frame)
                except ConnectionClosed:
                    return  # who reads sees it too
