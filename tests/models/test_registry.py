import re
from collections.abc import Iterator

import pytest

from antiphon.capabilities import Capabilities
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError, UnknownModel
from antiphon.models import (
    Listener,
    LiveModel,
    ModelConnection,
    known_models,
    register_model,
    registry,
    resolve,
)
from antiphon.models.gemini import Gemini


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
