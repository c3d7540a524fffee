import re
from collections.abc import Iterator

import pytest

from antiphon.capabilities import Capabilities
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError, UnknownModel, UnsupportedByModel
from antiphon.models import (
    Listener,
    LiveModel,
    ModelConnection,
    known_chat_models,
    known_models,
    register_chat_model,
    register_model,
    registry,
    resolve,
    resolve_chat,
)
from antiphon.models.chat_link import ChatLive
from antiphon.models.gemini import Gemini
from antiphon.models.gemini_chat import GeminiChat
from antiphon.models.openai_chat import OpenAIChat
from tests.models.near_chat import NearChat


class Mine(LiveModel):
    def __init__(self, name: str) -> None:
        self.name = name

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        raise NotImplementedError


class Other(Mine):
    pass


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_makers", dict(registry._makers))
    monkeypatch.setattr(registry, "_chat_makers", dict(registry._chat_makers))
    yield


@pytest.mark.parametrize(
    "name",
    [
        "gemini-3.8-live",
        "models/gemini-2.5-flash-native-audio-preview",
        "publishers/google/models/gemini-live-2.5-flash",
        "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash",
        "robotics-er-2-streaming",
    ],
)
def test_names_of_hosted_models(name: str) -> None:
    model = resolve(name)
    assert isinstance(model, Gemini) and model.name == name


def test_a_model_is_itself() -> None:
    model = Mine("any name")
    assert resolve(model) is model


@pytest.mark.parametrize("name", ["", "gpt-9", "gemini", "my-gemini-3.8-live", "gemini-3.8-live\n"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownModel, match=re.escape(repr(name))) as refused:
        resolve(name)
    assert isinstance(refused.value, ConfigurationError)
    assert "gemini-.+" in str(refused.value) and "register_model" in str(refused.value)


def test_whoever_registers_last_answers_to_a_name() -> None:
    register_model("gemini-local", Mine)
    assert isinstance(resolve("gemini-local"), Mine)
    assert isinstance(resolve("gemini-local-2"), Gemini)
    register_model("gemini-.*local.*", Other)
    assert isinstance(resolve("gemini-local"), Other)
    register_model("gemini-local", Mine)
    assert type(resolve("gemini-local")) is Mine
    assert known_models()[-2:] == ["gemini-.*local.*", "gemini-local"]


def test_a_pattern_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(re.error):
        register_model("(", Mine)


# For turn-based runs.


@pytest.mark.parametrize(
    ("name", "kind", "known_as"),
    [
        ("gemini-3.8-flash", GeminiChat, "gemini-3.8-flash"),
        ("models/gemini-3.8-flash", GeminiChat, "models/gemini-3.8-flash"),
        ("projects/p/locations/l/publishers/google/models/gemini-any", GeminiChat, None),
        ("gpt-5.2", OpenAIChat, "gpt-5.2"),
        ("o3", OpenAIChat, "o3"),
        ("o4-mini", OpenAIChat, "o4-mini"),
        ("openai/llama3.3:70b", OpenAIChat, "llama3.3:70b"),
    ],
)
def test_names_of_models_that_are_asked(name: str, kind: type, known_as: str | None) -> None:
    model = resolve_chat(name)
    assert isinstance(model, kind) and model.name == (known_as or name)


def test_a_chat_model_is_itself_and_is_talked_to_live() -> None:
    chat = NearChat()
    assert resolve_chat(chat) is chat
    live = resolve(chat)
    assert isinstance(live, ChatLive) and resolve_chat(live) is chat


def test_gemini_is_asked_with_its_own_credentials() -> None:
    asked = resolve_chat(Gemini("gemini-any", api_key="key"))
    assert isinstance(asked, GeminiChat) and asked.name == "gemini-any"


def test_a_model_that_is_only_live_is_not_asked() -> None:  # contract 6.2
    for model in (Mine("mine"), "gemini-3.8-live"):
        with pytest.raises(UnsupportedByModel, match="run_live"):
            resolve_chat(model)


def test_an_unknown_name_is_refused_with_the_known_ones_and_what_to_write() -> None:
    with pytest.raises(UnknownModel, match="'llama'") as refused:
        resolve_chat("llama")
    assert "openai/NAME" in str(refused.value) and "gpt" in str(refused.value)


def test_chat_models_can_be_registered() -> None:
    register_chat_model("gpt-mine", lambda name: NearChat())
    assert isinstance(resolve_chat("gpt-mine"), NearChat) and known_chat_models()[-1] == "gpt-mine"
    with pytest.raises(re.error):
        register_chat_model("(", lambda name: NearChat())
