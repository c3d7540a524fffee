"""What the conversations of a `Runner` have done so far, in numbers.

Counted from the events themselves, so that a number and what an application sees cannot differ; audio, which
is most of them, is not looked at.
"""

from __future__ import annotations

import threading
from collections import Counter
from typing import TYPE_CHECKING, Final

from antiphon.events import ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from antiphon.events import Event, Lifecycle

__all__ = ["METRICS", "Metrics", "Tally"]

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


class Tally:
    """The part of one conversation in them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._agent: str | None = None
        self._cut = False

    def heard(self) -> None:
        """The model says something that is not stored: it is not cut off, or not any more."""
        self._cut = False

    def told(self, event: Event) -> None:
        """An event that is stored."""
        counted = _counted(event)
        if event.turn_complete:
            self._cut = False
        elif _cuts(event):
            if not self._cut:  # the first mark of a cut (contract 3.6)
                counted.append(("interruptions", 1))
            self._cut = True
        self._metrics.count(counted)

    def happened(self, author: str, fact: Lifecycle, *, failed: bool = False) -> None:
        """A lifecycle fact (contract 3.11), told by `author`. `failed` says that the run ends by an error."""
        match fact.kind:
            case "closed":
                name = "ended.error" if failed else f"ended.{fact.by}"
            case "reconnected":
                name = "resumed" if fact.resumed else "reseeded"
            case "reconnecting" | "going_away" | "overloaded":
                name = fact.kind
            case "ready":
                before, self._agent = self._agent, author
                if before in (None, author):
                    return
                name = "hand_overs"
            case _:
                return
        self._metrics.count([(name, 1)])


_FAILURES: Final = {
    ErrorCode.CALLBACK_FAILED: "callbacks_failed",
    ErrorCode.RECORDING_FAILED: "recordings_failed",
}


def _cuts(event: Event) -> bool:
    """Whether the event may be the first mark of a cut: a veto is none, and what was heard comes later."""
    vetoed = event.error_code == ErrorCode.GUARDRAIL
    return bool(event.interrupted) and event.output_transcription is None and not vetoed


def _counted(event: Event) -> list[tuple[str, int]]:
    counted: list[tuple[str, int]] = []
    if event.turn_complete:
        counted.append(("turns", 1))
    if event.error_code == ErrorCode.GUARDRAIL:
        if event.error_message is not None:  # the veto itself; what it is of bears the mark as well
            counted.append(("vetoes", 1))
    elif event.error_code is not None:
        counted.append(("errors", 1))
        if event.error_code in _FAILURES:
            counted.append((_FAILURES[ErrorCode(event.error_code)], 1))
    if event.usage_metadata is not None:
        counted.append(("tokens", event.usage_metadata.total_token_count or 0))
    if event.content is not None:
        counted.append(("tool_calls", len(event.get_function_calls())))
        answers = event.get_function_responses()
        counted.append(("tool_errors", sum("error" in (answer.response or {}) for answer in answers)))
    return counted
