"""A voice agent behind a WebSocket: the whole of a live application, in four phases.

    pip install 'antiphon[server]'
    export GOOGLE_API_KEY=…
    python examples/fastapi_app.py                     # ws://127.0.0.1:8000/ws/{user_id}/{session_id}

Up: a binary frame is 16 kHz PCM; a text frame is JSON, `{"type": "text", "text": "Hello"}`; see `pass_on`.
Down: every event as its JSON. To run it without a key:

    python -m antiphon.testing --port 9000 &
    GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 python examples/fastapi_app.py
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import sys
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from antiphon import (
    Agent,
    AntiphonError,
    ErrorCode,
    Event,
    Gemini,
    InMemorySessionService,
    LiveRequestQueue,
    RunConfig,
    Runner,
    types,
)

# Phase 1, the application: built once, shared by all users.

APP_NAME = "voice_app"

model = Gemini(os.environ.get("AGENT_MODEL", "gemini-3.8-live"))
agent = Agent(name="assistant", model=model, instruction="You are friendly. Answer in one sentence.")
sessions = InMemorySessionService()
runner = Runner(app_name=APP_NAME, agent=agent, session_service=sessions)
app = FastAPI()


@app.websocket("/ws/{user_id}/{session_id}")
async def converse(
    websocket: WebSocket,
    user_id: str,
    session_id: str,
    proactivity: bool = False,
    affective_dialog: bool = False,
    modality: Literal["AUDIO", "TEXT"] = "AUDIO",
) -> None:
    await websocket.accept()

    # Phase 2, the session: once for each conversation.

    who: dict[str, Any] = {"app_name": APP_NAME, "user_id": user_id, "session_id": session_id}
    if await sessions.get_session(**who) is None:
        await sessions.create_session(**who)
    config = RunConfig(
        response_modalities=[types.Modality(modality)],
        session_resumption=types.SessionResumptionConfig(),
        proactivity=types.ProactivityConfig(proactive_audio=True) if proactivity else None,
        enable_affective_dialog=affective_dialog or None,
    )
    queue = LiveRequestQueue()

    # Phase 3, the active conversation: both directions at once, and each ends the other.

    async def upstream() -> None:
        """From the client to the model, until the client leaves."""
        while (message := await websocket.receive())["type"] == "websocket.receive" and not queue.closed:
            try:
                pass_on(message.get("bytes"), message.get("text"), queue)
            except ValueError as error:  # this message is no good; the next one may be
                await tell(error, ErrorCode.INVALID_REQUEST)
        queue.close()

    async def downstream() -> None:
        """From the model to the client, until the conversation ends."""
        events = runner.run_live(
            user_id=user_id, session_id=session_id, live_request_queue=queue, run_config=config
        )
        code = 1000
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    await websocket.send_text(event.model_dump_json(exclude_none=True, by_alias=True))
        except AntiphonError as error:  # no key, a model that cannot do this, a connection that was lost
            await tell(error, type(error).__name__)
            code = 1011
        await websocket.close(code)

    async def tell(error: Exception, code: str) -> None:
        event = Event(author="server", error_code=code, error_message=str(error))
        await websocket.send_text(event.model_dump_json(exclude_none=True, by_alias=True))

    # Phase 4, termination: whatever happened, nothing is left running.

    try:
        async with asyncio.TaskGroup() as conversation:
            conversation.create_task(upstream())
            conversation.create_task(downstream())
    except* WebSocketDisconnect:
        pass  # the client left while something was being sent to it
    finally:
        queue.close()


def pass_on(pcm: bytes | None, text: str | None, queue: LiveRequestQueue) -> None:
    """Sends what a client said to the model. Raises `ValueError`, which tells what is wrong with it."""
    if pcm is not None:
        queue.send_realtime(types.Blob(data=pcm, mime_type="audio/pcm;rate=16000"))
        return
    match json.loads(text or ""):
        case {"type": "text", "text": str(words)}:
            queue.send_content(words)
        case {"type": "image", "data": str(data), **rest}:
            queue.send_realtime(blob(data, rest, "image/jpeg"))
        case {"type": "audio", "data": str(data), **rest}:
            queue.send_realtime(blob(data, rest, "audio/pcm;rate=16000"))
        case {"type": "activity_start"}:
            queue.send_activity_start()
        case {"type": "activity_end"}:
            queue.send_activity_end()
        case {"type": "close"}:
            queue.close()
        case _:
            raise ValueError(
                'A message is {"type": "text", "text": …}, {"type": "image", "data": base64, "mimeType": …}, '
                '{"type": "audio", …} likewise, {"type": "activity_start"}, {"type": "activity_end"} '
                'or {"type": "close"}.'
            )


def blob(data: str, rest: dict[Any, Any], default: str) -> types.Blob:
    mime_type = rest.get("mimeType") or rest.get("mime_type") or default
    return types.Blob(data=base64.b64decode(data, validate=True), mime_type=mime_type)


def main() -> None:
    try:
        model.check(RunConfig())
    except AntiphonError as error:
        sys.exit(str(error))
    port = int(os.environ.get("PORT", "8000"))
    uvicorn.run(app, host="127.0.0.1", port=port, ws="websockets-sansio")


if __name__ == "__main__":
    main()
