"""What the page says of an agent, and proposes to say to it."""

from __future__ import annotations

from typing import Literal

from antiphon import Agent
from antiphon.server.page.introduction import introduction, suggested


def book_table(day: Literal["Monday", "Friday"], guests: int) -> str:
    """Books a table for some guests on a day. Asks nothing more."""
    return f"{day} {guests}"


def roll(sides: int = 6) -> int:
    """Rolls dice and tells what each shows."""
    return sides


def find_song(title: str) -> str:
    """Finds a song."""
    return title


def bare() -> None: ...


def test_tools_become_requests_with_values_that_they_know() -> None:
    agent = Agent(name="host", model="local", tools=[book_table, roll, find_song, bare])
    assert suggested(agent) == [
        "Book a table for 10 guests on Monday.",
        "Roll dice.",
        "Find a song.",
        "What can you do?",
    ]


def test_an_agent_without_tools_may_be_asked_what_it_can_do() -> None:
    told = introduction(Agent(name="host", model="local"), app="app")
    assert told["suggestions"] == ["What can you do?"]
    assert told["description"].startswith("Talk by voice") and told["tools"] == []


def test_the_whole_cast_is_introduced_each_tool_once() -> None:
    chef = Agent(name="chef", description="Cooks.", model="local", tools=[roll])
    told = introduction(Agent(name="host", model="local", tools=[roll], sub_agents=[chef]), app="app")
    assert told["agents"] == [{"name": "host", "description": ""}, {"name": "chef", "description": "Cooks."}]
    assert told["tools"] == [{"name": "roll", "description": "Rolls dice and tells what each shows"}]
    assert told["model"] == "local" and told["description"] == "It rolls dice and tells what each shows."


def test_what_was_written_is_taken_before_what_is_made() -> None:
    told = introduction(
        Agent(name="host", description="Hosts.", model="local"), app="app", suggestions=["Hi."]
    )
    assert (told["description"], told["suggestions"]) == ("Hosts.", ["Hi."])
