"""The emulated model on one connection: runs a `LiveSession` on a `Line`, and its replies beside it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TYPE_CHECKING

from antiphon.testing.live_line import CallEnded, Line
from antiphon.testing.live_tasks import interruptible, race
from antiphon.testing.live_turn import Ask, Effect, HangUp, Hush, Send
from antiphon.testing.live_wire import Message

if TYPE_CHECKING:
    from antiphon.testing.live_reply import Item, Reply
    from antiphon.testing.live_session import LiveSession

__all__ = ["Model"]

_EVENTS = 64  # what waits for the session; then the socket and the reply wait
_END = object()


class Model:
    """Answers until the connection ends, which it tells with `CallEnded`."""

    def __init__(self, line: Line, session: LiveSession, reply: Reply) -> None:
        self._line = line
        self._session = session
        self._reply = reply
        self._events: asyncio.Queue[Message | CallEnded | tuple[int, object]] = asyncio.Queue(_EVENTS)
        self._asks: asyncio.Queue[Ask] = asyncio.Queue()  # bounded by the session: one turn at a time
        self._wanted: int | None = None
        self._scope: asyncio.Timeout | None = None

    async def run(self, *, resumed: bool = False, begin: bool = True) -> None:
        """`begin`: answer the setup first, in its time."""
        now = asyncio.get_running_loop().time()
        effects = self._session.begin(now, resumed=resumed) if begin else []
        await race(self._listen(), self._answer(), self._perform(effects))

    async def _listen(self) -> None:
        try:
            while True:
                await self._events.put(await self._line.receive())
        except CallEnded as end:
            await self._events.put(end)
        await asyncio.get_running_loop().create_future()  # until what came before the end is dealt with

    async def _perform(self, effects: Iterable[Effect]) -> None:
        loop, session = asyncio.get_running_loop(), self._session
        while True:
            for effect in effects:
                await self._do(effect)
            deadline = session.deadline()
            try:
                async with asyncio.timeout_at(deadline):
                    event = await self._events.get()
            except TimeoutError:
                assert deadline is not None
                effects = session.wake(max(deadline, loop.time()))
                continue
            match event:
                case CallEnded():
                    raise event
                case Message():
                    effects = session.receive(event, loop.time())
                case (turn, item) if item is _END:
                    effects = session.replied(turn, loop.time())
                case (turn, item):
                    effects = session.item(turn, item, loop.time())  # type: ignore[arg-type]

    async def _do(self, effect: Effect) -> None:
        match effect:
            case Send(frame):
                with contextlib.suppress(CallEnded):  # the user may have said something before the end
                    await self._line.send(frame)
            case HangUp(code, reason):
                await self._line.close(code, reason)
                raise CallEnded(f"{self._line.connection!r} was closed")
            case Ask():
                self._wanted = effect.turn
                self._asks.put_nowait(effect)
            case Hush():
                self._wanted = None
                if self._scope is not None:
                    self._scope.reschedule(asyncio.get_running_loop().time())
                    self._scope = None

    async def _answer(self) -> None:
        while True:
            ask = await self._asks.get()
            if ask.turn != self._wanted:
                continue
            async with interruptible() as scope:
                self._scope = scope
                try:
                    async with contextlib.aclosing(_items(self._reply, ask)) as items:
                        async for item in items:
                            await self._events.put((ask.turn, item))
                    await self._events.put((ask.turn, _END))
                finally:
                    if self._scope is scope:
                        self._scope = None


async def _items(reply: Reply, ask: Ask) -> AsyncGenerator[Item, None]:
    replied = reply(ask.prompt)
    try:
        if isinstance(replied, AsyncIterable):
            async for item in replied:
                yield item
        else:
            for item in replied:
                yield item
                await asyncio.sleep(0)  # a long reply must not keep the user from cutting in
    finally:
        if (aclose := getattr(replied, "aclose", None)) is not None:
            await aclose()
        elif (close := getattr(replied, "close", None)) is not None:
            close()
