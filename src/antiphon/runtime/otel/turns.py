"""A span for each turn of the model.

Rule 1  A turn begins where its answer was asked for, or with the first thing the model says, and ends with
        `turn_complete`. Where another agent goes on with it, that is a span of its own.
Rule 2  What is used and reported while no turn is open belongs to the conversation alone.
Rule 3  An error while an answer is waited for is that of a turn, though nothing was said in it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import Span, SpanKind

from antiphon.events import ErrorCode
from antiphon.runtime.otel.instruments import tokens
from antiphon.runtime.otel.spans import fail, message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from antiphon.events import Event
    from antiphon.runtime.otel.instruments import Instruments
    from antiphon.runtime.otel.spans import Spans
    from antiphon.types import UsageMetadata

__all__ = ["PIECES", "TurnSpans"]

PIECES: Final = 100
"""Utterances of either side that are kept for a turn, where content is asked for; the last ones."""


class TurnSpans:
    """The turns of one conversation; `parent` is the context of its own span."""

    def __init__(self, spans: Spans, instruments: Instruments, parent: Context) -> None:
        self._spans = spans
        self._instruments = instruments
        self._parent = parent
        self._span: Span | None = None
        self._agent = ""
        self._began = 0.0
        self._number = 0
        self._used: dict[str, int] = {}
        self._asked: deque[str] = deque(maxlen=PIECES)
        self._answered: deque[str] = deque(maxlen=PIECES)
        self.used: dict[str, int] = {}
        """Tokens of the whole conversation, `input` and `output`."""

    @property
    def agent(self) -> str | None:
        """Whose turn it is."""
        return None if self._span is None else self._agent

    @property
    def context(self) -> Context:
        """Where what happens now belongs."""
        return self._parent if self._span is None else self._spans.under(self._span, self._parent)

    def asked(self, words: str) -> None:
        """The user said this."""
        if self._spans.content and words:
            self._asked.append(words)

    def speaks(self, agent: str, now: float, since: float | None) -> None:
        """The agent says something, asked for at `since` if it was."""
        if self._span is not None and agent != self._agent:
            self._end(now)
        if self._span is not None:
            return
        self._agent, self._began = agent, now if since is None else since
        self._used = {}
        self._span = self._spans.begin(
            f"chat {self._spans.troupe.speakers[agent].model.name}",
            self._began,
            self._parent,
            agent,
            {
                "gen_ai.operation.name": "chat",
                **self._spans.model(agent),
                "antiphon.turn": self._number,
            },
            SpanKind.CLIENT,
        )

    def said(self, event: Event) -> None:
        """A whole piece of the agent's words."""
        if self._spans.content:
            heard = event.output_transcription
            parts = (event.content.parts or []) if event.content else []
            words = [heard.text or ""] if heard else [part.text or "" for part in parts if not part.thought]
            self._answered += filter(None, words)

    def uses(self, agent: str, usage: UsageMetadata) -> None:
        """The model reports what it has used."""
        whose = {"gen_ai.operation.name": "chat", **self._spans.model(agent)}
        for kind, count in tokens(usage).items():
            self.used[kind] = self.used.get(kind, 0) + count
            self._used[kind] = self._used.get(kind, 0) + count
            self._instruments.tokens.record(count, {**whose, "gen_ai.token.type": kind})

    def responded(self, event: Event) -> None:
        """What else a response says of itself."""
        if self._span is not None:
            if event.model_version is not None:
                self._span.set_attribute("gen_ai.response.model", event.model_version)
            if event.finish_reason is not None:
                self._span.set_attribute("gen_ai.response.finish_reasons", [event.finish_reason.value])

    def failed(self, event: Event, now: float, since: float | None) -> None:
        """An error is told to the application; a veto is none."""
        if self._span is None and since is not None and event.author in self._spans.troupe.speakers:
            self.speaks(event.author, now, since)
        if self._span is None:
            return
        if event.error_code == ErrorCode.GUARDRAIL:
            self._span.set_attribute("antiphon.vetoed", True)
        else:
            fail(self._span, str(event.error_code), event.error_message if self._spans.content else None)

    def cut(self) -> None:
        """The user has cut in."""
        if self._span is not None:
            self._span.set_attribute("antiphon.interrupted", True)

    def completed(self, now: float, waited: Mapping[str, float]) -> None:
        """The turn is over; for its answer the user has `waited`, part by part, as far as is known."""
        if self._span is not None:
            self._span.set_attributes({f"antiphon.answer.{part}": took for part, took in waited.items()})
        self._end(now)
        self._number += 1

    def close(self, now: float) -> None:
        """So is the conversation."""
        self._end(now)

    def _end(self, now: float) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        span.set_attributes({f"gen_ai.usage.{kind}_tokens": count for kind, count in self._used.items()})
        if self._asked:
            said = message("user", " ".join(self._asked))
            span.set_attribute("gen_ai.input.messages", self._spans.written(said))
        if self._answered:
            said = message("assistant", " ".join(self._answered))
            span.set_attribute("gen_ai.output.messages", self._spans.written(said))
        self._asked.clear()
        self._answered.clear()
        about: dict[str, Any] = {"gen_ai.operation.name": "chat", **self._spans.model(self._agent)}
        self._instruments.turn.record(now - self._began, about)
        span.end(self._spans.at(now))
