"""Runners whose agents are asked by the real SDKs, against a scripted chat server on loopback."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from antiphon import GeminiChat, InMemoryRunner, OpenAIChat
from antiphon.testing.chat_server import ChatServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from antiphon import ChatModel, Event
    from antiphon.agents import BaseAgent
    from antiphon.sessions import Session

__all__ = ["WIRES", "Turns", "chat_model", "talking", "texts"]

WIRES = ("openai", "gemini")


def chat_model(wire: str, server: ChatServer) -> ChatModel:
    if wire == "openai":
        return OpenAIChat("gpt-any", base_url=server.openai_url)
    return GeminiChat("gemini-any", api_key="any", base_url=server.gemini_url)


@dataclass
class Turns:
    """A runner, a session of its own, and the server its agents are asked on."""

    runner: InMemoryRunner
    server: ChatServer

    async def say(self, message: Any, seen: list[Event] | None = None, **options: Any) -> list[Event]:
        """One whole run; its events are put into `seen` as they come."""
        seen = [] if seen is None else seen
        async for event in self.running(message, **options):
            seen.append(event)
        return seen

    async def running(self, message: Any, **options: Any) -> AsyncIterator[Event]:
        run = self.runner.run_async(user_id="ann", session_id="s1", new_message=message, **options)
        async with aclosing(run):
            async for event in run:
                yield event

    async def session(self) -> Session:
        found = await self.runner.session_service.get_session(app_name="app", user_id="ann", session_id="s1")
        assert found is not None
        return found

    def told(self, request: int) -> list[tuple[str, Any]]:
        """What the model was told by the request of that number, from 0: role, and words or calls."""
        body = self.server.requests[request].body
        if "messages" in body:
            return [_message(each) for each in body["messages"] if each["role"] != "system"]
        return [each for content in body["contents"] for each in _content(content)]


@asynccontextmanager
async def talking(
    wire: str, agent: Callable[[ChatModel], BaseAgent], script: Any = ()
) -> AsyncIterator[Turns]:
    async with ChatServer(script) as server:
        runner = InMemoryRunner(agent(chat_model(wire, server)), app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        yield Turns(runner, server)


def texts(events: list[Event], *, partial: bool = False) -> list[str]:
    """The words of agents, whole or in pieces."""
    return [
        "".join(part.text or "" for part in event.content.parts or [] if not part.thought)
        for event in events
        if event.content and bool(event.partial) is partial and any(p.text for p in event.content.parts or [])
    ]


def _message(message: dict[str, Any]) -> tuple[str, Any]:
    if message["role"] == "tool":
        return ("answer", message["content"])
    if message.get("tool_calls"):
        return ("call", [call["function"]["name"] for call in message["tool_calls"]])
    return (message["role"], message["content"])


def _content(content: dict[str, Any]) -> list[tuple[str, Any]]:
    role = "assistant" if content["role"] == "model" else "user"
    said: list[tuple[str, Any]] = []
    calls = [part["functionCall"]["name"] for part in content["parts"] if "functionCall" in part]
    for part in content["parts"]:
        if "functionResponse" in part:
            answer = part["functionResponse"]["response"]
            said.append(("answer", str(answer).replace("'", '"')))
    if calls:
        said.append(("call", calls))
    elif words := [part["text"] for part in content["parts"] if "text" in part]:
        said.append((role, "\n".join(words)))
    return said
