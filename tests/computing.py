"""What tests call in other processes, which import this and nothing else for it."""

from __future__ import annotations

import os
import signal
import time
from typing import Any

__all__ = ["Odd", "SlowToImport", "add", "die", "fails", "pid_and_priority", "spin", "unlike_json"]


class Odd(Exception):
    """Cannot be pickled: it is not made as it says."""

    def __init__(self, number: int, word: str) -> None:
        super().__init__(f"{word} {number}")


class SlowToImport:
    """Takes longer to be unpickled than any test."""

    def __call__(self) -> None: ...

    def __reduce__(self) -> tuple[Any, ...]:
        return time.sleep, (600,)


def add(a: int, b: int) -> int:
    """Adds."""
    return a + b


def pid_and_priority() -> list[int]:
    return [os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0)]


def fails(how: str) -> None:
    """Raises what `how` names."""
    errors: dict[str, BaseException] = {
        "lookup": LookupError("no Rome"),
        "odd": Odd(7, "odd"),
        "exit": SystemExit(2),
        "stop": StopIteration("next() of nothing"),
    }
    raise errors[how]


def unlike_json() -> object:
    return object()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def spin() -> None:
    """Computes for as long as it is let."""
    until = time.monotonic() + 600
    while time.monotonic() < until:
        pass
