"""Events as a live run yields them, and a terminal made of lists."""

from __future__ import annotations

import asyncio
import contextlib
import re
import wave
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from antiphon.cli.audio_device import AudioDevice
from antiphon.cli.screen import Piece, plain
from antiphon.events import Event, EventActions, Lifecycle, LifecycleKind
from antiphon.testing.live_reply import Say, echo
from antiphon.types import Content, FunctionCall, FunctionResponse, Part, Transcription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable
    from pathlib import Path

    from antiphon.testing.live_reply import Item, Prompt

GREETING = "Hello! Type while I speak to cut in."
WEATHER = {"result": {"sky": "sunny"}}


def words(text: str, *, partial: bool = True, by: str = "helper", **fields: Any) -> Event:
    """Text of the model (contract 3.4)."""
    part = Part(text=text, thought=fields.pop("thought", None))
    return Event(author=by, content=Content(role="model", parts=[part]), partial=partial, **fields)


def speech(text: str, *, whole: bool = False, by: str = "helper", **fields: Any) -> Event:
    """What the model says aloud, transcribed (contract 3.8)."""
    said = Transcription(text=text, finished=whole)
    return Event(author=by, output_transcription=said, partial=not whole, **fields)


def heard(text: str, *, whole: bool = False) -> Event:
    """What the user says aloud, transcribed."""
    return Event(
        author="user", input_transcription=Transcription(text=text, finished=whole), partial=not whole
    )


def call(
    name: str = "get_weather", *, id: str = "1", at: float = 0.0, long: bool = False, **args: Any
) -> Event:
    """A tool call (contract 5.2)."""
    part = Part(function_call=FunctionCall(id=id, name=name, args=args))
    ids = {id} if long else None
    content = Content(role="model", parts=[part])
    return Event(author="helper", content=content, timestamp=at, long_running_tool_ids=ids)


def result(
    response: dict[str, Any],
    name: str = "get_weather",
    *,
    id: str = "1",
    at: float = 0.4,
    goes_on: bool | None = None,
    transfer: str | None = None,
) -> Event:
    """A tool's answer."""
    answer = FunctionResponse(id=id, name=name, response=response, will_continue=goes_on)
    actions = EventActions(transfer_to_agent=transfer)
    content = Content(role="user", parts=[Part(function_response=answer)])
    return Event(author="helper", content=content, timestamp=at, actions=actions)


def fact(kind: LifecycleKind, **facts: Any) -> Event:
    """Something about the conversation itself (contract 3.11)."""
    return Event(author="helper", lifecycle=Lifecycle(kind=kind, **facts))


def interrupted() -> Event:
    return Event(author="helper", interrupted=True)


def complete(*, cut: bool | None = None) -> Event:
    return Event(author="helper", turn_complete=True, interrupted=cut)


@dataclass
class Paper:
    """A terminal: what is to be typed, when, and what was written."""

    typed: list[str] = field(default_factory=list)
    interactive: bool = False
    echoes: bool = False
    written: list[Piece] = field(default_factory=list)
    before: Callable[[str], Any] | None = None
    """Awaited before each line is typed."""
    ends: bool = True
    """The input ends after the last line; else it stays open."""
    press: Callable[[], None] = lambda: None
    """Ctrl-C."""
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def text(self) -> str:
        return plain(self.written)

    def write(self, pieces: Iterable[Piece]) -> None:
        self.written += pieces
        self.changed.set()

    async def shows(self, text: str) -> None:
        """Returns when the text has been written."""
        while text not in self.text:
            self.changed.clear()
            await self.changed.wait()

    async def lines(self) -> AsyncIterator[str]:
        for line in self.typed:
            if self.before is not None:
                await self.before(line)
            yield line
        if not self.ends:
            await asyncio.get_running_loop().create_future()

    @contextlib.asynccontextmanager
    async def opened(self, interrupted: Callable[[], None]) -> AsyncIterator[None]:
        self.press = interrupted
        yield


def reply(prompt: Prompt) -> Iterable[Item]:
    """What the live server answers to the demo's agent: it calls the tools that are named."""
    if prompt.responses:
        for answer in prompt.responses:
            yield Say(_sentence(answer.output, answer.response))
    elif prompt.text and prompt.text.lower().startswith("hello"):
        yield Say(GREETING)
    else:
        yield from echo(prompt)


def _sentence(output: Any, response: Any) -> str:
    if isinstance(response, dict) and "error" in response:
        error = response["error"]
        said = str(error.get("message", error) if isinstance(error, dict) else error)
        return re.sub(r"^\w+Error: ", "", said)
    match output:
        case {"city": city, "sky": sky, "celsius": celsius}:
            return f"It is {sky} in {city}, {celsius} degrees."
        case {"city": city, "time": time}:
            return f"In {city} it is {time}."
        case _:
            return f"{output}."


def wav_file(path: Path, pcm: bytes, *, rate: int = 16_000, width: int = 2, channels: int = 1) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


class Telephone(AudioDevice):
    """A device on the loop's own clock: says what it is given, and keeps what it plays."""

    def __init__(self, says: bytes = b"", *, latency: float = 0.1, missing: Exception | None = None) -> None:
        self.says = bytearray(says)
        self.latency = latency
        self.missing = missing
        self.played = bytearray()
        self.microphone = True
        """Off, it gives nothing at all."""
        self.closed = 0
        self.on_block: Callable[[Telephone], None] = lambda phone: None
        self._timer: asyncio.TimerHandle | None = None

    def names(self) -> tuple[str, str]:
        if self.missing is not None:
            raise self.missing
        return "headset", "headphones"

    def open(self, heard: Callable[[bytes], None] | None, speak: Callable[[int], bytes]) -> float:
        self.names()
        loop = asyncio.get_running_loop()

        def block(at: float) -> None:
            if heard is not None and self.microphone:
                heard(bytes(self.says[:640]).ljust(640, b"\0"))
                del self.says[:640]
            self.played += speak(960)
            self._timer = loop.call_at(at + 0.02, block, at + 0.02)
            self.on_block(self)

        block(loop.time())
        return self.latency

    def close(self) -> None:
        self.closed += 1
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def seconds(self) -> float:
        """How long it has been open."""
        return len(self.played) / 48_000
