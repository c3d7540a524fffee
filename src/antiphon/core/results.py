"""What a session resumed from a snapshot has not heard of calls (`outbox`, rule 5)."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from antiphon.core.messages import Message, ToolResults

__all__ = ["KEPT", "Results", "unknown"]

KEPT: Final = 256
"""Results kept for a model that takes no snapshot meanwhile; of more the oldest are taken for heard."""


class Results:
    """Calls made and results told since the model's newest snapshot."""

    def __init__(self) -> None:
        self._called: set[str] = set()
        self._told: deque[tuple[Message, ToolResults]] = deque(maxlen=KEPT)

    def called(self, ids: Iterable[str]) -> None:
        self._called.update(ids)

    def told(self, sent: Message, results: ToolResults) -> None:
        """`results` left for the model, as the message `sent`."""
        self._told.append((sent, results))

    def returned(self, unsent: Sequence[Message]) -> None:
        """These never left, and will be sent again in any case."""
        kept = [pair for pair in self._told if not any(pair[0] is message for message in unsent)]
        self._told = deque(kept, KEPT)

    def snapshot_taken(self) -> None:
        """Whatever was said so far, a session resumed from now on has heard."""
        self._called.clear()
        self._told.clear()

    def rewind(self) -> tuple[frozenset[str], list[ToolResults]]:
        """The session goes on from the snapshot: ids it does not know, and what it is to be told again."""
        ids, results = frozenset(self._called), [unknown(each, self._called) for _, each in self._told]
        self.snapshot_taken()
        return ids, results


def unknown(results: ToolResults, ids: Collection[str]) -> ToolResults:
    """The same results, to be told in words if they are of one of these calls."""
    if any((answer.id or "") in ids for answer in results.responses):
        return replace(results, session=None)
    return results
