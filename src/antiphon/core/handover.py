"""Who takes part, and what a model is told of the conversation so far when it joins (contract 4.4, 5.8)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

from antiphon.capabilities import Capabilities
from antiphon.core.calls import ToolFacts
from antiphon.core.commands import Ask
from antiphon.core.messages import Turn
from antiphon.core.reviews import Asks, Circle
from antiphon.events import ErrorCode
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from antiphon.core.messages import ToolResults
    from antiphon.events import Event

__all__ = ["TRANSFER", "Cast", "Role", "Seed", "aloud", "in_words", "seed"]

TRANSFER: Final = "transfer_to_agent"
"""The tool by which an agent hands over."""


@dataclass(frozen=True, slots=True)
class Role:
    """One agent, as far as the conversation's rules are concerned."""

    name: str
    tools: Mapping[str, ToolFacts] = field(default_factory=dict)
    capabilities: Capabilities = field(default_factory=Capabilities)
    successor: str | None = None
    """Who goes on when this agent says `task_completed` (contract 5.9)."""
    targets: tuple[str, ...] | None = None
    """Who this agent may hand over to (contract 5.8); `None` is everybody else."""
    asks: Asks = field(default_factory=Asks)
    """What of its conversation callbacks look at (contract 5.10)."""
    circles: tuple[Circle, ...] = ()
    """Those it is in, the outermost first and itself last, as far as they have callbacks."""
    moves_on: bool = False
    """The successor goes on as soon as this agent has answered (contract 6.3)."""

    def waits(self, tool: ToolFacts) -> bool:
        """Whether the model waits for the answer to a call, and gives the call up when it is interrupted."""
        if not self.capabilities.non_blocking_tools:
            return True
        return self.capabilities.blocks_by_default if tool.blocking is None else tool.blocking


@dataclass(frozen=True, slots=True)
class Cast:
    """All agents that may speak in this conversation, and who does first."""

    roles: Mapping[str, Role]
    first: str


@dataclass(frozen=True, slots=True)
class Seed:
    """The conversation so far: `history` is told, `pending` is then asked."""

    history: tuple[Content, ...]
    pending: Content | None


def in_words(results: ToolResults) -> Turn:
    """Results for a session that takes none by id (`calls`, rule 3); silent ones ask for nothing."""
    words = [
        f"(The call of {answer.name} returned {answer.response}.)"
        if answer.response
        else f"(The call of {answer.name} has ended.)"
        for answer in results.responses
    ]
    content = Content.trusted(role="user", parts=[Part.trusted(text=each) for each in words])
    return Turn(content, complete=not results.silent, results=results, retold=True)


def aloud(words: str) -> Turn:
    """What the user said aloud, should it have to be said again."""
    return Turn(Content.trusted(role="user", parts=[Part.trusted(text=words)]), retold=True)


def seed(
    events: Sequence[Event],
    agent: str,
    *,
    ask: Ask = Ask.NOTHING,
    held: Sequence[Part] = (),
    answers: Collection[str] = (),
    function_parts: bool = True,
    app_answers: bool = False,
) -> Seed:
    """What to tell `agent`'s model of the stored `events`.

    Words that were vetoed are left out, and those that a callback changed are told as changed (contract
    5.13).

    Text and transcripts of both sides, tool calls and their results; no audio, no thoughts, no hand-overs,
    none of the `held` parts and no results of calls whose ids are in `answers`. What `ask` says is taken out
    as `pending`, to be said once the model is ready. Calls that the agent made and that have their one result
    are told as such; all others are put into words, as are all with `function_parts=False`, for models that
    take no function parts in history. A result that the application gave does not count, unless `app_answers`
    says so.
    """
    events = _as_heard(events)
    own = [event for event in events if event.author == agent] if function_parts else []
    called = {call.id for event in own if not _vetoed(event) for call in event.get_function_calls()}
    answering = events if app_answers else own
    times = Counter(answer.id for event in answering for answer in event.get_function_responses())
    paired = {call_id for call_id in called if times[call_id] == 1}
    told: dict[str, Content] = {}
    for event in events:
        told.update(event.actions.told or {})
    lines = [line for event in events for line in _lines(_as_told(event, told), agent, paired)]
    lines = [line for line in lines if not any(line.part is part for part in held)]
    if answers:
        lines = [line for line in lines if line.result_of not in answers]
    question: list[_Line] = []
    if ask is not Ask.NOTHING:
        lines, question = _take_last_question(lines, answered=ask is Ask.LAST)
    pending = Content.trusted(role="user", parts=[line.part for line in question]) if question else None
    return Seed(tuple(_merged(lines)), pending)


def _as_heard(events: Sequence[Event]) -> Sequence[Event]:
    """Each transcript that was not heard to its end replaced by what was (contract 4.5)."""
    amendments = {event.amends: event for event in events if event.amends is not None}
    if not amendments:
        return events
    return [amendments.get(event.id, event) for event in events if event.amends is None]


@dataclass(frozen=True, slots=True)
class _Line:
    """One piece of what is told. `question` marks the user's own words, `answer` those of an agent.

    `result_of` names the call whose result it is.
    """

    role: str
    part: Part
    question: bool = False
    answer: bool = False
    result_of: str | None = None


def _as_told(event: Event, told: Mapping[str, Content]) -> Event:
    key = event.amends if event.amends is not None else event.id
    if key in told:
        return event.model_copy(
            update={"content": told[key], "input_transcription": None, "output_transcription": None}
        )
    return event


def _vetoed(event: Event) -> bool:
    return event.error_code == ErrorCode.GUARDRAIL


def _lines(event: Event, agent: str, paired: set[str | None]) -> Iterable[_Line]:
    if event.partial or _vetoed(event):
        return
    own = event.author == agent
    if event.input_transcription and event.input_transcription.text:
        yield _Line("user", Part.trusted(text=event.input_transcription.text), question=True)
    if event.output_transcription and event.output_transcription.text:
        yield _spoken(event.author, own, event.output_transcription.text)
    for part in (event.content.parts or []) if event.content else []:
        if part.function_call and part.function_call.name != TRANSFER:
            call = part.function_call
            if own and call.id in paired:
                yield _Line("model", part)
            else:
                words = ", ".join(f"{name}={value!r}" for name, value in (call.args or {}).items())
                yield replace(_spoken(event.author, own, f"(calls {call.name}({words}))"), answer=False)
        elif part.function_response and part.function_response.name != TRANSFER:
            result = part.function_response
            if result.id in paired:
                yield _Line("user", part, result_of=result.id)
            else:
                words = f"({result.name} returned {result.response})"
                yield _Line("user", Part.trusted(text=words), result_of=result.id)
        elif event.author == "user" and _is_telling(part):
            yield _Line("user", part, question=True)
        elif part.text and not part.thought and event.author != "user":
            yield _spoken(event.author, own, part.text)


def _spoken(author: str, own: bool, text: str) -> _Line:
    """An agent's words: its own as the model's, another's as something it is told of."""
    if own:
        return _Line("model", Part.trusted(text=text), answer=True)
    return _Line("user", Part.trusted(text=f"[{author}] {text}"), answer=True)


def _is_telling(part: Part) -> bool:
    recorded = part.file_data is not None and (part.file_data.mime_type or "").startswith("audio/")
    return bool(part.text or part.inline_data or part.file_data) and not recorded


def _take_last_question(lines: list[_Line], *, answered: bool) -> tuple[list[_Line], list[_Line]]:
    """Splits off the user's last words: all of them since anyone else said something, `answered` or not.

    Where a session knows the question, and is told only what came later, results are what it goes on from.
    """
    end = next((at for at in range(len(lines), 0, -1) if lines[at - 1].question), 0)
    if not answered and any(line.answer for line in lines[end:]):
        return lines, []
    if end == 0 and not answered:
        end = start = len(lines)
        while start > 0 and lines[start - 1].role == "user":
            start -= 1
        return lines[:start], lines[start:]
    start = end
    while start > 0 and lines[start - 1].question:
        start -= 1
    return lines[:start] + lines[end:], lines[start:end]


def _merged(lines: Iterable[_Line]) -> Iterable[Content]:
    """Neighbours of one role as one content, which is what models expect of a history."""
    for role, group in groupby(lines, key=lambda line: line.role):
        yield Content.trusted(role=role, parts=[line.part for line in group])
