"""From a model's name to the model. Providers are imported when one of theirs is asked for."""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

from antiphon.errors import UnknownModel, UnsupportedByModel
from antiphon.models.base import LiveModel
from antiphon.models.chat import ChatModel
from antiphon.models.chat_link import ChatLive

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


def _home(module: str, name: str) -> Callable[..., Any]:
    """The class of that name, which is imported when it is called."""

    def make(*args: Any, **settings: Any) -> Any:
        return getattr(import_module(f"antiphon.models.{module}"), name)(*args, **settings)

    return make


_gemini, _gemini_chat = _home("gemini", "Gemini"), _home("gemini_chat", "GeminiChat")
_openai_chat, _local_voice = _home("openai_chat", "OpenAIChat"), _home("local.voice", "LocalVoice")
_keyword_brain = _home("local.keyword_brain", "KeywordBrain")

_makers: dict[str, Callable[[str], LiveModel]] = {
    r"(models/|publishers/google/models/)?gemini-.+": _gemini,
    r"projects/[^/]+/locations/[^/]+/.*": _gemini,
    r"(models/)?robotics-er-.+": _gemini,
    r"local": lambda name: _local_voice(),
    r"local/.+": lambda name: _local_voice(brain=resolve_chat(name.removeprefix("local/"))),
}
_chat_makers: dict[str, Callable[[str], ChatModel]] = {
    r"(models/|publishers/google/models/)?(gemini|robotics-er|gemma)-.+": _gemini_chat,
    r"projects/[^/]+/locations/[^/]+/.*": _gemini_chat,
    r"(gpt|chatgpt)-.+|o\d(-.+)?": _openai_chat,
    r"openai/.+": lambda name: _openai_chat(name.removeprefix("openai/")),
    r"local": lambda name: _keyword_brain(),
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
    """The model of that name for turn-based runs; a `ChatModel` is itself, of a `LiveModel` it is its `chat`.

    Raises `UnknownModel` listing what is known, `UnsupportedByModel` for a model that is only live, and
    `MissingExtra` when the package to ask it by is not installed.
    """
    if isinstance(model, ChatModel):
        return model
    if isinstance(model, LiveModel):
        if (chat := model.chat or _gemini_as_chat(model)) is not None:
            return chat
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


def _gemini_as_chat(model: LiveModel) -> ChatModel | None:
    from antiphon.models.gemini import Gemini
    from antiphon.models.gemini_chat import GeminiChat

    return GeminiChat(model) if isinstance(model, Gemini) else None
