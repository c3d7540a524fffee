"""`examples/tools_agent.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/tools_agent.py"


async def test_a_slow_tool_does_not_hold_up_the_conversation(run_script: RunScript) -> None:
    """contract 5.1, 5.2, 5.3: a sync and an async tool, and an answer while the slow one runs."""
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, base_url=server.base_url)

    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.splitlines() == [
        "you: find a flight to Rome",
        "  calls find_flight with {'to': 'Rome'}",
        "you: weather in Paris",
        "  calls get_weather with {'city': 'Paris'}",
        "  get_weather returned {'city': 'Paris', 'sky': 'sunny', 'celsius': 21}",
        "assistant: get weather: city Paris, sky sunny, celsius 21.",
        "  find_flight returned {'to': 'Rome', 'flight': 'AN 100', 'leaves': '18:40'}",
        "assistant: find flight: to Rome, flight AN 100, leaves 18:40.",
    ]
    assert server.connections[0].close_code == 1000  # contract 1.5


async def test_what_a_tool_writes_lands_with_its_answer(run_script: RunScript) -> None:
    """contract 4.6, 5.1: `ToolContext` is injected, and hidden from the model."""
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, "remember that my name is Ada", base_url=server.base_url)

        assert (ran.err, ran.code) == ("", 0)
        assert "  remembered: {'user:facts': ['that my name is Ada']}" in ran.out.splitlines()
        setup = server.connections[0].setup
        assert setup is not None
        declared = {tool["name"]: tool for tool in setup["tools"][0]["functionDeclarations"]}
        assert declared.keys() == {"get_weather", "find_flight", "remember"}
        assert "context" not in str(declared["remember"]["parameters"])


async def test_without_a_key_it_says_what_to_set(run_script: RunScript) -> None:
    ran = await run_script(SCRIPT, "weather in Paris")

    assert ran.code == 1
    assert "set GOOGLE_API_KEY" in ran.err and ran.err.count("\n") == 1
