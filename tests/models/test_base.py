"""What every live model tells of itself."""

from __future__ import annotations

import pytest

from antiphon import Gemini, GeminiChat, KeywordBrain, LocalVoice, OpenAIChat
from antiphon.capabilities import Capabilities
from antiphon.config import RunConfig
from antiphon.errors import UnsupportedByModel
from antiphon.models import Listener, LiveModel, ModelConnection, resolve_chat
from antiphon.models.chat_link import ChatLive


class Mute(LiveModel):
    """A model that says nothing of itself but what it has to."""

    name = "mute"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        raise NotImplementedError


def test_what_is_not_told_has_a_default() -> None:
    mute = Mute()
    mute.check(RunConfig())
    assert (mute.chat, mute.secrets, mute.provider) == (None, (), "custom")


def test_a_live_model_says_what_is_asked_in_turn_based_runs() -> None:  # contract 6.3
    brain = KeywordBrain()
    assert resolve_chat(LocalVoice(brain=brain)) is resolve_chat(ChatLive(brain)) is brain
    assert isinstance(resolve_chat(Gemini("gemini-3.8-flash", api_key="any")), GeminiChat)
    with pytest.raises(UnsupportedByModel, match="'mute' is for live conversations only"):
        resolve_chat(Mute())


def test_whose_service_a_model_is_of() -> None:
    """By OpenTelemetry's names (contract 1.7)."""
    brain = KeywordBrain()
    assert Gemini("gemini-3.8-live", api_key="any").provider == "gcp.gemini"
    assert Gemini("gemini-3.8-live", vertexai=True, project="mine").provider == "gcp.vertex_ai"
    assert GeminiChat("gemini-3.8-flash", api_key="any").provider == "gcp.gemini"
    assert OpenAIChat("gpt-5", api_key="any").provider == "openai"
    assert {brain.provider, ChatLive(brain).provider, LocalVoice(brain=brain).provider} == {"antiphon"}
