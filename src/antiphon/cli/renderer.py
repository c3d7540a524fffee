"""From events to what is written on the screen; pure.

Rule 1  Words are written as they come; what repeats them as a whole (contract 3.4, 3.8) is not written again.
Rule 2  One line is open at a time. Whoever else has something to write ends it first.
Rule 3  A tool's result goes on the line of its call while that is open; otherwise it names the tool again.
Rule 4  An interruption is said once per turn, and not when all was written.
Rule 5  After `hush` the rest of the turn's words are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli.screen import Look, Piece
from antiphon.cli.wording import called, clean, failure_of, result_of, tokens
from antiphon.core.handover import TRANSFER
from antiphon.tools.builtin import TASK_COMPLETED

if TYPE_CHECKING:
    from antiphon.events import Event, Lifecycle
    from antiphon.types import FunctionCall, FunctionResponse, Part, Transcription, UsageMetadata

__all__ = ["Renderer"]

_Key = tuple[str, str]
"""What a line holds: words, a thought or a call; and whose."""

_SILENT_TOOLS = frozenset({TRANSFER, TASK_COMPLETED})


class Renderer:
    """One conversation's. `usage`: token counts are written at the end of each turn."""

    def __init__(self, *, usage: bool = False) -> None:
        self._usage = usage
        self._out: list[Piece] = []
        self._open: _Key | None = None
        self._blanks = ""
        """Blanks at the end of the open line, which are written if more follows."""
        self._segment: tuple[_Key, str] | None = None
        """Words that the event that repeats them has yet to come for."""
        self._calls: dict[str, tuple[FunctionCall, float]] = {}
        self._tokens: UsageMetadata | None = None
        self._cut = False
        self._hushed = False
        self._whole = False
        """All words of the turn are there, though they may still be spoken."""
        self._withheld = False
        """Words were left out: the turn to be hushed is under way."""

    def event(self, event: Event) -> list[Piece]:
        """What to write for one event."""
        if event.input_transcription is not None:
            self._transcription(event, event.input_transcription)
        for part in (event.content.parts or []) if event.content else []:
            self._part(event, part)
        if event.output_transcription is not None:
            self._transcription(event, event.output_transcription)
        if event.interrupted:
            self._interrupted()
        if event.error_code or event.error_message:
            code = f"{event.error_code}: " if event.error_code else ""
            self._line(f"! {code}{clean(event.error_message or 'an error without a message')}", Look.ERROR)
        if event.lifecycle is not None:
            self._lifecycle(event.lifecycle)
        if event.grounding_metadata is not None:
            self._sources(event)
        if event.usage_metadata is not None:
            self._tokens = event.usage_metadata
        if event.turn_complete:
            self._turn_complete()
        return self._taken()

    def said(self, words: str, *, echo: bool) -> list[Piece]:
        """The user has said this; `echo` when the terminal has not shown it."""
        if self._hushed and not self._withheld:
            self._hushed = False
        if self._open is not None and self._open[0] == "words" and self._open[1] != "user":
            self._out.append(Piece(" —", Look.NOTE))
            self._cut = True
        self._end_line()
        if echo:
            self._out += [Piece("you> ", Look.NAME), Piece(f"{clean(words)}\n", Look.USER)]
        return self._taken()

    def hush(self) -> list[Piece]:
        """The user does not want to hear the rest of this turn."""
        if not self._hushed:
            self._withheld = self._segment is not None or self._open is not None
            self._mark_cut()
            self._hushed = True
        return self._taken()

    def note(self, text: str, look: Look = Look.NOTE) -> list[Piece]:
        """A line about the conversation."""
        self._line(text, look)
        return self._taken()

    # Words.

    def _transcription(self, event: Event, said: Transcription) -> None:
        key, cut = ("words", event.author), bool(event.interrupted)
        self._words(key, said.text or "", whole=bool(said.finished), cut=cut)

    def _words(self, key: _Key, text: str, *, whole: bool, cut: bool) -> None:
        segment, text = self._segment, clean(text)
        written = segment[1] if segment is not None and segment[0] == key else ""
        if key[1] != "user" and (self._hushed or (cut and self._cut)):
            self._withheld = self._hushed
            self._segment = None
            return
        if not whole:
            self._segment = (key, written + text)
            self._write(key, text)
            return
        if text.startswith(written):
            self._write(key, text[len(written) :])
        self._segment = None
        if self._open == key and not cut:  # else its end is the mark of the interruption
            self._end_line()

    def _write(self, key: _Key, text: str) -> None:
        kind, author = key
        if self._open != key:
            text = text.lstrip()
            if not text:
                return
            self._end_line()
            self._open = key
            name = "you" if author == "user" else author
            self._out.append(Piece(f"{name}> " if kind == "words" else f"{name} thinks> ", Look.NAME))
        else:
            text = self._blanks + text
        shown = text.rstrip()
        self._blanks = text[len(shown) :]
        if shown:
            look = Look.THOUGHT if kind == "thought" else Look.USER if author == "user" else Look.WORDS
            self._out.append(Piece(shown, look))

    # Everything else in a turn.

    def _part(self, event: Event, part: Part) -> None:
        if part.text:
            key = ("thought" if part.thought else "words", event.author)
            self._words(key, part.text, whole=not event.partial, cut=bool(event.interrupted))
        elif part.function_call is not None:
            self._call(event, part.function_call)
        elif part.function_response is not None:
            self._result(event, part.function_response)
        elif part.executable_code is not None:
            self._line(f"⚙ runs\n{clean(part.executable_code.code or '').rstrip()}", Look.TOOL)
        elif part.code_execution_result is not None:
            self._line(f"  → {clean(part.code_execution_result.output or '').rstrip()}", Look.TOOL)
        elif part.file_data is not None:
            self._line(f"⌸ {clean(part.file_data.file_uri or '')}", Look.NOTE)

    def _call(self, event: Event, call: FunctionCall) -> None:
        self._calls[call.id or ""] = call, event.timestamp
        if call.name not in _SILENT_TOOLS:
            self._end_line()
            self._open = ("call", call.id or "")
            self._out.append(Piece(f"⚙ {called(call)} …", Look.TOOL))

    def _result(self, event: Event, answer: FunctionResponse) -> None:
        known = self._calls.get(answer.id or "")
        if not answer.will_continue:
            self._calls.pop(answer.id or "", None)
        target = event.actions.transfer_to_agent
        failure = failure_of(answer.response or {})
        if failure is None and (target or answer.name in _SILENT_TOOLS):
            self._line(f"→ {clean(target)} takes over" if target else f"✓ {event.author} is done", Look.NOTE)
            return
        if self._open != ("call", answer.id or ""):
            self._end_line()
            self._out.append(
                Piece(f"⚙ {called(known[0]) if known else clean(answer.name or '?')} …", Look.TOOL)
            )
        if known:
            self._out.append(Piece(f" {max(0.0, event.timestamp - known[1]):.1f} s", Look.NOTE))
        if failure is None:
            self._out.append(Piece(f" → {result_of(answer.response or {})}\n", Look.TOOL))
        else:
            self._out.append(Piece(f" ✗ {failure}\n", Look.ERROR))
        self._open = None

    def _sources(self, event: Event) -> None:
        assert event.grounding_metadata is not None
        pages = [chunk.web for chunk in event.grounding_metadata.grounding_chunks or [] if chunk.web]
        if pages:
            named = ", ".join(clean(page.title or page.uri or "?") for page in pages)
            self._line(f"sources: {named}", Look.NOTE)

    def _interrupted(self) -> None:
        if not self._cut and not self._whole:
            self._mark_cut()
        self._cut = True
        self._hushed = self._withheld = False

    def _mark_cut(self) -> None:
        self._cut = True
        if self._open is not None and self._open[0] != "call" and self._open[1] != "user":
            self._out.append(Piece(" [interrupted]\n", Look.NOTE))
            self._open = None
        else:
            self._line("[interrupted]", Look.NOTE)

    def _turn_complete(self) -> None:
        self._cut = self._hushed = self._whole = self._withheld = False
        self._segment = None
        if self._open is not None and self._open[0] != "call":
            self._end_line()
        if self._usage and self._tokens is not None:
            self._line(tokens(self._tokens), Look.NOTE)
        self._tokens = None

    def _lifecycle(self, fact: Lifecycle) -> None:
        why = f": {clean(fact.reason)}" if fact.reason else ""
        match fact.kind:
            case "generation_complete":
                self._whole = self._segment is None
            case "reconnecting":
                self._line(f"… reconnecting, try {fact.attempt}{why}", Look.NOTE)
            case "reconnected":
                how = "where it was" if fact.resumed else "with the conversation so far"
                self._line(f"… reconnected; goes on {how}", Look.NOTE)
            case "going_away":
                self._line(
                    f"… the model moves to another connection within {fact.time_left or 0:g} s", Look.NOTE
                )
            case "overloaded":
                self._line(f"… overloaded{why}", Look.NOTE)
            case "toolset_unavailable":
                self._line(f"… goes on without some tools{why}", Look.NOTE)
            case "closed" if fact.by not in ("user", "error"):
                self._line(f"the conversation has ended{why}", Look.NOTE)
            case _:
                pass

    # Lines.

    def _line(self, text: str, look: Look) -> None:
        self._end_line()
        self._out.append(Piece(f"{text}\n", look))

    def _end_line(self) -> None:
        if self._open is not None:
            self._out.append(Piece("\n", Look.NOTE))
            self._open = None

    def _taken(self) -> list[Piece]:
        out, self._out = self._out, []
        return out
