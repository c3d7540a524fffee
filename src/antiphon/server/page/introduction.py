"""What the page says of an agent before anybody has talked with it, and what one may say to it first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from antiphon.agents import Agent, BaseAgent
from antiphon.tools import BaseTool

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["introduction", "suggested"]

MOST_SUGGESTED: Final = 5


def introduction(agent: BaseAgent, *, app: str, suggestions: Sequence[str] | None = None) -> dict[str, Any]:
    """`name`, `description`, `app`, `model` (its name), `agents` and `tools` (names and descriptions), and
    `suggestions`: those given, else `suggested`."""
    cast = list(_cast(agent))
    return {
        "name": agent.name,
        "description": agent.description or _described(cast),
        "app": app,
        "model": _model(cast),
        "agents": [{"name": one.name, "description": one.description} for one in cast],
        "tools": [{"name": tool.name, "description": _first(tool.description)} for tool in _tools(cast)],
        "suggestions": list(suggestions) if suggestions is not None else suggested(agent),
    }


def suggested(agent: BaseAgent) -> list[str]:
    """What may be said to an agent first: for each of its tools a request in plain words.

    A tool's description is made a request (`Sets a timer.` → `Set a timer.`); where its words name a
    parameter whose values are known (`a city`), one of them takes its place.
    """
    tools = enumerate(_tools(list(_cast(agent))))
    made = [sentence for number, tool in tools if (sentence := _request(tool, number))]
    if len(made) < MOST_SUGGESTED:
        made.append("What can you do?")
    return made[:MOST_SUGGESTED]


def _cast(agent: BaseAgent) -> Iterator[BaseAgent]:
    yield agent
    for sub in agent.sub_agents:
        yield from _cast(sub)


def _tools(cast: Sequence[BaseAgent]) -> Iterator[BaseTool]:
    seen: set[str] = set()
    for agent in cast:
        for tool in agent.tools if isinstance(agent, Agent) else ():
            if isinstance(tool, BaseTool) and tool.name not in seen:
                seen.add(tool.name)
                yield tool


def _model(cast: Sequence[BaseAgent]) -> str | None:
    for agent in cast:
        if isinstance(agent, Agent) and agent.model is not None:
            return agent.model if isinstance(agent.model, str) else type(agent.model).__name__
    return None


def _described(cast: Sequence[BaseAgent]) -> str:
    can = [_lowered(_first(tool.description)) for tool in _tools(cast) if tool.description]
    if not can:
        return "Talk by voice or by text, and cut in whenever you like."
    if 1 < len(can) < MOST_SUGGESTED:
        can[-1] = f"and {can[-1]}"
    return f"It {'; '.join(can[:MOST_SUGGESTED])}."


def _request(tool: BaseTool, number: int) -> str:
    sentence = re.sub(r"(?<=\w) and [a-z]+s\b.*", "", _first(tool.description))
    first, _, rest = sentence.partition(" ")
    if not rest:
        return ""
    for name, sample in _samples(tool, number):
        rest = re.sub(
            rf"\b(?:an?|the|some|the given) {re.escape(name.replace('_', ' '))}\b", sample, rest, count=1
        )
    verb = _VERBS.get(first.lower(), re.sub(r"(?<=[^s])s$", "", first))
    return f"{verb[:1].upper()}{verb[1:]} {rest}."


_VERBS: Final = {
    "tells": "Tell me",
    "gives": "Give me",
    "returns": "Tell me",
    "gets": "Tell me",
    "finds": "Find",
}


def _samples(tool: BaseTool, number: int) -> Iterator[tuple[str, str]]:
    """What the words for a parameter may become; by the tool's number, so that not all name the same."""
    declared = tool.declaration()
    if declared is None:
        return
    schema = declared.parameters_json_schema
    if not isinstance(schema, dict):
        told = declared.parameters
        schema = told.model_dump(mode="json", exclude_none=True) if told is not None else {}
    definitions = schema.get("$defs", {})
    for name, wanted in schema.get("properties", {}).items():
        wanted = definitions.get(str(wanted.get("$ref", "")).rpartition("/")[2], wanted)
        if values := wanted.get("enum"):
            yield name, str(values[(len(values) // 2 + 1 + 2 * number) % len(values)])
        elif str(wanted.get("type", "")).lower() in ("integer", "number"):
            yield name, f"10 {name}" if name.endswith("s") else "10"


def _first(description: str | None) -> str:
    """The first sentence, without its end."""
    line = (description or "").strip().split("\n", 1)[0]
    return re.split(r"[.;](?:\s|$)", line, maxsplit=1)[0].strip()


def _lowered(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]
