"""A recorded conversation held again, exactly: no agent, no model, no network, no time (contract 9.3)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from antiphon.core import Conversation
from antiphon.core.commands import Emit, Store
from antiphon.models.tape import Drawn, Fed, Started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.config import RunConfig
    from antiphon.core.commands import Command
    from antiphon.core.signals import Signal
    from antiphon.events import Event
    from antiphon.models.tape import Tape

__all__ = ["Step", "replay"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, and what came of it."""

    at: float
    """Seconds since the conversation began."""
    signal: Signal | None
    """`None` for the start."""
    commands: list[Command] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    """What the application saw."""


def replay(tape: Tape) -> Iterator[Step]:
    """Everything that happened, in order, judged by the rules of this version of the package.

    The events are those of the recorded conversation, but for `id`, which counts them, and `timestamp`, which
    is when they came to be by the tape. An application that read too slowly saw fewer (contract 3.11).
    """
    header = tape.header
    chances = deque(record.chance for record in tape.records if isinstance(record, Drawn))
    conversation = Conversation(
        header.cast, header.config, header.now, lambda: chances.popleft() if chances else 0.5
    )
    count = 0
    for record in tape.records:
        if isinstance(record, Started):
            step = Step(record.now - header.now, None, conversation.start(record.now))
        elif isinstance(record, Fed):
            step = Step(
                record.now - header.now, record.signal, conversation.handle(record.signal, record.now)
            )
        else:
            continue
        for command in step.commands:
            if isinstance(command, Emit | Store):
                count += 1
                _stamp(command.event, count, step.at, tape)
            if isinstance(command, Emit) and _is_told(command.event, header.config):
                step.events.append(command.event)
        yield step


def _is_told(event: Event, config: RunConfig) -> bool:
    """Whether the application wants to know (contract 3.11)."""
    if event.lifecycle is None or config.lifecycle_events:
        return True
    event.lifecycle = None
    return event.go_away is not None


def _stamp(event: Event, number: int, at: float, tape: Tape) -> None:
    metadata = tape.header.config.custom_metadata
    event.id = f"00000000-0000-4000-8000-{number:012x}"
    event.invocation_id = tape.header.invocation
    event.timestamp = tape.header.recorded + at
    event.custom_metadata = metadata and dict(metadata)
