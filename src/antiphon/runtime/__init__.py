"""Where asyncio lives: the driver around the conversation, and the runner that applications use."""

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.runtime.conversations import Conversations
    from antiphon.runtime.logs import ConversationFilter
    from antiphon.runtime.metrics import METRICS, Metrics
    from antiphon.runtime.runner import InMemoryRunner, Runner
    from antiphon.runtime.telemetry import Telemetry

__all__ = [
    "METRICS",
    "ConversationFilter",
    "Conversations",
    "InMemoryRunner",
    "Metrics",
    "Runner",
    "Telemetry",
]

__getattr__ = late(
    __name__,
    {
        "conversations": ("Conversations",),
        "logs": ("ConversationFilter",),
        "metrics": ("METRICS", "Metrics"),
        "runner": ("InMemoryRunner", "Runner"),
        "telemetry": ("Telemetry",),
    },
)
