"""What the user said, in writing or aloud, and the model has not answered (`turns`, rule 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.core.messages import Message, Turn

__all__ = ["Questions"]


class Questions:
    """Questions by the link they were sent on: the present one, or one lost before the answer came."""

    def __init__(self) -> None:
        self._here: list[Turn] = []
        self._before: list[Turn] = []

    def __len__(self) -> int:
        return len(self._here) + len(self._before)

    def sent(self, turn: Turn) -> None:
        self._here.append(turn)

    def returned(self, unsent: Sequence[Message]) -> None:
        """These never left, and will be sent again in any case."""
        for turns in (self._here, self._before):
            turns[:] = [turn for turn in turns if not any(turn is message for message in unsent)]

    def answered(self) -> None:
        """The model took the floor."""
        self._here, self._before = [], []

    def unsaid(self) -> None:
        """What the user said aloud is not to be answered: it is not to be said again either."""
        for turns in (self._here, self._before):
            turns[:] = [turn for turn in turns if turn.results is not None or not turn.retold]

    def has(self, turn: Turn) -> bool:
        """Whether it was sent, and not answered."""
        return any(each is turn for each in (*self._before, *self._here))

    def take_all(self) -> list[Turn]:
        """What is to be said to a session that knows nothing of it. What is `retold` it learns otherwise."""
        unanswered = [turn for turn in (*self._before, *self._here) if not turn.retold]
        self._here, self._before = [], []
        return unanswered

    def resumed(self) -> bool:
        """The session goes on on another link; whether it owes an answer to something sent before."""
        self._before += self._here
        self._here = []
        return bool(self._before)

    def forgotten(self) -> list[Turn]:
        """What the resumed model has not answered; it is to be asked once more, and then not again."""
        forgotten, self._before = self._before, []
        return forgotten
