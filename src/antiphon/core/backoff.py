"""How long to wait before trying again, and when to stop trying (contract 3.10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.config import Retry

__all__ = ["Backoff"]


class Backoff:
    """Counts failures over a sliding window, so that a server that accepts and drops is not hammered.

    `chance` returns a number from 0 to 1; it spreads the retries of many conversations.
    """

    def __init__(self, retry: Retry, chance: Callable[[], float]) -> None:
        self._retry = retry
        self._chance = chance
        self._failures: list[float] = []
        self._resume_failures = 0

    @property
    def attempt(self) -> int:
        """Failures within the window: which try in a row the next one is."""
        return len(self._failures)

    def failed(self, now: float) -> float | None:
        """Notes a failure; returns the seconds to wait, or `None` when the attempts are used up."""
        while self._failures and self._failures[0] <= now - self._retry.window:
            self._failures.pop(0)
        self._failures.append(now)
        if len(self._failures) > self._retry.attempts:
            return None
        doublings = min(len(self._failures) - 1, 60)  # more would not fit a float
        wait = min(self._retry.max_delay, self._retry.first_delay * 2.0**doublings)
        return wait * (1.0 - self._retry.jitter * self._chance())

    def resume_failed(self) -> bool:
        """Notes that a handle did not work; whether it has now failed often enough to be given up."""
        self._resume_failures += 1
        return self._resume_failures >= self._retry.resume_attempts

    def resumed(self) -> None:
        """A session is up: failures of handles count anew."""
        self._resume_failures = 0
