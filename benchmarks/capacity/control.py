"""How the benchmark talks with its processes: lines of JSON on their standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

__all__ = ["LOAD", "ROOT", "SERVER", "Delays", "Helper", "Window", "obey", "quantiles"]

ROOT: Final = Path(__file__).resolve().parents[2]
_CORES: Final = sorted(os.sched_getaffinity(0))
SERVER: Final = _CORES[0]
"""The core that the server under test has for itself."""
LOAD: Final = _CORES[1 % len(_CORES)]
"""The core of everything else."""
_NANO: Final = 1e9


class Window:
    """When sound flows, and from when on it counts; all in `time.monotonic_ns()`."""

    def __init__(self, begin: int, warm: int, end: int) -> None:
        self.begin, self.warm, self.end = begin, warm, end

    def counts(self, sent: int) -> bool:
        return self.warm <= sent < self.end

    def due(self, every: float, now: int) -> int:
        """How many of something that comes every so many seconds were due until now."""
        return int((min(now, self.end) - self.begin) / _NANO / every) + 1 if now >= self.begin else 0

    async def tick(self, every: float, act: Callable[[int], None]) -> float:
        """Calls `act` with 0, 1, 2, …, each when it is due; all that are due by one timer.

        Returns the greatest delay there was where it counts, in milliseconds.
        """
        done, latest = 0, 0.0
        while (now := time.monotonic_ns()) < self.end:
            due = self.due(every, now)
            if done < due and now >= self.warm:
                latest = max(latest, (now - self.begin) / 1e6 - done * every * 1e3)
            while done < due:
                act(done)
                done += 1
            await asyncio.sleep(0.001)
        return latest


class Helper:
    """A module of this package as a process on a core, the load's unless another is named."""

    def __init__(self, module: str, *arguments: str, trust: Path, core: int = LOAD) -> None:
        self._module = module
        self.child = subprocess.Popen(
            [sys.executable, "-m", f"benchmarks.capacity.{module}", *arguments],
            cwd=ROOT,
            env=os.environ | {"SSL_CERT_FILE": str(trust)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        os.sched_setaffinity(self.child.pid, {core})

    def ask(self, **question: Any) -> None:
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(question) + "\n")
        self.child.stdin.flush()

    def answer(self) -> Any:
        """Of the oldest question that was not answered yet. Raises `RuntimeError` when it has ended."""
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._module} ended before it answered; see what it wrote above")
        return json.loads(line)

    def end(self) -> None:
        self.child.kill()
        self.child.communicate()


async def obey(answers: dict[str, Callable[..., Awaitable[Any]]]) -> None:
    """Answers questions until there are no more."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        question = json.loads(line)
        print(json.dumps(await answers[question.pop("do")](**question)), flush=True)


class Delays:
    """How long each took that counts, by when it was sent; all in nanoseconds."""

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._took: list[int] = []

    def add(self, sent: int, came: int) -> None:
        self._sent.append(sent)
        self._took.append(came - sent)

    def all(self) -> dict[str, float] | None:
        return quantiles(self._took)

    def among(self, spans: Sequence[tuple[int, int]]) -> dict[str, float] | None:
        """Of those that were sent within one of these."""
        both = zip(self._sent, self._took, strict=True)
        return quantiles([took for sent, took in both if any(begin <= sent < end for begin, end in spans)])


def quantiles(nanoseconds: Sequence[int]) -> dict[str, float] | None:
    """In milliseconds; `None` of nothing."""
    if not nanoseconds:
        return None
    found = sorted(nanoseconds)
    told: dict[str, float] = {
        name: found[min(int(len(found) * share), len(found) - 1)] / 1e6
        for name, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1.0))
    }
    told |= {"mean": fmean(found) / 1e6}
    return {name: round(value, 3) for name, value in told.items()} | {"count": len(found)}
