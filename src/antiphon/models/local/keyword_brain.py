"""`KeywordBrain`: a chat model without a language model: it finds the tool that is meant, and calls it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from antiphon.events import LlmResponse
from antiphon.models.chat import TEXT_ONLY, ChatModel
from antiphon.models.local.abilities import abilities
from antiphon.models.local.understanding import understand
from antiphon.types import Content, FinishReason, FunctionCall, Part, Tool

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from antiphon.capabilities import Capabilities
    from antiphon.models.request import LlmRequest

__all__ = ["KeywordBrain"]

NAME: Final = "antiphon-keywords"

_PIECE: Final = re.compile(r"\S+\s*")
_ROLE: Final = re.compile(r"\byou are ((?:an? |the )?[^.,;:!\n]{2,60})", re.IGNORECASE)


class KeywordBrain(ChatModel):
    """Answers without a language model: in English, on this machine, the same thing every time.

    It knows the agent's tools by their names, docstrings and parameters, and matches what is asked with them;
    fills their arguments with numbers, dates, times, choices, places, names and free text of the sentence;
    asks for what is missing; says results as plain sentences; hands over to other agents. It greets,
    repeats, counts aloud to 100, and says what it can do when it does not understand. It does not make
    conversation, and follows no instruction: of that it takes at most what it is called ("You are …").

    It keeps nothing between two requests, so that one instance serves all conversations.

    Args:
        clock: The local time, by which "tomorrow" is understood.
    """

    def __init__(self, *, clock: Callable[[], datetime] = datetime.now) -> None:
        self.name = NAME
        self.provider = "antiphon"
        self._clock = clock

    def __repr__(self) -> str:
        return "KeywordBrain()"

    @property
    def capabilities(self) -> Capabilities:
        return replace(TEXT_ONLY, video_input=False)

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        able = abilities(each for each in request.config.tools or () if isinstance(each, Tool))
        reply = understand(request.contents, able, self._clock(), _role(request))
        for piece in _PIECE.findall(reply.text) if stream else ():
            yield LlmResponse.trusted(content=_content([Part.trusted(text=piece)]), partial=True)
            await asyncio.sleep(0)  # whoever wants to cut in has a turn
        parts = [Part.trusted(text=reply.text)] if reply.text else []
        parts += [
            Part.trusted(function_call=FunctionCall.trusted(name=name, args=args))
            for name, args in reply.calls
        ]
        yield LlmResponse.trusted(
            content=_content(parts),
            partial=False,
            finish_reason=FinishReason.STOP,
            model_version=self.name,
        )


def _content(parts: list[Part]) -> Content:
    return Content.trusted(role="model", parts=parts)


def _role(request: LlmRequest) -> str:
    """What the instruction calls the agent, if it does so plainly."""
    instruction = request.config.system_instruction
    found = _ROLE.search(instruction) if isinstance(instruction, str) else None
    return found[1].strip() if found else ""
