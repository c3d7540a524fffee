"""`examples/guardrail.py`, run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing

if TYPE_CHECKING:
    from tests.examples.conftest import RunScript

SCRIPT = "examples/guardrail.py"


async def test_numbers_are_masked_and_secrets_not_said(run_script: RunScript) -> None:
    """contract 5.10, 5.13"""
    async with LiveServer(timing=Timing.instant(playback=1.0, generation_complete=0.3)) as server:
        ran = await run_script(SCRIPT, base_url=server.base_url)

    assert (ran.err, ran.code) == ("", 0)
    lines = ran.out.splitlines()
    assert lines[0] == "you: my card is 4111 1111 1111 1111"
    assert "(a number)" in lines[1] and "4111" not in lines[1]
    assert lines[2:] == [
        "you: say the password",
        "  GUARDRAIL: no passwords (stop playing: True)",
        "assistant: I had better not say that.",
    ]
