"""What the conversations of a `Runner` have done so far, in numbers."""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["METRICS", "Metrics"]

METRICS: Final[Mapping[str, str]] = {
    "conversations": "Conversations begun.",
    "live": "Conversations that go on now.",
    "ended.user": "Ended because the queue was closed, or nobody read the events any more.",
    "ended.model": "Ended by the model in good order.",
    "ended.agent": "Ended by a tool, a callback or `task_completed`.",
    "ended.limit": "Ended by a limit of the `RunConfig`.",
    "ended.error": "Ended by an error.",
    "turns": "Turns that are complete, those cut off included.",
    "interruptions": "Cuts by the user.",
    "tool_calls": "Calls the model has made.",
    "tool_errors": "Calls that were answered by an error, cancelled ones included.",
    "hand_overs": "Agents that took over from another.",
    "tokens": "Tokens, as the models report them.",
    "errors": "Errors that a conversation survived. Vetoes are none.",
    "vetoes": "Vetoes of guardrails.",
    "callbacks_failed": "Callbacks that came to no result; errors as well.",
    "recordings_failed": "Times that recordings were not written, or not in time; errors as well.",
    "toolset_unavailable": "Toolsets that gave a conversation no tools.",
    "reconnecting": "Attempts to reach a model again after its connection was lost.",
    "resumed": "Connections replaced by handle: the model's session went on.",
    "reseeded": "Connections replaced by a fresh session that was told the stored conversation.",
    "going_away": "Notices of a model that it will drop the connection.",
    "overloaded": "Times that audio began to be shed, upwards or downwards.",
    "events_shed": "Events that an application never saw because it read too slowly.",
}
"""Every number by name, and what it counts. All but `live` only ever grow."""


class Metrics:
    """The numbers of one `Runner`, over all its conversations. Any thread may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(dict.fromkeys(METRICS, 0))

    def snapshot(self) -> dict[str, int]:
        """All numbers, by the names in `METRICS`."""
        with self._lock:
            return dict(self._counts)

    def begun(self) -> None:
        """A conversation begins."""
        with self._lock:
            self._counts["conversations"] += 1
            self._counts["live"] += 1

    def ended(self, shed: int) -> None:
        """It has ended, and its application never saw `shed` events."""
        with self._lock:
            self._counts["live"] -= 1
            self._counts["events_shed"] += shed

    def count(self, counted: Iterable[tuple[str, int]]) -> None:
        """Adds to the numbers of these names."""
        with self._lock:
            for name, count in counted:
                self._counts[name] += count
