"""One conversation as spans and measurements, from the signals, commands and events that make it."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context

from antiphon.core.commands import Begin, CancelTool, Dial, Emit, End, RunTool, Send, Store
from antiphon.core.messages import Media
from antiphon.core.signals import (
    LinkDialled,
    LinkLost,
    ModelAnswered,
    ModelAudio,
    ModelPart,
    ModelReady,
    ModelText,
    OutputTranscript,
    Received,
    ToolCalls,
    ToolFinished,
    UserActivity,
    UserMedia,
    UserPlayed,
    UserTurn,
    VoiceActivityChanged,
)
from antiphon.events import ErrorCode
from antiphon.runtime.latency import Latency
from antiphon.runtime.otel.calls import CallSpans
from antiphon.runtime.otel.connections import ConnectionSpans
from antiphon.runtime.otel.instruments import CountedMetrics
from antiphon.runtime.otel.listening import Listened
from antiphon.runtime.otel.spans import Spans, fail
from antiphon.runtime.otel.turns import TurnSpans
from antiphon.types import InteractionStatus, VoiceActivityType

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from opentelemetry.trace import Tracer

    from antiphon.agents import InvocationContext, Troupe
    from antiphon.core.commands import Command
    from antiphon.core.signals import Signal
    from antiphon.events import Event
    from antiphon.runtime.latency import Measured
    from antiphon.runtime.metrics import Metrics
    from antiphon.runtime.otel.instruments import Instruments

__all__ = ["OtelObserver"]

_CONTENT: Final = (ModelAudio, ModelText, OutputTranscript, ModelPart, ModelAnswered, ToolCalls)


class OtelObserver:
    """Watches one conversation; made where it begins, in whose context its span is."""

    def __init__(
        self,
        tracer: Tracer,
        instruments: Instruments,
        invocation: InvocationContext,
        troupe: Troupe,
        metrics: Metrics,
        *,
        content: bool,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        now = self._loop.time()
        self._troupe = troupe
        self._agent = first = troupe.cast.first
        self._instruments = instruments
        self._spans = Spans(tracer, troupe, invocation.session.id, now, content=content)
        speaks = (
            invocation.run_config.modality == "AUDIO"
            and troupe.speakers[first].model.capabilities.audio_output
        )
        self._span = self._spans.begin(
            f"invoke_agent {first}",
            now,
            None,
            first,
            {
                "gen_ai.operation.name": "invoke_agent",
                **self._spans.model(first),
                "gen_ai.output.type": "speech" if speaks else "text",
                "antiphon.app.name": invocation.app_name,
                "antiphon.invocation.id": invocation.invocation_id,
            },
        )
        parent = self._spans.under(self._span, None)
        self._turns = TurnSpans(self._spans, instruments, parent)
        self._calls = CallSpans(self._spans, instruments)
        self._connections = ConnectionSpans(self._spans, parent)
        self._latency = Latency(self._measured)
        self._listened = Listened()
        self._counted = CountedMetrics(metrics, instruments, self._attributes)

    @property
    def metrics(self) -> Metrics:
        return self._counted

    @contextmanager
    def inside(self) -> Iterator[None]:
        token = otel_context.attach(self._spans.under(self._span, None))
        try:
            yield
        finally:
            otel_context.detach(token)

    def handled(self, signal: Signal | None, commands: Sequence[Command], now: float) -> None:
        if signal is not None and type(signal) is not UserMedia:
            self._happened(signal, now)
        for command in commands:
            match command:
                case Emit(event, stored):
                    if stored or not self._goes_on(event):
                        self._emitted(event, now, stored=stored)
                case Send(link, Media(blob)):
                    self._listened.sent(link, blob)
                case Store(event):
                    if event.author == "user" and event.content is not None:
                        words = [part.text for part in event.content.parts or [] if part.text]
                        self._turns.asked(" ".join(words))
                case RunTool():
                    self._calls.run(command, now, self._turns.context)
                case CancelTool(call_id):
                    self._calls.cancelled(call_id, now)
                case Dial():
                    self._connections.dialled(command, now)
                case Begin():
                    self._connections.begun(command, now)
                case End(reason, by, _):
                    self._span.set_attributes({"antiphon.ended.by": by, "antiphon.ended.reason": reason})

    def _goes_on(self, event: Event) -> bool:
        """Whether it is more of what is being said, of which nothing is to be known: nearly every event."""
        return event.content is not None and event.author == self._turns.agent and self._latency.settled

    def entering(self, call: RunTool) -> None:
        self._calls.enter(call)

    def taken(self, event: Event, now: float) -> None:
        self._latency.took(event, now)

    def close(self, error: BaseException | None) -> None:
        now = self._loop.time()
        self._latency.close()
        self._calls.close(now)
        self._turns.close(now)
        self._connections.close(now)
        used = {f"gen_ai.usage.{kind}_tokens": count for kind, count in self._turns.used.items()}
        self._span.set_attributes(used)
        if isinstance(error, Exception):
            fail(self._span, type(error).__qualname__, self._spans.told(error))
        self._span.end(self._spans.at(now))

    def _happened(self, signal: Signal, now: float) -> None:
        match signal:
            case Received(link, said):
                for each in said:
                    if type(each) is ModelAudio and not self._latency.waiting:
                        continue  # nearly every one
                    match each:
                        case VoiceActivityChanged(activity):
                            self._voice(link, activity, now)
                        case ModelReady():
                            self._connections.ready(link, now)
                        case _ if self._latency.waiting and isinstance(each, _CONTENT):
                            self._latency.received(now)
            case UserTurn(content, partial, _):
                if not partial and any(part.function_response is None for part in content.parts or []):
                    self._latency.prompted("text", now)
            case UserActivity(kind):
                if kind == "end":
                    self._latency.prompted("speech", now, now)
                else:
                    self._latency.withdrawn()
            case UserPlayed(played_ms, turn):
                self._latency.played(played_ms, turn, now)
            case ToolFinished():
                self._calls.finished(signal, now)
            case LinkDialled(link):
                self._connections.opened(link, now)
            case LinkLost():
                self._connections.lost(signal, now)
                self._listened.closed(signal.link)

    def _voice(self, link: int, activity: Any, now: float) -> None:
        """The model's detection of the user's voice: where it says when speech ended, that is its end."""
        if activity.voice_activity_type is VoiceActivityType.ACTIVITY_END:
            self._latency.prompted("speech", now, self._listened.moment(link, activity.audio_offset, now))
        else:
            self._latency.withdrawn()

    def _emitted(self, event: Event, now: float, *, stored: bool) -> None:
        agent = event.author
        if event.lifecycle is not None:
            if event.lifecycle.kind == "ready":
                self._agent = agent
            return
        if agent not in self._troupe.speakers:  # the user
            heard = event.input_transcription
            if stored and heard is not None:
                self._turns.asked(heard.text or "")
            return
        parts = (event.content.parts or []) if event.content is not None else ()
        answers = any(part.function_response is not None for part in parts)
        worded = event.output_transcription is not None and bool(event.partial)
        # Words that nobody waits for may be late ones of the turn before.
        expected = self._turns.agent is not None or self._latency.asked is not None
        if (parts and not answers) or (worded and expected):
            self._turns.speaks(agent, now, self._latency.asked)
            self._latency.said(now)
            seen = worded or any(part.function_call is None and not part.thought for part in parts)
            if seen:
                self._latency.shows(event)
        if stored:
            self._recorded(event, now)
        if event.turn_complete:
            unfinished = event.interaction_status is InteractionStatus.IN_PROGRESS
            self._turns.completed(now, self._latency.parts)
            self._latency.completed(cut=bool(event.interrupted), unfinished=unfinished)

    def _recorded(self, event: Event, now: float) -> None:
        """What is stored, and so neither audio nor in pieces."""
        if event.usage_metadata is not None:
            self._turns.uses(event.author, event.usage_metadata)
        if event.error_code is not None:
            self._turns.failed(event, now, self._latency.asked)
        if event.interrupted and event.error_code != ErrorCode.GUARDRAIL:
            self._turns.cut()
        self._turns.responded(event)
        if event.content is None or event.content.role == "model":
            self._turns.said(event)

    def _measured(self, measured: Measured) -> None:
        self._instruments.answered(measured, self._attributes())

    def _attributes(self) -> dict[str, str]:
        """By which measurements are told apart: few values each."""
        return {"gen_ai.agent.name": self._agent, **self._spans.model(self._agent)}
