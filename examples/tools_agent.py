"""An agent with tools: a quick one, a slow one during which it goes on talking, one that remembers the user.

    export GOOGLE_API_KEY=…
    python examples/tools_agent.py "find a flight to Rome" "weather in Paris"
    python examples/tools_agent.py "remember that my name is Ada"

Without a key: start `python -m antiphon.testing --port 9000`; it repeats what it is told. Set
GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 instead.
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import Agent, AntiphonError, InMemoryRunner, LiveRequestQueue, ToolContext


def get_weather(city: str) -> dict[str, str | int]:
    """The weather right now. Plain functions run in a thread.

    Args:
        city: The city's English name.
    """
    return {"city": city, "sky": "sunny", "celsius": 21}


async def find_flight(to: str) -> dict[str, str]:
    """The next flight. It takes a while: say so, and go on talking.

    Args:
        to: The city to fly to.
    """
    await asyncio.sleep(2)
    return {"to": to, "flight": "AN 100", "leaves": "18:40"}


def remember(fact: str, context: ToolContext) -> str:
    """Keeps a fact about the user, for this conversation and all later ones.

    Args:
        fact: What to remember, as one short sentence.
    """
    facts = context.state["user:facts"] = [*context.state.get("user:facts", []), fact]
    return f"{len(facts)} facts are known."


agent = Agent(
    name="assistant",
    model="gemini-3.8-live",
    instruction="You are a travel assistant. Answer in one sentence. Known about the user: {user:facts?}",
    tools=[get_weather, find_flight, remember],
)


async def talk(*questions: str) -> None:
    runner = InMemoryRunner(agent, app_name="tools")
    session = await runner.session_service.create_session(app_name="tools", user_id="ada")
    queue = LiveRequestQueue()
    asking = iter(questions)
    awaited: set[str | None] = set()  # what is still to come: the model's word, and the results of calls

    def ask() -> None:
        """The next question, without waiting for tools that still run; after the last, the end."""
        if question := next(asking, None):
            print(f"you: {question}")
            queue.send_content(question)
            awaited.add("answer")
        elif not awaited:
            queue.close()

    ask()
    async for event in runner.run_live(user_id="ada", session_id=session.id, live_request_queue=queue):
        for call in event.get_function_calls():
            print(f"  calls {call.name} with {call.args}")
            awaited.discard("answer")
            awaited.add(call.id)
        for result in event.get_function_responses():
            print(f"  {result.name} returned {result.response}")
            awaited.discard(result.id)
            awaited.add("answer")
        if event.actions.state_delta:
            print(f"  remembered: {event.actions.state_delta}")
        if event.output_transcription and event.output_transcription.finished:
            print(f"{event.author}: {event.output_transcription.text}")
            awaited.discard("answer")
        if event.turn_complete:
            ask()


def main() -> None:
    try:
        asyncio.run(talk(*(sys.argv[1:] or ["find a flight to Rome", "weather in Paris"])))
    except AntiphonError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
