"""What has been said in one conversation with a chat model, and when it is to be asked again.

Rule 1  The model is asked when the user has completed a turn, or when all calls of its last message are
        answered, one of them at least by a result.
Rule 2  A call that has no result yet is answered as such (`chat_history`, rule 1); its result follows in
        words.
Rule 3  Ids tell calls apart: a call without one, or with one that was used before, is given another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.models.chat_history import answers, calls_in, ends_with_user, in_order, news
from antiphon.types import Content, FunctionResponse, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from antiphon.types import FunctionCall

__all__ = ["Dialogue"]


class Dialogue:
    """One conversation, growing. `history` is what was said before; `new_id` names calls."""

    def __init__(self, history: Iterable[Content], new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._contents = in_order(history)
        self._ids = {call.id for content in self._contents for call in calls_in(content)}
        self._asked: list[FunctionCall] = []
        self._given: dict[str | None, FunctionResponse] = {}
        self._held: list[Content] = []
        self._wanted = False

    @property
    def waits(self) -> bool:
        """Whether a call of the last message has not been heard of."""
        return any(call.id not in self._given for call in self._asked)

    @property
    def due(self) -> bool:
        """Whether the model is to be asked now (rule 1)."""
        return self._wanted and not self.waits

    def asks(self) -> None:
        """What was said so far wants an answer."""
        self._wanted = True

    def turn(self, content: Content, *, complete: bool) -> None:
        """The user said something."""
        self._held.append(content)
        self._wanted = self._wanted or complete

    def result(self, answer: FunctionResponse) -> None:
        """A call was answered; without a `response` it is only known to take its time."""
        open_call = any(call.id == answer.id for call in self._asked)
        before = self._given.get(answer.id)
        if open_call and (before is None or before.response is None):
            self._given[answer.id] = answer
            self._wanted = self._wanted or answer.response is not None
        elif answer.response:  # an empty one ends a row of answers, and says nothing
            self._held.append(news(answer))
            self._wanted = True

    def wait_no_longer(self) -> None:
        """The user goes on, whatever is still running (rule 2)."""
        for call in self._asked:
            self._given.setdefault(call.id, FunctionResponse.trusted(id=call.id, name=call.name))

    def question(self) -> list[Content]:
        """All that the model is to be told, for it to answer; nothing is due any more."""
        if self._asked:
            self._contents.append(answers(self._asked, self._given))
            self._asked, self._given = [], {}
        self._contents += self._held
        self._held, self._wanted = [], False
        self._contents = ends_with_user(self._contents)
        return list(self._contents)

    def answered(self, content: Content | None) -> Content | None:
        """The model's answer, whole; returns it with its calls named (rule 3)."""
        parts = [self._named(part) for part in (content.parts or [])] if content else []
        if not parts:
            return None
        whole = Content.trusted(role="model", parts=parts)
        self._contents.append(whole)
        self._asked, self._given = calls_in(whole), {}
        return whole

    def cut(self, text: str) -> None:
        """The model was cut off when it had said so much."""
        if text:
            self._contents.append(Content.trusted(role="model", parts=[Part.trusted(text=text)]))

    def unheard(self, characters: int) -> None:
        """Of what the model wrote, the last so many characters do not count; its calls do."""
        for at in range(len(self._contents) - 1, -1, -1):
            content = self._contents[at]
            if characters <= 0:
                break
            if content.role != "model":
                continue
            kept: list[Part] = []
            for part in reversed(content.parts or []):
                if part.text and not part.thought and characters > 0:
                    cut, characters = characters, characters - len(part.text)
                    if characters >= 0:
                        continue
                    part = part.model_copy(update={"text": part.text[:-cut]})
                kept.insert(0, part)
            if kept:
                self._contents[at] = content.model_copy(update={"parts": kept})
            else:
                del self._contents[at]

    def _named(self, part: Part) -> Part:
        call = part.function_call
        if call is None:
            return part
        if not call.id or call.id in self._ids:
            call = call.model_copy(update={"id": self._new_id()})
            part = part.model_copy(update={"function_call": call})
        self._ids.add(call.id)
        return part
