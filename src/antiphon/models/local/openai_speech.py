"""Speech by any service that answers like OpenAI's `/v1/audio/speech`: hosted, or on this machine."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, RequestRefused
from antiphon.models.local.openai_service import OpenAIService
from antiphon.models.local.stretches import sayable, spread_as_it_comes
from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from antiphon.models.local.manner import Manner

__all__ = ["OpenAISpeech"]

LONGEST: Final = 4_096
"""Characters that the service takes at once."""
_PIECE_SECONDS: Final = 0.1


class OpenAISpeech(Synthesizer):
    """Says sentences by a service; needs `pip install 'antiphon[openai]'`. The sound streams.

    Where the words are in the sound is estimated by their length.
    """

    def __init__(
        self,
        model: str = "gpt-4o-mini-tts",
        *,
        voice: str = "alloy",
        base_url: str | None = None,
        api_key: str | None = None,
        instructions: str | None = None,
        speed: float | None = None,
        rate: int = 24_000,
        timeout: float = 20.0,
    ) -> None:
        """Nothing is connected before the first sentence.

        Args:
            model: as the service names it.
            voice: as the service names it.
            base_url: such as `http://localhost:8880/v1`; without it `OPENAI_BASE_URL`, or OpenAI itself.
            api_key: without it `OPENAI_API_KEY`; a service named by `base_url` may do without.
            instructions: how to speak, for models that take such.
            speed: 1.0 is the voice's own.
            rate: hertz of the PCM that the service sends; OpenAI's is 24,000.
            timeout: seconds that the service may be silent.

        Raises:
            ConfigurationError: the rate or the timeout is not above 0.
        """
        if rate <= 0 or not timeout > 0:
            raise ConfigurationError(f"rate={rate}, timeout={timeout}: name numbers above 0.")
        self.rate = rate
        self._request: dict[str, Any] = {"model": model, "voice": voice, "response_format": "pcm"}
        if instructions is not None:
            self._request["instructions"] = instructions
        if speed is not None:
            self._request["speed"] = speed
        self._service = OpenAIService(
            "OpenAISpeech", "speech", base_url=base_url, api_key=api_key, timeout=timeout
        )

    def __repr__(self) -> str:
        return f"OpenAISpeech({self._request['model']!r}, voice={self._request['voice']!r})"

    def say(self, sentence: str) -> Iterator[Speech]:
        """See `Synthesizer.say`. Raises a `ModelConnectionError` when the service refuses or fails."""
        for at in range(0, len(sentence) or 1, LONGEST):
            part = sentence[at : at + LONGEST]
            if sayable(part):
                yield from spread_as_it_comes(part, self._sound(part), self.rate)
            else:
                yield Speech(text=part, pcm=b"")

    def speaking(self, manner: Manner) -> OpenAISpeech:
        """See `Synthesizer.speaking`. The service takes the language from the text."""
        other = copy(self)
        other._request = self._request | ({"voice": manner.voice} if manner.voice is not None else {})
        return other

    def prepare(self) -> None:
        """Makes the client, without asking the service for anything."""
        self._service.client()

    def close(self) -> None:
        """Closes the connections; the next sentence opens others."""
        self._service.close()

    def _sound(self, text: str) -> Iterator[bytes]:
        client = self._service.client()
        piece = int(self.rate * _PIECE_SECONDS) * 2
        with (
            self._service.translated(),
            client.audio.speech.with_streaming_response.create(input=text, **self._request) as response,
        ):
            kind = response.headers.get("content-type", "")
            if kind.startswith(("application/json", "text/")):
                raise RequestRefused(
                    f"The speech service answered with {kind} instead of PCM: it may not know "
                    'response_format="pcm", or base_url does not lead to it.'
                )
            yield from response.iter_bytes(piece)
