"""`Manner`: what a `speech_config` asks of a synthesiser (contract 6.6). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from antiphon.errors import ConfigurationError

if TYPE_CHECKING:
    from antiphon.types import SpeechConfig

__all__ = ["Manner", "manner_of"]


@dataclass(frozen=True, slots=True)
class Manner:
    """What is `None` is as the synthesiser was made."""

    voice: str | None = None
    """As the synthesiser names its voices."""
    language: str | None = None
    """By BCP-47, such as `de-DE`."""


def manner_of(speech: str | SpeechConfig | None) -> Manner | None:
    """What is asked for; `None` for nothing. A string names a voice.

    Raises `ConfigurationError` for what no voice of this machine does: several speakers, copied voices.
    """
    if speech is None or isinstance(speech, str):
        return Manner(voice=speech) if speech else None
    if speech.multi_speaker_voice_config is not None:
        raise ConfigurationError(
            "speech_config: multi_speaker_voice_config cannot be done here: name one voice, or give each "
            "speaker an agent of its own."
        )
    chosen, voice = speech.voice_config, None
    if chosen is not None:
        if chosen.replicated_voice_config is not None:
            raise ConfigurationError(
                "speech_config: replicated_voice_config cannot be done here, voices are not copied: name one "
                "in prebuilt_voice_config."
            )
        prebuilt = chosen.prebuilt_voice_config
        voice = (prebuilt and prebuilt.voice_name) or chosen.voice
    if not (voice or speech.language_code):
        return None
    return Manner(voice or None, speech.language_code or None)
