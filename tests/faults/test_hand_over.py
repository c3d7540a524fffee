"""How long a hand-over takes beyond connecting, and what becomes of what is said meanwhile."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from statistics import median

import pytest

from antiphon import Agent, Event, Gemini, InMemoryRunner, LiveRequestQueue, SequentialAgent
from antiphon.testing.live_server import LiveServer, Prompt, Say, Timing, ToolCall
from tests.faults.oracle import judge
from tests.faults.talk import Talk, World, chunk, in_virtual_time, numbers_of

CONNECTING = 0.3
TOLERATED = 0.020


def connecting(seconds: float) -> Timing:
    return Timing.instant(setup=seconds)


@pytest.mark.virtual_clock
@pytest.mark.parametrize("resumption", [True, False])
def test_the_switch_takes_no_longer_than_connecting_and_audio_arrives_in_order(resumption: bool) -> None:
    # contract 2.2, 5.8, 7.3
    async def work() -> None:
        loop = asyncio.get_running_loop()
        async with Talk(World(resumption=resumption, timing=connecting(CONNECTING))) as talk:
            await asyncio.sleep(1.0)
            talk.say(1, "two")
            asked_at = loop.time()
            for number in range(1, 101):  # 20 ms of audio every 20 ms, two seconds long
                talk.speak(number)
                await asyncio.sleep(0.02)
            await talk.wait_for_answer(1)
            first, second = talk.server.connections
            setup, told = [message for message in second.received if message.media is None][:2]
            assert setup.time - asked_at < TOLERATED
            assert told.time - asked_at < CONNECTING + TOLERATED
            before, after = numbers_of(first.audio), numbers_of(second.audio)
            assert before + after == list(range(1, 101)), "every chunk, once, in order"
            during = [n for n in after if talk.sent_audio[n] < asked_at + CONNECTING]
            assert len(during) >= 14, "what was said during the switch reached the new agent"
            await talk.finish()
        await judge(talk, [1])

    in_virtual_time(work)


async def one_switch(*, sequence: bool) -> float:
    """Real seconds from the call that hands over to the next agent being told, but for connecting."""

    def reply(prompt: Prompt) -> list[Say | ToolCall]:
        if prompt.setup and "first" in prompt.setup.instruction and not prompt.responses:
            return [
                ToolCall("task_completed")
                if sequence
                else ToolCall("transfer_to_agent", {"agent_name": "two"})
            ]
        return [Say("here I am.")]

    async with LiveServer(reply=reply, timing=connecting(0.1)) as server:
        live = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        two = Agent(name="two", model=live, instruction="I am the other.")
        one = Agent(name="one", model=live, instruction="I am first.", sub_agents=[] if sequence else [two])
        root = SequentialAgent(name="line", sub_agents=[one, two]) if sequence else one
        runner = InMemoryRunner(root, app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s")
        queue = LiveRequestQueue()
        running = runner.run_live(user_id="ann", session_id="s", live_request_queue=queue)
        called_at = None
        async with aclosing(running):
            async for event in running:
                if is_ready(event) and event.author == "one":
                    queue.send_content("go")
                    for number in range(1, 6):
                        queue.send_realtime(chunk(number))
                if event.get_function_calls():
                    called_at = time.perf_counter()
                if is_ready(event) and event.author == "two":
                    assert called_at is not None
                    return time.perf_counter() - called_at - 0.1
    raise AssertionError("there was no hand-over")


def is_ready(event: Event) -> bool:
    return event.lifecycle is not None and event.lifecycle.kind == "ready"


@pytest.mark.parametrize("sequence", [False, True])
async def test_on_a_real_clock_too(sequence: bool) -> None:  # contract 5.8, 5.9
    took = [await one_switch(sequence=sequence) for _ in range(5)]
    assert min(took) < TOLERATED, f"{median(took) * 1000:.1f} ms beyond connecting"
