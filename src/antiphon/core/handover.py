"""Who takes part, and what a model is told of the conversation so far when it joins (contract 4.4, 5.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Final

from antiphon.capabilities import Capabilities
from antiphon.types import Content, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from antiphon.core.calls import ToolFacts
    from antiphon.events import Event

__all__ = ["TRANSFER", "Cast", "Role", "Seed", "seed"]

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


def seed(events: Sequence[Event], agent: str, *, ask: bool, function_parts: bool) -> Seed:
    """What to tell `agent`'s model of the stored `events`.

    Text and transcripts of both sides, tool calls and their results; no audio, no thoughts, no hand-overs.
    With `ask`, the last thing the user said is taken out as `pending`, to be said once the model is ready.
    Calls that the agent made and that have their result are told as such; all others are put into words, as
    are all with `function_parts=False`, for models that take no function parts in history.
    """
    own = [event for event in events if event.author == agent] if function_parts else []
    called = {call.id for event in own for call in event.get_function_calls()}
    paired = called & {answer.id for event in own for answer in event.get_function_responses()}
    lines = [line for event in events for line in _lines(event, agent, paired)]
    question: list[_Line] = []
    if ask:
        lines, question = _take_last_question(lines)
    pending = Content.trusted(role="user", parts=[line.part for line in question]) if question else None
    return Seed(tuple(_merged(lines)), pending)


@dataclass(frozen=True, slots=True)
class _Line:
    """One piece of what is told. `question` marks the user's own words, as against results and reports."""

    role: str
    part: Part
    question: bool = False


def _lines(event: Event, agent: str, paired: set[str | None]) -> Iterable[_Line]:
    if event.partial:
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
                yield _spoken(event.author, own, f"(calls {call.name}({words}))")
        elif part.function_response and part.function_response.name != TRANSFER:
            result = part.function_response
            if own and result.id in paired:
                yield _Line("user", part)
            else:
                yield _Line("user", Part.trusted(text=f"({result.name} returned {result.response})"))
        elif event.author == "user" and _is_telling(part):
            yield _Line("user", part, question=True)
        elif part.text and not part.thought and event.author != "user":
            yield _spoken(event.author, own, part.text)


def _spoken(author: str, own: bool, text: str) -> _Line:
    """An agent's words: its own as the model's, another's as something it is told of."""
    if own:
        return _Line("model", Part.trusted(text=text))
    return _Line("user", Part.trusted(text=f"[{author}] {text}"))


def _is_telling(part: Part) -> bool:
    recorded = part.file_data is not None and (part.file_data.mime_type or "").startswith("audio/")
    return bool(part.text or part.inline_data or part.file_data) and not recorded


def _take_last_question(lines: list[_Line]) -> tuple[list[_Line], list[_Line]]:
    """Splits off the user's last words: all of them since anyone else said something."""
    end = next((at for at in range(len(lines), 0, -1) if lines[at - 1].question), 0)
    start = end
    while start > 0 and lines[start - 1].question:
        start -= 1
    return lines[:start] + lines[end:], lines[start:end]


def _merged(lines: Iterable[_Line]) -> Iterable[Content]:
    """Neighbours of one role as one content, which is what models expect of a history."""
    for role, group in groupby(lines, key=lambda line: line.role):
        yield Content.trusted(role=role, parts=[line.part for line in group])
