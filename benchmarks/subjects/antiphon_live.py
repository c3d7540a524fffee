"""Antiphon as applications use it: `Runner.run_live` with `Gemini`, a queue, events."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import TYPE_CHECKING

from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue
from antiphon.types import Blob
from benchmarks.subjects.service import serve
from benchmarks.work import CHUNK, CHUNK_MIME_TYPE

if TYPE_CHECKING:
    from benchmarks.round import Round


@cache
def _runner(address: str) -> InMemoryRunner:
    """One for all conversations, as applications have it."""
    model = Gemini("gemini-3.8-live", api_key="any", base_url=address)
    return InMemoryRunner(Agent(name="speaker", model=model), app_name="benchmark")


async def converse(round_: Round, number: int) -> None:
    runner = _runner(round_.address)
    session = await runner.session_service.create_session(app_name="benchmark", user_id="user")
    queue = LiveRequestQueue(max_audio_seconds=3_600)  # it is sent faster than anybody speaks
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_speak(round_, number, queue))
        async for event in runner.run_live(user_id="user", session_id=session.id, live_request_queue=queue):
            if round_.work.as_json:
                event.model_dump_json(exclude_none=True, by_alias=True)
            if event.content and event.content.parts and event.content.parts[0].inline_data:
                round_.heard()


async def _speak(round_: Round, number: int, queue: LiveRequestQueue) -> None:
    async for _ in round_.chunks_due(number):
        queue.send_realtime(Blob(data=CHUNK, mime_type=CHUNK_MIME_TYPE))


if __name__ == "__main__":
    serve(converse, "antiphon", "picows", "pydantic")
