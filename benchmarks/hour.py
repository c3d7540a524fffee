"""The process that holds a long conversation: `python -m benchmarks.hour ADDRESS MINUTES kept|forgotten`.

It prints a line, then one with its memory at the start and after each minute. `forgotten`: neither the
session service nor the conversation keeps what was said, so that whatever grows would grow for ever.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from typing import TYPE_CHECKING, Any, Final, cast

from antiphon import Agent, Gemini, InMemorySessionService, LiveRequestQueue, RunConfig, Runner, ToolContext
from antiphon.types import Blob, SessionResumptionConfig
from benchmarks.hour_peer import CHUNKS
from benchmarks.resident import Memory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon import Event, Session

__all__ = ["Conversation"]

CHUNK: Final = Blob(data=bytes(3_200), mime_type="audio/pcm;rate=16000")
"""100 ms of the microphone."""
A_MINUTE: Final = 600
AHEAD: Final = 50
"""Frames of speech that may be on their way."""
FRAMES: Final = 2.5
"""Of speech, for each chunk."""


class Forgetful(InMemorySessionService):
    """Keeps nothing that was said."""

    async def append_event(self, session: Session, event: Event) -> Event:
        return event

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        return list(events)


def look_up(number: int) -> str:
    """Looks a number up."""
    return f"The number is {number}."


def forget(number: int, tool_context: ToolContext) -> str:
    """Looks a number up, and forgets the conversation so far."""
    cast("list[Event]", tool_context.session.events).clear()
    return look_up(number)


class Conversation:
    """One conversation of so many minutes, as fast as both sides can."""

    def __init__(self, address: str, minutes: int, *, forgotten: bool) -> None:
        tool: Any = forget if forgotten else look_up
        tool.__name__ = "look_up"
        model = Gemini("gemini-3.8-live", api_key="any", base_url=address)
        self.sessions = Forgetful() if forgotten else InMemorySessionService()
        self.runner = Runner(
            app_name="hour",
            agent=Agent(name="speaker", model=model, instruction="Speak.", tools=[tool]),
            session_service=self.sessions,
        )
        self.queue = LiveRequestQueue()
        self.minutes = minutes
        self.curve: list[dict[str, int]] = []
        self.heard = self.turns = self.stored = 0
        self._further = asyncio.Event()

    async def hold(self) -> None:
        session = await self.sessions.create_session(app_name="hour", user_id="user")
        self._note()
        speaking = asyncio.create_task(self._speak())
        config = RunConfig(session_resumption=SessionResumptionConfig())
        async for event in self.runner.run_live(
            user_id="user", session_id=session.id, live_request_queue=self.queue, run_config=config
        ):
            self._hear(event)
        await speaking

    async def _speak(self) -> None:
        for sent in range(self.minutes * A_MINUTE):
            while sent * FRAMES > self.heard + AHEAD:
                self._further.clear()
                await self._further.wait()
            if sent % A_MINUTE == 0 and sent:
                self._note()
            if sent % CHUNKS == CHUNKS // 2:
                self.queue.send_playback(5_000.0, turn=self.turns)
            self.queue.send_realtime(CHUNK)
        self._note()
        self.queue.close()

    def _hear(self, event: Event) -> None:
        self.turns += bool(event.turn_complete)
        if event.content and event.content.parts and event.content.parts[0].inline_data:
            self.heard += 1
            self._further.set()

    def _note(self) -> None:
        gc.collect()
        self.curve.append({"minute": len(self.curve), "turns": self.turns, **Memory.now().to_json()})


async def main() -> None:
    address, minutes, kind = sys.argv[1:]
    print(json.dumps(kind), flush=True)
    conversation = Conversation(address, int(minutes), forgotten=kind == "forgotten")
    async with asyncio.timeout(60.0 + 10.0 * int(minutes)):
        await conversation.hold()
    print(json.dumps(conversation.curve), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
