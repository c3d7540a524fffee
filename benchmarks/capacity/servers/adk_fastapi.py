"""google-adk as its guide to live streaming serves it: a FastAPI endpoint, two tasks, events as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from google.adk.agents import Agent, LiveRequestQueue
from google.adk.agents.run_config import RunConfig, StreamingMode, ToolThreadPoolConfig
from google.adk.models import Gemini
from google.adk.runners import Runner
from google.adk.sessions import InMemorySessionService
from google.genai.types import Blob, Content, Part

from benchmarks.capacity.loops import choose_loop

__all__ = ["app"]


def crunch() -> str:
    """Computes for two seconds."""
    until = time.perf_counter() + 2.0
    rounds = 0
    while time.perf_counter() < until:
        rounds += 1
    return f"{rounds} rounds"


def crunch_apart() -> str:
    """The same, by the name by which a tool is called that is set apart."""
    return crunch()


APP = "benchmark"
POOL = ToolThreadPoolConfig() if os.environ.get("CAPACITY_TOOL_THREADS") else None
model = Gemini(
    model="gemini-3.8-live", base_url=sys.argv[2], client_kwargs={"api_key": "any", "vertexai": False}
)
sessions = InMemorySessionService()
runner = Runner(
    app_name=APP,
    agent=Agent(name="speaker", model=model, tools=[crunch, crunch_apart]),
    session_service=sessions,
)
app = FastAPI()


@app.websocket("/ws/{user_id}/{session_id}")
async def converse(websocket: WebSocket, user_id: str, session_id: str) -> None:
    await websocket.accept()
    config = RunConfig(
        streaming_mode=StreamingMode.BIDI, response_modalities=["AUDIO"], tool_thread_pool_config=POOL
    )
    if not await sessions.get_session(app_name=APP, user_id=user_id, session_id=session_id):
        await sessions.create_session(app_name=APP, user_id=user_id, session_id=session_id)
    queue = LiveRequestQueue()

    async def upstream() -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect
            if (sound := message.get("bytes")) is not None:
                queue.send_realtime(Blob(mime_type="audio/pcm;rate=16000", data=sound))
            elif (text := message.get("text")) is not None and json.loads(text).get("type") == "text":
                queue.send_content(Content(parts=[Part(text=json.loads(text)["text"])]))

    async def downstream() -> None:
        async for event in runner.run_live(
            user_id=user_id, session_id=session_id, live_request_queue=queue, run_config=config
        ):
            await websocket.send_text(event.model_dump_json(exclude_none=True, by_alias=True))

    try:
        await asyncio.gather(upstream(), downstream())
    except WebSocketDisconnect:
        pass
    finally:
        queue.close()


if __name__ == "__main__":
    choose_loop()
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))
