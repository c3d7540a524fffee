"""Chat completions by the official `openai` SDK: OpenAI's own, and any server that speaks them too."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    InvalidSetup,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    QuotaExceeded,
    RequestRefused,
)
from antiphon.models.chat import TEXT_ONLY, ChatModel
from antiphon.models.chat_clients import Clients, transport_error
from antiphon.models.dial import trust_for
from antiphon.models.openai_answer_codec import Answer
from antiphon.models.openai_chat_codec import request_body

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from contextlib import AbstractAsyncContextManager

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.events import LlmResponse
    from antiphon.models.request import LlmRequest

__all__ = ["OpenAIChat"]

_OPENAI: Final = "https://api.openai.com"
_NO_KEY: Final = "none"
"""What a server of one's own is sent that asks for no key: the SDK wants one."""
_CAN: Final = replace(TEXT_ONLY, thinking_level=True)

_Kind = type[ModelConnectionError]
_KEY = "Set OPENAI_API_KEY to a valid key, or pass OpenAIChat(api_key=…)."
_BY_STATUS: Final[dict[int, tuple[_Kind, str]]] = {
    400: (InvalidSetup, "The request does not fit this model: change what its reason names."),
    401: (AuthenticationRefused, _KEY),
    403: (AuthenticationRefused, f"The key may not use this model: check its permissions. {_KEY}"),
    404: (ModelNotFound, "Check the model's name, and base_url (with /v1)."),
    408: (ModelUnavailable, "It is worth trying again."),
    409: (ModelUnavailable, "It is worth trying again."),
    413: (InvalidSetup, "Send less: shorter texts, smaller images."),
    422: (InvalidSetup, "The request does not fit this model: change what its reason names."),
    429: (ModelUnavailable, "Too many requests for now; it is worth trying again later."),
}
_BY_CODE: Final[dict[str, tuple[_Kind, str]]] = {
    "insufficient_quota": (QuotaExceeded, "The account's quota is used up: raise it, or wait."),
    "context_length_exceeded": (InvalidSetup, "The conversation is too long for this model."),
    "content_policy_violation": (RequestRefused, "Change what is asked."),
}


class OpenAIChat(ChatModel):
    """A model behind chat completions: OpenAI's, or one of Ollama, llama.cpp, vLLM or the like.

    Args:
        model: Its name, such as `gpt-5.2`.
        base_url: Another server, with its `/v1`. Else `OPENAI_BASE_URL`, else OpenAI's.
        api_key: Else `OPENAI_API_KEY`; a server of one's own may want none.

    Raises:
        MissingExtra: the `openai` package is not installed.
    """

    def __init__(self, model: str, *, base_url: str | None = None, api_key: str | None = None) -> None:
        try:
            import openai
        except ImportError as missing:
            raise MissingExtra(
                "OpenAI-compatible models need the openai package: pip install 'antiphon[openai]'."
            ) from missing
        self.name = model
        self.provider = "openai"
        self._sdk = openai
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or f"{_OPENAI}/v1"
        self._api_key = (api_key or os.environ.get("OPENAI_API_KEY") or "").strip()
        self._clients = Clients(self._client, openai.AsyncOpenAI.close)

    def __repr__(self) -> str:
        return f"OpenAIChat({self.name!r})"

    @property
    def capabilities(self) -> Capabilities:
        return _CAN

    @property
    def secrets(self) -> list[str]:
        parts = urlsplit(self._base_url)
        return [each for each in (self._api_key, parts.password, parts.query) if each]

    def check(self, config: RunConfig) -> None:
        super().check(config)
        if not self._api_key and self._is_openai:
            raise MissingCredentials(
                f"No key for {self.name}: set OPENAI_API_KEY, or pass OpenAIChat(api_key=…). For a server of "
                "your own set OPENAI_BASE_URL, or pass OpenAIChat(base_url=…)."
            )

    def kept_open(self) -> AbstractAsyncContextManager[object]:
        return self._clients.use()

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        body = request_body(request, max_tokens="max_completion_tokens" if self._is_openai else "max_tokens")
        if (options := request.config.http_options) is not None:
            body |= {"extra_headers": options.headers} if options.headers else {}
            body |= {"timeout": options.timeout / 1000} if options.timeout else {}
        answer = Answer()
        async with self._clients.use() as client:
            try:
                if stream:
                    body |= {"stream": True, "stream_options": {"include_usage": True}}
                    async with await client.chat.completions.create(**body) as chunks:
                        async for chunk in chunks:
                            if (piece := answer.add(chunk)) is not None:
                                yield piece
                else:
                    answer.add(await client.chat.completions.create(**body))
            except Exception as error:
                # The SDK leaves generators to the garbage collector, which its frames would keep from them.
                raise self._error(error) from error.with_traceback(None)
        if not answer.finished:
            raise ConnectionLost(f"The answer of {self.name} broke off before its end.")
        yield answer.whole()

    @property
    def _is_openai(self) -> bool:
        return self._base_url.startswith(_OPENAI)

    def _client(self) -> Any:
        return self._sdk.AsyncOpenAI(
            api_key=self._api_key or _NO_KEY,
            base_url=self._base_url,
            max_retries=0,  # RunConfig.retry governs
            http_client=self._sdk.DefaultAsyncHttpxClient(verify=trust_for("wss:") or True),
        )

    def _error(self, error: Exception) -> Exception:
        """What went wrong, as whoever asked is to be told."""
        sdk = self._sdk
        if isinstance(error, sdk.APIStatusError):
            return self._refused(error)
        if (lost := transport_error(self.name, error.__cause__ or error)) is not None:
            return lost
        if isinstance(error, sdk.APIError):  # sent in the stream
            kind, cure = _BY_CODE.get(error.code or "", (ModelUnavailable, "It is worth trying again."))
            told = f"{self.name} failed while it answered ({error.message}). {cure}"
            return kind(told, reason=error.message)
        if isinstance(error, ValueError) and not isinstance(error, sdk.OpenAIError):  # JSON that is none
            return ConnectionLost(f"{self.name} sent what is no chat completion: {error}.")
        return error

    def _refused(self, error: Any) -> ModelConnectionError:
        status: int = error.status_code
        kind, cure = _BY_STATUS.get(status, (RequestRefused, "See its reason."))
        if status >= 500:
            kind, cure = ModelUnavailable, "It is worth trying again."
        kind, cure = _BY_CODE.get(error.code or "", (kind, cure))
        reason = " ".join(str(error.message).split())[:200]
        refused = kind(f"{self.name} refused (HTTP {status}: {reason}). {cure}", code=status, reason=reason)
        refused.retry_after = _seconds(error.response.headers.get("retry-after"))
        return refused


def _seconds(retry_after: str | None) -> float | None:
    try:
        return max(0.0, float(retry_after or ""))
    except ValueError:
        return None  # a date, or nothing
