"""Live models that break the contract, each in the one way that its name says."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from antiphon.capabilities import Capabilities
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, ToolResults, Turn
from antiphon.core.signals import (
    InputTranscript,
    ModelAudio,
    ModelInterrupted,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    TurnComplete,
)
from antiphon.errors import ConnectionLost
from antiphon.types import FunctionCall
from tests.testing.plain_model import Plain, Plains

if TYPE_CHECKING:
    from antiphon.config import RunConfig
    from antiphon.core.messages import Message
    from antiphon.errors import ModelConnectionError
    from antiphon.models import Listener, Setup
    from antiphon.types import Content


class Checks(Plains):
    """Refuses nothing, whatever it declares."""

    def check(self, config: RunConfig) -> None: ...


class TextOnlyUnchecked(Plain):
    can = Capabilities(audio_output=False)


class GreetsEarly(Plain):
    def begin(self, setup: Setup) -> None:
        self.later(self.content, "Hello?")
        super().begin(setup)


class SpeaksUnasked(Plain):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.later(self.content, "Hello?")


class ReadyTwice(Plain):
    def ready(self) -> None:
        super().ready()
        super().ready()


class ReportsFromAThread(Plain):
    def ready(self) -> None:
        thread = threading.Thread(target=super().ready)
        thread.start()
        thread.join()


class AnswersHistory(Plain):
    def remember(self, history: list[Content]) -> None:
        if history:
            self.answer("Hello Ann.")


class CutsHistoryOff(Plain):
    def remember(self, history: list[Content]) -> None:
        if history:
            self.interrupt()


class ForgetsWhatIsPending(Plain):
    def begin(self, setup: Setup) -> None:
        self.later(self.ready)


class NeverCompletes(Plain):
    def complete(self) -> None: ...


class CompletesTwice(Plain):
    def complete(self) -> None:
        super().complete()
        self.tell(TurnComplete())


class CompletesFirst(Plain):
    def answer(self, words: str) -> None:
        self.complete()
        self.content(words)


class HalfSamples(Plain):
    def speech(self) -> ModelAudio:
        return ModelAudio(bytes(3), "audio/pcm;rate=24000")


class OtherRate(Plain):
    def speech(self) -> ModelAudio:
        return ModelAudio(bytes(4), "audio/pcm")


class NeverTranscribes(Plain):
    def content(self, words: str) -> None:
        self.tell(self.speech())


class AlwaysTranscribes(Plain):
    def content(self, words: str) -> None:
        self.tell(self.speech(), OutputTranscript(words))


class OnlySpeaks(Plain):
    def content(self, words: str) -> None:
        self.tell(self.speech(), ModelText(words))


class OnlyThinks(Plain):
    def content(self, words: str) -> None:
        self.tell(ModelText(words, thought=True))


class CallsAnother(Plain):
    def call(self) -> FunctionCall:
        return FunctionCall(id=str(id(self)), name="look_up", args={"city": "paris"})


class CallsWithoutArguments(Plain):
    def call(self) -> FunctionCall:
        return FunctionCall(name="lookup")


class OneIdForAll(Plain):
    def call(self) -> FunctionCall:
        return FunctionCall(id="call", name="lookup", args={"city": "paris"})


class IgnoresResults(Plain):
    def hear(self, message: Message) -> None:
        if not isinstance(message, ToolResults):
            super().hear(message)


class SilentlyInterrupted(Plain):
    def interrupt(self) -> None:
        self.tell(TurnComplete())


class InterruptedForGood(Plain):
    def interrupt(self) -> None:
        self.tell(ModelInterrupted())


class InterruptedLate(Plain):
    def interrupt(self) -> None:
        self.tell(TurnComplete(), ModelInterrupted())


class NothingAfterTheCut(Plain):
    def turn(self, text: str) -> None:
        if self.counting:
            self.interrupt()
        else:
            super().turn(text)


class AnswersPieces(Plain):
    def hear(self, message: Message) -> None:
        super().hear(Turn(message.content) if isinstance(message, Turn) else message)


class DeafWhileSpeaking(Plain):
    speaking = False

    def tell(self, *said: ModelSignal) -> None:
        self.speaking = True
        super().tell(*said)
        self.speaking = False

    def send(self, message: Message) -> None:
        if not self.speaking:
            super().send(message)


class HatesMedia(Plain):
    def sound(self, message: Message) -> None:
        if isinstance(message, Media) and not self.over:
            self.over = True
            self.lose(ConnectionLost("no media, please"))


class InterruptedBySilence(Plain):
    def answer(self, words: str) -> None:
        self.content(words)
        self.interrupt()


class HatesOddSound(Plain):
    def send(self, message: Message) -> None:
        if isinstance(message, Media) and message.blob.data is not None and len(message.blob.data) % 2:
            raise ValueError("half a sample")
        super().send(message)


class FullAfterHundred(Plain):
    room = 100

    def send(self, message: Message) -> None:
        self.room -= 1
        if not self.room:
            raise BufferError("no more room")
        super().send(message)


class NeverWritable(Plain):
    @property
    def writable(self) -> bool:
        return False


class AnswersActivityEarly(Plain):
    def sound(self, message: Message) -> None:
        if isinstance(message, ActivityStarted):
            self.answer("Yes?")


class IgnoresActivity(Plain):
    def sound(self, message: Message) -> None: ...


class TalksOverActivity(Plain):
    def sound(self, message: Message) -> None:
        if isinstance(message, ActivityEnded):
            self.answer("I heard you.")


class HatesDisorder(Plain):
    def sound(self, message: Message) -> None:
        if isinstance(message, ActivityEnded) and not self.listening and not self.over:
            self.over = True
            self.lose(ConnectionLost("an end without a start"))
        super().sound(message)


class TranscribesUnasked(Plain):
    def sound(self, message: Message) -> None:
        if isinstance(message, ActivityEnded):
            self.tell(InputTranscript("Hm."))
        super().sound(message)


class SpeaksAfterClose(Plain):
    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self.over:
            self.later(self.listener.received, [ModelText("Bye.")])
        await super().close()


class ClosesWithAnError(Plain):
    def lose(self, error: ModelConnectionError | None, *unsent: Message) -> None:
        super().lose(ConnectionLost("closed"), *unsent)


class NeverLost(Plain):
    def lose(self, error: ModelConnectionError | None, *unsent: Message) -> None: ...


class LostTwice(Plain):
    def lose(self, error: ModelConnectionError | None, *unsent: Message) -> None:
        super().lose(error, *unsent)
        super().lose(error, *unsent)


class LostWithEachClose(Plain):
    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.lose(None)


class RaisesOnceClosed(Plain):
    def send(self, message: Message) -> None:
        if self.over:
            raise RuntimeError("closed")
        super().send(message)


class LostAgainBySending(Plain):
    def send(self, message: Message) -> None:
        if self.over:
            self.lose(None, message)
        super().send(message)


class ReadyOnceClosed(Plain):
    def ready(self) -> None:
        self.listener.received([ModelReady()])


class ClosesOnlyWhenReady(Plain):
    is_ready = False

    def ready(self) -> None:
        self.is_ready = True
        super().ready()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self.is_ready:
            await super().close()


class OneAtATime(Plain):
    """What is said goes to whoever came last."""

    def __init__(self, model: Plains, config: RunConfig, listener: Listener) -> None:
        super().__init__(model, config, listener)
        model.current = self

    def tell(self, *said: ModelSignal) -> None:
        if self.model.current is not None and not self.model.current.over:
            self.model.current.listener.received(said)
