"""`examples/turn_based.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.testing.chat_server import ChatCall, ChatReply, ChatServer

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/turn_based.py"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


async def test_it_looks_up_answers_and_remembers(
    run_script: RunScript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 6.3"""
    script = [
        ChatReply(calls=(ChatCall("weather", {"city": "Lisbon"}, "c1"),)),
        ChatReply("It is sunny in Lisbon."),
        ChatReply("The same."),
    ]
    async with ChatServer(script) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.openai_url)
        ran = await run_script(SCRIPT, "How is the weather in Lisbon?", "And in Oslo?")

    assert (ran.err, ran.code) == ("", 0)
    assert ran.out.splitlines() == [
        "you: How is the weather in Lisbon?",
        "  weather({'city': 'Lisbon'})",
        "assistant: It is sunny in Lisbon.",
        "you: And in Oslo?",
        "assistant: The same.",
    ]
    assert "sunny in Lisbon" in str(server.requests[2].body)


async def test_without_a_key_it_says_what_to_set(run_script: RunScript) -> None:
    ran = await run_script(SCRIPT)

    assert ran.code == 1
    assert "set OPENAI_API_KEY" in ran.err and ran.err.count("\n") == 1
