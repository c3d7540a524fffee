"""`python -m benchmarks.core`: what the conversation itself costs, without sockets, loop or application.

Run it with `PYTHONPATH=build/compiled` too, in turns, to compare the builds.
"""

from __future__ import annotations

from statistics import median
from time import process_time
from typing import TYPE_CHECKING, Final

from antiphon.compilation import build
from antiphon.core.signals import LinkDialled, ModelAudio, ModelReady, Received, UserMedia
from antiphon.testing.script import conversation
from antiphon.types import Blob

if TYPE_CHECKING:
    from collections.abc import Callable

__all__: list[str] = []

ROUNDS: Final = 5
TIMES: Final = 100_000
PCM_40_MS: Final = bytes(1920)
CHUNK: Final = Blob(data=bytes(3200), mime_type="audio/pcm;rate=16000")


def cost(step: Callable[[float], object], begin: float) -> float:
    """Microseconds of CPU for one step, of which 25 are in each second of the conversation's time."""
    started = process_time()
    for number in range(TIMES):
        step(begin + number / 25)
    return (process_time() - started) / TIMES * 1e6


def main() -> None:
    talk = conversation()
    talk.start(0.0)
    talk.handle(LinkDialled(1), 0.0)
    talk.handle(Received(1, (ModelReady(),)), 0.0)

    def down(now: float) -> None:
        talk.handle(Received(1, (ModelAudio(PCM_40_MS, "audio/pcm;rate=24000"),)), now)
        talk.deadline()

    def up(now: float) -> None:
        talk.handle(UserMedia(CHUNK), now)
        talk.deadline()

    frames: list[float] = []
    chunks: list[float] = []
    now = 1.0
    for _ in range(ROUNDS):
        for step, found in ((down, frames), (up, chunks)):
            found.append(cost(step, now))
            now += TIMES / 25
    print(f"{build()}: {median(frames):.2f} µs a frame down, {median(chunks):.2f} µs a chunk up")


if __name__ == "__main__":
    main()
