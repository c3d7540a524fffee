"""Wakes every few milliseconds, before all else on its core, and tells how late it was at worst.

What holds it up is no program of this machine: a hypervisor that does not run the core, say.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any, Final

from benchmarks.capacity.control import obey

__all__ = ["EVERY"]

EVERY: Final = 0.01


async def run(warm: int, end: int, **_: Any) -> float | None:
    """Milliseconds; `None` where it may not go before all else, and so knows nothing."""
    return await asyncio.to_thread(_latest, warm, end)


def _latest(warm: int, end: int) -> float | None:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    except OSError:
        return None
    latest, last = 0, warm
    time.sleep(max(0.0, (warm - time.monotonic_ns()) / 1e9))
    while last < end:
        time.sleep(EVERY)
        now = time.monotonic_ns()
        latest = max(latest, now - last - round(EVERY * 1e9))
        last = now
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return round(latest / 1e6, 1)


if __name__ == "__main__":
    asyncio.run(obey({"run": run}))
