"""`FasterWhisper`: dictation by a Whisper model of the user's choice, on this machine."""

from __future__ import annotations

import math
import os
import threading
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary, names_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["LONGEST_SECONDS", "FasterWhisper"]

LONGEST_SECONDS: Final = 60
"""What is heard of an utterance; what comes later is not."""

_LONGEST: Final = LONGEST_SECONDS * 16_000 * 2
_SHORTEST: Final = 3_200
"""Bytes, 100 ms: in less nothing can be said."""
_HOTWORDS: Final = 400
"""Characters of names the model is told; it takes some 200 tokens of such."""
_PROBABLY_NOTHING: Final = 0.6


class FasterWhisper(Recognizer):
    """Recognises whatever is said, by faster-whisper; needs `pip install 'antiphon[whisper]'`.

    An utterance is recognised when it has ended: there are no words before. That takes as long as the
    model and the machine make it; at most `at_once` run at a time, and others wait for them.
    The names of a `Vocabulary` are told to the model as hotwords.
    """

    def __init__(
        self,
        model: str = "small.en",
        *,
        device: str = "auto",
        compute_type: str = "default",
        language: str | None = "en",
        at_once: int = 1,
        threads: int = 0,
        local_files_only: bool = False,
    ) -> None:
        """Loads nothing yet.

        Args:
            model: a name that faster-whisper knows, which it downloads once; or a directory with a
                model in CTranslate2's format.
            device: "cpu", "cuda" or "auto".
            compute_type: such as "int8"; see CTranslate2.
            language: a code such as "de"; `None` to have it found for every utterance.
            at_once: how many utterances are recognised at a time, at least 1.
            threads: threads of the CPU for each; 0 for the library's choice.
            local_files_only: whether to refuse to download.

        Raises:
            ConfigurationError: `at_once` is less than 1.
        """
        if at_once < 1:
            raise ConfigurationError(f"at_once={at_once}: at least one is needed to hear anybody.")
        self._model = model
        self._options: dict[str, Any] = {
            "device": device,
            "compute_type": compute_type,
            "num_workers": at_once,
            "cpu_threads": threads,
            "local_files_only": local_files_only,
        }
        self._language = language
        self._turns = threading.BoundedSemaphore(at_once)
        self._loading = threading.Lock()
        self._loaded: Any = None

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """See `Recognizer.hear`. The first call loads the model."""
        self._load()
        return _Listening(self, " ".join(names_in(vocabulary, _HOTWORDS)))

    def _load(self) -> Any:
        with self._loading:
            if self._loaded is None:
                self._loaded = _loaded(self._model, self._options)
            return self._loaded

    def transcribe(self, pcm: bytes, hotwords: str = "") -> Heard:
        """16 kHz 16-bit mono PCM to words. Waits for its turn; to be called off the event loop."""
        import numpy as np

        model = self._load()
        sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16).astype(np.float32) / 32_768
        with self._turns:
            segments, _ = model.transcribe(
                sound,
                language=self._language,
                beam_size=1,
                hotwords=hotwords or None,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            return _heard(list(segments))  # it is only now that the model runs


class _Listening(Hearing):
    def __init__(self, recognizer: FasterWhisper, hotwords: str) -> None:
        self._recognizer = recognizer
        self._hotwords = hotwords
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> None:
        """Keeps it. What comes after `LONGEST_SECONDS` is not heard."""
        self._pcm += pcm[: _LONGEST - len(self._pcm)]

    def heard(self) -> Heard:
        """See `Hearing.heard`."""
        if len(self._pcm) < _SHORTEST:
            return Heard("", 0.0)
        return self._recognizer.transcribe(bytes(self._pcm), self._hotwords)


def _heard(segments: Sequence[Any]) -> Heard:
    """All that is likely to be speech. The confidence is the mean probability of a token."""
    said = [segment for segment in segments if segment.no_speech_prob < _PROBABLY_NOTHING]
    text = " ".join(segment.text.strip() for segment in said).strip()
    if not text:
        return Heard("", 0.0)
    mean = sum(segment.avg_logprob for segment in said) / len(said)
    return Heard(text, min(1.0, math.exp(mean)))


def _loaded(model: str, options: dict[str, Any]) -> Any:
    try:
        from faster_whisper import WhisperModel
    except ImportError as missing:
        raise MissingExtra(
            "FasterWhisper needs faster-whisper: pip install 'antiphon[whisper]'."
        ) from missing
    if (os.sep in model or model.startswith(".")) and not os.path.isdir(model):
        raise ConfigurationError(
            f"There is no directory {model!r}: put a Whisper model in CTranslate2's format there "
            "(model.bin, config.json, tokenizer.json), or give a name such as 'small.en'."
        )
    try:
        return WhisperModel(model, **options)
    except (OSError, RuntimeError, ValueError) as error:
        raise ConfigurationError(
            f"The Whisper model {model!r} cannot be loaded ({error}). Name one that faster-whisper knows, "
            "such as 'small.en', which it downloads once; or a directory that holds a model in "
            "CTranslate2's format (model.bin, config.json, tokenizer.json)."
        ) from error
