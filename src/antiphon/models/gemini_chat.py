"""Gemini asked request by request, by the official `google-genai` SDK."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from antiphon.errors import (
    ConfigurationError,
    ConnectionLost,
    InvalidSetup,
    MissingExtra,
    UnsupportedByModel,
)
from antiphon.models.chat import TEXT_ONLY, ChatModel
from antiphon.models.chat_clients import Clients, transport_error
from antiphon.models.chat_link import ID_PREFIX
from antiphon.models.dial import trust_for
from antiphon.models.gemini import Gemini
from antiphon.models.gemini_answer_codec import GeminiAnswer
from antiphon.models.gemini_errors import request_error
from antiphon.types import Schema

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from contextlib import AbstractAsyncContextManager

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.events import LlmResponse
    from antiphon.models.request import LlmRequest
    from antiphon.types import Content, GenerateContentConfig

__all__ = ["GeminiChat"]

_CAN: Final = replace(TEXT_ONLY, thinking_budget=True, thinking_level=True)
_LIVE_ONLY: Final = re.compile(r"live|native-audio|streaming")
_NO_KEY: Final = "none"
"""What a server of one's own is sent that asks for no key: the SDK wants one."""
SILENCE: Final = 600
"""Seconds without a byte after which a request is given up, unless `http_options.timeout` is shorter."""


class GeminiChat(ChatModel):
    """A Gemini model for turn-based runs, on the Gemini API or on Vertex AI.

    Takes what `Gemini` takes, from the same arguments and the same environment; `Gemini` itself in an agent
    becomes one of these in a turn-based run.

    Raises:
        MissingExtra: the `google-genai` package is not installed.
        UnsupportedByModel: it is a model for live conversations only.
        ConfigurationError: `base_url` is no address.
    """

    def __init__(self, model: str | Gemini, **access: Any) -> None:
        self._gemini = model if isinstance(model, Gemini) else Gemini(model, **access)
        self.name = self._gemini.name
        self.provider = self._gemini.provider
        if _LIVE_ONLY.search(self.name.rsplit("/", 1)[-1].lower()):
            raise UnsupportedByModel(
                f"{self.name!r} is for live conversations only: use run_live(), or give the agent a model "
                "such as gemini-3.8-flash."
            )
        try:
            from google import genai
        except ImportError as missing:
            raise MissingExtra(
                "Turn-based runs on Gemini need google-genai: pip install 'antiphon[gemini]'."
            ) from missing
        self._sdk = genai
        self._clients: Clients[Any] = Clients(self._client, _close)

    def __repr__(self) -> str:
        return f"GeminiChat({self.name!r})"

    @property
    def capabilities(self) -> Capabilities:
        return _CAN

    @property
    def secrets(self) -> Sequence[str]:
        return self._gemini.secrets

    def check(self, config: RunConfig) -> None:
        super().check(config)
        self._gemini.check_credentials()

    def kept_open(self) -> AbstractAsyncContextManager[object]:
        return self._clients.use()

    async def generate(self, request: LlmRequest, *, stream: bool) -> AsyncGenerator[LlmResponse, None]:
        asked = {
            "model": self._gemini.name if request.model is None else request.model,
            "contents": [self._content(content) for content in request.contents],
            "config": self._config(request.config),
        }
        answer = GeminiAnswer()
        async with self._clients.use() as client:
            try:
                if stream:
                    chunks = await client.aio.models.generate_content_stream(**asked)
                    try:
                        async for chunk in chunks:
                            if (piece := answer.add(chunk)) is not None:
                                yield piece
                    finally:
                        await chunks.aclose()
                else:
                    answer.add(await client.aio.models.generate_content(**asked))
            except Exception as error:
                raise self._error(error) from error
        if not answer.finished:
            raise ConnectionLost(f"The answer of {self.name} broke off before its end.")
        yield answer.whole()

    def _content(self, content: Content) -> Any:
        """As the SDK has it. Ids that were given here are not the service's, which may refuse them."""
        parts = []
        for part in content.parts or []:
            for name in ("function_call", "function_response"):
                named = getattr(part, name)
                if named is not None and (named.id or "").startswith(ID_PREFIX):
                    part = part.model_copy(update={name: named.model_copy(update={"id": None})})
            parts.append(part)
        return _theirs(self._sdk.types.Content, content.model_copy(update={"parts": parts}))

    def _config(self, config: GenerateContentConfig) -> Any:
        types = self._sdk.types
        schema, tools = config.response_schema, config.tools or []
        theirs = _theirs(
            types.GenerateContentConfig,
            config.model_copy(update={"response_schema": None, "tools": None}),
        )
        theirs.response_schema = _theirs(types.Schema, schema) if isinstance(schema, Schema) else schema
        if tools:
            theirs.tools = [_theirs(types.Tool, tool, _LIVE_FIELDS) for tool in tools]
        theirs.automatic_function_calling = types.AutomaticFunctionCallingConfig(disable=True)
        return theirs

    def _client(self) -> Any:
        access, trust = self._gemini.access, trust_for("wss:") or True
        http: Any = {
            "headers": dict(access.headers),
            "timeout": SILENCE * 1000,
            "client_args": {"verify": trust},
            "async_client_args": {"verify": trust},
        }
        if access.base_url:
            http["base_url"] = re.sub(r"^ws", "http", access.base_url)
        if access.api_version:
            http["api_version"] = access.api_version
        if access.vertex and access.project:
            who: dict[str, Any] = {"project": access.project, "location": access.location}
        else:
            key = access.api_key or ("" if access.vertex else _NO_KEY)
            who = {"api_key": key} if key else {}  # a gateway has its own
        return self._sdk.Client(vertexai=access.vertex, http_options=http, **who)

    def _error(self, error: Exception) -> Exception:
        """What went wrong, as whoever asked is to be told."""
        sdk = self._sdk.errors
        if isinstance(error, sdk.APIError):
            headers = getattr(error.response, "headers", None) or {}
            return request_error(error.code, error.message or str(error.details), headers.get("retry-after"))
        if (lost := transport_error(self.name, error)) is not None:
            return lost
        if isinstance(error, sdk.UnknownApiResponseError | ValidationError):
            return ConnectionLost(f"{self.name} sent what is no response: {str(error)[:200]}.")
        if isinstance(error, ValueError) and not isinstance(error, ConfigurationError):
            return InvalidSetup(f"{self.name} cannot be asked this: {error}.")
        return error


_LIVE_FIELDS: Final = {"function_declarations": {"__all__": {"behavior"}}}
"""Of tools, what only live sessions take."""


def _theirs(kind: Any, ours: Any, exclude: Any = None) -> Any:
    return kind.model_validate_json(ours.model_dump_json(by_alias=True, exclude_none=True, exclude=exclude))


async def _close(client: Any) -> None:
    await client.aio.aclose()
    client.close()
