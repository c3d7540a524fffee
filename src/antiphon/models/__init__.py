"""Models, live and turn-based: the protocols, the providers, and the way from a name to a model."""

from typing import TYPE_CHECKING

from antiphon.binding import late
from antiphon.models.base import Codec, Listener, LiveModel, ModelConnection, Setup
from antiphon.models.chat import ChatModel

if TYPE_CHECKING:
    from antiphon.models.gemini_codec import GeminiCodec
    from antiphon.models.registry import (
        known_chat_models,
        known_models,
        register_chat_model,
        register_model,
        resolve,
        resolve_chat,
    )
    from antiphon.models.request import LlmRequest, ModelHooks
    from antiphon.models.socket import connect

__all__ = [
    "ChatModel",
    "Codec",
    "GeminiCodec",
    "Listener",
    "LiveModel",
    "LlmRequest",
    "ModelConnection",
    "ModelHooks",
    "Setup",
    "connect",
    "known_chat_models",
    "known_models",
    "register_chat_model",
    "register_model",
    "resolve",
    "resolve_chat",
]

__getattr__ = late(
    __name__,
    {
        "gemini_codec": ("GeminiCodec",),
        "registry": (
            "known_chat_models",
            "known_models",
            "register_chat_model",
            "register_model",
            "resolve",
            "resolve_chat",
        ),
        "request": ("LlmRequest", "ModelHooks"),
        "socket": ("connect",),
    },
)
