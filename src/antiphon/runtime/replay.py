"""A recorded conversation held again, exactly: no agent, no model, no network, no time (contract 9.3)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar, cast

from antiphon.config import StreamingMode
from antiphon.core import Conversation
from antiphon.core.commands import Emit, Send, Store
from antiphon.core.drafts import spelled_out
from antiphon.core.messages import Media, Message, Opening
from antiphon.core.signals import LinkLost
from antiphon.models.tape import Drawn, Fed, Started

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.config import RunConfig
    from antiphon.core.commands import Command
    from antiphon.core.signals import Signal
    from antiphon.events import Event
    from antiphon.models.tape import Tape

__all__ = ["Step", "replay"]

_Said = TypeVar("_Said", bound=Message | Opening)


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
    sent: dict[int, list[Message]] = {}
    for record in tape.records:
        if isinstance(record, Started):
            step = Step(record.now - header.now, None, conversation.start(record.now))
        elif isinstance(record, Fed):
            signal = record.signal
            if isinstance(signal, LinkLost):
                signal = _of_what_was_sent(signal, sent.pop(signal.link, []))
            step = Step(record.now - header.now, signal, conversation.handle(signal, record.now))
        else:
            continue
        for command in map(spelled_out, step.commands):
            if isinstance(command, Send) and not isinstance(command.message, Media):
                sent.setdefault(command.link, []).append(command.message)
            if isinstance(command, Emit | Store):
                count += 1
                _stamp(command.event, count, step.at, tape)
            if isinstance(command, Emit) and _is_told(command.event, header.config):
                step.events.append(command.event)
        yield step


def _of_what_was_sent(lost: LinkLost, sent: list[Message]) -> LinkLost:
    """The same loss, of the very messages that were sent, by which the conversation knows them again."""

    def known(message: _Said) -> _Said:
        at = next((at for at in range(len(sent) - 1, -1, -1) if sent[at] == message), None)
        if at is None:
            return message
        found = sent[at]
        del sent[at:]
        return cast("_Said", found)

    unsent = [known(message) for message in reversed(lost.unsent)]
    doubtful = [known(message) for message in reversed(lost.doubtful)]
    return replace(lost, unsent=tuple(reversed(unsent)), doubtful=tuple(reversed(doubtful)))


def _is_told(event: Event, config: RunConfig) -> bool:
    """Whether the application wants to know (contract 3.11, 6.3)."""
    if event.partial and config.streaming_mode is StreamingMode.NONE:
        return False
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
