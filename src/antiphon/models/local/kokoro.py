"""Speech by Kokoro: a neural model of 82 million parameters with many voices, which the user brings."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.onnx import keep_quiet
from antiphon.models.local.stretches import sayable, spread
from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Kokoro"]


class Kokoro(Synthesizer):
    """Says sentences with Kokoro; needs `pip install 'antiphon[kokoro]'`.

    A sentence is computed whole, at about the pace of speech on two cores. Where its words are in the sound
    is estimated by their length.
    """

    rate = 24_000

    def __init__(
        self,
        model: str | Path,
        voices: str | Path,
        *,
        voice: str = "af_heart",
        language: str = "en-us",
        speed: float = 1.0,
    ) -> None:
        """The files are loaded by the first sentence, or by `prepare`.

        Args:
            model: `kokoro-v1.0.onnx`, of the releases of kokoro-onnx.
            voices: `voices-v1.0.bin`, from there too.
            voice: one of those in it.
            language: what the text is read as, by its name in eSpeak NG.
            speed: from 0.5 to 2.0.

        Raises:
            ConfigurationError: a file is missing, or the speed is out of its range.
        """
        self._files = Path(model), Path(voices)
        for path in self._files:
            if not path.is_file():
                raise ConfigurationError(
                    f"There is no file at {path}: get kokoro-v1.0.onnx and voices-v1.0.bin from "
                    "https://github.com/thewh1teagle/kokoro-onnx/releases and name both."
                )
        if not 0.5 <= speed <= 2:
            raise ConfigurationError(f"speed={speed}: name one from 0.5 to 2.0.")
        self._voice, self._language, self._speed = voice, language, speed
        self._lock = threading.Lock()
        self._model: Any = None

    def __repr__(self) -> str:
        return f"Kokoro({str(self._files[0])!r}, voice={self._voice!r})"

    def say(self, sentence: str) -> Iterator[Speech]:
        """See `Synthesizer.say`."""
        if not sayable(sentence):
            yield Speech(text=sentence, pcm=b"")
            return
        model = self._loaded()
        try:
            sound, _ = model.create(sentence, self._voice, self._speed, self._language)
        except (
            ValueError
        ):  # nothing in it that the language has a sound for: the settings were checked before
            yield Speech(text=sentence, pcm=b"")
            return
        yield from spread(sentence, (sound.clip(-1, 1) * 32_767).astype("<i2").tobytes())

    def prepare(self) -> None:
        """Loads the model. Raises `ConfigurationError` when that fails, or it has no such voice."""
        self._loaded()

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                keep_quiet()
                try:
                    import kokoro_onnx
                except ImportError as missing:
                    raise MissingExtra(
                        "Kokoro needs kokoro-onnx: pip install 'antiphon[kokoro]'."
                    ) from missing
                try:
                    model = kokoro_onnx.Kokoro(*map(str, self._files))
                    voices = list(model.get_voices())
                except Exception as error:  # the package lets through whatever onnxruntime and NumPy raise
                    raise ConfigurationError(
                        f"{self._files[0]} and {self._files[1]} cannot be loaded as a model and its voices "
                        f"({error}): download them again."
                    ) from error
                if self._voice not in voices:
                    raise ConfigurationError(
                        f"There is no voice {self._voice!r} in {self._files[1]}. "
                        f"It has {', '.join(voices[:30])}."
                    )
                self._model = model
            return self._model
