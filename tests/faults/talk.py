"""A whole conversation under faults, on the virtual clock: everything that is said in it is numbered.

The user types `u1 …`, sends audio chunks whose first sample is their number, and tools return `res1x`. The
model is the bundled live server on loopback; it answers `u1` with `a1`, calls `look` for `u1-look`, and
passes the user on for `u1-two`. What must not be lost or doubled can so be found in its memory in the end.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, Event, Gemini, LiveRequestQueue, RunConfig, Runner, types
from antiphon.config import Retry
from antiphon.sessions import InMemorySessionService
from antiphon.testing.clock import VirtualClockLoop
from antiphon.testing.live_server import Faults, HandlePolicy, LiveServer, Prompt, Say, Timing, ToolCall
from antiphon.tools import FunctionTool

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from antiphon.testing.live_reply import Item, Reply

__all__ = ["CHUNK", "INSTANT", "Talk", "World", "chunk", "in_virtual_time", "kinds", "numbers_of"]

pytestmark = pytest.mark.virtual_clock  # whatever waits in here waits on it

CHUNK = 320
"""Samples of one audio chunk: 20 ms."""
PATIENCE = 300.0
"""Seconds after which a conversation that should go on is stuck: over every time-out that there is."""
FINAL = 9999
LOOKS = 20
INSTANT = Timing.instant()


@dataclass(frozen=True)
class World:
    """Whom the user talks to."""

    model: str = "gemini-3.8-live"
    modality: str = "AUDIO"
    handles: HandlePolicy = HandlePolicy.PER_CONNECTION
    resumption: bool = True
    non_blocking: bool = True
    """Whether the model goes on while a tool runs."""
    timing: Timing = field(default_factory=lambda: Timing.instant(first_audio=0.2, delivery=4.0, setup=0.1))
    retry: Retry = field(default_factory=lambda: Retry(attempts=60, jitter=0.5))

    @property
    def config(self) -> RunConfig:
        resumption = types.SessionResumptionConfig() if self.resumption else None
        return RunConfig(
            response_modalities=[self.modality],
            session_resumption=resumption,
            retry=self.retry,
            max_llm_calls=0,
        )


class Talk:
    """One `run_live()` under test, and the model behind it. Enter it, have it `run`, then look at it."""

    def __init__(
        self,
        world: World,
        faults: Faults | None = None,
        *,
        address: str | None = None,
        reply: Reply | None = None,
        sessions: InMemorySessionService | None = None,
    ) -> None:
        self.world = world
        self._address = address
        self.seen: list[Event] = []
        self.asked: list[tuple[int, ...]] = []
        """The numbers of each question the model was asked, as it was asked them."""
        self.memory: str = ""
        """All that the model knew when it was asked last."""
        self.calls: Counter[str] = Counter()
        """How often the tool ran for each of its arguments."""
        self.tool_seconds = 0.5
        self.sent_audio: dict[int, float] = {}
        self.stalls: list[tuple[float, float]] = []
        """From when to when the network swallowed everything."""
        self.queue = LiveRequestQueue()
        self.sessions = sessions or InMemorySessionService()
        self.server = LiveServer(
            reply=reply or self._reply, faults=faults, handle_policy=world.handles, timing=world.timing
        )
        self._news = asyncio.Event()
        self._runner: Runner | None = None
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Talk:
        await self.server.__aenter__()
        live = Gemini(self.world.model, api_key="any", base_url=self._address or self.server.base_url)
        look = FunctionTool(self.look, behavior="NON_BLOCKING")
        two = Agent(name="two", model=live, instruction="I am two.", tools=[look])
        one = Agent(name="one", model=live, instruction="I am one.", tools=[look], sub_agents=[two])
        self._runner = Runner(app_name="app", agent=one, session_service=self.sessions)
        await self.sessions.create_session(app_name="app", user_id="ann", session_id="s1")
        self._start(self.world.config)
        return self

    def _start(self, config: RunConfig) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run(config))

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        assert self._running is not None
        try:
            if kind is None:
                await self.hang_up()
        finally:
            self._running.cancel()
            await asyncio.wait([self._running])
            await self.server.__aexit__(kind, None, None)

    async def hang_up(self) -> None:
        """The user leaves, and the conversation ends."""
        assert self._running is not None
        self.queue.close()
        async with asyncio.timeout(PATIENCE):
            await self._running

    async def again(self, resumption: types.SessionResumptionConfig) -> None:
        """The user comes back: another run of the same session."""
        self.queue = LiveRequestQueue()
        self._start(self.world.config.model_copy(update={"session_resumption": resumption}))

    async def stored(self) -> list[Event]:
        session = await self.sessions.get_session(app_name="app", user_id="ann", session_id="s1")
        assert session is not None
        return session.events

    async def _run(self, config: RunConfig) -> None:
        assert self._runner is not None
        running = self._runner.run_live(
            user_id="ann", session_id="s1", live_request_queue=self.queue, run_config=config
        )
        try:
            async with aclosing(running):
                async for event in running:
                    self.seen.append(event)
                    self._news.set()
        finally:
            self._news.set()

    # What the user does.

    def say(self, number: int, wish: str = "say") -> None:
        self.queue.send_content(f"u{number}-{wish};")

    def speak(self, number: int) -> None:
        """One chunk of audio."""
        self.sent_audio[number] = asyncio.get_running_loop().time()
        self.queue.send_realtime(chunk(number))

    async def until(self, condition: Callable[[], Any], what: str) -> None:
        """Waits for it. Fails if the conversation ends before, or nothing happens for long."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    assert self._running is not None
                    if self._running.done():
                        self._running.result()
                        raise AssertionError(f"the conversation ended before: {what}")
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"stuck before: {what}") from None

    async def wait_for_answer(self, number: int) -> None:
        await self.until(lambda: self.answered(number), f"the answer to u{number}")

    def answered(self, number: int) -> bool:
        """Whether the answer was heard, to its end or until it was cut off."""
        heard = ""
        for event in self.seen:
            if event.partial:
                heard += words_of(event)
            if event.turn_complete:
                if f"a{number}," in heard:
                    return True
                heard = ""
        return False

    async def finish(self) -> None:
        """No more faults: the model is asked a last time, which shows what it knows."""
        calm(self.server.faults)
        await self.until(lambda: not self.open_calls(), "the tools end")
        await asyncio.sleep(30.0)
        self.say(FINAL)
        await self.wait_for_answer(FINAL)

    def open_calls(self) -> set[str]:
        called = {call.id or "" for event in self.seen for call in event.get_function_calls()}
        return called - {answer.id for event in self.seen for answer in event.get_function_responses()}

    # The tool, and the model.

    async def look(self, what: str) -> dict[str, str]:
        """Looks at something."""
        self.calls[what] += 1
        await asyncio.sleep(self.tool_seconds)
        return {"output": what.replace("call", "res")}

    def _reply(self, prompt: Prompt) -> Iterator[Item]:
        known = json.dumps(prompt.history) + (prompt.text or "")
        text = prompt.text or ""
        wishes = re.findall(r"u(\d+)-(\w+);", text)
        wishes = [(number, wish) for number, wish in wishes if f"a{number}," not in text]
        results = re.findall(r"res(\d+)x", text + str(prompt.responses))
        results = [number for number in results if f"a{number}," not in text]
        if wishes:
            self.asked.append(tuple(int(number) for number, _ in wishes))
        if any(int(number) == FINAL for number, _ in wishes):
            self.memory = known
        me = re.findall(r"I am (\w+)", prompt.setup.instruction)[0] if prompt.setup else ""
        answers = list(results)
        calls: list[ToolCall] = []
        for number, wish in wishes:
            if wish == "look" and f"res{number}x" not in known:
                if f"call{number}x" not in known:
                    calls.append(ToolCall("look", {"what": f"call{number}x"}))
            elif number in answers:
                pass
            elif wish in ("one", "two") and wish != me:
                yield ToolCall("transfer_to_agent", {"agent_name": wish})
                return
            else:
                answers.append(number)
        for number in answers:
            yield Say(f"a{number}, and that is all. ")
        if calls:
            yield calls
        elif not answers:
            yield Say("one moment. ")


def chunk(number: int) -> types.Blob:
    samples = struct.pack("<h", number) + bytes(2 * (CHUNK - 1))
    return types.Blob(data=samples, mime_type="audio/pcm;rate=16000")


def numbers_of(pcm: bytes) -> list[int]:
    """The numbers of the chunks that this audio consists of."""
    return [struct.unpack_from("<h", pcm, start)[0] for start in range(0, len(pcm), 2 * CHUNK)]


def words_of(event: Event) -> str:
    """What the model says in this event, in either modality."""
    if event.output_transcription:
        return event.output_transcription.text or ""
    parts = (event.content.parts or []) if event.content and event.author != "user" else []
    return "".join(part.text or "" for part in parts)


def kinds(talk: Talk) -> list[str]:
    """The lifecycle facts that the application saw."""
    return [
        event.lifecycle.kind
        for event in talk.seen
        if event.lifecycle and event.lifecycle.kind != "generation_complete"
    ]


def calm(faults: Faults) -> None:
    """Nothing goes wrong any more."""
    for each in (faults, *faults._per_connection.values()):
        each.at = {}
        each.http_status, each.refuse_tcp, each.setup_hangs, each.frozen = None, False, False, False
        each.handle_expired, each.early_resume, each.hold_session = False, 0.0, 0.0


def in_virtual_time(work: Callable[[], Awaitable[None]]) -> None:
    """Runs it on a loop of its own, and sees to it that it leaves no task."""

    async def run() -> None:
        await work()
        for _ in range(5):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}, "left running"

    with asyncio.Runner(loop_factory=lambda: VirtualClockLoop(LOOKS)) as runner:
        runner.run(run())
