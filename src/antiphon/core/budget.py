"""The limits of one conversation (contract 6.5), each with the name it ends by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.core.deadlines import soonest

if TYPE_CHECKING:
    from antiphon.config import Limits

__all__ = ["Budget"]


class Budget:
    """Counts what a conversation uses up."""

    def __init__(self, limits: Limits, max_llm_calls: int, now: float) -> None:
        self._limits = limits
        self._max_llm_calls = max_llm_calls if max_llm_calls > 0 else None
        self._started = now
        self._last_heard = now
        self._turns = 0
        self._tokens = 0
        self._llm_calls = 0

    def heard(self, now: float) -> None:
        """Somebody said something."""
        self._last_heard = now

    @property
    def turns(self) -> int:
        """Turns that have ended, those that were answered in the model's place included."""
        return self._turns

    def turn_began(self) -> None:
        self._llm_calls += 1

    def turn_ended(self) -> None:
        self._turns += 1

    def used(self, tokens: int) -> None:
        self._tokens += tokens

    def spent(self) -> str | None:
        """The amount that is used up, by its field's name. Asked at the end of turns: none is cut short."""
        limits = self._limits
        if limits.max_turns is not None and self._turns >= limits.max_turns:
            return "max_turns"
        if limits.max_tokens is not None and self._tokens >= limits.max_tokens:
            return "max_tokens"
        if self._max_llm_calls is not None and self._llm_calls >= self._max_llm_calls:
            return "max_llm_calls"
        return None

    def expired(self, now: float) -> str | None:
        """The time that is up, by its field's name."""
        limits = self._limits
        if limits.max_duration is not None and now >= self._started + limits.max_duration:
            return "max_duration"
        if limits.idle_timeout is not None and now >= self._last_heard + limits.idle_timeout:
            return "idle_timeout"
        return None

    def deadline(self) -> float | None:
        """When a limit of time is reached if nothing happens."""
        limits = self._limits
        duration = self._started + limits.max_duration if limits.max_duration is not None else None
        idle = self._last_heard + limits.idle_timeout if limits.idle_timeout is not None else None
        return soonest(duration, idle)
