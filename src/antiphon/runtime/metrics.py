"""What the conversations of a `Runner` have done so far, in numbers.

Counted from the events themselves, so that a number and what an application sees cannot differ; audio, which
is most of them, is not looked at.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.events import Event, Lifecycle

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
    "errors": "Errors that a conversation survived.",
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

    def told(self, event: Event) -> None:
        """An event that is stored."""
        with self._lock:
            for name, count in _counted(event):
                self._counts[name] += count

    def happened(self, fact: Lifecycle) -> None:
        """A lifecycle fact (contract 3.11)."""
        match fact.kind:
            case "closed":
                name = f"ended.{fact.by}"
            case "reconnected":
                name = "resumed" if fact.resumed else "reseeded"
            case "reconnecting" | "going_away" | "overloaded":
                name = fact.kind
            case _:
                return
        with self._lock:
            self._counts[name] += 1


def _counted(event: Event) -> list[tuple[str, int]]:
    counted: list[tuple[str, int]] = []
    if event.turn_complete:
        counted.append(("turns", 1))
    elif event.interrupted and event.output_transcription is None:  # the first mark of a cut (contract 3.6)
        counted.append(("interruptions", 1))
    if event.error_code is not None:
        counted.append(("errors", 1))
    if event.usage_metadata is not None:
        counted.append(("tokens", event.usage_metadata.total_token_count or 0))
    if event.content is not None:
        counted.append(("tool_calls", len(event.get_function_calls())))
        answers = event.get_function_responses()
        counted.append(("tool_errors", sum("error" in (answer.response or {}) for answer in answers)))
    if event.actions.transfer_to_agent:
        counted.append(("hand_overs", 1))
    return counted
