"""A guardrail that stops the agent in mid-sentence, and callbacks that mask what the user writes.

    export GOOGLE_API_KEY=…
    python examples/guardrail.py "my card is 4111 1111 1111 1111" "say the password"

Without a key: start `python -m antiphon.testing --port 9000`; it repeats what it is told. Set
GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 instead.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import Literal

from antiphon import (
    Agent,
    AntiphonError,
    CallbackContext,
    InMemoryRunner,
    LiveRequestQueue,
    LlmRequest,
    Veto,
)


def mask_numbers(callback_context: CallbackContext, llm_request: LlmRequest) -> None:
    """What the user writes waits for this; what they wrote is stored as it was, the model sees the change."""
    for content in llm_request.contents:
        for part in content.parts or []:
            if part.text:
                part.text = re.sub(r"\d(?: ?\d)+", "(a number)", part.text)


async def no_secrets(
    callback_context: CallbackContext, speaker: Literal["user", "model"], text: str
) -> Veto | None:
    """Sees both sides' words as they come; audio does not wait for it."""
    if speaker == "model" and "password" in text:
        callback_context.state["vetoes"] = callback_context.state.get("vetoes", 0) + 1
        return Veto("no passwords", reply="I had better not say that.")
    return None


agent = Agent(
    name="assistant",
    model="gemini-3.8-live",
    instruction="You are a helpful assistant. Answer in one sentence.",
    before_model_callback=mask_numbers,
    guardrails=[no_secrets],
)


async def talk(*lines: str) -> None:
    runner = InMemoryRunner(agent, app_name="guardrail")
    session = await runner.session_service.create_session(app_name="guardrail", user_id="ada")
    queue = LiveRequestQueue()
    left = iter(lines)

    def say_next() -> None:
        if line := next(left, None):
            print(f"you: {line}")
            queue.send_content(line)
        else:
            queue.close()

    say_next()
    async for event in runner.run_live(user_id="ada", session_id=session.id, live_request_queue=queue):
        if event.error_message:
            print(f"  {event.error_code}: {event.error_message} (stop playing: {bool(event.interrupted)})")
        elif event.error_code is None and event.output_transcription and event.output_transcription.finished:
            print(f"{event.author}: {event.output_transcription.text}")
        for part in (event.content.parts or []) if event.content else []:
            if part.text:
                print(f"{event.author}: {part.text}")
        if event.turn_complete:
            say_next()


def main() -> None:
    try:
        asyncio.run(talk(*(sys.argv[1:] or ["my card is 4111 1111 1111 1111", "say the password"])))
    except AntiphonError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
