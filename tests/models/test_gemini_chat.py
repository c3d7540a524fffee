"""Gemini by the real SDK, against a real server on loopback. How runs use it: `test_turn_based`."""

from __future__ import annotations

import builtins
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.config import RunConfig
from antiphon.errors import (
    ConnectionLost,
    InvalidSetup,
    MissingCredentials,
    MissingExtra,
    ModelUnavailable,
    UnsupportedByModel,
)
from antiphon.models import ChatModel, LlmRequest
from antiphon.models.chat_link import ID_PREFIX
from antiphon.models.gemini import Gemini
from antiphon.models.gemini_chat import GeminiChat
from antiphon.testing.chat_contract import ChatModelContract
from antiphon.testing.chat_server import ChatReply, ChatServer
from antiphon.types import (
    Content,
    FunctionCall,
    FunctionDeclaration,
    FunctionResponse,
    GenerateContentConfig,
    HttpOptions,
    Part,
    Tool,
)
from tests.models.near_chat import looks_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.events import LlmResponse

REQUEST = LlmRequest(model="gemini-any", contents=[Content(role="user", parts=[Part(text="hi")])])
TEXT = RunConfig(response_modalities=["TEXT"])


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY", "GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


class TestContract(ChatModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        async with ChatServer(looks_up) as server:
            yield GeminiChat("gemini-any", api_key="key", base_url=server.gemini_url)


async def ask(
    reply: ChatReply, *, stream: bool = True, request: LlmRequest = REQUEST, **access: Any
) -> tuple[list[LlmResponse], ChatServer]:
    async with ChatServer([reply]) as server:
        model = GeminiChat("gemini-any", base_url=server.gemini_url, **access)
        return [each async for each in model.generate(request, stream=stream)], server


def said(response: LlmResponse) -> str:
    return "".join(part.text or "" for part in (response.content.parts or [])) if response.content else ""


@pytest.mark.parametrize("stream", [True, False])
async def test_it_answers_in_pieces_or_at_once(stream: bool) -> None:
    responses, server = await ask(ChatReply("Hello there."), stream=stream, api_key="key")
    assert [said(each) for each in responses][-1] == "Hello there."
    assert len(responses) == (3 if stream else 1)
    assert server.requests[0].headers["x-goog-api-key"] == "key"


async def test_a_server_of_ones_own_wants_no_key() -> None:
    responses, server = await ask(ChatReply("Hi"), headers={"x-team": "blue"}, api_version="v7")
    assert said(responses[-1]) == "Hi"
    assert server.requests[0].headers["x-team"] == "blue" and server.requests[0].path.startswith("/v7/")


async def test_a_gateway_to_vertex_has_the_credentials() -> None:
    async with ChatServer([ChatReply("Hi")]) as server:
        address = f"{server.url}/any/gemini-any:streamGenerateContent"  # taken as it is
        model = GeminiChat("gemini-any", vertexai=True, base_url=address)
        model.check(TEXT)
        assert [said(each) async for each in model.generate(REQUEST, stream=True)][-1] == "Hi"
    assert "x-goog-api-key" not in server.requests[0].headers


async def test_ids_that_were_given_here_are_not_said_to_the_service() -> None:
    ours, theirs = f"{ID_PREFIX}1", "theirs"
    calls = [Part(function_call=FunctionCall(id=each, name="look", args={})) for each in (ours, theirs)]
    results = [
        Part(function_response=FunctionResponse(id=each, name="look", response={})) for each in (ours, theirs)
    ]
    contents = [Content(role="model", parts=calls), Content(role="user", parts=results)]
    _, server = await ask(ChatReply("Hi"), request=REQUEST.model_copy(update={"contents": contents}))
    for content, name in zip(
        server.requests[0].body["contents"], ("functionCall", "functionResponse"), strict=True
    ):
        assert [part[name].get("id") for part in content["parts"]] == [None, "theirs"]
    assert calls[0].function_call and calls[0].function_call.id == ours


async def test_what_only_live_sessions_take_is_left_out() -> None:
    tool = Tool(function_declarations=[FunctionDeclaration(name="look", behavior="NON_BLOCKING")])
    config = GenerateContentConfig(tools=[tool], response_schema=str, response_mime_type="application/json")
    _, server = await ask(ChatReply("Hi"), request=REQUEST.model_copy(update={"config": config}))
    (declared,) = server.requests[0].body["tools"][0]["functionDeclarations"]
    assert declared["name"] == "look" and "behavior" not in declared
    assert server.requests[0].body["generationConfig"]["responseSchema"]["type"] == "STRING"


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (ChatReply(status=400, error="odd"), InvalidSetup, "odd"),
        (ChatReply(status=503), ModelUnavailable, "try"),
        (ChatReply("Hello there", cut_after=1), ConnectionLost, "broke off"),
        (ChatReply("Hello there", garble_after=1), ConnectionLost, "no response"),
        (ChatReply("Hello there", stop_after=1), ConnectionLost, "before its end"),
    ],
)
async def test_what_went_wrong_is_told_with_its_cure(
    reply: ChatReply, kind: type[Exception], words: str
) -> None:
    # contract 3.10, 7.4
    with pytest.raises(kind, match=words):
        await ask(reply)


async def test_a_server_that_is_not_there() -> None:
    async with ChatServer() as server:
        url = server.gemini_url
    with pytest.raises(ConnectionLost, match="base_url"):
        await anext(GeminiChat("gemini-any", base_url=url).generate(REQUEST, stream=True))


async def test_a_server_that_does_not_answer() -> None:
    config = GenerateContentConfig(http_options=HttpOptions(timeout=50))
    with pytest.raises(ModelUnavailable, match="in time"):
        await ask(ChatReply("Hi", pause_after=0), request=REQUEST.model_copy(update={"config": config}))


async def test_what_the_sdk_refuses_is_told() -> None:
    config = GenerateContentConfig(response_schema=object())
    with pytest.raises(InvalidSetup, match="cannot be asked"):
        await ask(ChatReply("Hi"), request=REQUEST.model_copy(update={"config": config}))


def test_credentials_are_those_of_live_models(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingCredentials, match="GOOGLE_API_KEY"):
        GeminiChat("gemini-any").check(TEXT)
    with pytest.raises(MissingCredentials, match="project"):
        GeminiChat("gemini-any", vertexai=True).check(TEXT)
    monkeypatch.setenv("GOOGLE_API_KEY", "key")
    GeminiChat("gemini-any").check(TEXT)
    live = Gemini("gemini-any", api_key="other")
    GeminiChat(live).check(TEXT)
    assert GeminiChat(live).name == "gemini-any" and repr(GeminiChat(live)) == "GeminiChat('gemini-any')"
    assert GeminiChat(live).capabilities.thinking_budget


@pytest.mark.parametrize("name", ["gemini-3.8-live", "models/gemini-2.5-flash-native-audio-preview"])
def test_a_model_that_is_only_live_is_refused_with_another(name: str) -> None:  # contract 6.2
    with pytest.raises(UnsupportedByModel, match=r"run_live.*gemini-3.8-flash"):
        GeminiChat(name)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "google":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[gemini\]'"):
        GeminiChat("gemini-any")


def test_its_secrets_are_those_of_the_live_model() -> None:  # contract 9.2
    assert "the-key" in GeminiChat("gemini-2.5-flash", api_key="the-key").secrets
