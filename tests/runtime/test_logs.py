"""Log records know their conversation, and hold nothing that was said (contract 1.8)."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, ConversationFilter, Gemini, InMemoryRunner, LiveRequestQueue
from antiphon.compilation import is_compiled
from antiphon.errors import ModelConnectionError
from antiphon.runtime import toolrunner
from antiphon.runtime.logs import about, within
from antiphon.testing.live_server import Call, LiveServer, Timing
from antiphon.types import Blob
from tests.runtime.near_model import NearModel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runtime.conftest import Converse

log = logging.getLogger("application")


class Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(ConversationFilter())
        self.records: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, logger: str) -> list[tuple[str, str, str]]:
        named = [record for record in self.records if record.name == logger]
        return [(each.getMessage(), each.conversation, each.agent) for each in named]


@pytest.fixture
def kept() -> Iterator[Kept]:
    root, handler = logging.getLogger(), Kept()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


def plain_look() -> str:
    log.warning("in a thread")
    return "seen"


async def fails() -> str:
    log.warning("in a task")
    raise ValueError


async def instruction(context: object) -> str:
    log.warning("in an instruction")
    return "Be brief."


async def calling(call: Call) -> None:
    await call.setup()
    await call.receive_text()
    for name in ("plain_look", "fails"):
        await call.tool_call(name, {})
        await call.receive_tool_response()
    await call.turn("There.")
    await call.closed()


async def test_what_is_logged_for_a_conversation_says_which(
    converse: Converse, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 1.8"""
    monkeypatch.setattr(toolrunner, "COMPUTES", 0.0)
    agent = Agent(name="helper", instruction=instruction, tools=[plain_look, fails])
    async with converse(calling, agent=agent) as talk:
        talk.queue.send_content("Look")
        done = await talk.until(lambda event: event.turn_complete)
    log.warning("outside")
    assert kept.of("application") == [
        ("in an instruction", "s1", "helper"),
        ("in a thread", "s1", "helper"),
        ("in a task", "s1", "helper"),
        ("outside", "", ""),
    ]
    computed, failed = kept.of("antiphon.runtime.toolrunner")
    assert failed == ("The tool fails failed.", "s1", "helper")
    assert computed[0].startswith("The tool plain_look computed") and computed[1:] == ("s1", "helper")
    assert {each.invocation for each in kept.records if each.conversation} == {done.invocation_id}


async def test_conversations_at_the_same_time_are_told_apart(kept: Kept) -> None:
    async def converse(session_id: str, base_url: str) -> None:
        model = Gemini("gemini-3.8-live", api_key="any", base_url=base_url)
        runner = InMemoryRunner(Agent(name="helper", model=model, tools=[plain_look, fails]))
        await runner.session_service.create_session(
            app_name="InMemoryRunner", user_id="ann", session_id=session_id
        )
        queue = LiveRequestQueue()
        queue.send_content("Look")
        running = runner.run_live(user_id="ann", session_id=session_id, live_request_queue=queue)
        async with aclosing(running) as events:
            async for event in events:
                if event.turn_complete:
                    return

    async with LiveServer(calling, timing=Timing.instant()) as server:
        await asyncio.gather(*(converse(f"s{number}", server.base_url) for number in range(3)))
    told = kept.of("application")
    assert sorted(told) == sorted(
        (line, f"s{number}", "helper") for number in range(3) for line in ("in a thread", "in a task")
    )


async def test_what_the_record_says_itself_stays(kept: Kept) -> None:
    log.warning("mine", extra={"conversation": "other"})
    assert kept.of("application") == [("mine", "other", "")]


async def test_a_crash_is_named_wherever_it_was_noticed(kept: Kept) -> None:
    model = NearModel()
    runner = InMemoryRunner(Agent(name="helper", model=model))
    await runner.session_service.create_session(app_name="InMemoryRunner", user_id="ann", session_id="s1")
    running = runner.run_live(user_id="ann", session_id="s1", live_request_queue=LiveRequestQueue())
    unheard_of: Any = object()
    with pytest.raises(TypeError if is_compiled() else AssertionError):
        async for event in running:
            if event.lifecycle is not None and event.lifecycle.kind == "ready":
                model.connections[0].listener.received([unheard_of])  # from the application's own task
    [(message, conversation, agent)] = kept.of("antiphon.runtime.pump")
    assert message.endswith("crashed.")
    assert (conversation, agent) == ("s1", "helper")


async def test_neither_secrets_nor_words_nor_audio_are_logged(kept: Kept) -> None:
    """contract 1.8"""
    key, words, sound = "sk-very-secret-key", "my number is 4711", bytes(range(1, 255)) * 8

    async def script(call: Call) -> None:
        await call.setup()
        await call.receive_text()
        await call.input_transcription(words)
        await call.audio(sound)
        await call.tool_call("fails", {})
        await call.receive_tool_response()
        await call.send_bytes(f'{{"serverContent": {{"{words}": ')
        await call.turn(f"You said {words}.")
        await call.close(1008, "API key not valid")

    async with LiveServer(script, timing=Timing.instant()) as server:
        model = Gemini("gemini-3.8-live", api_key=key, base_url=server.base_url)
        runner = InMemoryRunner(Agent(name="helper", model=model, tools=[fails]))
        await runner.session_service.create_session(app_name="InMemoryRunner", user_id="ann", session_id="s1")
        queue = LiveRequestQueue()
        queue.send_content(words)
        queue.send_realtime(Blob(data=sound, mime_type="audio/pcm;rate=16000"))
        with pytest.raises(ModelConnectionError):
            async for _ in runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue):
                pass
    ours = [record for record in kept.records if not record.name.startswith("websockets")]  # the service's
    assert {record.name for record in ours} >= {
        "antiphon.runtime.toolrunner",
        "antiphon.models.socket_connection",
    }
    written = "\n".join(logging.Formatter().format(record) for record in ours)
    for kept_out in (key, words, repr(sound)[2:60], base64.b64encode(sound)[:40].decode()):
        assert kept_out not in written


def test_leaving_from_elsewhere_does_no_harm() -> None:
    """A loop that goes down ends what still waits in a context of its own."""
    invocation: Any = type("Invocation", (), {"session": type("S", (), {"id": "s1"}), "invocation_id": "e-1"})
    inside = within(invocation, lambda: "helper")
    contextvars.copy_context().run(inside.__enter__)
    inside.__exit__(None, None, None)
    assert about(invocation, lambda: "helper") == {
        "conversation": "s1",
        "invocation": "e-1",
        "agent": "helper",
    }
