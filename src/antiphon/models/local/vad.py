"""`VoiceActivity`: how likely it is that somebody speaks, frame by frame."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

__all__ = ["FRAME_BYTES", "FRAME_SECONDS", "RATE", "Detector", "VoiceActivity"]

RATE: Final = 16_000
"""Hertz of what a detector is given: 16-bit little-endian mono PCM."""
FRAME_BYTES: Final = 1_024
"""One frame: 512 samples."""
FRAME_SECONDS: Final = FRAME_BYTES / 2 / RATE


class Detector(ABC):
    """The state of one conversation's ear."""

    @abstractmethod
    def probability(self, frame: bytes) -> float:
        """From 0 to 1, how likely this frame of `FRAME_BYTES` is speech. Takes well under a millisecond."""

    @abstractmethod
    def reset(self) -> None:
        """Forgets what was heard so far."""

    def fade(self) -> None:  # noqa: B027 - most have nothing to do here
        """Forgets a little of it, where long silence would make it slow to notice who speaks. Called after
        each silent frame while the agent speaks: who cuts in is to be heard at once. This one keeps all."""


class VoiceActivity(ABC):
    """Tells speech from other sound. One instance, with its model, serves all conversations."""

    @abstractmethod
    def detector(self) -> Detector:
        """An ear for one conversation; cheap, since what is heavy is shared. Used by one thread at a time."""
