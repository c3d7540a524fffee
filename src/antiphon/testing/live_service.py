"""What the connections of a `LiveServer` have in common: models, keys, handles, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from antiphon.testing.live_call import Call
from antiphon.testing.live_memory import Memory, Store
from antiphon.testing.live_model import Model
from antiphon.testing.live_profiles import HandlePolicy, Profile, Timing, profile_of
from antiphon.testing.live_session import LiveSession
from antiphon.testing.live_setup import NOT_FOUND, Refusal, Setup, accept
from antiphon.testing.live_world import World

if TYPE_CHECKING:
    from antiphon.testing.live_connection import Connection
    from antiphon.testing.live_faults import Faults
    from antiphon.testing.live_line import Line
    from antiphon.testing.live_reply import Reply
    from antiphon.testing.live_wire import Message

__all__ = ["Options", "Script", "Service"]

Script = Callable[[Call], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """As `LiveServer` takes them."""

    reply: Reply
    profile: Profile | None
    timing: Timing
    handle_policy: HandlePolicy | None
    transcribe: Callable[[bytes, int], str] | None
    accept_keys: Collection[str] | None
    models: Collection[str] | None
    handle_lifetime: float


class Service:
    """Answers connections, by script or with the emulated model."""

    def __init__(self, scripts: Sequence[Script | None], faults: Faults, options: Options) -> None:
        self.calls: dict[int, Call] = {}
        """By the number of the connection."""
        self._scripts = [*scripts] or [None]
        self._faults = faults
        self._options = options
        self._store = Store(lifetime=options.handle_lifetime)

    async def answer(self, line: Line) -> None:
        """Plays the next script, or the model, to its end. Raises `CallEnded`, and what a script raises."""
        connection = line.connection
        call = Call(line, partial(self.judge, connection), self.converse)
        self.calls[connection.number] = call
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        await (self.converse(call) if script is None else script(call))

    def judge(self, connection: Connection, message: Message) -> Setup | Refusal:
        """What becomes of a connection's first message."""
        options = self._options
        if options.accept_keys is not None and connection.api_key not in options.accept_keys:
            return Refusal(1007, "API key not valid. Please pass a valid API key.")
        setup = message.get("setup")
        model = str(setup.get("model") or "") if isinstance(setup, dict) else ""
        return accept(message, connection.route, options.profile or profile_of(model), models=options.models)

    async def converse(self, call: Call, reply: Reply | None = None) -> None:
        """The emulated model answers on this connection; it reads the setup unless a script already did."""
        options, number = self._options, call.connection.number
        begin = call.accepted is None
        if begin:
            await call.setup(answer=False)
        setup = call.accepted
        assert setup is not None, "a call that was set up has its setup"
        memory = self._memory(setup, number, call.line.now())
        if isinstance(memory, Refusal):
            await asyncio.sleep(options.timing.refusal)
            await call.close(memory.code, memory.reason)
            return
        world = World(
            faults=partial(self._faults.of, number),
            number=self._store.number,
            issue=lambda moment: self._store.issue(memory, moment=moment),
            timing=options.timing,
            handles=options.handle_policy or setup.profile.handles,
            transcribe=options.transcribe,
        )
        session = LiveSession(setup, memory, world)
        self._store.enter(memory, number)
        model = Model(call.line, session, reply or options.reply)
        try:
            await model.run(resumed=setup.handle is not None, begin=begin)
        finally:
            session.leave()
            ended = call.line.ended_at
            self._store.leave(memory, number, call.line.now() if ended is None else ended)

    def _memory(self, setup: Setup, number: int, now: float) -> Memory | Refusal:
        faults = self._faults.of(number)
        if setup.handle is None:
            return Memory()
        if faults.handle_expired:
            return Refusal(1008, NOT_FOUND)
        return self._store.resume(
            setup.handle,
            now,
            open_connections={other for other, call in self.calls.items() if call.line.open},
            settle=faults.early_resume,
            hold=faults.hold_session,
            keep_calls=not faults.lose_tool_calls,
        )
