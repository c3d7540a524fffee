"""`examples/transfer.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/transfer.py"


async def test_the_next_agent_answers_in_the_same_stream(run_script: RunScript) -> None:
    """contract 5.8: the first session is closed, the second has its own instruction and the question."""
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, base_url=server.base_url)

    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.splitlines() == [
        "you: Transfer me to the agent for billing: why was I charged twice?",
        "  reception hands over to billing",
        "billing: You said: Transfer me to the agent for billing: why was I charged twice?",
    ]
    first, second = server.connections
    assert (first.close_code, second.close_code) == (1000, 1000)
    assert "the billing desk" in str(second.setup) and "the reception" not in str(second.setup)


async def test_who_need_not_hand_over_answers(run_script: RunScript) -> None:
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(SCRIPT, "Hello", base_url=server.base_url)

    assert ran.out.splitlines() == ["you: Hello", "reception: You said: Hello"]
    assert len(server.connections) == 1


async def test_without_a_key_it_says_what_to_set(run_script: RunScript) -> None:
    ran = await run_script(SCRIPT)

    assert ran.code == 1
    assert "set GOOGLE_API_KEY" in ran.err and ran.err.count("\n") == 1
