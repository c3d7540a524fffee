"""Models, live and turn-based: the protocols, the providers, and the way from a name to a model."""

from antiphon.models.base import Codec, Listener, LiveModel, ModelConnection, Setup
from antiphon.models.chat import ChatModel
from antiphon.models.registry import (
    known_chat_models,
    known_models,
    register_chat_model,
    register_model,
    resolve,
    resolve_chat,
)
from antiphon.models.request import LlmRequest, ModelHooks

__all__ = [
    "ChatModel",
    "Codec",
    "Listener",
    "LiveModel",
    "LlmRequest",
    "ModelConnection",
    "ModelHooks",
    "Setup",
    "known_chat_models",
    "known_models",
    "register_chat_model",
    "register_model",
    "resolve",
    "resolve_chat",
]
