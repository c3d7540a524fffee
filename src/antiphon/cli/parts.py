"""Checks of `antiphon doctor`: the parts of the voice on this machine, each tried by loading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli.doctor import Check, Mark
from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.recognizer import Vocabulary
from antiphon.models.local.voice import LocalVoice

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.cli.audio_device import AudioDevice

__all__ = ["devices", "recogniser_and_voice"]


def recogniser_and_voice(voice: LocalVoice | None = None) -> list[Check]:
    """The parts of a `LocalVoice`, by default one as it comes. Loading them may take seconds."""
    voice = voice or LocalVoice()
    return [
        _loaded(
            "Voice: recogniser",
            voice.recognizer,
            lambda: voice.recognizer.prepare(Vocabulary(words=("yes",))),
        ),
        _loaded("Voice: synthesiser", voice.synthesizer, voice.synthesizer.prepare),
        _loaded("Voice: speech detector", voice.voice_activity, voice.voice_activity.detector),
    ]


def devices(device: AudioDevice) -> Check:
    """The microphone and the loudspeaker; they are not switched on."""
    name = "Voice: microphone"
    try:
        microphone, loudspeaker = device.names()
    except ConfigurationError as missing:
        return _absent(name, missing)
    return Check(name, Mark.OK, f"{microphone}; loudspeaker: {loudspeaker}")


def _loaded(name: str, part: object, load: Callable[[], object]) -> Check:
    try:
        load()
    except (ConfigurationError, MissingExtra) as missing:
        return _absent(name, missing)
    return Check(name, Mark.OK, type(part).__name__)


def _absent(name: str, missing: Exception) -> Check:
    found, _, advice = str(missing).partition(": ")
    return Check(name, Mark.ABSENT, found, advice)
