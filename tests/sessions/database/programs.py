"""Programs that tests run in processes of their own; each tells on standard output how far it is.

`talk URL`: one conversation that goes on until the process is killed; a line for each event that is yielded
and stored, `id time`, time in seconds since the epoch.

`append URL NAME COUNT`: waits for a line, appends `COUNT` events to the session as fast as it can, and tells.

`write URL`: commands by line, `read`, `set KEY VALUE`, `try KEY VALUE`; tells what came of each.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from contextlib import aclosing
from typing import Any

from antiphon import (
    Agent,
    DatabaseSessionService,
    Event,
    EventActions,
    Gemini,
    LiveRequestQueue,
    RunConfig,
    Runner,
)
from antiphon.errors import StaleSession
from antiphon.sessions.storable import stored_form
from antiphon.testing.live_server import LiveServer, Timing

__all__: list[str] = []

WHO: Any = {"app_name": "app", "user_id": "ann", "session_id": "s1"}


def tell(line: str) -> None:
    print(line, flush=True)


async def heard() -> str:
    line: str = await asyncio.to_thread(sys.stdin.readline)
    return line.strip()


async def talk(url: str) -> None:
    async with (
        LiveServer(timing=Timing.instant(first_audio=0.01)) as server,
        DatabaseSessionService(url) as sessions,
    ):
        await sessions.create_session(**WHO)
        model = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        runner = Runner(app_name="app", agent=Agent(name="helper", model=model), session_service=sessions)
        queue = LiveRequestQueue()
        queue.send_content("Hello")
        running = runner.run_live(
            user_id="ann",
            session_id="s1",
            live_request_queue=queue,
            run_config=RunConfig(max_llm_calls=0),
        )
        async with aclosing(running):
            async for event in running:
                if stored_form(event) is not None:
                    tell(f"{event.id} {time.time()}")
                if event.turn_complete:
                    queue.send_content("And now?")


async def append(url: str, name: str, count: str) -> None:
    async with DatabaseSessionService(url) as sessions:
        session = await sessions.get_session(**WHO)
        assert session is not None
        tell("ready")
        await heard()
        for number in range(int(count)):
            delta = {f"{name}.{number}": number, "last": name, "app:last": name}
            event = Event(id=f"{name}.{number}", author=name, actions=EventActions(state_delta=delta))
            await sessions.append_event(session, event)
        tell("done")


async def write(url: str) -> None:
    logging.basicConfig(stream=sys.stdout, level=logging.WARNING, format="%(message)s")
    async with DatabaseSessionService(url) as sessions:
        session = None
        while command := (await heard()).split():
            match command:
                case ["read"]:
                    session = await sessions.get_session(**WHO)
                case [how, key, value] if session is not None:
                    event = Event(id=value, author="test", actions=EventActions(state_delta={key: value}))
                    try:
                        await sessions.append_events(session, [event], unless_stale=how == "try")
                    except StaleSession as stale:
                        tell(str(stale))
            tell("ok")


if __name__ == "__main__":
    program, *arguments = sys.argv[1:]
    programs: dict[str, Any] = {"talk": talk, "append": append, "write": write}
    asyncio.run(programs[program](*arguments))
