"""A conversation as lines: who speaks when, what is called, how long answers take. Pure."""

from __future__ import annotations

import contextlib
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.cli.screen import Look
from antiphon.cli.wording import called, clean, result_of
from antiphon.types import VoiceActivityType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.events import Event
    from antiphon.types import VoiceActivity

__all__ = ["Line", "Timeline"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, `at` seconds after the beginning."""

    at: float
    who: str
    what: str
    look: Look

    def __str__(self) -> str:
        return f"{self.at:8.2f}  {self.who:<12} {self.what}"


class Timeline:
    """From events to lines. `at` in seconds since the user's first sound."""

    def __init__(self) -> None:
        self._stopped: float | None = None
        self._heard = False
        self.answers = 0
        """Turns of which something was heard."""
        self.waits: list[float] = []
        """Seconds from the end of what the user said to the answer's first sound, where both are known."""

    def event(self, event: Event, at: float) -> Iterator[Line]:
        """The lines of one event; most have none."""
        if event.voice_activity is not None:
            yield from self._activity(event.voice_activity, at)
        if (said := event.input_transcription) is not None and said.finished and not event.partial:
            yield Line(at, "user", f"“{clean(said.text or '').strip()}”", Look.USER)
        for part in (event.content.parts or []) if event.content else []:
            if part.inline_data is not None and not self._heard:
                yield Line(at, event.author, f"is heard{self._waited(at)}", Look.NOTE)
            if part.function_call is not None:
                yield Line(at, event.author, f"calls {called(part.function_call)}", Look.TOOL)
            if part.function_response is not None:
                answer = part.function_response
                yield Line(at, answer.name or "tool", f"→ {result_of(answer.response or {})}", Look.TOOL)
            if part.text and not event.partial and event.author != "user":
                yield Line(at, event.author, f"“{clean(part.text).strip()}”", Look.NAME)
        if (told := event.output_transcription) is not None and told.finished and not event.partial:
            cut = " — cut off" if event.interrupted else ""
            yield Line(at, event.author, f"“{clean(told.text or '').strip()}”{cut}", Look.NAME)
        if event.error_code or event.error_message:
            said_so = clean(event.error_message or "")
            yield Line(at, "error", f"{event.error_code}: {said_so}", Look.ERROR)
        if event.turn_complete:
            self._heard = False
            yield Line(at, event.author, "is done", Look.NOTE)

    def summary(self) -> str:
        """How long answers took."""
        answers = f"{self.answers} answer{'' if self.answers == 1 else 's'}"
        if not self.waits:
            return f"{answers}." if self.answers else "Nothing was answered."
        half, most = statistics.median(self.waits), max(self.waits)
        return f"{answers}, {half:.2f} s after the user (median), {most:.2f} s at most."

    def _waited(self, at: float) -> str:
        self._heard = True
        self.answers += 1
        if self._stopped is None:
            return ""
        wait, self._stopped = at - self._stopped, None
        self.waits.append(wait)
        return f", {wait:.2f} s after the user"

    def _activity(self, activity: VoiceActivity, at: float) -> Iterator[Line]:
        kind, offset = activity.voice_activity_type, (activity.audio_offset or "").removesuffix("s")
        if kind is VoiceActivityType.ACTIVITY_START:
            yield Line(at, "user", "speaks", Look.NOTE)
        elif kind is VoiceActivityType.ACTIVITY_END:
            with contextlib.suppress(ValueError):
                self._stopped = min(float(offset), at)  # noticing it takes a while, which is part of the wait
            yield Line(at, "user", "is done", Look.NOTE)
