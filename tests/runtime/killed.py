"""A program for `test_recovery`: a conversation that is recorded, until somebody kills it.

python killed.py FOLDER     prints "recorded" when there is something on the disk
"""

from __future__ import annotations

import asyncio
import sys
import threading
from contextlib import aclosing
from pathlib import Path

from antiphon.core.signals import TurnComplete
from antiphon.runtime.recorder import BLOCK
from tests.runtime.recording import Studio

__all__ = ["MODEL", "USER", "main"]

USER = b"".join(number.to_bytes(2, "little") for number in range(BLOCK))
MODEL = USER[::-1]


async def main(folder: Path) -> None:
    studio = Studio(folder, record_conversation=True)
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                studio.speaks(b"\7\0" * 100)
                studio.says(TurnComplete())
            if event.content and event.content.parts and event.content.parts[0].file_data:
                studio.hears(USER, 24_000)
                studio.speaks(MODEL)
                studio.speaks(b"\0\0")
                pause = threading.Event()
                while not enough(folder):
                    await asyncio.to_thread(pause.wait, 0.01)
                print("recorded", flush=True)
                await asyncio.Event().wait()


def enough(folder: Path) -> bool:
    sizes = [path.stat().st_size for path in folder.glob("spool/*/*_*") if path.suffix in (".wav", ".pcm")]
    return sum(size >= len(USER) for size in sizes) == 4


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
