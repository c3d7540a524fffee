"""Live models: the protocol, the providers, and the way from a name to a model."""

from antiphon.models.base import Codec, Listener, LiveModel, ModelConnection, Setup
from antiphon.models.registry import known_models, register_model, resolve
from antiphon.models.request import LlmRequest, ModelHooks

__all__ = [
    "Codec",
    "Listener",
    "LiveModel",
    "LlmRequest",
    "ModelConnection",
    "ModelHooks",
    "Setup",
    "known_models",
    "register_model",
    "resolve",
]
