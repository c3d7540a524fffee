"""Whether the user still has an answer coming; pure.

Rule 1  A turn of the model that ends answers the user, unless the user has said more in the middle of it:
        then the next one does.
Rule 2  A turn that ends while tools run, or before the model has spoken on what they returned, is no answer:
        models that go on while tools run end a turn with the call, and speak in another.
Rule 3  Tools that are long-running are not waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.events import ErrorCode, Event

if TYPE_CHECKING:
    from antiphon.types import FunctionResponse

__all__ = ["SILENCE", "SILENCE_AFTER_TOOL", "Exchange"]

SILENCE: Final = 60.0
"""Seconds without any event after which no answer is expected any more."""
SILENCE_AFTER_TOOL: Final = 5.0
"""The same, when a tool has answered after the model's turn: it may have nothing to add."""


class Exchange:
    """What is open between the user and the model. Tell it all that happens."""

    def __init__(self) -> None:
        self._owed = False
        self._again = False
        self._talking = False
        self._running: set[str] = set()
        self._unspoken = False
        self._ignoring = False
        self._generated = False

    @property
    def busy(self) -> bool:
        """Whether the model's turn is not over, or yet to come."""
        return self._owed or self._talking or bool(self._running)

    @property
    def speaking(self) -> bool:
        """Whether there is more to be read: as `busy`, but not while speech plays whose words are there."""
        return bool(self._running) or (self.busy and not self._generated)

    @property
    def patience(self) -> float | None:
        """Seconds of silence to wait for an answer; `None` while tools run, which have their own timeouts."""
        if self._running:
            return None
        return SILENCE_AFTER_TOOL if self._unspoken and not self._talking else SILENCE

    @property
    def silent_by_choice(self) -> bool:
        """Whether silence now means that the model has nothing to add."""
        return self._unspoken and not self._talking and not self._running

    def asked(self) -> None:
        """The user has said something."""
        self._again = self.busy or self._ignoring
        self._owed = True
        self._ignoring = self._generated = False

    def gave_up(self) -> None:
        """No answer is waited for any more; what is left of this turn does not count."""
        self._ignoring = self.busy
        self._owed = self._again = self._talking = self._unspoken = False
        self._running.clear()

    def event(self, event: Event) -> None:
        """Something happened."""
        long_running = event.long_running_tool_ids or set()
        self._running |= {call.id or "" for call in event.get_function_calls()} - long_running
        for answer in event.get_function_responses():
            if not answer.will_continue:
                self._running.discard(answer.id or "")
            if _cancelled(answer):
                self._owed = self._owed and (self._again or self._talking or bool(self._running))
            else:
                self._unspoken = True
        if _speaks(event) and not self._ignoring:
            self._talking = True
            self._unspoken = self._generated = False
        if event.lifecycle is not None and event.lifecycle.kind == "generation_complete":
            self._generated = self._talking
        if event.turn_complete:
            self._turn_complete(cut=bool(event.interrupted))

    def _turn_complete(self, *, cut: bool) -> None:
        self._talking = self._ignoring = self._generated = False
        if cut:
            self._running.clear()
            self._unspoken = False
        if self._again:
            self._again = False
        elif not self._running and not self._unspoken:
            self._owed = False


def _cancelled(answer: FunctionResponse) -> bool:
    error = (answer.response or {}).get("error")
    return isinstance(error, dict) and error.get("code") == ErrorCode.CANCELLED


def _speaks(event: Event) -> bool:
    if event.output_transcription is not None:
        return not event.output_transcription.finished
    parts = (event.content.parts or []) if event.content else []
    return event.author != "user" and any(
        (part.text and not part.thought) or part.inline_data for part in parts
    )
