"""`Moonshine`: free English speech, on this machine, by the small model that ships with `moonshine-voice`.

The wheel's weights are read, not its library: so one ONNX Runtime serves them and the voice detector, nothing
runs in threads of its own, and the search can be helped by what the agent is about (`beam_search`).
"""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError
from antiphon.models.local.beam_search import BEAMS, search
from antiphon.models.local.ngrams import Ngrams
from antiphon.models.local.nods import Nods
from antiphon.models.local.onnx import session_of, shipped
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer
from antiphon.models.local.spelling import said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from antiphon.models.local.recognizer import Vocabulary

__all__ = ["LONGEST_SECONDS", "Moonshine"]

LONGEST_SECONDS: Final = 40
"""What is heard of an utterance; what comes later is not."""
SETTLED_SECONDS: Final = 6
"""What was found of so much is kept, and only what comes later is listened to when it is asked again; else
the end of a long utterance would take long, and so would each of its pauses."""

_RATE: Final = 16_000
_SHORTEST: Final = _RATE // 10
"""Samples: in less nothing can be said."""
_PIECES_PER_SECOND: Final = 6.5
"""Nobody speaks faster; more is the model going round in circles."""
_MOST_PIECES: Final = 190
"""More have no place in it."""
_LOUD: Final = 0.5
"""The peak that speech is brought to, of 1."""
_MOST_GAIN: Final = 30.0
_HUSH_SECONDS: Final = 0.2
"""Of silence after what is cut off in the middle of a word: the model expects an end."""
_DOUBTFUL: Final = -2.0
"""Mean log probability of a piece below which nothing was understood."""
_NOTHING: Final = frozenset({"", "you", "the", "bye"})
"""What the model writes when it hears noise, by itself."""
_BEGIN, _END = 1, 2
_BYTE: Final = re.compile(r"<0x([0-9A-F]{2})>")
_FILES: Final = ("encoder_model.ort", "decoder_model_merged.ort", "tokenizer.bin")
_LOCK: Final = threading.Lock()
_nods: Final = lru_cache(maxsize=32)(Nods)
_models: Final[dict[Path, _Model]] = {}


class Moonshine(Recognizer):
    """Recognises whatever is said in English; needs `pip install 'antiphon[voice]'`, which brings the model.

    What is likely to be said to the agent is favoured. Whenever it is asked, it takes a twentieth of the time
    that was spoken, on one core. All instances in a process share the model, 150 MB.
    """

    eager = True

    def __init__(self, model: str | Path | None = None) -> None:
        """With `model` the directory of another Moonshine model of that form: `encoder_model.ort`,
        `decoder_model_merged.ort` and `tokenizer.bin`. It is read by the first conversation."""
        self._directory = Path(model) if model is not None else None
        self._ngrams = lru_cache(maxsize=32)(_ngrams_of)

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """See `Recognizer.hear`."""
        return _Listening(self._model(), self._ngrams(vocabulary))

    def _model(self) -> _Model:
        directory = self._directory or shipped("moonshine_voice", "assets", "tiny-en")
        with _LOCK:
            if directory not in _models:
                _models[directory] = _Model(directory)
            return _models[directory]


class _Listening(Hearing):
    def __init__(self, model: _Model, ngrams: Ngrams) -> None:
        self._model = model
        self._ngrams = ngrams
        self._settled: list[Heard] = []
        self._room = LONGEST_SECONDS * _RATE * 2
        self._pcm = bytearray()

    def feed(self, pcm: bytes) -> None:
        """Keeps it. What comes after `LONGEST_SECONDS` is not heard."""
        self._pcm += pcm[: self._room]
        self._room -= min(len(pcm), self._room)

    def heard(self) -> Heard:
        found = [*self._settled, self._model.transcribe(bytes(self._pcm), self._ngrams)]
        if len(self._pcm) >= SETTLED_SECONDS * _RATE * 2:
            self._settled = found
            self._pcm.clear()
        words = [each for each in found if each.text]
        if not words:
            return Heard("", 0.0)
        return Heard(" ".join(each.text for each in words), min(each.confidence for each in words))

    def nod(self, words: frozenset[str], sure: float) -> float:
        """See `Hearing.nod`. Takes 15 to 40 ms of a core."""
        if self._settled:
            return 0.0
        return self._model.nod(bytes(self._pcm), _nods(words), sure)


class _Model:
    """Encoder, decoder and pieces. Used by several threads at once."""

    def __init__(self, directory: Path) -> None:
        if lacking := [name for name in _FILES if not (directory / name).is_file()]:
            raise ConfigurationError(
                f"No Moonshine model in {directory}: {', '.join(lacking)} not found. Name a directory with "
                f"{', '.join(_FILES)}; or none, and pip install 'antiphon[voice]'."
            )
        self.encoder, self.decoder = (session_of(directory / name) for name in _FILES[:2])
        self._pieces = _pieces(directory / _FILES[2])
        self.caches = [put for put in self.decoder.get_inputs() if put.name.startswith("past_key_values")]

    def transcribe(self, pcm: bytes, ngrams: Ngrams) -> Heard:
        """16 kHz 16-bit mono PCM to words."""
        import numpy as np

        sound = _sound(pcm)
        if sound is None:
            return Heard("", 0.0)
        most = min(max(int(len(sound) / _RATE * _PIECES_PER_SECOND), 4), _MOST_PIECES)
        found = search(_Decoding(self, sound), self._spelled, _END, ngrams, most)
        text = self._text(found.pieces)
        if found.mean < _DOUBTFUL or re.sub(r"\W", "", text).lower() in _NOTHING:
            return Heard("", 0.0)
        return Heard(text, float(np.exp(found.mean)))

    def nod(self, pcm: bytes, nods: Nods, sure: float) -> float:
        import numpy as np

        sound = _sound(pcm)
        if sound is None:
            return 1.0
        silence = np.zeros(int(_HUSH_SECONDS * _RATE), np.float32)
        return nods.chance(_Decoding(self, np.concatenate([sound, silence])), self._spelled, _END, sure)

    def _spelled(self, piece: int) -> str:
        return self._pieces[piece].decode("utf-8", "ignore")

    def _text(self, pieces: Sequence[int]) -> str:
        written = b"".join(self._pieces[piece] for piece in pieces)
        return written.decode("utf-8", "ignore").replace("\N{LOWER ONE EIGHTH BLOCK}", " ").strip()


class _Decoding:
    """One utterance being written, by as many rows as there are hypotheses."""

    def __init__(self, model: _Model, sound: NDArray[Any]) -> None:
        import numpy as np

        self._np = np
        self._decoder = model.decoder
        self._names = [put.name for put in model.caches]
        mask = np.ones((1, len(sound)), np.int64)  # of samples: the models thin it out themselves
        (heard,) = model.encoder.run(None, {"input_values": sound[None], "attention_mask": mask})
        empty = {put.name: np.zeros((1, put.shape[1], 0, put.shape[3]), np.float32) for put in model.caches}
        same = {"encoder_hidden_states": heard, "encoder_attention_mask": mask}
        self._logits, caches = self._run([_BEGIN], same | empty, begun=False)
        of_the_sound = {name for name in caches if ".encoder." in name}
        same |= {name: caches.pop(name) for name in of_the_sound}
        self._same = {name: kept.repeat(BEAMS, axis=0) for name, kept in same.items()}
        """What was heard, once for each row that there may be."""
        self._written = caches

    def likeliest(self, most: int) -> list[list[tuple[int, float]]]:
        np, rows = self._np, []
        for logits in self._logits:
            highest = logits.max()
            total = highest + np.log(np.exp(logits - highest).sum())
            best = np.argpartition(logits, -most)[-most:]
            rows.append([(int(piece), float(logits[piece] - total)) for piece in best])
        return rows

    def write(self, rows: Sequence[int], pieces: Sequence[int]) -> None:
        chosen = self._np.array(rows)
        given = {name: kept[: len(rows)] for name, kept in self._same.items()}
        given |= {name: kept[chosen] for name, kept in self._written.items()}
        self._logits, caches = self._run(pieces, given, begun=True)
        self._written = {name: caches[name] for name in self._written}

    def _run(
        self, pieces: Sequence[int], given: dict[str, NDArray[Any]], *, begun: bool
    ) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
        """Writes one piece in each row; what the decoder makes of it by row, and its caches."""
        np = self._np
        asked = {"input_ids": np.array(pieces, np.int64)[:, None], "use_cache_branch": np.array([begun])}
        logits, *caches = self._decoder.run(None, asked | given)
        return logits[:, -1], dict(zip(self._names, caches, strict=True))


def _sound(pcm: bytes) -> NDArray[Any] | None:
    """Samples, as loud as the model likes them; `None` where nothing can be said."""
    import numpy as np

    sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2").astype(np.float32) / 32_768
    peak = float(np.abs(sound).max(initial=0.0))
    return sound * min(_LOUD / peak, _MOST_GAIN) if len(sound) >= _SHORTEST and peak else None


def _pieces(path: Path) -> list[bytes]:
    """The bytes of each piece: a length, in one byte or in two, and so many bytes."""
    read, at, pieces = path.read_bytes(), 0, []
    while at < len(read):
        length, at = read[at], at + 1
        if length >= 128:
            length, at = length - 128 + 128 * read[at], at + 1
        piece, at = read[at : at + length], at + length
        single = _BYTE.fullmatch(piece.decode("utf-8", "ignore"))
        pieces.append(bytes([int(single[1], 16)]) if single else piece)
    return pieces


def _ngrams_of(vocabulary: Vocabulary) -> Ngrams:
    slots = {name: [said(value) for value in values] for name, values in vocabulary.slots}
    return Ngrams(map(said, vocabulary.phrases), map(said, vocabulary.words), slots)
