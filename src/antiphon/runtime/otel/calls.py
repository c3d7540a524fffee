"""A span for each call of a tool, under that of the turn that made it. The tool's own spans are under it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.context import attach

from antiphon.runtime.otel.spans import fail

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from antiphon.core.commands import RunTool
    from antiphon.core.signals import ToolFinished
    from antiphon.runtime.otel.instruments import Instruments
    from antiphon.runtime.otel.spans import Spans

__all__ = ["CallSpans"]


class CallSpans:
    """The calls of one conversation that are running."""

    def __init__(self, spans: Spans, instruments: Instruments) -> None:
        self._spans = spans
        self._instruments = instruments
        self._running: dict[str, tuple[Span, float, str]] = {}

    def run(self, call: RunTool, now: float, parent: Context) -> None:
        tool = self._spans.troupe.speakers[call.agent].tools.get(call.name)
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": call.name,
            "gen_ai.tool.call.id": call.call_id,
            "gen_ai.tool.type": "function",
        }
        if tool is not None:
            attributes["gen_ai.tool.description"] = tool.description
        if self._spans.content:
            attributes["gen_ai.tool.call.arguments"] = self._spans.written(call.args)
        span = self._spans.begin(f"execute_tool {call.name}", now, parent, call.agent, attributes)
        self._running[call.call_id] = (span, now, call.name)

    def enter(self, call: RunTool) -> None:
        """What the task it is called in does, belongs to the call from now on."""
        if (running := self._running.get(call.call_id)) is not None:
            attach(self._spans.under(running[0], None))  # the task's context ends with it

    def finished(self, finished: ToolFinished, now: float) -> None:
        if (running := self._running.get(finished.call_id)) is None:
            return
        span, response = running[0], finished.response
        kind = _kind(response) if finished.failed else None
        if kind is not None:
            fail(span, kind)
        if response is None:
            span.set_attribute("antiphon.tool.pending", True)
        elif self._spans.content:
            span.set_attribute("gen_ai.tool.call.result", self._spans.written(response))
        self._end(finished.call_id, now, kind)

    def cancelled(self, call_id: str, now: float) -> None:
        """The call was taken back, which is no error."""
        if (running := self._running.get(call_id)) is not None:
            running[0].set_attribute("antiphon.tool.cancelled", True)
            self._end(call_id, now, None)

    def close(self, now: float) -> None:
        """The conversation is over, and with it what still runs."""
        for call_id in list(self._running):
            self.cancelled(call_id, now)

    def _end(self, call_id: str, now: float, kind: str | None) -> None:
        span, began, name = self._running.pop(call_id)
        about = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": name}
        failed = {} if kind is None else {"error.type": kind}
        self._instruments.tool.record(now - began, {**about, **failed})
        span.end(self._spans.at(now))


def _kind(response: dict[str, Any] | None) -> str:
    """The class of the tool's exception, or the code of the error (contract 5.4)."""
    error = (response or {}).get("error")
    told = error if isinstance(error, dict) else {}
    return str(told.get("exception") or told.get("code") or "_OTHER")
