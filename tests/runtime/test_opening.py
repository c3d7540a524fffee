"""What a model is told when its session begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon import Agent
from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from antiphon import Event
    from antiphon.testing.live_server import Call
    from tests.runtime.conftest import Converse

FRAME = bytes(1920)  # 40 ms of PCM at 24 kHz
HELLO = {"role": "user", "parts": [{"text": "hello"}]}


def audio_of(event: Event) -> bytes | None:
    parts = event.content.parts if event.content else None
    return parts[0].inline_data.data if parts and parts[0].inline_data else None


async def test_the_instruction_is_filled_in_from_state(converse: Converse) -> None:
    """contract 6.1; DESIGN 6"""

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert setup["systemInstruction"]["parts"] == [{"text": "You help Ann."}]
        await call.closed()

    async with converse(script, agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        await talk.runner.session_service.delete_session(app_name="app", user_id="ann", session_id="s1")
        await talk.runner.session_service.create_session(
            app_name="app", user_id="ann", session_id="s1", state={"name": "Ann"}
        )
        await talk.until(lambda e: e.lifecycle)


async def test_an_instruction_that_cannot_be_filled_in_is_an_error_that_says_so(converse: Converse) -> None:
    async with converse(agent=Agent(name="helper", instruction="You help {name}.")) as talk:
        with pytest.raises(ConfigurationError, match="'name'"):
            await talk.all()


async def test_a_new_invocation_is_told_the_stored_conversation(converse: Converse) -> None:
    """contract 4.4"""

    async def first(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.turn("Your name is Ann.")
        await call.closed()

    async def second(call: Call) -> None:
        setup = await call.setup()
        assert setup["historyConfig"] == {"initialHistoryInClientContent": True}
        told = await call.receive()
        assert [turn["parts"] for turn in told["clientContent"]["turns"]] == [
            [{"text": "I am Ann"}],
            [{"text": "Your name is Ann."}],
        ]
        await call.closed()

    async with converse([first, second]) as talk:
        talk.queue.send_content("I am Ann")
        await talk.until(lambda e: e.turn_complete)
        talk.queue = type(talk.queue)()
        await talk.until(lambda e: e.lifecycle)
        await talk.server.connected(2)
