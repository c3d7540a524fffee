"""What the help of several commands says."""

from __future__ import annotations

from typing import Annotated, Final

import typer

__all__ = ["CODES", "Llm", "paragraphs"]

CODES: Final = (
    "Exit codes: 0 done; 1 the conversation failed; 2 usage or configuration; 130 interrupted. "
    "ANTIPHON_DEBUG=1 shows tracebacks."
)

Llm = Annotated[
    str | None,
    typer.Option(
        "--llm",
        help="Let this OpenAI-compatible server answer, by the local model's voice. Else OPENAI_BASE_URL, or "
        "Ollama or llama.cpp on this machine.",
        metavar="URL",
        show_default=False,
    ),
]


def paragraphs(text: str) -> str:
    """One line for each paragraph: the terminal breaks them."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))
