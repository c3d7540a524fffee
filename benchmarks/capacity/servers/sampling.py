"""A profile by samples, which leaves the proportions as they are: a calculated call costs what it costs."""

from __future__ import annotations

import json
import signal
from collections import Counter
from dis import opmap
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import CodeType, FrameType

__all__ = ["ENTRY", "Sampler"]

EVERY: Final = 0.001
"""Seconds of CPU, user and kernel, from one sample to the next; the kernel may take longer."""
ENTRY: Final = "entry"
"""Beside a function that had only been called: the time is that of the compiled code which called it."""
_RESUME: Final = opmap.get("RESUME", -1)


class Sampler:
    """Where this process's first thread spends its CPU, by stacks; with the methods of `cProfile.Profile`.

    A signal is noticed by Python code alone: the time of compiled code counts for the line that called it, or
    for the entry of the function that it calls next.
    """

    def __init__(self) -> None:
        self._stacks: Counter[tuple[str, ...]] = Counter()
        signal.signal(signal.SIGPROF, self._sample)

    def enable(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def disable(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def dump_stats(self, path: str) -> None:
        """A list of `[count, [function, …]]`, functions as `file:name`, innermost first."""
        found = [[count, stack] for stack, count in self._stacks.most_common()]
        Path(path).write_text(json.dumps(found), encoding="utf-8")

    def _sample(self, _: int, frame: FrameType | None) -> None:
        stack: list[str] = []
        if frame is not None and frame.f_code.co_code[frame.f_lasti] == _RESUME:
            stack.append(ENTRY)
        while frame is not None:
            stack.append(_named(frame.f_code))
            frame = frame.f_back
        self._stacks[tuple(stack)] += 1


def _named(code: CodeType) -> str:
    return f"{code.co_filename}:{code.co_name}"
