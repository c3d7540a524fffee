"""A conversation held by google-adk, unmodified, in its own interpreter. Prints one JSON object: what it saw.

Run with GOOGLE_GEMINI_BASE_URL, SSL_CERT_FILE and GOOGLE_API_KEY set.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from google.adk.agents import Agent, LiveRequestQueue
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_weather(city: str) -> dict[str, object]:
    """The weather of a city, now."""
    return {"city": city, "celsius": 21}


async def main() -> None:
    agent = Agent(
        name="guide", model="gemini-3.1-flash-live-preview", instruction="Be brief.", tools=[get_weather]
    )
    runner = InMemoryRunner(agent, app_name="conformance")
    session = await runner.session_service.create_session(app_name="conformance", user_id="ann")
    queue = LiveRequestQueue()
    seen: dict[str, Any] = {"audio": 0, "calls": [], "responses": [], "transcript": "", "turns": 0}
    queue.send_content(types.Content(role="user", parts=[types.Part(text="weather in Paris")]))
    async for event in runner.run_live(
        user_id="ann",
        session_id=session.id,
        live_request_queue=queue,
        run_config=RunConfig(
            streaming_mode=StreamingMode.BIDI,
            response_modalities=["AUDIO"],
            output_audio_transcription=types.AudioTranscriptionConfig(),
        ),
    ):
        for part in (event.content.parts or []) if event.content else []:
            if part.inline_data:
                seen["audio"] += len(part.inline_data.data)
        seen["calls"] += [[call.name, call.args] for call in event.get_function_calls()]
        seen["responses"] += [response.response for response in event.get_function_responses()]
        if event.output_transcription and event.output_transcription.finished:
            seen["transcript"] += event.output_transcription.text
        if event.turn_complete:
            seen["turns"] += 1
            if seen["transcript"]:
                queue.close()
                break
    print(json.dumps(seen))


asyncio.run(main())
