"""A sound live model in this process, as simple as can be, cut into methods that are easy to break."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from antiphon.capabilities import Capabilities
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, ToolResults, Turn
from antiphon.core.signals import (
    GenerationComplete,
    InputTranscript,
    ModelAudio,
    ModelInterrupted,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
)
from antiphon.models import LiveModel, ModelConnection
from antiphon.types import FunctionCall

if TYPE_CHECKING:
    from antiphon.config import RunConfig
    from antiphon.core.messages import Message
    from antiphon.errors import ModelConnectionError
    from antiphon.models import Listener, Setup
    from antiphon.types import Content

__all__ = ["Plain", "Plains"]


class Plain(ModelConnection):
    can = Capabilities()

    def __init__(self, model: Plains, config: RunConfig, listener: Listener) -> None:
        self.model = model
        self.config = config
        self.listener = listener
        self.pieces: list[str] = []
        self.counting = self.listening = self.over = False
        self.loop = asyncio.get_running_loop()

    # what is told

    def tell(self, *said: ModelSignal) -> None:
        if not self.over:
            self.listener.received(said)

    def ready(self) -> None:
        self.tell(ModelReady())

    def content(self, words: str) -> None:
        if self.config.modality == "TEXT":
            self.tell(ModelText(words))
            return
        self.tell(self.speech())
        if self.config.output_audio_transcription is not None:
            self.tell(OutputTranscript(words))

    def speech(self) -> ModelAudio:
        return ModelAudio(bytes(4), "audio/pcm;rate=24000")

    def complete(self) -> None:
        self.tell(GenerationComplete())
        self.tell(TurnComplete())

    def answer(self, words: str) -> None:
        self.content(words)
        self.complete()

    def interrupt(self) -> None:
        self.tell(ModelInterrupted())
        self.tell(TurnComplete())

    def call(self) -> FunctionCall:
        self.model.calls += 1
        return FunctionCall(id=f"call-{self.model.calls}", name="lookup", args={"city": "paris"})

    # what is heard

    def begin(self, setup: Setup) -> None:
        self.later(self.ready)
        self.later(self.remember, list(setup.history))
        if setup.pending is not None:
            self.later(self.hear, Turn(setup.pending))

    def remember(self, history: list[Content]) -> None: ...

    def later(self, do: Any, *arguments: Any) -> None:
        self.loop.call_soon(do, *arguments)

    def send(self, message: Message) -> None:
        self.later(self.hear, message)

    def hear(self, message: Message) -> None:
        match message:
            case Turn(content, complete):
                self.pieces += [part.text or "" for part in content.parts or ()]
                if complete:
                    text = "\n".join(self.pieces)
                    self.pieces.clear()
                    self.turn(text)
            case ToolResults():
                self.answer("It is sunny.")
            case ActivityStarted() | ActivityEnded() | Media():
                self.sound(message)

    def turn(self, text: str) -> None:
        if self.counting:
            self.counting = False
            self.interrupt()
        if "lookup paris" in text:
            self.tell(ToolCalls((self.call(),)))
        elif "count to 50" in text:
            self.counting = True
            self.content("1 2 3")
        else:
            self.answer("Hello yourself.")

    def sound(self, message: Message) -> None:
        if isinstance(message, ActivityStarted):
            self.listening = True
            if self.counting:
                self.counting = False
                self.interrupt()
        elif isinstance(message, ActivityEnded) and self.listening:
            self.listening = False
            if self.config.input_audio_transcription is not None:
                self.tell(InputTranscript("Hm."))
            self.answer("I heard you.")

    @property
    def writable(self) -> bool:
        return True

    # how it ends

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self.over:
            self.over = True
            self.lose(None)

    def lose(self, error: ModelConnectionError | None, *unsent: Message) -> None:
        self.listener.lost(error, unsent)


class Plains(LiveModel):
    name = "plain"

    def __init__(self, connection: type[Plain]) -> None:
        self.connection = connection
        self.calls = 0
        self.current: Plain | None = None

    @property
    def capabilities(self) -> Capabilities:
        return self.connection.can

    async def connect(self, config: RunConfig, listener: Listener) -> Plain:
        return self.connection(self, config, listener)
