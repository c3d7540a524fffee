"""What a runner has ready before its first conversation. The rest of it is tested through `Runner`."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from antiphon.testing import LiveServer, Say, Timing, ToolCall

if TYPE_CHECKING:
    from antiphon.testing import Prompt

PROGRAM = """
import asyncio, sys
from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue, types


def weather(city: str) -> str:
    return "clear"


def known():
    ours = {name for name in sys.modules if name.partition(".")[0] in ("aiofastnet", "antiphon", "picows")}
    kinds = {kind for kind in all_below(types.Model) if kind.__pydantic_complete__}
    return ours | {f"the schema of {kind.__name__}" for kind in kinds}


def all_below(kind):
    return {kind}.union(*map(all_below, kind.__subclasses__()))


async def main():
    asked, now, queue = dict(app_name="app", user_id="ann"), known(), LiveRequestQueue()
    session = await runner.session_service.create_session(**asked)
    queue.send_content("Is it sunny?")
    queue.send_realtime(types.Blob(data=bytes(640), mime_type="audio/pcm"))
    said = runner.run_live(user_id="ann", session_id=session.id, live_request_queue=queue)
    async for event in said:
        event.model_dump_json(exclude_none=True, by_alias=True)
        if event.turn_complete:
            queue.close()
    assert (await runner.session_service.get_session(**asked, session_id=session.id)).events
    print(sorted(known() - now))


model = Gemini("gemini-3.8-live", api_key="any", base_url=sys.argv[1])
agent = Agent(name="guide", model=model, tools=[weather])
runner = InMemoryRunner(agent, app_name="app")
asyncio.run(main())
"""


def forecast(prompt: Prompt) -> list[Say | ToolCall]:
    return [Say("It is.") if prompt.responses else ToolCall("weather", {"city": "Paris"})]


async def test_what_a_conversation_needs_is_there_when_the_runner_is() -> None:
    """Importing a module, or making a schema, would hold up the event loop and all that is on it."""
    async with LiveServer(reply=forecast, timing=Timing.instant()) as server:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, server.base_url), stdout=asyncio.subprocess.PIPE
        )
        told, _ = await child.communicate()
    assert (child.returncode, told.decode().strip()) == (0, "[]")
