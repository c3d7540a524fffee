"""Matchers of commands, for transcripts: `emit(text="Hel", partial=True)` compares only what it names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from antiphon.core.commands import Command, Emit, End, Review, Send, Store
from antiphon.core.messages import Media, Message, ToolResults, Turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from antiphon.events import Event
    from antiphon.types import Part, Transcription

__all__ = ["EVENT_FACETS", "Expected", "describe", "emit", "end", "facets", "review", "send", "store"]


def _parts(event: Event) -> list[Part]:
    return (event.content.parts or []) if event.content else []


def _text(parts: Iterable[Part]) -> str | None:
    pieces = [part.text for part in parts if part.text is not None]
    return "".join(pieces) if pieces else None


def _first(found: Iterable[Any]) -> Any:
    return next((each for each in found if each is not None), None)


def _transcripts(event: Event) -> tuple[Transcription | None, ...]:
    return event.input_transcription, event.output_transcription


def _lifecycle(name: str) -> Callable[[Event], Any]:
    return lambda event: getattr(event.lifecycle, name) if event.lifecycle else None


EVENT_FACETS: Final[Mapping[str, Callable[[Event], Any]]] = {
    "author": lambda event: event.author,
    "role": lambda event: event.content.role if event.content else None,
    "text": lambda event: _text(_parts(event)),
    "thought": lambda event: any(part.thought for part in _parts(event)) or None,
    "audio": lambda event: _first(part.inline_data and part.inline_data.data for part in _parts(event)),
    "mime_type": lambda event: _first(
        part.inline_data and part.inline_data.mime_type for part in _parts(event)
    ),
    "file": lambda event: _first(part.file_data and part.file_data.file_uri for part in _parts(event)),
    "partial": lambda event: event.partial,
    "interrupted": lambda event: event.interrupted or None,
    "amends": lambda event: event.amends,
    "turn_complete": lambda event: event.turn_complete or None,
    "turn_complete_reason": lambda event: event.turn_complete_reason,
    "interaction_status": lambda event: event.interaction_status,
    "input": lambda event: event.input_transcription and event.input_transcription.text,
    "output": lambda event: event.output_transcription and event.output_transcription.text,
    "finished": lambda event: _first(words and words.finished for words in _transcripts(event)),
    "language": lambda event: _first(words and words.language_code for words in _transcripts(event)),
    "calls": lambda event: {call.id: call.name for call in event.get_function_calls()} or None,
    "long_running": lambda event: event.long_running_tool_ids,
    "response": lambda event: (
        {answer.id: answer.response for answer in event.get_function_responses()} or None
    ),
    "will_continue": lambda event: _first(answer.will_continue for answer in event.get_function_responses()),
    "scheduling": lambda event: _first(answer.scheduling for answer in event.get_function_responses()),
    "error": lambda event: event.error_code,
    "message": lambda event: event.error_message,
    "told": lambda event: event.actions.told,
    "tokens": lambda event: event.usage_metadata and event.usage_metadata.total_token_count,
    "grounding": lambda event: event.grounding_metadata,
    "voice_activity": lambda event: event.voice_activity and event.voice_activity.voice_activity_type,
    "handle": lambda event: (update := event.live_session_resumption_update) and update.new_handle,
    "go_away": lambda event: event.go_away and event.go_away.time_left,
    "state_delta": lambda event: event.actions.state_delta or None,
    "artifact_delta": lambda event: event.actions.artifact_delta or None,
    "transfer_to": lambda event: event.actions.transfer_to_agent,
    "lifecycle": _lifecycle("kind"),
    "reason": _lifecycle("reason"),
    "by": _lifecycle("by"),
    "attempt": _lifecycle("attempt"),
    "resumed": _lifecycle("resumed"),
    "time_left": _lifecycle("time_left"),
    "call_ids": _lifecycle("call_ids"),
}
"""What can be asked of an event; a facet that an event does not have is `None`."""


def _message(command: Send) -> dict[str, Any]:
    match command.message:
        case Media(blob):
            said: dict[str, Any] = {"media": blob.data}
        case Turn(content, complete):
            said = {"text": _text(content.parts or []), "complete": complete}
        case ToolResults(responses):
            said = {"results": {answer.id: answer.response for answer in responses}}
        case _:
            said = {}
    return {"link": command.link, "message": command.message, **said}


def facets(command: Command) -> dict[str, Any]:
    """All that a matcher may name of this command, by name."""
    match command:
        case Emit(event, stored):
            return {name: read(event) for name, read in EVENT_FACETS.items()} | {"stored": stored}
        case Store(event):
            return {name: read(event) for name, read in EVENT_FACETS.items()}
        case Send():
            return _message(command)
        case Review(number, agent, about):
            shown = {name: getattr(about, name, None) for name in _SHOWN}
            return {"id": number, "agent": agent, "about": type(about), **shown}
        case End(reason, by, error):
            return {"reason": reason, "by": by, "error": type(error) if error else None}
        case _:
            return {}


_SHOWN: Final = ("text", "speaker", "leaving", "entering", "code", "message", "error")
"""What may be asked of what callbacks are shown."""

KNOWN: Final[Mapping[type, set[str]]] = {
    Emit: {*EVENT_FACETS, "stored"},
    Store: set(EVENT_FACETS),
    Send: {"link", "message", "media", "text", "complete", "results"},
    Review: {"id", "agent", "about", *_SHOWN},
    End: {"reason", "by", "error"},
}


class Expected:
    """A command of this kind with these facets, whatever its others are.

    Raises `TypeError` for a facet that no such command has.
    """

    def __init__(self, kind: type[Command], wanted: Mapping[str, Any]) -> None:
        if unknown := sorted(wanted.keys() - KNOWN[kind]):
            known = ", ".join(sorted(KNOWN[kind]))
            raise TypeError(f"{kind.__name__} has no {', '.join(unknown)}; it has {known}")
        self.kind = kind
        self.wanted = wanted

    def differences(self, command: Command) -> list[str]:
        """What is wrong with the command, a line each; nothing if it matches."""
        if type(command) is not self.kind:
            return [f"a {type(command).__name__} is no {self.kind.__name__}"]
        found = facets(command)
        return [
            f"{name}: expected {value!r}, got {found.get(name)!r}"
            for name, value in self.wanted.items()
            if found.get(name) != value
        ]

    def __repr__(self) -> str:
        return _call(self.kind.__name__.lower(), self.wanted)


def emit(**wanted: Any) -> Expected:
    """An event is yielded; facets are those of `EVENT_FACETS`, and `stored`."""
    return Expected(Emit, wanted)


def store(**wanted: Any) -> Expected:
    """An event goes into the session without being yielded; facets are those of `EVENT_FACETS`."""
    return Expected(Store, wanted)


def send(message: Message | None = None, **wanted: Any) -> Expected:
    """A message goes to the model: this very one, or one with these facets.

    `link`; `media` (bytes); `text` and `complete` of a turn; `results` of tools, by call id.
    """
    return Expected(Send, wanted if message is None else {"message": message, **wanted})


def review(about: type, **wanted: Any) -> Expected:
    """Callbacks or guardrails are shown something of this kind: `agent`, `text`, `speaker`, `leaving`, …"""
    return Expected(Review, {"about": about, **wanted})


def end(**wanted: Any) -> Expected:
    """The conversation is over: `reason`, `by`, `error` (its class)."""
    return Expected(End, wanted)


def describe(command: Command) -> str:
    """The command in short: the facets that are set, or what it is."""
    said = {name: value for name, value in facets(command).items() if value is not None}
    return _call(type(command).__name__.lower(), said) if said else repr(command)


def _call(name: str, arguments: Mapping[str, Any]) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"
