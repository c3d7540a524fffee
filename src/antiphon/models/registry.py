"""From a model's name to the model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from antiphon.errors import UnknownModel, UnsupportedByModel
from antiphon.models.base import LiveModel
from antiphon.models.chat import ChatModel
from antiphon.models.chat_link import ChatLive
from antiphon.models.gemini import Gemini
from antiphon.models.gemini_chat import GeminiChat
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.voice import LocalVoice
from antiphon.models.openai_chat import OpenAIChat

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "known_chat_models",
    "known_models",
    "register_chat_model",
    "register_model",
    "resolve",
    "resolve_chat",
]

_makers: dict[str, Callable[[str], LiveModel]] = {
    r"(models/|publishers/google/models/)?gemini-.+": Gemini,
    r"projects/[^/]+/locations/[^/]+/.*": Gemini,
    r"(models/)?robotics-er-.+": Gemini,
    r"local": lambda name: LocalVoice(),
    r"local/.+": lambda name: LocalVoice(brain=resolve_chat(name.removeprefix("local/"))),
}
_chat_makers: dict[str, Callable[[str], ChatModel]] = {
    r"(models/|publishers/google/models/)?(gemini|robotics-er|gemma)-.+": GeminiChat,
    r"projects/[^/]+/locations/[^/]+/.*": GeminiChat,
    r"(gpt|chatgpt)-.+|o\d(-.+)?": OpenAIChat,
    r"openai/.+": lambda name: OpenAIChat(name.removeprefix("openai/")),
    r"local": lambda name: KeywordBrain(),
    r"local/.+": lambda name: resolve_chat(name.removeprefix("local/")),
}


def register_model(pattern: str, make: Callable[[str], LiveModel]) -> None:
    """Lets names that match the regular expression `pattern` as a whole resolve to `make(name)`.

    Of several patterns that match, the one registered last wins.
    """
    re.compile(pattern)  # a mistake shows here, not when a model is asked for
    _makers.pop(pattern, None)
    _makers[pattern] = make


def register_chat_model(pattern: str, make: Callable[[str], ChatModel]) -> None:
    """The same for turn-based runs: names that match `pattern` as a whole resolve to `make(name)`."""
    re.compile(pattern)
    _chat_makers.pop(pattern, None)
    _chat_makers[pattern] = make


def known_chat_models() -> list[str]:
    """The patterns names are matched against for turn-based runs."""
    return list(_chat_makers)


def known_models() -> list[str]:
    """The patterns names are matched against."""
    return list(_makers)


def resolve(model: str | LiveModel | ChatModel) -> LiveModel:
    """The model of that name for live runs; a `LiveModel` is itself, a `ChatModel` is talked to by text.

    Raises `UnknownModel` listing what is known.
    """
    if isinstance(model, LiveModel):
        return model
    if isinstance(model, ChatModel):
        return ChatLive(model)
    for pattern, make in reversed(_makers.items()):
        if re.fullmatch(pattern, model):
            return make(model)
    known = ", ".join(known_models())
    raise UnknownModel(
        f"No model answers to the name {model!r}. Known names match: {known}. "
        "Pass a model object, or register one with antiphon.models.register_model()."
    )


def resolve_chat(model: str | LiveModel | ChatModel) -> ChatModel:
    """The model of that name for turn-based runs; a `ChatModel` is itself, a `Gemini` is asked as one,
    a `LocalVoice` by its brain.

    Raises `UnknownModel` listing what is known, `UnsupportedByModel` for a model that is only live, and
    `MissingExtra` when the package to ask it by is not installed.
    """
    if isinstance(model, ChatModel):
        return model
    if isinstance(model, ChatLive):
        return model.chat
    if isinstance(model, Gemini):
        return GeminiChat(model)
    if isinstance(model, LocalVoice):
        return model.brain
    if isinstance(model, LiveModel):
        raise UnsupportedByModel(
            f"{model.name!r} is for live conversations only: use run_live(), or give the agent a ChatModel."
        )
    for pattern, make in reversed(_chat_makers.items()):
        if re.fullmatch(pattern, model):
            return make(model)
    known = ", ".join(known_chat_models())
    raise UnknownModel(
        f"No model for turn-based runs answers to the name {model!r}. Known names match: {known}. For an "
        "OpenAI-compatible server write openai/NAME; or pass a model object, or register one with "
        "antiphon.models.register_chat_model()."
    )
