"""What is to be said to the model while it is out of reach.

Rule 1 (contract 7.3)  Control messages wait, in order, however long it takes.
Rule 2 (contract 7.3)  Audio and images wait in a ring of `held_audio` seconds; the newest are kept.
Rule 3                 What never left a dead link goes before what came later.
Rule 4                 A fresh session is told the results of calls with the conversation: they are not said
                       again. What the user wrote and the model never heard is left out there, and said here.
Rule 5 (contract 7.6)  A session that is resumed from a snapshot is told again the results it heard since, by
                       the ids of calls that it knows. Those of others it is told with the conversation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.core.messages import Media, Message, ToolResults, Turn
from antiphon.core.questions import Questions
from antiphon.core.results import Results, knows
from antiphon.requests import check_blob

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.types import Part

__all__ = ["IMAGE_SECONDS", "Outbox"]

IMAGE_SECONDS: Final = 1.0
"""What an image counts as in the ring: models look at about one per second."""


class Outbox:
    """Messages waiting for a live link, oldest first."""

    def __init__(self, held_audio: float) -> None:
        self._held_audio = held_audio
        self._waiting: list[Message] = []
        self._audio = 0.0
        self._media = 0
        self._reported = False
        self.questions = Questions()
        """What has left and wants an answer."""
        self.results = Results()
        """What has left, of calls, since the model's newest snapshot."""
        self.dropped = 0
        """Media that left the ring unheard since there was last a live link."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def holds_control(self) -> bool:
        """Whether anything waits that must not be lost."""
        return any(not isinstance(message, Media) for message in self._waiting)

    @property
    def held_parts(self) -> tuple[Part, ...]:
        """What the user wrote that waits here."""
        turns = (message for message in self._waiting if isinstance(message, Turn))
        return tuple(part for turn in turns for part in turn.content.parts or [])

    def put(self, message: Message) -> None:
        """Keeps a message for later (rules 1 and 2)."""
        self._waiting.append(message)
        self._weigh(message)

    def put_back(self, unsent: Iterable[Message]) -> None:
        """Takes back what a dead link did not send (rule 3)."""
        self.returned(gone := tuple(unsent))
        returned = [(m.results or m) if isinstance(m, Turn) else m for m in gone]
        self._waiting[:0] = returned
        self._weigh(*returned)

    def returned(self, unsent: Sequence[Message]) -> None:
        """These have not left after all."""
        self.questions.returned(unsent)
        self.results.returned(unsent)

    def take_all(self) -> list[Message]:
        """Everything that waits, in order; the outbox is empty afterwards."""
        everything = list(self._waiting)
        self._waiting.clear()
        self._audio, self._media, self.dropped, self._reported = 0.0, 0, 0, False
        return everything

    def drop_results(self) -> bool:
        """Forgets the results of calls (rule 4); whether there were any."""
        before = len(self._waiting)
        self._waiting = [m for m in self._waiting if not isinstance(m, ToolResults)]
        return len(self._waiting) < before

    def rewind(self) -> tuple[bool, frozenset[str], tuple[str, ...]]:
        """The session is resumed from its snapshot (rule 5).

        Returns whether results were dropped, the ids of calls that it does not know, and those whose results
        are told again.
        """
        ids, told = self.results.rewind()
        before = len(self._waiting)
        waiting = [m for m in self._waiting if not isinstance(m, ToolResults) or knows(m, ids)]
        self._waiting = [*told, *waiting]
        again = [m for m in self._waiting if isinstance(m, ToolResults)]
        answers = tuple(answer.id or "" for results in again for answer in results.responses)
        return len(waiting) < before, ids, answers

    def newly_shed(self) -> bool:
        """Whether media was shed, and nobody has asked since there was last a live link."""
        news = self.dropped > 0 and not self._reported
        self._reported = self._reported or news
        return news

    def _weigh(self, *added: Message) -> None:
        for message in added:
            if isinstance(message, Media):
                self._audio += _seconds(message)
                self._media += 1
        control: list[Message] = []
        while self._audio > self._held_audio and self._media:  # sums of floats may leave a crumb
            message = self._waiting.pop(0)
            if isinstance(message, Media):
                self._audio -= _seconds(message)
                self._media -= 1
                self.dropped += 1
            else:
                control.append(message)
        self._waiting[:0] = control


def _seconds(message: Media) -> float:
    return check_blob(message.blob) or IMAGE_SECONDS
