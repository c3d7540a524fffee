"""An event loop on which waiting takes no time.

When nothing is ready and no thread works for the loop, its clock jumps to the next timer. Sockets on loopback
work as ever, so real servers and clients can be tested through minutes of timeouts in milliseconds, and the
same way every time.

    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(conversation())

Under pytest, mark a test with `@pytest.mark.virtual_clock` (see `antiphon.testing.plugin`).
"""

from __future__ import annotations

import asyncio
import selectors
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

__all__ = ["VirtualClockLoop"]

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

GRACE: Final = 0.0005
"""Real seconds in which bytes on loopback may still arrive before the clock jumps. Epoll makes it 1 ms."""


class _Selector(selectors.DefaultSelector):
    """Waits for sockets as long as the rest of the loop has reason to, and otherwise lets the clock jump."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._looks = looks
        self.now = 0.0
        self.at_work = 0
        """Jobs that threads are doing for the loop."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        if self.at_work:
            return super().select(None)
        ready = super().select(0)
        if not ready and len(self.get_map()) > 1:  # besides the loop's own wake-up socket
            for _ in range(self._looks):
                if ready := super().select(0):
                    return ready
            ready = ready if self._looks else super().select(GRACE)
        if not ready:
            self.now += timeout
        return ready


class VirtualClockLoop(asyncio.SelectorEventLoop):
    """An asyncio loop with a clock of its own that begins at 0 and jumps over idle time.

    Work given to threads through the loop (`run_in_executor`, `asyncio.to_thread`, name look-ups) is waited
    for in real time, with the clock standing still. Threads started otherwise are not seen: join them without
    awaiting.

    `looks`: how often it looks at the sockets before its clock jumps, instead of waiting for `GRACE`: a
    fraction of the time, for a great many short runs on a machine that has nothing else to do.
    """

    def __init__(self, looks: int = 0) -> None:
        self._jumping = _Selector(looks)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds of virtual time since the loop was made."""
        return self._jumping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        job = super().run_in_executor(executor, func, *args)
        self._jumping.at_work += 1
        job.add_done_callback(self._job_done)
        return job

    def _job_done(self, job: asyncio.Future[Any]) -> None:
        self._jumping.at_work -= 1
