"""What a session resumed from a snapshot has not heard of calls (`outbox`, rule 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.messages import ToolResults, Turn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from antiphon.core.messages import Message

__all__ = ["KEPT", "Results", "knows"]

KEPT: Final = 256
"""Results kept for a model that takes no snapshot meanwhile; of more the oldest are taken for heard."""


class Results:
    """Calls made and results told since the model's newest snapshot."""

    def __init__(self) -> None:
        self._called: set[str] = set()
        self._told: list[ToolResults | Turn] = []

    def called(self, ids: Iterable[str]) -> None:
        self._called.update(ids)

    def told(self, sent: ToolResults | Turn) -> None:
        """These results left for the model, as they are or in words."""
        self._told.append(sent)
        del self._told[:-KEPT]

    def returned(self, unsent: Sequence[Message]) -> None:
        """These never left, and will be sent again in any case."""
        self._told = [each for each in self._told if not any(each is message for message in unsent)]

    def snapshot_taken(self) -> None:
        """Whatever was said so far, a session resumed from now on has heard."""
        self._called.clear()
        self._told.clear()

    def rewind(self) -> tuple[frozenset[str], list[ToolResults]]:
        """The session goes on from the snapshot: ids it does not know, and what it is to be told again."""
        ids = frozenset(self._called)
        told = [each if isinstance(each, ToolResults) else each.results for each in self._told]
        self.snapshot_taken()
        return ids, [each for each in told if each is not None and knows(each, ids)]


def knows(results: ToolResults, unknown: Collection[str]) -> bool:
    """Whether a session that does not know these calls knows those that the results are of."""
    return all(answer.id and answer.id not in unknown for answer in results.responses)
