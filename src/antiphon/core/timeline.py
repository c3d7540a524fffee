"""Where on the conversation's timeline each voice is heard (contract 4.3).

Rule 1  A voice begins when its first chunk arrives; what follows is laid back to back, as it is played.
Rule 2  A chunk that comes `GAP` seconds or more after its voice has fallen silent begins anew, when it comes.
Rule 3  An interruption cuts the model's voice off where it stands, and with it what the client says that it
        has not played: what lies after that was never heard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.commands import Command, Cut, Place

if TYPE_CHECKING:
    from antiphon.core.commands import Speaker

__all__ = ["GAP", "Timeline"]

GAP: Final = 0.2
"""Seconds by which a chunk may come late and still follow the one before: networks are not even."""


class Timeline:
    """Until when each voice is heard, in seconds since `began`. Switched off, it asks for nothing."""

    def __init__(self, on: bool, began: float) -> None:
        self.on = on
        self._began = began
        self._until: dict[Speaker, float] = {}

    @property
    def used(self) -> bool:
        """Whether anything was placed."""
        return bool(self._until)

    def add(self, speaker: Speaker, data: bytes, rate: int, now: float) -> list[Command]:
        """Lays a chunk of 16-bit mono PCM where it is heard (rules 1 and 2)."""
        if not self.on:
            return []
        arrived = now - self._began
        until = self._until.get(speaker, -GAP)
        follows = arrived < until + GAP
        self._until[speaker] = (until if follows else arrived) + len(data) // 2 / rate
        return [Place(speaker, data, rate, None if follows else arrived)]

    def cut(self, now: float, unheard: float = 0.0) -> list[Command]:
        """The model is not heard any more, nor the last `unheard` seconds of what it has said (rule 3)."""
        until = self._until.get("model")
        if until is None:
            return []
        at = min(now - self._began, max(until - unheard, 0.0))
        if until <= at:
            return []
        self._until["model"] = at - GAP  # what comes next begins anew
        return [Cut(at)]
