"""An agent whose tools are those of an MCP server: here `mcp_shelf.py`, a shelf of books.

    pip install 'antiphon[mcp]'
    export GOOGLE_API_KEY=…
    python examples/mcp_agent.py "find the book Dune" "list the books"

Without a key: start `python -m antiphon.testing --port 9000`; it repeats what it is told. Set
GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:9000 instead.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from antiphon import Agent, AntiphonError, InMemoryRunner, LiveRequestQueue, McpToolset
from antiphon.tools import StdioServer

server = Path(__file__).with_name("mcp_shelf.py")
shelf = McpToolset(StdioServer(sys.executable, [str(server)]))  # or StreamableHttpServer("https://…/mcp")
agent = Agent(
    name="librarian",
    model="gemini-3.8-live",
    instruction="You look after a shelf of books. Answer in one sentence.",
    tools=[shelf],
)


async def talk(*questions: str) -> None:
    async with InMemoryRunner(agent, app_name="mcp") as runner:  # closes the server at the end
        session = await runner.session_service.create_session(app_name="mcp", user_id="ada")
        queue = LiveRequestQueue()
        asking = iter(questions)

        def ask() -> None:
            if question := next(asking, None):
                print(f"you: {question}")
                queue.send_content(question)
            else:
                queue.close()

        ask()
        async for event in runner.run_live(user_id="ada", session_id=session.id, live_request_queue=queue):
            if event.lifecycle and event.lifecycle.kind == "toolset_unavailable":
                print(f"  without {event.lifecycle.reason}")
            for call in event.get_function_calls():
                print(f"  calls {call.name} with {call.args}")
            if event.output_transcription and event.output_transcription.finished:
                print(f"{event.author}: {event.output_transcription.text}")
            if event.turn_complete and event.interaction_status != "IN_PROGRESS":
                ask()


def main() -> None:
    try:
        asyncio.run(talk(*(sys.argv[1:] or ["find the book Dune", "list the books"])))
    except AntiphonError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
