"""`LlmRequest`: what a model is about to be asked, as callbacks see it; and who may look at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pydantic import Field

from antiphon.types import Content, GenerateContentConfig
from antiphon.types.model import Model

if TYPE_CHECKING:
    from antiphon.events import LlmResponse

__all__ = ["LlmRequest", "ModelHooks"]


class LlmRequest(Model):
    """One call of a model. Callbacks may change it in place before it is made (contract 5.10)."""

    model: str | None = None
    """The model's name."""
    contents: list[Content] = Field(default_factory=list)
    """What is said to it: the conversation so far and the question last; live, only what is new."""
    config: GenerateContentConfig = Field(default_factory=GenerateContentConfig)
    """The instruction, the tools and how to answer; live, all of it was said when the session began."""


class ModelHooks(Protocol):
    """Who is asked around each call of a model that is called request by request (contract 5.10)."""

    async def before(self, request: LlmRequest) -> LlmResponse | None:
        """May change the request, or answer in the model's place."""

    async def after(self, response: LlmResponse) -> LlmResponse:
        """The response as it is to be taken: this one, or another."""

    async def failed(self, request: LlmRequest, error: Exception) -> LlmResponse | None:
        """What to answer instead of the error, if anything."""
