from typing import Any

import pytest

from antiphon import models
from antiphon.capabilities import Capabilities
from antiphon.config import RunConfig
from antiphon.errors import AuthenticationRefused, ConfigurationError, MissingCredentials, UnsupportedByModel
from antiphon.models import Setup
from antiphon.models import gemini as module
from antiphon.models.gemini import Gemini
from antiphon.testing.live_server import LiveServer
from tests.models.listening import Ears

GOOGLE = "wss://generativelanguage.googleapis.com"
METHOD = "GenerativeService.BidiGenerateContent"
VERTEX = "LlmBidiService/BidiGenerateContent"
PLAIN = RunConfig()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_GENAI_API_VERSION",
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_CLOUD_PROJECT",
        "GOOGLE_CLOUD_LOCATION",
    ):
        monkeypatch.delenv(name, raising=False)


async def adc() -> dict[str, str]:
    return {"Authorization": "Bearer adc"}


@pytest.fixture(autouse=True)
def bearer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "bearer_headers", adc)


async def dialled(monkeypatch: pytest.MonkeyPatch, model: Gemini) -> tuple[str, dict[str, str], str]:
    """The address, the headers and the model's full name that a connection is made with."""
    calls: list[tuple[str, dict[str, str], str]] = []

    async def connect(url: str, headers: dict[str, str], codec: Any, listener: Any) -> None:
        calls.append((url, headers, codec._model))

    monkeypatch.setattr(models, "connect", connect)
    await model.connect(PLAIN, Ears())
    (call,) = calls
    return call


# --- where it is ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "address"),
    [
        (None, GOOGLE),
        ("http://127.0.0.1:9000", "ws://127.0.0.1:9000"),
        ("http://127.0.0.1:9000/", "ws://127.0.0.1:9000"),
        ("https://proxy.example/google/live//", "wss://proxy.example/google/live"),
        ("https://proxy.example/ws/tenant", "wss://proxy.example/ws/tenant"),
        ("HTTPS://Proxy.example", "wss://Proxy.example"),
        ("ws://[::1]:80", "ws://[::1]:80"),
        ("wss://host", "wss://host"),
    ],
)
def test_addresses_of_the_gemini_api(base_url: str | None, address: str) -> None:  # wire reference 1.1
    model = Gemini("gemini-3.8-live", api_key="k", base_url=base_url)
    assert model.address(PLAIN) == f"{address}/ws/google.ai.generativelanguage.v1.{METHOD}"


def test_a_query_stays_behind_the_path_and_a_whole_address_as_it_is() -> None:
    model = Gemini("gemini-3.8-live", base_url="https://h/p/?key=k")
    assert model.address(PLAIN) == f"wss://h/p/ws/google.ai.generativelanguage.v1.{METHOD}?key=k"
    whole = f"ws://h/ws/google.ai.generativelanguage.v1beta.{METHOD}"
    assert Gemini("gemini-3.8-live", base_url=whole).address(PLAIN) == whole


@pytest.mark.parametrize(
    "base_url", ["example.com", "ftp://h", "http://", "http://h:port", "https://[::1", "http://h:0"]
)
def test_what_is_no_address_is_refused_and_not_repeated(base_url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"base_url .*http://, ws://, https://, wss://") as refused:
        Gemini("gemini-3.8-live", base_url=f"{base_url}?key=secret")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "version"),
    [
        ({}, "v1"),
        ({"proactivity": {"proactive_audio": True}}, "v1alpha"),
        ({"enable_affective_dialog": True}, "v1alpha"),
        ({"enable_affective_dialog": False}, "v1"),
    ],
)
def test_previews_are_asked_of_the_version_that_has_them(settings: dict[str, Any], version: str) -> None:
    config = RunConfig.model_validate(settings)
    assert f"generativelanguage.{version}." in Gemini("gemini-3.8-live", api_key="k").address(config)
    fixed = Gemini("gemini-3.8-live", api_key="k", api_version="v1beta")
    assert "generativelanguage.v1beta." in fixed.address(config)


@pytest.mark.parametrize(("value", "version"), [("beta", "v1beta"), ("v1alpha", "v1alpha"), ("", "v1")])
def test_the_version_of_the_environment(monkeypatch: pytest.MonkeyPatch, value: str, version: str) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_API_VERSION", value)
    assert f"generativelanguage.{version}." in Gemini("gemini-3.8-live").address(PLAIN)
    assert ".v3." in Gemini("gemini-3.8-live", api_version="v3").address(PLAIN)


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us-central1", "us-central1-aiplatform.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
    ],
)
def test_addresses_of_vertex_ai(location: str | None, host: str) -> None:  # wire reference 1.1
    model = Gemini("gemini-live-2.5-flash", vertexai=True, project="p", location=location)
    assert model.address(PLAIN) == f"wss://{host}/ws/google.cloud.aiplatform.v1beta1.{VERTEX}"


# --- who may speak to it --------------------------------------------------------------------------------


async def test_a_key_is_sent_in_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    _, headers, name = await dialled(monkeypatch, Gemini("gemini-3.8-live", api_key=" secret\n"))
    assert headers == {"x-goog-api-key": "secret"}
    assert name == "models/gemini-3.8-live"
    _, _, name = await dialled(monkeypatch, Gemini("models/gemini-3.8-live", api_key="secret"))
    assert name == "models/gemini-3.8-live"


async def test_the_environments_key_and_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "gemini")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", "http://env")
    url, headers, _ = await dialled(monkeypatch, Gemini("gemini-3.8-live"))
    assert url.startswith("ws://env/ws/") and headers == {"x-goog-api-key": "gemini"}
    monkeypatch.setenv("GOOGLE_API_KEY", "google")
    _, headers, _ = await dialled(monkeypatch, Gemini("gemini-3.8-live"))
    assert headers == {"x-goog-api-key": "google"}
    url, headers, _ = await dialled(
        monkeypatch, Gemini("gemini-3.8-live", api_key="own", base_url="ws://own")
    )
    assert url.startswith("ws://own/ws/") and headers == {"x-goog-api-key": "own"}


async def test_an_ephemeral_token_speaks_to_the_constrained_method(monkeypatch: pytest.MonkeyPatch) -> None:
    url, headers, _ = await dialled(monkeypatch, Gemini("gemini-3.8-live", api_key="auth_tokens/abc"))
    assert url.endswith(f"generativelanguage.v1alpha.{METHOD}Constrained")
    assert headers == {"x-goog-api-key": "auth_tokens/abc", "Authorization": "Token auth_tokens/abc"}


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("gemini-live", "projects/p/locations/us-east1/publishers/google/models/gemini-live"),
        ("models/gemini-live", "projects/p/locations/us-east1/publishers/google/models/gemini-live"),
        ("publishers/other/models/m", "projects/p/locations/us-east1/publishers/other/models/m"),
        ("projects/q/locations/x/endpoints/1", "projects/q/locations/x/endpoints/1"),
    ],
)
async def test_vertex_ai_with_a_project(monkeypatch: pytest.MonkeyPatch, name: str, resource: str) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "True")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    monkeypatch.setenv("GOOGLE_CLOUD_LOCATION", "us-east1")
    monkeypatch.setenv("GOOGLE_API_KEY", "not used beside a project")
    url, headers, model = await dialled(monkeypatch, Gemini(name))
    assert url.startswith("wss://us-east1-aiplatform") and headers == {"Authorization": "Bearer adc"}
    assert model == resource


async def test_what_is_given_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_GENAI_USE_VERTEXAI", "1")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "env")
    _, headers, model = await dialled(monkeypatch, Gemini("gemini-live", api_key="express"))
    assert headers == {"x-goog-api-key": "express"} and model == "publishers/google/models/gemini-live"
    _, _, model = await dialled(monkeypatch, Gemini("gemini-live", project="own", location="eu"))
    assert model == "projects/own/locations/eu/publishers/google/models/gemini-live"
    url, _, _ = await dialled(monkeypatch, Gemini("gemini-live", vertexai=False))
    assert url.startswith(GOOGLE)


async def test_a_gateway_for_vertex_ai_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Gemini("gemini-live", vertexai=True, base_url="https://gateway/live/", headers={"X-Tenant": "t"})
    assert await dialled(monkeypatch, model) == ("wss://gateway/live", {"X-Tenant": "t"}, "gemini-live")


async def test_headers_of_ones_own_go_before_the_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Gemini("gemini-live", vertexai=True, project="p", headers={"authorization": "Bearer own"})
    _, headers, _ = await dialled(monkeypatch, model)
    assert headers == {"authorization": "Bearer own"}
    model = Gemini("gemini-live", api_key="k", headers={"X-Goog-Api-Key": "own", "X-Tenant": "t"})
    _, headers, _ = await dialled(monkeypatch, model)
    assert headers == {"X-Goog-Api-Key": "own", "X-Tenant": "t"}


# --- what it refuses ------------------------------------------------------------------------------------


def test_a_run_without_a_key_says_where_to_put_one() -> None:
    with pytest.raises(MissingCredentials, match=r"GOOGLE_API_KEY .*GEMINI_API_KEY.*antiphon demo"):
        Gemini("gemini-3.8-live").check(PLAIN)
    Gemini("gemini-3.8-live", api_key="k").check(PLAIN)
    Gemini("gemini-3.8-live", base_url="http://gateway").check(PLAIN)


def test_vertex_ai_without_a_project_says_what_to_set() -> None:
    with pytest.raises(MissingCredentials, match="GOOGLE_CLOUD_PROJECT"):
        Gemini("gemini-live", vertexai=True).check(PLAIN)
    Gemini("gemini-live", vertexai=True, project="p").check(PLAIN)
    Gemini("gemini-live", vertexai=True, api_key="k").check(PLAIN)
    Gemini("gemini-live", vertexai=True, base_url="http://gateway").check(PLAIN)


def test_what_the_model_cannot_do_is_refused_before_its_credentials_are_looked_at() -> None:  # contract 6.2
    with pytest.raises(UnsupportedByModel, match="response_modalities"):
        Gemini("gemini-3.8-live").check(RunConfig(response_modalities=["TEXT"]))


def test_transparent_resumption_is_known_to_vertex_ai_only() -> None:  # wire reference 1.4
    config = RunConfig.model_validate({"session_resumption": {"transparent": True}})
    with pytest.raises(UnsupportedByModel, match="transparent"):
        Gemini("gemini-3.8-live", api_key="k").check(config)
    Gemini("gemini-3.8-live", vertexai=True, project="p").check(config)
    Gemini("gemini-3.8-live", api_key="k").check(
        RunConfig.model_validate({"session_resumption": {"transparent": False}})
    )


def test_what_it_can_do_is_known_by_its_name() -> None:
    model = Gemini("gemini-3.8-live")
    assert isinstance(model.capabilities, Capabilities)
    assert model.capabilities is model.profile.capabilities
    assert model.profile.family == "3.8-live"


# --- and it speaks --------------------------------------------------------------------------------------


@pytest.mark.virtual_clock
async def test_a_key_is_never_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(1)
    async with LiveServer(accept_keys={"good"}) as server:
        model = Gemini("gemini-3.8-live", api_key="SECRET", base_url=server.base_url)
        ears = Ears()
        connection = await model.connect(PLAIN, ears)
        connection.begin(Setup(PLAIN))
        error = await ears.lost_with()
        assert isinstance(error, AuthenticationRefused)
        assert server.connections[0].api_key == "SECRET"
    ours = [
        record.getMessage() for record in caplog.records if record.name.startswith(("antiphon", "picows"))
    ]
    assert "SECRET" not in f"{model!r} {error!r} {connection!r} {ours} {vars(ears)}"


@pytest.mark.virtual_clock
async def test_a_session_is_set_up_and_ends_in_good_order() -> None:  # contract 1.5
    async with LiveServer() as server:
        ears = Ears()
        model = Gemini("gemini-3.8-live", api_key="k", base_url=server.base_url)
        connection = await model.connect(PLAIN, ears)
        connection.begin(Setup(PLAIN))
        await ears.ready()
        first = await server.connected(1)
        assert first.setup and first.setup["model"] == "models/gemini-3.8-live"
        await connection.close()
        assert await ears.lost_with() is None
        assert await first.closed() == 1000


@pytest.mark.parametrize(
    ("options", "secrets"),
    [
        ({}, []),
        ({"api_key": "the key"}, ["the key", "the key"]),
        ({"api_key": "auth_tokens/abc"}, ["auth_tokens/abc", "abc"]),
        ({"base_url": "https://me:word@host/x?key=a%20b&alt=sse"}, ["word", "a b", "sse"]),
        ({"headers": {"Authorization": "Bearer abc", "X-Team": "red"}}, ["Bearer abc", "abc"]),
        ({"headers": {"x-goog-api-key": "abc", "Cookie": "id=1"}}, ["abc", "abc", "id=1", "id=1"]),
    ],
)
def test_its_secrets_are_what_it_was_given_to_prove_itself_by(
    options: dict[str, Any], secrets: list[str]
) -> None:
    """contract 9.2"""
    assert list(Gemini("gemini-3.8-live", **options).secrets) == secrets


def test_the_environments_key_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """contract 9.2"""
    monkeypatch.setenv("GEMINI_API_KEY", "the key")
    assert "the key" in Gemini("gemini-3.8-live").secrets
