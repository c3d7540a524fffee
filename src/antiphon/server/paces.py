"""`Pace`: how many of something may come in a second (protocol 7.3). Pure."""

from __future__ import annotations

__all__ = ["Pace"]


class Pace:
    """A leaky bucket: `per_second` may come at any time, and `burst` seconds' worth at once.

    Times are seconds of any clock.
    """

    def __init__(self, per_second: float, burst: float = 1.0) -> None:
        self._per_second = per_second
        self._most = max(per_second * burst, 1.0)
        self._level = 0.0
        self._at: float | None = None

    def exceeded(self, now: float) -> bool:
        """One more has come; whether that is too many. One that is does not count."""
        if self._at is not None:
            self._level = max(0.0, self._level - (now - self._at) * self._per_second)
        self._at = now
        if self._level + 1 > self._most:
            return True
        self._level += 1
        return False
