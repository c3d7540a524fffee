"""Where asyncio lives: the driver around the conversation, and the runner that applications use."""

from antiphon.runtime.metrics import METRICS, Metrics
from antiphon.runtime.runner import InMemoryRunner, Runner

__all__ = ["METRICS", "InMemoryRunner", "Metrics", "Runner"]
