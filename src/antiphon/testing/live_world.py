"""What a session of the emulated model is given by its server. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antiphon.testing.live_profiles import HandlePolicy, Timing

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.testing.live_faults import Faults

__all__ = ["World"]


@dataclass(frozen=True, slots=True)
class World:
    """What a session is given by its server."""

    faults: Callable[[], Faults]
    """What goes wrong now."""
    number: Callable[[], int]
    """A number never given before."""
    issue: Callable[[bool], str]
    """A new resumption handle: for this moment if True, else for the session."""
    timing: Timing = field(default_factory=Timing)
    handles: HandlePolicy = HandlePolicy.PER_CONNECTION
    transcribe: Callable[[bytes, int], str] | None = None
    """Words of an utterance (PCM, hertz); without it the model knows only how long it was."""
