"""One conversation by voice: what the user says becomes a turn of a chat model, what that writes is spoken.

Rule 1  The end of an utterance is a complete turn to the brain, a `ChatConnection`, which keeps the
        conversation, asks, retries and calls tools as in any turn-based run.
Rule 2  Speech over the agent's holds it at once. Words cut it off: the brain is told how much was not said.
        Anything else lets it go on where it stopped.
Rule 3  An answer does not begin while the user speaks, unless nothing may interrupt it.
Rule 4  A turn is over when it was heard. What the brain says of another until then waits.
Rule 5  What is heavy is done in two lanes of a shared pool (`lanes`): one to listen, one to speak. When
        listening does not keep up, audio is shed and the application told (`backlog`).
Rule 6  With text as its modality it listens all the same, and writes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, assert_never

from antiphon.core.messages import (
    ActivityEnded,
    ActivityStarted,
    Media,
    Message,
    StreamEnded,
    ToolResults,
    Turn,
)
from antiphon.core.signals import (
    InputTranscript,
    ModelAnswered,
    ModelError,
    ModelInterrupted,
    ModelPart,
    ModelSignal,
    ModelText,
    ToolCalls,
    TurnComplete,
    Usage,
    VoiceActivityChanged,
)
from antiphon.errors import ConfigurationError, InvalidSetup
from antiphon.events import ErrorCode
from antiphon.models.base import ModelConnection
from antiphon.models.local.audio_input import AudioInput, Owner
from antiphon.models.local.backlog import Speaking
from antiphon.models.local.listening import Hold, Interrupt, Resume
from antiphon.models.local.microphone import Began, Deaf, Said
from antiphon.models.local.mouth import Outlet
from antiphon.types import Content, Part, VoiceActivity, VoiceActivityType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from antiphon.core.messages import Opening
    from antiphon.errors import ModelConnectionError
    from antiphon.events import LlmResponse
    from antiphon.models.base import Listener, Setup
    from antiphon.models.chat_link import ChatConnection
    from antiphon.models.local.microphone import Microphone, News
    from antiphon.models.local.mouth import Mouth

__all__ = ["INAUDIBLE", "BrainListener", "VoiceConnection"]

INAUDIBLE: Final = "(inaudible)"
"""What the brain is told where the client marked speech and nothing was understood."""


class BrainListener:
    """What the brain reports, handed on to the conversation once there is one."""

    def __init__(self) -> None:
        self.told: Callable[[Sequence[ModelSignal]], None] = lambda said: None
        self.ended: Callable[[ModelConnectionError | None], None] = lambda error: None

    def received(self, said: Sequence[ModelSignal]) -> None:
        self.told(said)

    def writable(self) -> None:
        """A chat model always is."""

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        self.ended(error)


@dataclass(slots=True, eq=False)
class _TurnInHand:
    """What the brain has on record of the turn that is being spoken; another begins when it is cut off."""

    whole: int = 0
    """Characters of its responses that are whole."""
    written: str = ""
    """Of the response that is under way."""

    @property
    def characters(self) -> int:
        return self.whole + len(self.written)


class VoiceConnection(ModelConnection):
    """One conversation. `listen` makes its ear, off the event loop, once the set-up is known."""

    def __init__(
        self,
        brain: ChatConnection,
        ears: BrainListener,
        listener: Listener,
        listen: Callable[[Setup], Microphone],
        mouth: Callable[[Outlet, Setup], Mouth] | None,
        *,
        sees: bool,
    ) -> None:
        """`mouth` is `None` for answers in text; it may raise `ConfigurationError`. `sees`: images, too."""
        self._brain = brain
        self._listener = listener
        self._listen = listen
        self._sees = sees
        self._setup: Setup | None = None
        self._over = False
        self._input = AudioInput(Owner(self._news, self._trouble, self._listening, listener.writable))
        self._speak = mouth
        self._mouth: Mouth | None = None
        self._open = False
        """The user is speaking."""
        self._turn = _TurnInHand()
        self._later: deque[ModelSignal] = deque()
        ears.told, ears.ended = self._brain_said, self._brain_lost

    # What the runtime calls.

    def begin(self, setup: Setup) -> None:
        self._setup = setup
        if self._speak is not None:
            outlet = Outlet(said=self._report, speaking=self._speaking, over=self._heard_out)
            try:
                self._mouth = self._speak(outlet, setup)
            except ConfigurationError as refused:
                asyncio.get_running_loop().call_soon(self._brain_lost, InvalidSetup(str(refused)))
                return
        self._input.open(partial(self._listen, setup))

    def send(self, message: Message) -> None:
        if self._over:
            return
        match message:
            case Turn(_, complete):
                if complete and self._interruptible:
                    self._cut()
                self._brain.send(message)
            case ToolResults():
                self._brain.send(message)
            case Media(blob) if (blob.mime_type or "").lower().startswith("image/"):
                if self._sees:
                    self._brain.send(message)
                else:
                    self._input.refuse("This model sees no images: they are left out.")
            case Media(blob):
                self._input.add(blob.data or b"", blob.mime_type or "")
            case ActivityStarted() | ActivityEnded() | StreamEnded():
                self._input.mark(message)
            case _:
                assert_never(message)

    @property
    def writable(self) -> bool:
        return not self._input.full

    async def close(self, code: int = 1000, reason: str = "") -> None:
        first = self._end()
        try:
            await self._brain.close(code, reason)
            await self._input.close()
            if self._mouth is not None:
                await self._mouth.close()
        finally:
            if first:
                self._listener.lost(None, ())

    # What the user says.

    @property
    def _interruptible(self) -> bool:
        return self._setup is not None and self._setup.config.barge_in

    def _listening(self) -> None:
        """What the user says can be heard: the conversation begins."""
        if self._setup is not None and not self._over:
            self._brain.begin(self._setup)

    def _trouble(self, code: ErrorCode, why: str) -> None:
        self._report([ModelError(code, why)])

    def _news(self, news: News) -> None:
        match news:
            case Hold():
                if self._mouth is not None:
                    self._mouth.hold()
            case Began(at):
                self._open = True
                self._report([_activity(VoiceActivityType.ACTIVITY_START, at)])
                if self._mouth is not None and self._interruptible and not self._mouth.begun:
                    self._mouth.hold()  # rule 3
            case Interrupt():
                self._cut()
                if self._mouth is not None:
                    self._mouth.hold()
            case Resume():
                self._quiet(None)
            case Said(text, at):
                self._quiet(at, text)
            case Deaf(error):
                told = f"What was said could not be recognised: {type(error).__name__}: {error}"
                self._report([ModelError(ErrorCode.UNAVAILABLE, told)])
            case _:
                assert_never(news)

    def _quiet(self, at: float | None, text: str = "") -> None:
        """The user has stopped: with words, without, or it was nothing."""
        self._open = False
        self._report([_activity(VoiceActivityType.ACTIVITY_END, at)])
        setup = self._setup
        assert setup is not None
        marked = at is not None and setup.config.manual_activity
        if text or marked:
            if self._interruptible:
                self._cut()
            if text and setup.config.input_audio_transcription is not None:
                self._report([InputTranscript(text, finished=True)])
            if not self._over:
                said = Content.trusted(role="user", parts=[Part.trusted(text=text or INAUDIBLE)])
                self._brain.send(Turn(said))
        if self._mouth is not None:
            self._mouth.resume()

    def _cut(self) -> None:
        """The user takes the floor, if it is not theirs already."""
        unheard = 0
        if self._mouth is not None:
            if not (self._mouth.busy or self._mouth.finishing or self._brain.answering):
                return
            # What was written in pieces and withdrawn in the whole was never on record.
            unheard = min(self._mouth.cut(), self._turn.characters) + _characters(self._later)
        elif not self._brain.answering:
            return
        self._turn = _TurnInHand()
        self._later.clear()
        self._brain.interrupt(unheard)
        self._report([ModelInterrupted(), TurnComplete()])

    # What the brain says.

    def _brain_said(self, said: Sequence[ModelSignal]) -> None:
        turn = self._turn
        for signal in said:
            if turn is not self._turn:
                return  # whoever heard of it has cut it off
            if self._mouth is not None and self._mouth.finishing:
                self._later.append(signal)
            elif not self._over:
                self._said(signal)

    def _said(self, signal: ModelSignal) -> None:
        match signal:
            case ModelText(text, thought=False):
                self._turn.written += text
                self._write(text)
            case ModelAnswered(response):
                self._answered(response)
            case ModelError(void=True):
                self._turn.written = ""
                if self._mouth is not None:
                    self._mouth.void()
                self._report([signal])
            case TurnComplete() if self._mouth is not None:
                self._mouth.finish()
            case _:
                self._report([signal])

    def _write(self, text: str) -> None:
        if self._mouth is None:
            self._report([ModelText(text)])
            return
        if self._open and self._interruptible and not self._mouth.begun:
            self._mouth.hold()  # rule 3
        self._mouth.write(text)

    def _answered(self, response: LlmResponse) -> None:
        """A response is whole: its text is spoken, and what else is in it told as live models tell it."""
        parts = (response.content.parts or []) if response.content else []
        whole = _text_of(response)
        written, self._turn.written = self._turn.written, ""
        self._turn.whole += len(whole)
        if len(whole) > len(written) and whole.startswith(written):  # it need not have come in pieces
            self._write(whole[len(written) :])
        if self._mouth is not None:
            self._mouth.end_response()
        told: list[ModelSignal] = [
            ModelPart(part) for part in parts if part.text is None and part.function_call is None
        ]
        if calls := tuple(part.function_call for part in parts if part.function_call):
            told.append(ToolCalls(calls))
        if response.usage_metadata is not None:
            told.append(Usage(response.usage_metadata))
        if response.error_code:
            told.append(ModelError(response.error_code, response.error_message or ""))
        if told:
            self._report(told)

    def _heard_out(self) -> None:
        """All of a turn was heard (rule 4)."""
        self._turn.whole = 0
        self._report([TurnComplete()])
        later, self._later = self._later, deque()
        self._brain_said(later)

    def _speaking(self, speaking: bool) -> None:
        self._input.mark(Speaking(speaking))

    # Telling, and ending.

    def _report(self, said: Sequence[ModelSignal]) -> None:
        if not self._over:
            self._listener.received(said)

    def _brain_lost(self, error: ModelConnectionError | None) -> None:
        if self._end():
            self._listener.lost(error, ())

    def _end(self) -> bool:
        """Nothing more is heard or said; whether that is news."""
        first, self._over = not self._over, True
        self._input.leave()
        if self._mouth is not None:
            self._mouth.leave()
        return first


def _activity(kind: VoiceActivityType, at: float | None) -> VoiceActivityChanged:
    offset = f"{at:.3f}s" if at is not None else None
    return VoiceActivityChanged(VoiceActivity.trusted(voice_activity_type=kind, audio_offset=offset))


def _text_of(response: LlmResponse) -> str:
    parts = (response.content.parts or []) if response.content else []
    return "".join(part.text or "" for part in parts if not part.thought)


def _characters(said: Iterable[ModelSignal]) -> int:
    """Of the answers that these are of, as the brain has them on record."""
    whole = pieces = 0
    for signal in said:
        match signal:
            case ModelText(text, thought=False):
                pieces += len(text)
            case ModelAnswered(response):
                whole, pieces = whole + len(_text_of(response)), 0
            case ModelError(void=True):
                pieces = 0
            case _:
                pass
    return whole + pieces
