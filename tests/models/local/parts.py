"""What tests of a local voice are made with: brains that are easily understood, users who can be heard."""

from __future__ import annotations

import asyncio
import re
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy
import soxr

from antiphon.events import LlmResponse
from antiphon.models import ChatModel
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary
from antiphon.models.local.vad import RATE
from antiphon.types import Content, FunctionCall, Part, UsageMetadata
from tests.models.local.speaking import ESPEAK_RATE, said

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from antiphon.models import LlmRequest

__all__ = ["Brain", "Prompted", "memory", "said_in", "spoken"]

Answer = str | FunctionCall | tuple[str, FunctionCall]


@cache
def spoken(text: str, rate: int = RATE, voice: str = "en-us") -> bytes:
    """The user's voice: PCM at that rate."""
    heard = soxr.resample(numpy.frombuffer(said(text, voice, 175), "<i2"), ESPEAK_RATE, rate)
    return bytes(heard.astype("<i2").tobytes())


def memory() -> int:
    """Bytes of this process; 0 where the system does not tell."""
    told = Path("/proc/self/statm")
    return int(told.read_text().split()[1]) * 4_096 if told.exists() else 0


def said_in(content: Content) -> str:
    return "".join(part.text or "" for part in content.parts or [] if not part.thought)


class Brain(ChatModel):
    """Answers each request with what `think` makes of the last content, word by word."""

    name = "brain"

    def __init__(
        self, think: Callable[[Content], Answer], *, pause: Callable[[], Awaitable[object]] | None = None
    ) -> None:
        self.think = think
        self.pause = pause or partial(asyncio.sleep, 0)
        """Awaited after each word."""
        self.requests: list[list[Content]] = []
        self.broken_off = 0

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        self.requests.append(list(request.contents))
        thought = self.think(request.contents[-1])
        text = thought[0] if isinstance(thought, tuple) else thought if isinstance(thought, str) else ""
        call = thought[1] if isinstance(thought, tuple) else thought if not isinstance(thought, str) else None
        whole = False
        try:
            for word in re.findall(r"\S+\s*", text) if stream else ():
                yield LlmResponse(content=Content(role="model", parts=[Part(text=word)]), partial=True)
                await self.pause()
            parts = ([Part(text=text)] if text else []) + ([Part(function_call=call)] if call else [])
            whole = True
            usage = UsageMetadata(total_token_count=len(text))
            yield LlmResponse(
                content=Content(role="model", parts=parts), finish_reason="STOP", usage_metadata=usage
            )
        finally:
            self.broken_off += not whole

    def told(self, request: int = -1) -> list[tuple[str | None, str]]:
        """Who said what, in that request."""
        return [(content.role, said_in(content)) for content in self.requests[request]]


class Prompted(Recognizer):
    """Hears what it is told was said, utterance by utterance; errors are raised."""

    eager = True

    def __init__(self, *heard: str | Exception) -> None:
        self.heard = list(heard)
        self.vocabularies: list[Vocabulary] = []
        self.sounds: list[bytearray] = []

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        self.vocabularies.append(vocabulary)
        self.sounds.append(bytearray())
        return _Prompted(self, self.sounds[-1])

    def prepare(self, vocabulary: Vocabulary) -> None:
        """There is nothing to load."""


class _Prompted(Hearing):
    def __init__(self, owner: Prompted, sound: bytearray) -> None:
        self.owner = owner
        self.sound = sound
        self.words: str | Exception | None = None

    def feed(self, pcm: bytes) -> None:
        self.sound += pcm

    def heard(self) -> Heard:
        if self.words is None:
            self.words = self.owner.heard.pop(0) if self.owner.heard else ""
        if isinstance(self.words, Exception):
            raise self.words
        return Heard(self.words)
