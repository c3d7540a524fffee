"""Chat completions by the real SDK, against a real server on loopback. How runs use it: `test_turn_based`."""

from __future__ import annotations

import asyncio
import builtins
import gc
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
    QuotaExceeded,
    RequestRefused,
)
from antiphon.models import ChatModel, LlmRequest
from antiphon.models.chat_link import ChatLive
from antiphon.models.openai_chat import OpenAIChat
from antiphon.testing.chat_contract import ChatModelContract
from antiphon.testing.chat_server import ChatReply, ChatServer
from antiphon.testing.chat_wire import ChatCall
from antiphon.types import Content, GenerateContentConfig, HttpOptions, Part
from tests.models.near_chat import looks_up

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.events import LlmResponse

REQUEST = LlmRequest(model="gpt-any", contents=[Content(role="user", parts=[Part(text="hi")])])


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


class TestContract(ChatModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        async with ChatServer(looks_up) as server:
            yield OpenAIChat("gpt-any", base_url=server.openai_url, api_key="key")


async def ask(
    reply: ChatReply, *, stream: bool = True, request: LlmRequest = REQUEST
) -> tuple[list[LlmResponse], ChatServer]:
    async with ChatServer([reply]) as server:
        model = OpenAIChat("gpt-any", base_url=server.openai_url, api_key="key")
        return [each async for each in model.generate(request, stream=stream)], server


async def settled() -> None:
    """The SDK leaves a generator that met an error to the garbage collector, and to the loop after that."""
    gc.collect()
    for _ in range(20):
        await asyncio.sleep(0)


def said(response: LlmResponse) -> str:
    return "".join(part.text or "" for part in (response.content.parts or [])) if response.content else ""


@pytest.mark.parametrize("stream", [True, False])
async def test_it_answers_in_pieces_or_at_once(stream: bool) -> None:
    responses, server = await ask(ChatReply("Hello there."), stream=stream)
    assert [said(each) for each in responses] == (
        ["Hello ", "there.", "Hello there."] if stream else ["Hello there."]
    )
    assert [each.partial for each in responses][-1] is False
    assert server.requests[0].headers["authorization"] == "Bearer key"
    assert server.requests[0].path == "/v1/chat/completions"


async def test_a_server_may_leave_out_usage_and_ids() -> None:
    responses, _ = await ask(ChatReply(calls=(ChatCall("look", raw="{"),), usage=None))
    (whole,) = responses
    assert whole.usage_metadata is None and whole.content and whole.content.parts
    call = whole.content.parts[0].function_call
    assert call and call.id is None and call.args == {"malformed_json": "{"}


async def test_how_a_request_is_sent() -> None:
    options = HttpOptions(timeout=9000, headers={"x-team": "blue"})
    config = GenerateContentConfig(http_options=options, max_output_tokens=5)
    _, server = await ask(ChatReply("Hi"), request=REQUEST.model_copy(update={"config": config}))
    assert server.requests[0].headers["x-team"] == "blue"
    assert server.requests[0].body["max_tokens"] == 5  # what servers of one's own call it


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [
        (ChatReply(status=400, error="odd"), InvalidSetup, "odd"),
        (ChatReply(status=400, error="long", code="context_length_exceeded"), InvalidSetup, "too long"),
        (ChatReply(status=418, error="teapot"), RequestRefused, "teapot"),
        (ChatReply(status=429, code="insufficient_quota"), QuotaExceeded, "quota"),
        (ChatReply(status=502), ModelUnavailable, "try"),
        (ChatReply("Hello there", cut_after=2), ConnectionLost, "broke off"),
        (ChatReply("Hello there", garble_after=2), ConnectionLost, "no chat completion"),
        (ChatReply("Hello there", stop_after=2), ConnectionLost, "before its end"),
    ],
)
async def test_what_went_wrong_is_told_with_its_cure(
    reply: ChatReply, kind: type[Exception], words: str
) -> None:
    # contract 3.10, 7.4
    with pytest.raises(kind, match=words):
        await ask(reply)
    await settled()


async def test_a_service_says_how_long_to_wait() -> None:
    for header, seconds in (("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", None)):
        with pytest.raises(ModelUnavailable) as busy:
            await ask(ChatReply(status=429, headers={"retry-after": header}))
        assert busy.value.retry_after == seconds


async def test_an_error_within_the_stream() -> None:
    for code, kind in (("server_error", ModelUnavailable), ("insufficient_quota", QuotaExceeded)):
        with pytest.raises(kind, match="out of order"):
            await ask(ChatReply("Hello there", fails_with=code, error="out of order"))
        await settled()


async def test_a_server_that_is_not_there() -> None:
    async with ChatServer() as server:
        url = server.openai_url
    model = OpenAIChat("gpt-any", base_url=url)
    with pytest.raises(ConnectionLost, match="base_url"):
        await anext(model.generate(REQUEST, stream=True))


async def test_a_server_that_does_not_answer() -> None:
    config = GenerateContentConfig(http_options=HttpOptions(timeout=50))
    with pytest.raises(ModelUnavailable, match="in time"):
        await ask(ChatReply("Hi", pause_after=0), request=REQUEST.model_copy(update={"config": config}))


def test_a_key_is_wanted_by_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingCredentials, match="OPENAI_API_KEY"):
        OpenAIChat("gpt-any").check(RunConfig(response_modalities=["TEXT"]))
    monkeypatch.setenv("OPENAI_BASE_URL", "http://localhost:11434/v1")
    OpenAIChat("llama").check(RunConfig(response_modalities=["TEXT"]))
    monkeypatch.delenv("OPENAI_BASE_URL")
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    OpenAIChat("gpt-any").check(RunConfig(response_modalities=["TEXT"]))
    assert OpenAIChat("gpt-any").capabilities.thinking_level and repr(OpenAIChat("a")) == "OpenAIChat('a')"


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "openai":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(MissingExtra, match=r"pip install 'antiphon\[openai\]'"):
        OpenAIChat("gpt-any")


def test_its_secrets_are_what_it_was_given_to_prove_itself_by() -> None:  # contract 9.2
    secret = OpenAIChat("a", base_url="http://me:pass-word@localhost/v1?key=in-query", api_key="the-key")
    assert list(ChatLive(secret).secrets) == ["the-key", "pass-word", "key=in-query"]
