"""Where on the conversation's timeline each voice is heard (contract 4.3).

Rule 1  A voice begins when its first chunk arrives; what follows is laid back to back, as it is played.
Rule 2  A chunk that comes `GAP` seconds or more after its voice has fallen silent begins anew, when it comes.
Rule 3  An interruption cuts the model's voice off where it stands: what lies after that was never heard.

Positions are estimated from what arrives. Where a client reports what it has played, that position is what
`cut` is to be given.
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

    def cut(self, heard_until: float) -> list[Command]:
        """The model is not heard any more from then on (rule 3)."""
        heard = heard_until - self._began
        if self._until.get("model", 0.0) <= heard:
            return []
        self._until["model"] = heard - GAP  # what comes next begins anew
        return [Cut(heard)]
