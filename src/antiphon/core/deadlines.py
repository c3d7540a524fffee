"""Deadlines: a time, or `None` for never."""

from __future__ import annotations

__all__ = ["soonest"]


def soonest(*times: float | None) -> float | None:
    """The first of these to come. A plain loop, since it is asked after every signal."""
    first: float | None = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
