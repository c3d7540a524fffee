"""A tool that computes; in a module of its own, which another process imports quickly."""

from __future__ import annotations

import time

__all__ = ["crunch"]


def crunch() -> str:
    """Computes for two seconds."""
    until = time.perf_counter() + 2.0
    rounds = 0
    while time.perf_counter() < until:
        rounds += 1
    return f"{rounds} rounds"
