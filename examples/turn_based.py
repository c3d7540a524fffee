"""The same agents without a live connection: one turn per run, text in and text out, any model.

    export OPENAI_API_KEY=…
    python examples/turn_based.py "How is the weather in Lisbon?" "And in Oslo?"

Any OpenAI-compatible server will do: OPENAI_BASE_URL=http://localhost:11434/v1 AGENT_MODEL=openai/llama3.3.
AGENT_MODEL=gemini-3.8-flash asks Gemini, with GOOGLE_API_KEY.
"""

from __future__ import annotations

import asyncio
import os
import sys

from antiphon import Agent, AntiphonError, InMemoryRunner


def weather(city: str) -> str:
    """Tells the weather.

    Args:
        city: Its name, such as "Lisbon".
    """
    return f"sunny in {city}"


assistant = Agent(
    name="assistant",
    model=os.environ.get("AGENT_MODEL", "gpt-5.2"),
    instruction="Answer in one sentence. Look the weather up; do not guess.",
    tools=[weather],
)


async def talk(questions: list[str]) -> None:
    runner = InMemoryRunner(assistant, app_name="turn_based")
    session = await runner.session_service.create_session(app_name="turn_based", user_id="ada")
    for question in questions:
        print(f"you: {question}")
        async for event in runner.run_async(user_id="ada", session_id=session.id, new_message=question):
            for call in event.get_function_calls():
                print(f"  {call.name}({call.args})")
            if event.is_final_response() and event.content:
                print(f"{event.author}: {''.join(part.text or '' for part in event.content.parts or [])}")


def main() -> None:
    try:
        asyncio.run(talk(sys.argv[1:] or ["How is the weather in Lisbon?"]))
    except AntiphonError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
