"""Which model answers when a command was told no name, or `local`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from antiphon.models.local.brain import choose_brain
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.voice import LocalVoice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel
    from antiphon.models.local.brain import Choice

__all__ = ["GEMINI", "about", "local_model", "reaches_gemini"]

GEMINI: Final = "gemini-3.8-live"
_GEMINI_WAYS: Final = (
    "GOOGLE_API_KEY",
    "GEMINI_API_KEY",
    "GOOGLE_GENAI_USE_VERTEXAI",
    "GOOGLE_GEMINI_BASE_URL",
)


def reaches_gemini(environ: Mapping[str, str]) -> bool:
    """Whether a key, Vertex AI or an address of Gemini is set."""
    return any(environ.get(name, "").strip() for name in _GEMINI_WAYS)


def local_model(llm: str | None, model: str | None, *, aloud: bool) -> tuple[LiveModel | ChatModel, str]:
    """The model `local`, for speech or for text alone, and a line that says which brain answers.

    `llm`, `model`: the server with the language model, and its name there; else what is set or answers on
    this machine. A key alone sends nothing to a hosted service. Asks servers: call it off the event loop.
    Raises like `choose_brain`.
    """
    choice = choose_brain(llm, model=model, hosted=False)
    return LocalVoice(brain=choice.brain) if aloud else choice.brain, about(choice, os.environ)


def about(choice: Choice, environ: Mapping[str, str]) -> str:
    """Which brain answers, what to expect of it, and how to have another."""
    if not isinstance(choice.brain, KeywordBrain):
        return choice.why
    said = (
        "KeywordBrain answers, on this machine: no language model, it finds the tool you mean and counts. "
        "For a language model: --llm URL (Ollama, llama.cpp, any OpenAI-compatible server)"
    )
    if choice.missed:
        return f"{said}. {choice.missed}"
    if reaches_gemini(environ):
        return f"{said}, or antiphon talk --model {GEMINI}."
    if environ.get("OPENAI_API_KEY", "").strip():
        return f"{said}; your OPENAI_API_KEY is used with --llm https://api.openai.com/v1."
    return f"{said}."
