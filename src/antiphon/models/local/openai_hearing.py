"""Recognition by any service that answers like OpenAI's `/v1/audio/transcriptions`: hosted, or here."""

from __future__ import annotations

import io
import os
import threading
import wave
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import (
    AuthenticationRefused,
    ConfigurationError,
    ConnectionLost,
    MissingCredentials,
    MissingExtra,
    ModelConnectionError,
    ModelNotFound,
    ModelUnavailable,
    RequestRefused,
)
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary, names_in

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["LONGEST_SECONDS", "OpenAIHearing"]

LONGEST_SECONDS: Final = 120
"""What is sent of an utterance; what comes later is not heard."""

_LONGEST: Final = LONGEST_SECONDS * 16_000 * 2
_SHORTEST: Final = 3_200
"""Bytes, 100 ms: services refuse less."""
_PROMPT: Final = 500
"""Characters of names that the service is told."""


class OpenAIHearing(Recognizer):
    """Recognises whatever is said, by a service; needs `pip install 'antiphon[openai]'`.

    An utterance is sent when it has ended, as a WAV file: there are no words before. The names of a
    `Vocabulary` go with it as the prompt.
    """

    def __init__(
        self,
        model: str = "gpt-4o-mini-transcribe",
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        language: str | None = "en",
        timeout: float = 20.0,
    ) -> None:
        """Nothing is connected before the first utterance has ended.

        Args:
            model: as the service names it.
            base_url: such as `http://localhost:8000/v1`; without it `OPENAI_BASE_URL`, or OpenAI itself.
            api_key: without it `OPENAI_API_KEY`; a service named by `base_url` may do without.
            language: a code such as "de"; `None` to leave it to the service.
            timeout: seconds that the service may be silent.

        Raises:
            ConfigurationError: the timeout is not above 0.
        """
        if not timeout > 0:
            raise ConfigurationError(f"timeout={timeout}: name a number above 0.")
        self._model = model
        self._base_url, self._api_key, self._timeout = base_url, api_key, timeout
        self._language = language
        self._lock = threading.Lock()
        self._client: Any = None

    def __repr__(self) -> str:
        return f"OpenAIHearing({self._model!r})"

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """See `Recognizer.hear`; `MissingCredentials` when there is no key."""
        self._connected()
        return _Listening(self, ", ".join(names_in(vocabulary, _PROMPT)))

    def close(self) -> None:
        """Closes the connections; the next utterance opens others."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def transcribe(self, pcm: bytes, prompt: str = "") -> Heard:
        """16 kHz 16-bit mono PCM to words. To be called off the event loop.

        Raises a `ModelConnectionError` when the service refuses or fails.
        """
        client = self._connected()
        request: dict[str, Any] = {"model": self._model, "response_format": "json"}
        if self._language is not None:
            request["language"] = self._language
        if prompt:
            request["prompt"] = prompt
        with _translated():
            answer = client.audio.transcriptions.create(
                file=("utterance.wav", _wav(pcm), "audio/wav"), **request
            )
        text = getattr(answer, "text", None)
        if not isinstance(text, str):
            raise RequestRefused(
                "The transcription service answered without a text: base_url does not lead to one."
            )
        return Heard(text.strip(), 1.0 if text.strip() else 0.0)

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                try:
                    import openai
                except ImportError as missing:
                    raise MissingExtra(
                        "OpenAIHearing needs the openai package: pip install 'antiphon[openai]'."
                    ) from missing
                base_url = self._base_url or os.environ.get("OPENAI_BASE_URL")
                key = self._api_key or os.environ.get("OPENAI_API_KEY") or ("none" if base_url else None)
                if key is None:
                    raise MissingCredentials(
                        "No key for recognition by OpenAI: set OPENAI_API_KEY, or name a base_url that "
                        "needs none."
                    )
                self._client = openai.OpenAI(
                    api_key=key, base_url=base_url, timeout=self._timeout, max_retries=1
                )
            return self._client


class _Listening(Hearing):
    def __init__(self, recognizer: OpenAIHearing, prompt: str) -> None:
        self._recognizer = recognizer
        self._prompt = prompt
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> str:
        """Keeps it. What comes after `LONGEST_SECONDS` is not heard."""
        self._pcm += pcm[: _LONGEST - len(self._pcm)]
        return ""

    def end(self) -> Heard:
        """See `Hearing.end`. Raises a `ModelConnectionError` when the service refuses or fails."""
        if len(self._pcm) < _SHORTEST:
            return Heard("", 0.0)
        return self._recognizer.transcribe(bytes(self._pcm), self._prompt)


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(pcm[: len(pcm) // 2 * 2])
    return file.getvalue()


@contextmanager
def _translated() -> Iterator[None]:
    """What the client raises, as what the runtime knows."""
    import openai

    try:
        yield
    except openai.APIStatusError as refused:
        status, reason = refused.status_code, str(refused.message)
        raise _kind(status)(
            f"The transcription service refused (HTTP {status}): {reason}", code=status, reason=reason
        ) from refused
    except openai.APIConnectionError as error:
        raise ConnectionLost(f"The transcription service cannot be reached: {error}") from error


def _kind(status: int) -> type[ModelConnectionError]:
    if status in (401, 403):
        return AuthenticationRefused
    if status == 404:
        return ModelNotFound
    return ModelUnavailable if status in (408, 429) or status >= 500 else RequestRefused
