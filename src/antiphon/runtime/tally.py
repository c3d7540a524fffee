"""What one conversation adds to the numbers of its `Runner`.

Counted from the events themselves, so that a number and what an application sees cannot differ; audio, which
is most of them, is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.events import ErrorCode

if TYPE_CHECKING:
    from antiphon.events import Event, Lifecycle
    from antiphon.runtime.metrics import Metrics

__all__ = ["Tally"]


class Tally:
    """The part of one conversation in `Metrics`."""

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
