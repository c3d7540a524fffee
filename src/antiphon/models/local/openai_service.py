"""What recognition and speech by an OpenAI-compatible service share: the client, and what its errors mean."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from antiphon.errors import (
    AuthenticationRefused,
    ConnectionLost,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    RequestRefused,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OpenAIService"]


class OpenAIService:
    """Where one kind of request goes. Makes its client when it is first needed; for any thread."""

    def __init__(
        self, who: str, what: str, *, base_url: str | None, api_key: str | None, timeout: float
    ) -> None:
        """`who` needs it and `what` it does, as errors name them: `OpenAISpeech`, "speech"."""
        self._who, self._what = who, what
        self._base_url, self._api_key, self._timeout = base_url, api_key, timeout
        self._lock = threading.Lock()
        self._client: Any = None

    def client(self) -> Any:
        """An `openai.OpenAI`. Raises `MissingExtra` or `MissingCredentials`."""
        with self._lock:
            if self._client is None:
                self._client = self._made()
            return self._client

    def close(self) -> None:
        """Closes the connections; the next request opens others."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """What the client raises, as what the runtime knows: a `ModelConnectionError`."""
        import openai

        try:
            yield
        except openai.APIStatusError as refused:
            status, reason = refused.status_code, str(refused.message)
            raise _kind(status)(
                f"The {self._what} service refused (HTTP {status}): {reason}", code=status, reason=reason
            ) from refused
        except openai.APIConnectionError as error:
            raise ConnectionLost(
                f"The {self._what} service cannot be reached or went silent ({error}): check base_url and "
                "the network."
            ) from error
        except openai.OpenAIError as error:
            raise ModelUnavailable(f"The {self._what} service failed: {error}") from error

    def _made(self) -> Any:
        try:
            import openai
        except ImportError as missing:
            raise MissingExtra(
                f"{self._who} needs the openai package: pip install 'antiphon[openai]'."
            ) from missing
        base_url = self._base_url or os.environ.get("OPENAI_BASE_URL")
        key = self._api_key or os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
        if key is None:
            raise MissingCredentials(
                f"No key for {self._what} by OpenAI: set OPENAI_API_KEY, or name a base_url that needs none."
            )
        return openai.OpenAI(api_key=key, base_url=base_url, timeout=self._timeout, max_retries=1)


def _kind(status: int) -> type[ModelConnectionError]:
    if status in (401, 403):
        return AuthenticationRefused
    if status == 404:
        return ModelNotFound
    return ModelUnavailable if status in (408, 409, 429) or status >= 500 else RequestRefused
