"""A chat model behind the live interface: a turn-based run is a live conversation with it.

Rule 1  It says what live models say: text as it comes, calls, then that its turn is over. There is no socket:
        a connection is the conversation so far (`chat_dialogue`), asked as a whole each time.
Rule 2  A turn of the user's that comes while the model answers, or while its calls run, cuts it off: the
        request is closed (contract 3.6). Where the run allows no interruption it is answered next.
Rule 3  A request that failed in a way that may pass is made again as `RunConfig.retry` says; each failure is
        told (contract 3.10). What it had said by then does not count.
Rule 4  Its turn is over when nothing is due: no answer, no call that was not heard of.

The requests are tasks of this file's own: models are below the runtime and its `TaskOwner`. One runs at a
time, and `close` waits for it.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
import random
from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, assert_never

from antiphon.config import StreamingMode
from antiphon.core.backoff import Backoff
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
    ModelAnswered,
    ModelError,
    ModelInterrupted,
    ModelReady,
    ModelSignal,
    ModelText,
    TurnComplete,
)
from antiphon.errors import AntiphonError, ConnectionLost, ModelConnectionError
from antiphon.events import ErrorCode, LlmResponse, new_id
from antiphon.models.base import Listener, LiveModel, ModelConnection, Setup
from antiphon.models.chat_dialogue import Dialogue
from antiphon.models.liveness import CLOSE_TIMEOUT
from antiphon.models.request import LlmRequest
from antiphon.types import Content, GenerateContentConfig, Modality, Part

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.models.chat import ChatModel

__all__ = ["HELD_IMAGES", "ID_PREFIX", "ChatConnection", "ChatLive"]

log = logging.getLogger(__name__)

HELD_IMAGES: Final = 4
"""Video frames kept for the user's next turn, the newest."""
ID_PREFIX: Final = "antiphon-"
"""How ids of calls begin that the model gave none."""


_Phase = Literal["new", "live", "over"]


@dataclass(slots=True, eq=False)
class _TurnInHand:
    """How far the model's turn is."""

    open: bool = False
    """It was asked, and its turn is not over."""
    asking: bool = False
    """A request is being made."""
    said: str = ""
    """The text of that request's answer so far."""


class ChatLive(LiveModel):
    """A live model that asks `chat`. It answers in text, unless the run insists on what it cannot do."""

    def __init__(self, chat: ChatModel) -> None:
        self._chat = chat
        self.name = chat.name
        self.provider = chat.provider

    def __repr__(self) -> str:
        return f"ChatLive({self._chat!r})"

    @property
    def chat(self) -> ChatModel:
        return self._chat

    @property
    def capabilities(self) -> Capabilities:
        return replace(self.chat.capabilities, turn_based=True, calls_hooks=True)

    @property
    def secrets(self) -> Sequence[str]:
        return self.chat.secrets

    def check(self, config: RunConfig) -> None:
        if config.response_modalities is None:
            config = config.model_copy(update={"response_modalities": [Modality.TEXT]})
        self.chat.check(config)

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        kept = contextlib.AsyncExitStack()
        await kept.enter_async_context(self.chat.kept_open())
        return ChatConnection(self.chat, listener, kept)


class ChatConnection(ModelConnection):
    """One conversation with a chat model. `kept` is closed at its end."""

    def __init__(self, chat: ChatModel, listener: Listener, kept: contextlib.AsyncExitStack) -> None:
        self._chat = chat
        self._listener = listener
        self._kept = kept
        self._context = contextvars.copy_context()
        self._setup: Setup | None = None
        self._dialogue = Dialogue((), _call_id)
        self._turn = _TurnInHand()
        self._images: deque[Part] = deque(maxlen=HELD_IMAGES)
        self._task: asyncio.Task[None] | None = None
        self._phase: _Phase = "new"
        self._refused_audio = False

    # What the runtime calls.

    def begin(self, setup: Setup) -> None:
        self._setup = setup
        self._dialogue = Dialogue(setup.history, _call_id)
        if setup.asks:
            self._dialogue.asks()
        if setup.pending is not None:
            self._dialogue.turn(setup.pending, complete=True)
        asyncio.get_running_loop().call_soon(self._ready)

    def send(self, message: Message) -> None:
        if self._phase == "over":
            return
        match message:
            case Turn(content, complete):
                self._heard(content, complete)
            case ToolResults(responses):
                for answer in responses:
                    self._dialogue.result(answer)
                asyncio.get_running_loop().call_soon(self._go_on)  # what is said with them goes with them
                return
            case Media(blob) if (blob.mime_type or "").lower().startswith("image/"):
                self._images.append(Part.trusted(inline_data=blob))
            case Media():
                self._refuse_audio()
            case ActivityStarted() | ActivityEnded() | StreamEnded():
                pass  # nothing is heard, so nothing is listened for
            case _:
                assert_never(message)
        self._go_on()

    @property
    def writable(self) -> bool:
        return True

    @property
    def answering(self) -> bool:
        """Whether it was asked, and its turn is not over."""
        return self._turn.open

    def interrupt(self, unheard: int = 0) -> None:
        """The user takes the floor; the last `unheard` characters of what was written do not count.

        Nothing is reported: it is for whoever speaks the words written here, and knows how far that came.
        """
        if self._turn.open:
            self._give_up()
        self._dialogue.unheard(unheard)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        was, self._phase = self._phase, "over"
        self._turn = _TurnInHand()
        if self._task is not None:
            if was != "over":
                self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_TIMEOUT)
        if was != "over":
            await self._release()
            self._listener.lost(None, ())

    # One turn after the other.

    def _ready(self) -> None:
        if self._phase == "over":
            return
        self._report(ModelReady())  # what has waited for this is said within it, all before anything is asked
        if not self._is_over():
            self._phase = "live"
            self._go_on()

    def _heard(self, content: Content, complete: bool) -> None:
        assert self._setup is not None
        if complete and self._turn.open and self._setup.config.barge_in:
            self._interrupt()
        if complete and self._images:
            content = content.model_copy(update={"parts": [*self._images, *(content.parts or [])]})
            self._images.clear()
        self._dialogue.turn(content, complete=complete)

    def _interrupt(self) -> None:
        self._give_up()
        self._report(ModelInterrupted(), TurnComplete())

    def _give_up(self) -> None:
        """Answers no more; what was written stands."""
        if self._task is not None:
            self._task.cancel()
        self._dialogue.cut(self._turn.said)
        self._dialogue.wait_no_longer()
        self._turn = _TurnInHand()

    def _go_on(self) -> None:
        """Asks the model if it is to be asked, else says that its turn is over if it is (rule 4)."""
        if self._phase != "live" or self._turn.asking:
            return
        if self._dialogue.due:
            self._turn.asking = self._turn.open = True
            work = self._ask(self._turn, self._task)
            self._task = asyncio.get_running_loop().create_task(
                work, name=f"antiphon-ask {self._chat.name}", context=self._context.copy()
            )
        elif self._turn.open and not self._dialogue.waits:
            self._turn = _TurnInHand()
            self._report(TurnComplete())

    async def _ask(self, turn: _TurnInHand, before: asyncio.Task[None] | None) -> None:
        """Has one question answered, and what follows from it done."""
        try:
            if before is not None:
                await asyncio.wait([before])  # its request is closed first
            response = await self._answer(turn)
        except Exception as error:
            if turn is self._turn:  # else it was cut off, and this is how its request ended
                await self._lose(error)
            return
        if turn is not self._turn:
            return
        turn.asking, turn.said = False, ""
        whole = self._dialogue.answered(response.content)
        self._report(ModelAnswered(response.model_copy(update={"content": whole})))
        self._go_on()

    async def _answer(self, turn: _TurnInHand) -> LlmResponse:
        """The whole response; its pieces are reported meanwhile (rule 3)."""
        setup = self._setup
        assert setup is not None
        request = _request(self._chat.name, setup, self._dialogue.question())
        if setup.hooks is not None and (instead := await setup.hooks.before(request)) is not None:
            return instead
        backoff = Backoff(setup.config.retry, random.random)
        while True:
            try:
                return await self._response(setup, turn, request)
            except Exception as error:
                wait = _wait(error, backoff, setup.config, asyncio.get_running_loop().time())
                if wait is None:
                    instead = await setup.hooks.failed(request, error) if setup.hooks is not None else None
                    if instead is None:
                        raise
                    return instead
                self._report(ModelError(_code(error), str(error), void=True))
            turn.said = ""
            await asyncio.sleep(wait)

    async def _response(self, setup: Setup, turn: _TurnInHand, request: LlmRequest) -> LlmResponse:
        stream = setup.config.streaming_mode is not StreamingMode.NONE
        async with contextlib.aclosing(self._chat.generate(request, stream=stream)) as responses:
            async for response in responses:
                taken = response if setup.hooks is None else await setup.hooks.after(response)
                if not response.partial:
                    return taken
                self._piece(turn, taken)
        raise ConnectionLost(f"The answer of {self._chat.name} broke off before its end.")

    def _piece(self, turn: _TurnInHand, piece: LlmResponse) -> None:
        texts = [part for part in (piece.content.parts or []) if part.text] if piece.content else []
        turn.said += "".join(part.text or "" for part in texts if not part.thought)
        if texts and turn is self._turn:
            self._report(*(ModelText(part.text or "", thought=bool(part.thought)) for part in texts))

    # Telling, and ending.

    def _report(self, *said: ModelSignal) -> None:
        if self._phase != "over":
            self._listener.received(said)

    def _refuse_audio(self) -> None:
        if not (self._refused_audio or self._chat.capabilities.audio_input):
            self._refused_audio = True
            self._report(
                ModelError(
                    ErrorCode.INVALID_REQUEST,
                    f"The model {self._chat.name!r} has no audio_input, it hears no live audio: send text "
                    "with send_content, or give the agent a live model.",
                )
            )

    def _is_over(self) -> bool:
        return self._phase == "over"

    async def _lose(self, error: Exception) -> None:
        """The conversation with this model cannot go on."""
        if self._phase == "over":
            return
        self._phase = "over"
        failed = error
        if not isinstance(failed, ModelConnectionError):
            told = str(error)
            if not isinstance(error, AntiphonError):
                log.error("Asking %s failed in an unexpected way.", self._chat.name, exc_info=error)
                told = f"Asking {self._chat.name} failed: {type(error).__name__}: {error}"
            failed = ModelConnectionError(told)
            failed.__cause__ = error
        failed.retryable = False  # it has been tried as often as it may be
        await self._release()
        self._listener.lost(failed, ())

    async def _release(self) -> None:
        try:
            await self._kept.aclose()
        except Exception:
            log.exception("Closing the connections to %s failed.", self._chat.name)


def _call_id() -> str:
    return ID_PREFIX + new_id()


def _request(model: str, setup: Setup, contents: list[Content]) -> LlmRequest:
    """What is asked. Hooks may change it in place, which must not change the conversation, or the agent."""
    config = setup.generation.model_copy(deep=True) if setup.generation else GenerateContentConfig()
    if setup.instruction:
        config.system_instruction = setup.instruction
    if setup.tools:
        config.tools = list(setup.tools)
    if setup.hooks is not None:
        contents = [content.model_copy(deep=True) for content in contents]
    return LlmRequest.trusted(model=model, contents=contents, config=config)


def _wait(error: Exception, backoff: Backoff, config: RunConfig, now: float) -> float | None:
    """Seconds until the request is made again; `None` if it is not."""
    if not isinstance(error, ModelConnectionError) or not error.retryable:
        return None
    wait = backoff.failed(now)
    asked = error.retry_after or 0.0
    if wait is None or asked > config.retry.window:
        return None
    return max(wait, asked)


def _code(error: Exception) -> ErrorCode:
    """What the application is told of a failure that may pass (contract 3.10)."""
    status = getattr(error, "code", None)
    if status == 429:
        return ErrorCode.RESOURCE_EXHAUSTED
    if status in (408, 504):
        return ErrorCode.DEADLINE_EXCEEDED
    return ErrorCode.UNAVAILABLE
