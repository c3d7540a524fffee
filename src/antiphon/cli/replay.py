"""`antiphon replay`: a recorded conversation shown as `antiphon talk` shows a live one, or written out."""

from __future__ import annotations

import time
import wave
from contextlib import ExitStack
from typing import TYPE_CHECKING

from antiphon.core.signals import UserMedia, UserTurn
from antiphon.requests import pcm_rate
from antiphon.runtime.replay import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from antiphon.cli.renderer import Renderer
    from antiphon.cli.screen import Piece
    from antiphon.events import Event
    from antiphon.models.tape import Tape
    from antiphon.runtime.replay import Step
    from antiphon.types import Blob

__all__ = ["Voices", "as_json", "in_time", "shown", "steps_of"]


def in_time(
    steps: Iterable[Step],
    speed: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Iterator[Step]:
    """Each step when its time has come, at so many times the speed of the recording."""
    began = clock()
    for step in steps:
        ahead = step.at / speed - (clock() - began)
        if ahead > 0:
            wait(ahead)
        yield step


def shown(steps: Iterable[Step], renderer: Renderer, tape: Tape) -> Iterator[list[Piece]]:
    """What to write for each step."""
    for step in steps:
        if isinstance(step.signal, UserTurn):
            words = " ".join(part.text for part in step.signal.content.parts or [] if part.text)
            if words:
                yield renderer.said(words, echo=True)
        for event in step.events:
            yield renderer.event(event)
    if not tape.complete:
        yield renderer.note("the tape ends here; the conversation went on")


def as_json(steps: Iterable[Step]) -> Iterator[str]:
    """Each event as its JSON (contract 3.1): the same for one tape whenever it is replayed."""
    for step in steps:
        for event in step.events:
            yield event.model_dump_json(exclude_none=True, by_alias=True)


class Voices:
    """Writes what each speaker said as one WAV file, `NAME.wav`, in a folder, without the pauses between.

    Where a speaker's rate changes, what comes at another rate is in `NAME-RATE.wav`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._files: dict[tuple[str, int], wave.Wave_write] = {}
        self.written: list[Path] = []

    def heard(self, steps: Iterable[Step]) -> Iterator[Step]:
        """The steps, whose speech is written as they pass. The files are whole when they have ended."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._stack:
            for step in steps:
                if isinstance(step.signal, UserMedia):
                    self._add("user", step.signal.blob)
                for event in step.events:
                    for blob in _spoken(event):
                        self._add(event.author, blob)
                yield step

    def _add(self, speaker: str, blob: Blob) -> None:
        rate = pcm_rate(blob.mime_type or "")
        if rate is None or not blob.data:
            return
        file = self._files.get((speaker, rate))
        if file is None:
            first = not any(name == speaker for name, _ in self._files)
            path = self._folder / f"{speaker}{'' if first else f'-{rate}'}.wav"
            file = self._files[speaker, rate] = self._stack.enter_context(wave.open(str(path), "wb"))
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            self.written.append(path)
        file.writeframesraw(blob.data)


def _spoken(event: Event) -> Iterator[Blob]:
    for part in (event.content.parts or []) if event.content else []:
        if part.inline_data is not None and (part.inline_data.mime_type or "").startswith("audio/pcm"):
            yield part.inline_data


def steps_of(tape: Tape, speed: float | None, voices: Voices | None) -> Iterator[Step]:
    """The steps of a tape, in time unless `speed` is `None`."""
    steps = replay(tape)
    heard = steps if voices is None else voices.heard(steps)
    return heard if speed is None else in_time(heard, speed)
