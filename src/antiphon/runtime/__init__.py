"""Where asyncio lives: the driver around the conversation, and the runner that applications use."""

from typing import TYPE_CHECKING

from antiphon.binding import late
from antiphon.runtime.logs import ConversationFilter
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.runtime.telemetry import Telemetry

if TYPE_CHECKING:
    from antiphon.runtime.driver import Driver
    from antiphon.runtime.recovery import recover
    from antiphon.runtime.runner import InMemoryRunner, Runner
    from antiphon.runtime.stereo import check_resampler
    from antiphon.runtime.tape_writer import TapeWriter

__all__ = [
    "METRICS",
    "ConversationFilter",
    "Driver",
    "InMemoryRunner",
    "Metrics",
    "Runner",
    "TapeWriter",
    "Telemetry",
    "check_resampler",
    "recover",
]

__getattr__ = late(
    __name__,
    {
        "driver": ("Driver",),
        "recovery": ("recover",),
        "runner": ("InMemoryRunner", "Runner"),
        "stereo": ("check_resampler",),
        "tape_writer": ("TapeWriter",),
    },
)
