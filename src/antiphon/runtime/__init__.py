"""Where asyncio lives: the driver around the conversation, and the runner that applications use."""

from antiphon.runtime.logs import ConversationFilter
from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.runtime.runner import InMemoryRunner, Runner
from antiphon.runtime.telemetry import Telemetry

__all__ = ["METRICS", "ConversationFilter", "InMemoryRunner", "Metrics", "Runner", "Telemetry"]
