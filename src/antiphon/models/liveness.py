"""Whether the peer of a connection is still there.

Rule 1  After `PING_AFTER` seconds without a frame it is pinged, and again until it is heard of.
Rule 2  After `SILENT_AFTER` seconds without a frame it counts as lost.
Rule 3  The end of a connection, once begun, takes `CLOSE_TIMEOUT` seconds at most.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from antiphon.clocks import clock_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CLOSE_TIMEOUT", "PING_AFTER", "SILENT_AFTER", "Liveness"]

# not `Final`, which a compiler writes into the code, where tests cannot shorten them
PING_AFTER = 20.0
SILENT_AFTER = 75.0
CLOSE_TIMEOUT = 2.0


class Liveness:
    """Asks for a sign of life when there is none, and tells when there has been none for too long.

    Begun once the connection is open; stopped when it is gone.
    """

    def __init__(self, ping: Callable[[], None], silent: Callable[[float], None]) -> None:
        """`silent` is told the seconds, once."""
        self._loop = asyncio.get_running_loop()
        self._ping = ping
        self._silent = silent
        self._now = clock_of(self._loop)
        self._heard_at = self._now()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Looks after the peer from now on."""
        self._timer = self._loop.call_later(PING_AFTER / 2, self._look)

    def heard(self) -> None:
        """A frame came."""
        self._heard_at = self._now()

    def end_by(self, cut: Callable[[], None]) -> None:
        """The connection is ending: `cut` is called if that takes longer than `CLOSE_TIMEOUT`."""
        self.stop()
        self._timer = self._loop.call_later(CLOSE_TIMEOUT, cut)

    def stop(self) -> None:
        """Nothing is called any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        silence = self._now() - self._heard_at
        if silence >= SILENT_AFTER:
            self._silent(silence)
            return
        self.begin()
        if silence >= PING_AFTER:
            self._ping()
