"""Which model answers when a command was told no name."""

from __future__ import annotations

from functools import partial

import pytest

from antiphon import KeywordBrain, OpenAIChat
from antiphon.cli import brains
from antiphon.cli.brains import about, local_model, reaches_gemini
from antiphon.models.local.brain import Choice, choose_brain
from antiphon.models.local.voice import LocalVoice


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is set, and nothing answers on this machine."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(brains, "choose_brain", partial(choose_brain, local=()))


def test_without_a_language_model_it_says_so() -> None:
    model, line = local_model(None, None, aloud=True)
    assert isinstance(model, LocalVoice) and isinstance(model.brain, KeywordBrain)
    assert "no language model" in line and "--llm URL" in line
    assert isinstance(local_model(None, None, aloud=False)[0], KeywordBrain)


def test_a_server_that_was_named_gets_a_voice_and_is_named_without_its_secrets() -> None:
    model, line = local_model("http://ann:s3cret@127.0.0.1:1/v1?key=s3cret", "qwen", aloud=True)
    assert isinstance(model, LocalVoice) and isinstance(model.brain, OpenAIChat)
    assert line == "The brain is qwen at http://127.0.0.1:1/v1: it was asked for."


def test_a_key_alone_sends_nothing_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 6.7"""
    monkeypatch.setenv("OPENAI_API_KEY", "x")
    model, line = local_model(None, None, aloud=False)
    assert isinstance(model, KeywordBrain) and line.endswith("--llm https://api.openai.com/v1.")


def test_with_a_key_for_gemini_it_says_how_to_talk_to_that() -> None:
    choice = Choice(KeywordBrain(), "none")
    assert about(choice, {"GOOGLE_API_KEY": "x"}).endswith("or antiphon talk --model gemini-3.8-live.")


def test_a_server_that_cannot_be_asked_is_told_of() -> None:
    missed = "Ollama answers at http://127.0.0.1:11434/v1, but is left alone: pip install 'antiphon[openai]'."
    assert about(Choice(KeywordBrain(), "none", missed), {"GOOGLE_API_KEY": "x"}).endswith(missed)


@pytest.mark.parametrize(
    "name", ["GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_GEMINI_BASE_URL"]
)
def test_ways_to_gemini(name: str) -> None:
    assert reaches_gemini({name: "x"}) and not reaches_gemini({name: " "}) and not reaches_gemini({})
