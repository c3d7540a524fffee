"""Two agents, one conversation: the reception hands over to the billing desk, in the same stream of events.

    export GOOGLE_API_KEY=…
    python examples/transfer.py "Transfer me to the agent for billing: why was I charged twice?"

Without a key: start `python -m antiphon.testing --port 9000`; it repeats what it is told. Set
GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 instead.
"""

from __future__ import annotations

import asyncio
import sys

from antiphon import Agent, AntiphonError, InMemoryRunner, LiveRequestQueue

billing = Agent(
    name="billing",
    description="Invoices, payments and refunds.",
    instruction="You are the billing desk. Say who you are, and answer in one sentence.",
    disallow_transfer_to_parent=True,  # whoever is at this desk is not sent back
)
reception = Agent(
    name="reception",
    model="gemini-3.8-live",
    instruction="You are the reception. Hand questions about money over to billing, answer all others.",
    sub_agents=[billing],
)


async def talk(question: str) -> None:
    runner = InMemoryRunner(reception, app_name="transfer")
    session = await runner.session_service.create_session(app_name="transfer", user_id="ada")
    queue = LiveRequestQueue()
    queue.send_content(question)
    print(f"you: {question}")

    answered = False
    async for event in runner.run_live(user_id="ada", session_id=session.id, live_request_queue=queue):
        if event.actions.transfer_to_agent:
            answered = False  # it is the next agent's turn
            print(f"  {event.author} hands over to {event.actions.transfer_to_agent}")
        if event.output_transcription and event.output_transcription.finished:
            answered = True
            print(f"{event.author}: {event.output_transcription.text}")
        if event.turn_complete and answered:
            queue.close()


def main() -> None:
    question = " ".join(sys.argv[1:]) or "Transfer me to the agent for billing: why was I charged twice?"
    try:
        asyncio.run(talk(question))
    except AntiphonError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
