"""`python -m benchmarks.watching [FRAMES] [ROUNDS]`: what OpenTelemetry costs the audio path, off and on.

One conversation with a model in this process, which speaks frames of 40 ms as fast as they are taken, while
the user sends chunks of 20 ms. Off and on take turns, and the best round of each counts.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from antiphon import Agent, InMemoryRunner, LiveModel, LiveRequestQueue
from antiphon.capabilities import Capabilities
from antiphon.core.signals import ModelAudio, ModelReady
from antiphon.models import ModelConnection
from antiphon.types import Blob

if TYPE_CHECKING:
    from antiphon import RunConfig
    from antiphon.core.messages import Message
    from antiphon.models import Listener, Setup

FRAME = ModelAudio(bytes(1920), "audio/pcm;rate=24000")
CHUNK = Blob(data=bytes(640), mime_type="audio/pcm;rate=16000")


class Speaking(ModelConnection):
    def __init__(self, listener: Listener) -> None:
        self.listener = listener

    def begin(self, setup: Setup) -> None:
        self.listener.received([ModelReady()])

    def send(self, message: Message) -> None:
        self.listener.received([FRAME])

    @property
    def writable(self) -> bool:
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.listener.lost(None, ())


class Model(LiveModel):
    name = "speaking"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        return Speaking(listener)


async def measure(frames: int, **settings: Any) -> float:
    """Microseconds of CPU for a chunk up and a frame down."""
    runner = InMemoryRunner(Agent(name="speaker", model=Model()), **settings)
    await runner.session_service.create_session(app_name=runner.app_name, user_id="user", session_id="s")
    queue, left, began = LiveRequestQueue(), frames, 0.0
    run = runner.run_live(user_id="user", session_id="s", live_request_queue=queue)
    async with aclosing(run) as events:
        async for event in events:
            if began and event.content is None:
                continue
            began = began or time.process_time()
            if left == 0:
                break
            left -= 1
            queue.send_realtime(CHUNK)
    return (time.process_time() - began) / frames * 1e6


def settings() -> dict[str, dict[str, Any]]:
    """By name: off, and on with providers that export nothing, which is a thread's own matter."""
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.trace import TracerProvider

    from antiphon import Telemetry

    return {"off": {"telemetry": False}, "on": {"telemetry": Telemetry(TracerProvider(), MeterProvider())}}


def main(frames: int = 20_000, rounds: int = 7) -> None:
    cases: dict[str, dict[str, Any]] = settings()
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(rounds):
        for name, case in cases.items():
            gc.collect()
            best[name] = min(best[name], asyncio.run(measure(frames, **case)))
    for name, took in best.items():
        print(f"{name:>4}: {took:6.2f} µs a chunk and a frame, {took / best['off']:.3f} of off")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
