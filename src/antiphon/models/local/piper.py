"""Speech by Piper: neural voices for the CPU, of which the user brings one."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.onnx import keep_quiet
from antiphon.models.local.stretches import sayable, spread
from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Piper"]


class Piper(Synthesizer):
    """Says sentences with a Piper voice; needs `pip install 'antiphon[piper]'`.

    A sentence is computed whole. Where its words are in the sound is estimated by their length.
    """

    def __init__(self, model: str | Path, *, speaker: str | int | None = None, speed: float = 1.0) -> None:
        """Reads what is said beside the voice about it; the voice itself is loaded by the first sentence.

        Args:
            model: the `.onnx` file of a voice; `python -m piper.download_voices` gets one. Its
                configuration lies beside it, with `.json` after the whole name.
            speaker: for voices of several speakers, which: a name or a number.
            speed: 1.0 is the voice's own, 2.0 twice as fast.

        Raises:
            ConfigurationError: a file is missing or unreadable, or there is no such speaker.
        """
        self._model = Path(model)
        described = _described(self._model)
        self.rate = int(described["audio"]["sample_rate"])
        if not 0.25 <= speed <= 4:
            raise ConfigurationError(f"speed={speed}: name one from 0.25 to 4.")
        self._speed = speed
        own = described.get("inference", {}).get("length_scale", 1.0)
        self._length_scale = float(own) / speed
        self._speaker = _speaker(speaker, described)
        self._lock = threading.Lock()
        self._voice: Any = None

    def __repr__(self) -> str:
        return f"Piper({str(self._model)!r}, speed={self._speed})"

    def say(self, sentence: str) -> Iterator[Speech]:
        """See `Synthesizer.say`."""
        if not sayable(sentence):
            yield Speech(text=sentence, pcm=b"")
            return
        voice, manner = self._loaded()
        pcm = b"".join(chunk.audio_int16_bytes for chunk in voice.synthesize(sentence, manner))
        yield from spread(sentence, pcm)

    def prepare(self) -> None:
        """Loads the voice. Raises `ConfigurationError` when that fails."""
        self._loaded()

    def _loaded(self) -> tuple[Any, Any]:
        with self._lock:
            if self._voice is None:
                keep_quiet()
                try:
                    from piper import PiperVoice, SynthesisConfig
                except ImportError as missing:
                    raise MissingExtra("Piper needs piper-tts: pip install 'antiphon[piper]'.") from missing
                try:
                    voice = PiperVoice.load(self._model)
                except Exception as error:  # the package lets through whatever onnxruntime raises
                    raise ConfigurationError(
                        f"{self._model} cannot be loaded as a voice ({error}): download it again."
                    ) from error
                self._voice = (
                    voice,
                    SynthesisConfig(speaker_id=self._speaker, length_scale=self._length_scale),
                )
            found: tuple[Any, Any] = self._voice
            return found


def _described(model: Path) -> dict[str, Any]:
    beside = Path(f"{model}.json")
    for path in (model, beside):
        if not path.is_file():
            raise ConfigurationError(
                f"There is no Piper voice at {path}: get one with `python -m piper.download_voices "
                "en_US-lessac-medium`, which writes an .onnx and an .onnx.json file, and name the former."
            )
    try:
        described = json.loads(beside.read_text(encoding="utf-8"))
        int(described["audio"]["sample_rate"])
    except (ValueError, LookupError, TypeError) as error:
        raise ConfigurationError(f"{beside} does not describe a Piper voice: download it again.") from error
    return dict(described)


def _speaker(named: str | int | None, described: dict[str, Any]) -> int | None:
    if named is None:
        return None
    known: dict[str, int] = described.get("speaker_id_map") or {}
    count = int(described.get("num_speakers", 1))
    number = known.get(named) if isinstance(named, str) else named
    if number is None or not 0 <= number < count:
        some = ", ".join(list(known)[:12]) or f"numbers below {count}"
        raise ConfigurationError(f"This voice has no speaker {named!r}. It has {some}.")
    return number
