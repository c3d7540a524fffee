"""Recognition by any service that answers like OpenAI's `/v1/audio/transcriptions`: hosted, or here."""

from __future__ import annotations

import io
import wave
from typing import Any, Final

from antiphon.errors import ConfigurationError, RequestRefused
from antiphon.models.local.openai_service import OpenAIService
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary, names_in

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
        self._language = language
        self._service = OpenAIService(
            "OpenAIHearing", "transcription", base_url=base_url, api_key=api_key, timeout=timeout
        )

    def __repr__(self) -> str:
        return f"OpenAIHearing({self._model!r})"

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """See `Recognizer.hear`; `MissingCredentials` when there is no key."""
        self._service.client()
        return _Listening(self, ", ".join(names_in(vocabulary, _PROMPT)))

    def close(self) -> None:
        """Closes the connections; the next utterance opens others."""
        self._service.close()

    def transcribe(self, pcm: bytes, prompt: str = "") -> Heard:
        """16 kHz 16-bit mono PCM to words. To be called off the event loop.

        Raises a `ModelConnectionError` when the service refuses or fails.
        """
        client = self._service.client()
        request: dict[str, Any] = {"model": self._model, "response_format": "json"}
        if self._language is not None:
            request["language"] = self._language
        if prompt:
            request["prompt"] = prompt
        with self._service.translated():
            answer = client.audio.transcriptions.create(
                file=("utterance.wav", _wav(pcm), "audio/wav"), **request
            )
        text = getattr(answer, "text", None)
        if not isinstance(text, str):
            raise RequestRefused(
                "The transcription service answered without a text: base_url does not lead to one."
            )
        return Heard(text.strip(), 1.0 if text.strip() else 0.0)


class _Listening(Hearing):
    def __init__(self, recognizer: OpenAIHearing, prompt: str) -> None:
        self._recognizer = recognizer
        self._prompt = prompt
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> None:
        """Keeps it. What comes after `LONGEST_SECONDS` is not heard."""
        self._pcm += pcm[: _LONGEST - len(self._pcm)]

    def heard(self) -> Heard:
        """See `Hearing.heard`. Raises a `ModelConnectionError` when the service refuses or fails."""
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
