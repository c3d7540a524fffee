"""A span for each connection to a model, from dialling to its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.trace import SpanKind

from antiphon.runtime.otel.spans import fail

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from antiphon.core.commands import Begin, Dial
    from antiphon.core.signals import LinkLost
    from antiphon.runtime.otel.spans import Spans

__all__ = ["ConnectionSpans"]


class ConnectionSpans:
    """The connections of one conversation; `parent` is the context of its own span."""

    def __init__(self, spans: Spans, parent: Context) -> None:
        self._spans = spans
        self._parent = parent
        self._open: dict[int, Span] = {}

    def dialled(self, dial: Dial, now: float) -> None:
        """It is asked for."""
        name = f"connect {self._spans.troupe.speakers[dial.agent].model.name}"
        attributes = {**self._spans.model(dial.agent), "antiphon.connection": dial.link}
        self._open[dial.link] = self._spans.begin(
            name, now, self._parent, dial.agent, attributes, SpanKind.CLIENT
        )

    def opened(self, link: int, now: float) -> None:
        """The socket is open."""
        self._tell(link, "opened", now)

    def begun(self, begin: Begin, now: float) -> None:
        """The session is set up: `resumed` by handle, or `seeded` with what was said before."""
        if (span := self._open.get(begin.link)) is not None:
            span.set_attribute("antiphon.connection.resumed", begin.handle is not None)
            span.set_attribute("antiphon.connection.seeded", begin.seed)

    def ready(self, link: int, now: float) -> None:
        """The model takes input from now on."""
        self._tell(link, "ready", now)

    def lost(self, lost: LinkLost, now: float) -> None:
        if (span := self._open.pop(lost.link, None)) is not None:
            if lost.error is not None:
                fail(span, type(lost.error).__qualname__, self._spans.told(lost.error))
                if (code := lost.error.code) is not None:
                    span.set_attribute("antiphon.connection.close_code", code)
            span.end(self._spans.at(now))

    def close(self, now: float) -> None:
        """The conversation is over, and with it what is left."""
        for span in self._open.values():
            span.end(self._spans.at(now))
        self._open.clear()

    def _tell(self, link: int, what: str, now: float) -> None:
        if (span := self._open.get(link)) is not None:
            span.add_event(what, timestamp=self._spans.at(now))
