"""The spans of one conversation: what all of them have, and when they are."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context

from antiphon.errors import MalformedFrame, ModelConnectionError
from antiphon.runtime.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context
    from opentelemetry.trace import Tracer

    from antiphon.agents import Troupe

__all__ = ["Spans", "fail", "message"]


class Spans:
    """Makes spans. Their times are the loop's, which the conversation knows, laid on the clock of the day.

    `content` says whether they may hold what was said (contract 1.7).
    """

    def __init__(
        self, tracer: Tracer, troupe: Troupe, conversation: str, now: float, *, content: bool
    ) -> None:
        self.troupe = troupe
        self.content = content
        self._tracer = tracer
        self._conversation = conversation
        models = [speaker.model for speaker in troupe.speakers.values()]
        self._redaction = Redaction(secret for model in models for secret in model.secrets)
        self._epoch = time.time_ns() - int(now * 1e9)

    def at(self, now: float) -> int:
        """Nanoseconds of the day's clock."""
        return self._epoch + int(now * 1e9)

    def begin(
        self,
        name: str,
        now: float,
        parent: Context | None,
        agent: str,
        attributes: Mapping[str, Any],
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        """A span of the agent's, under that of `parent`."""
        named = {"gen_ai.conversation.id": self._conversation, "gen_ai.agent.name": agent}
        return self._tracer.start_span(
            name,
            context=parent,
            kind=kind,
            attributes={**named, **attributes},
            start_time=self.at(now),
        )

    def model(self, agent: str) -> dict[str, str]:
        """Whose model the agent has, and which."""
        model = self.troupe.speakers[agent].model
        return {"gen_ai.provider.name": model.provider, "gen_ai.request.model": model.name}

    def under(self, span: Span, context: Context | None) -> Context:
        """The context in which spans are children of this one."""
        return set_span_in_context(span, context)

    def told(self, error: Exception) -> str | None:
        """What an error says, without secrets. Where it may repeat what was said, that is content."""
        safe = isinstance(error, ModelConnectionError) and not isinstance(error, MalformedFrame)
        return self._redaction.cleaned(str(error)) if safe or self.content else None

    def written(self, value: Any) -> str:
        """A value as an attribute: JSON."""
        return json.dumps(value, ensure_ascii=False, default=str)


def fail(span: Span, kind: str, told: str | None = None) -> None:
    """Marks the span as one that ended by an error of this kind."""
    span.set_attribute("error.type", kind)
    span.set_status(Status(StatusCode.ERROR, told))


def message(role: str, words: str) -> list[dict[str, Any]]:
    """What one side said, in the conventions' form."""
    return [{"role": role, "parts": [{"type": "text", "content": words}]}]
