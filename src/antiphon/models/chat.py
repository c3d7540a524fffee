"""What a turn-based model is: asked request by request, over HTTP, it answers in pieces and then as a whole.

`models.chat_link` makes a `LiveModel` of it, so that one runtime serves both kinds.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Final

from antiphon.capabilities import Capabilities
from antiphon.models.refusals import refuse_unsupported

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from antiphon.config import RunConfig
    from antiphon.events import LlmResponse
    from antiphon.models.request import LlmRequest

__all__ = ["TEXT_ONLY", "ChatModel"]

TEXT_ONLY: Final = Capabilities(
    audio_output=False,
    manual_activity=False,
    audio_input=False,
    session_resumption=False,
    context_window_compression=False,
    input_transcription=False,
    output_transcription=False,
    turn_based=True,
    calls_hooks=True,
)
"""What a chat model can do: it reads text and images, and writes text."""


class ChatModel(ABC):
    """A model one can ask. Instances are shared by all conversations, and by all event loops."""

    name: str
    provider: str = "custom"
    """Whose service it is, by OpenTelemetry's names (`gen_ai.provider.name`)."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do; asked before every run (contract 6.2). `TEXT_ONLY`, with what is more or less."""
        return TEXT_ONLY

    @property
    def secrets(self) -> Sequence[str]:
        """Keys, tokens and the like that it was given; what is recorded is cleaned of them (contract 9.2)."""
        return ()

    def check(self, config: RunConfig) -> None:
        """Refuses a run that cannot work, before anything is opened.

        Raises `ConfigurationError`, which says what to change.
        """
        refuse_unsupported(self.name, self.capabilities, config)

    @abstractmethod
    def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        """Asks once. Yields new text as `partial` responses if `stream`, and last the whole response.

        The whole has all parts (thoughts, text, calls), `finish_reason`, `usage_metadata` and
        `model_version`, and an `error_code` where it was refused or cut short. `request` stays as it is.
        Closing the generator early closes the request.

        Raises `ModelConnectionError`: retryable ones are asked again by whoever called, so that retrying is
        governed by `RunConfig.retry`; `retry_after` of the error is heeded.
        """

    def kept_open(self) -> AbstractAsyncContextManager[object]:
        """A time, on one event loop, over which `generate` may keep connections open; none stay after it."""
        return nullcontext()
