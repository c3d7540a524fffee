"""What a replayed model is told, held against its tape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from antiphon.core.messages import Media, Message, Opening, ToolResults
from antiphon.models.replay_script import CRUMB, Amount, Expected, is_audio
from antiphon.models.tape import Begun, as_json
from antiphon.models.tape_codec import write

if TYPE_CHECKING:
    from antiphon.models.base import Setup
    from antiphon.models.replay_script import RecordedLink

__all__ = ["Retelling"]

SHOWN: Final = 160
"""Characters of what was expected, and of what came, that an error shows from just before they differ."""


class Retelling:
    """One link's. Not `strict`: only kind, order and amount count."""

    def __init__(self, link: RecordedLink, name: str, *, strict: bool) -> None:
        self.amount = Amount()
        """What was told of what the tape has."""
        self._link = link
        self._name = name
        self._strict = strict
        self._results = list(link.results)
        lost = link.loss
        kept = lost is not None and (lost.unsent or lost.doubtful)
        self._kept: list[Message] | None = [] if kept else None

    def begin(self, setup: Setup) -> str:
        """What is wrong with the set-up; empty if nothing is."""
        self.amount.begun = 1
        if self._link.begun is None:
            return f"{self._name}: a session is set up that was not, after line {self._link.line}."
        line, begun = self._link.begun
        if not self._strict:
            return ""
        told = Begun(
            begun.now,
            begun.link,
            setup.instruction,
            tuple(setup.tools),
            setup.generation,
            begun.handle if setup.handle else None,  # on the tape it has another name
            tuple(setup.history),
            setup.pending,
        )
        expected, came = as_json(begun), as_json(told)
        for field in Begun.__slots__:
            if expected.get(field) != came.get(field):
                return self._differs(line, f"set up with the {field}", expected.get(field), came.get(field))
        return ""

    def hear(self, message: Message) -> tuple[str, int | None]:
        """What is wrong with the message, and the place on the tape of the results that it is."""
        if self._kept is not None:
            self._kept.append(message)
        if isinstance(message, Media):
            self.amount.add(message)
            return "", None
        expected = self._expected(message)
        if expected is None:
            return (self._unheard_of(message) if self._strict else ""), None
        if self._strict and _words(expected.message) != _words(message):
            return self._differs(expected.line, "told", _words(expected.message), _words(message)), None
        self.amount.add(message)
        if not isinstance(message, ToolResults):
            return "", None
        self._results.remove(expected)
        self.amount.results = self._in_a_row()
        return "", expected.place

    def unsent(self) -> tuple[Message, ...]:
        """Of all that was told, what on the tape had not left when the link was lost."""
        lost = self._link.loss
        if self._kept is None or lost is None:
            return ()
        sent = self._link.told.copy()
        for message in lost.unsent:
            less = Amount()
            less.add(message)
            sent.control -= less.control
            sent.results -= less.results
            sent.audio -= less.audio
            sent.images -= less.images
        heard, unsent = Amount(), []
        for message in self._kept:
            heard.add(message)
            beyond = (
                heard.control > sent.control and not isinstance(message, Media | ToolResults),
                heard.results > sent.results and isinstance(message, ToolResults),
                heard.audio > sent.audio + CRUMB and is_audio(message),
                heard.images > sent.images and isinstance(message, Media) and not is_audio(message),
            )
            if any(beyond):
                unsent.append(message)
        return tuple(unsent)

    def doubtful(self) -> tuple[Message | Opening, ...]:
        """Of what had left, the last of its kind: as many as on the tape may not have been read."""
        lost = self._link.loss
        if self._kept is None or lost is None:
            return ()
        unsent, wanted, found = self.unsent(), Amount(), list[Message | Opening]()
        for each in lost.doubtful:
            if isinstance(each, Opening):
                found.append(each)
            else:
                wanted.add(each)
        left = [message for message in self._kept if not any(message is each for each in unsent)]
        results = [message for message in left if isinstance(message, ToolResults)]
        control = [message for message in left if not isinstance(message, Media | ToolResults)]
        last = [*results[len(results) - wanted.results :], *control[len(control) - wanted.control :]]
        return (*found, *(message for message in left if any(message is each for each in last)))

    def _expected(self, message: Message) -> Expected | None:
        if isinstance(message, ToolResults):
            ids = _ids(message)
            return next((each for each in self._results if _ids(each.message) == ids), None)
        at = self.amount.control
        expected = self._link.control[at] if at < len(self._link.control) else None
        if expected is not None and not self._strict and type(expected.message) is not type(message):
            return None
        return expected

    def _in_a_row(self) -> int:
        """How many results were told before the first that was not: what is said next waits for them."""
        waiting = {each.place for each in self._results}
        return next(
            (at for at, each in enumerate(self._link.results) if each.place in waiting),
            len(self._link.results),
        )

    def _unheard_of(self, message: Message) -> str:
        came = to_json(_words(message)).decode()
        return f"{self._name}: the model is told {came:.{SHOWN}}, which is nowhere on the tape from here on."

    def _differs(self, line: int, what: str, expected: Any, came: Any) -> str:
        told, instead = to_json(expected).decode(), to_json(came).decode()
        same = next((at for at, (a, b) in enumerate(zip(told, instead, strict=False)) if a != b), 0)
        start = max(same - SHOWN // 4, 0)
        dots = "…" if start else ""
        return (
            f"{self._name}, line {line}: the model is {what} {dots}{instead[start : start + SHOWN]} where "
            f"the tape has {dots}{told[start : start + SHOWN]}. Record it anew, or ReplayModel(strict=False)."
        )


def _ids(message: Message) -> list[str | None]:
    return [answer.id for answer in message.responses] if isinstance(message, ToolResults) else []


def _words(message: Message) -> Any:
    """As JSON; results without the number of the session, which is this side's own."""
    if isinstance(message, ToolResults):
        message = ToolResults(message.responses)
    return write(message, Message)
