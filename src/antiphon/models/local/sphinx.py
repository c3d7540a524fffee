"""`PocketSphinx`: words by a model of 6 MB, at a tenth of real time, that is told what is likely to be said.

Rule 1. A `Vocabulary` becomes a trigram model and a dictionary, once; decoders made of them are kept.
Rule 2. A decoder holds one utterance at a time. A recogniser has at most so many as it was told, busy
        ones included; an idle one of another vocabulary gives way, the longest unused first.
Rule 3. When all of them hold an utterance, a further one keeps its sound, and says no words meanwhile. It
        goes on as soon as a decoder is free; at its end it is heard by one more decoder, in its turn.
Rule 4. What is none of the words may be heard as bare sounds. The confidence is the posterior probability
        of the words, over all the sound; with too little of it, nothing was understood.
Rule 5. An utterance is decoded twice: while it comes, for the words so far; and when it has ended, with the
        mean of its own sound taken away, which a decoder else learns from many utterances of one speaker.
"""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections import OrderedDict, deque
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.lexicon import PHONES, pronunciations
from antiphon.models.local.ngrams import arpa, slots_of
from antiphon.models.local.recognizer import Heard, Hearing, Recognizer, Vocabulary
from antiphon.models.local.spelling import said, written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["LONGEST_SECONDS", "PocketSphinx"]

LONGEST_SECONDS: Final = 60
"""What is heard of an utterance; what comes later is not."""
VOCABULARIES: Final = 16
"""How many language models are kept; the longest unused is made again when it is needed."""
FLOOR: Final = 10.0
"""The noise that is added to all sound, of 32,768."""

_LONGEST: Final = LONGEST_SECONDS * 16_000 * 2
_SHORTEST: Final = 3_200
"""Bytes, 100 ms: in less nothing can be said."""
_STRETCH: Final = 640
"""Bytes decoded in one hold of the interpreter: 20 ms of sound, in some 2 ms."""
_TYPICAL: Final = (52.0, -5.0, 2.9, 7.7, -11.0, 4.9, -10.3, 0.8, -6.3, 3.9, -4.5, -0.6, 5.2)
"""The cepstral mean of voices in a quiet room, where every utterance begins; none depends on another."""
_TOLD: Final = 500
_LEANING: Final = 100
"""Frames of 10 ms that what is typical counts for."""
_JUDGED: Final = 3 * 16_000 * 2
"""Bytes of an utterance that its mean is taken from."""
_STRANGERS: Final = tuple(f"[{phone}]" for phone in PHONES)
_HISS: Final = frozenset(f"[{phone}]" for phone in ("F", "HH", "S", "SH", "TH"))
"""Sounds that steady noise is taken for: not counted against the words, unless there is little else."""
_DRAWLED: Final = 12
"""Frames of 10 ms that a letter takes at most: noise makes words that last."""
_DROWNED: Final = 0.2
"""With less speech than this share of the hiss, it was all noise."""


class _Language:
    """The files of one vocabulary, for all decoders that are made of it."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        slots = {name: [said(value) for value in values] for name, values in vocabulary.slots}
        phrases = [said(phrase) for phrase in vocabulary.phrases]
        words = [said(word) for word in vocabulary.words]
        texts = (*phrases, *words, *(value for values in slots.values() for value in values))
        plain = {word for text in texts for word in text.split() if not slots_of(word)}
        self._hmm = _part("en-us/en-us")
        ways_of = pronunciations(sorted(plain), _part("en-us/cmudict-en-us.dict"))

        def known(text: str) -> bool:
            return all(word in ways_of or word[1:-1] in slots for word in text.split())

        slots = {name: values for name, given in slots.items() if (values := [*filter(known, given)])}
        entries = [
            f"{word}({number}) {way}" if number > 1 else f"{word} {way}"
            for word, ways in ways_of.items()
            for number, way in enumerate(ways, 1)
        ]
        entries += (f"[{phone}] {phone}" for phone in PHONES)
        model = arpa(filter(known, phrases), filter(known, words), slots, _STRANGERS)
        self._files = tempfile.TemporaryDirectory(prefix="antiphon-")
        weakref.finalize(self, self._files.cleanup)
        self._dictionary, self._words = (Path(self._files.name, name) for name in ("dictionary", "words.lm"))
        self._dictionary.write_text("\n".join(entries) + "\n", encoding="utf-8")
        self._words.write_text(model, encoding="utf-8")

    def decoder(self) -> Any:
        """A new one: 7 MB, in some 30 ms."""
        return _package().Decoder(
            hmm=str(self._hmm),
            dict=str(self._dictionary),
            lm=str(self._words),
            fwdflat=False,  # a second pass at the end, all of it in one hold of the interpreter
            loglevel="FATAL",
        )


class _Pool:
    """The decoders of one recogniser."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._building = threading.Lock()
        self._languages: OrderedDict[Vocabulary, _Language] = OrderedDict()
        self._idle: list[tuple[_Language, Any]] = []  # the longest unused first
        self._returned: deque[tuple[_Language, Any, bool]] = deque()
        self._count = 0
        self._reserve = threading.Lock()
        self._reserved: tuple[_Language, Any] | None = None

    def language(self, vocabulary: Vocabulary) -> _Language:
        """Made by the first who asks; others wait for it."""
        with self._building:
            language = self._languages.get(vocabulary)
            if language is None:
                language = self._languages[vocabulary] = _Language(vocabulary)
                if len(self._languages) > VOCABULARIES:
                    self._languages.popitem(last=False)
            self._languages.move_to_end(vocabulary)
            return language

    def take(self, language: _Language) -> Any | None:
        """A decoder for one utterance, to be given back; `None` when all are taken."""
        with self._lock:
            self._sort_in()
            for place in range(len(self._idle) - 1, -1, -1):
                if self._idle[place][0] is language:
                    return self._idle.pop(place)[1]
            if self._count == self._limit:
                if not self._idle:
                    return None
                del self._idle[0]
            else:
                self._count += 1
        try:
            return language.decoder()
        except BaseException:
            with self._lock:
                self._count -= 1
            raise

    def give_back(self, language: _Language, decoder: Any, ended: bool) -> None:
        """Takes no lock: it may be called by the garbage collector, which may be called by `take`."""
        self._returned.append((language, decoder, ended))

    def in_reserve(self, language: _Language, use: Callable[[Any], Heard]) -> Heard:
        """Rule 3: with a decoder held for this call only, so that nobody waits for one who waits."""
        with self._reserve:
            if self._reserved is None or self._reserved[0] is not language:
                self._reserved = (language, language.decoder())
            return use(self._reserved[1])

    def _sort_in(self) -> None:
        while self._returned:
            language, decoder, ended = self._returned.popleft()
            if not ended:
                decoder.end_utt()
            self._idle.append((language, decoder))


class PocketSphinx(Recognizer):
    """Recognises English that was to be expected; needs `pip install 'antiphon[voice]'`, and no network.

    It is made for questions and commands about what an agent can do, not for dictation: what it hears are
    the words of its `Vocabulary`, in the orders of its phrases and, less readily, in others. Of what is
    said in other words, a third is taken for some of these. Numbers are given in digits: "for 5 minutes".

    A decoder takes 7 MB. When more than `decoders` utterances are going on at once, further ones are
    recognised at their end, one after another; nothing of them is lost.
    """

    def __init__(self, *, decoders: int = 8, least_confidence: float = 0.45) -> None:
        """Loads nothing yet.

        Args:
            decoders: how many utterances are listened to at once, at least 1.
            least_confidence: from 0 to 1; what was understood less surely counts as not understood.

        Raises:
            ConfigurationError: a number is out of its range.
        """
        if decoders < 1:
            raise ConfigurationError(f"decoders={decoders}: at least one is needed to hear anybody.")
        if not 0.0 <= least_confidence <= 1.0:
            raise ConfigurationError(f"least_confidence={least_confidence}: name a share from 0 to 1.")
        self._pool = _Pool(decoders)
        self._least = least_confidence

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        """See `Recognizer.hear`. The first use of a vocabulary takes about a second; see `prepare`."""
        return _Listening(self._pool, self._pool.language(vocabulary), self._least)

    def prepare(self, vocabulary: Vocabulary) -> None:
        """Makes the language model, and a decoder."""
        language = self._pool.language(vocabulary)
        if (decoder := self._pool.take(language)) is not None:
            self._pool.give_back(language, decoder, ended=True)


class _Listening(Hearing):
    def __init__(self, pool: _Pool, language: _Language, least: float) -> None:
        self._pool = pool
        self._language = language
        self._least = least
        self._pcm = bytearray()
        self._decoded = 0
        self._decoder: Any = None
        self._left_alone: weakref.finalize[..., _Listening] | None = None

    def feed(self, pcm: bytes) -> str:
        """See `Hearing.feed`. What comes after `LONGEST_SECONDS` is not heard."""
        self._pcm += pcm[: _LONGEST - len(self._pcm)]
        whole = len(self._pcm) // _STRETCH * _STRETCH
        if self._decoded < whole and self._borrow():
            _decode(self._decoder, self._pcm[self._decoded : whole])
            self._decoded = whole
        return self._so_far()

    def end(self) -> Heard:
        """See `Hearing.end`. Takes a twentieth of the time that the utterance took."""
        if len(self._pcm) < _SHORTEST:
            return Heard("", 0.0)
        if not self._borrow():
            return self._pool.in_reserve(self._language, self._all_at_once)
        assert self._left_alone is not None
        try:
            self._left_alone.detach()
            self._decoder.end_utt()
            return self._all_at_once(self._decoder)
        finally:
            self._pool.give_back(self._language, self._decoder, ended=True)
            self._decoder = None

    def _borrow(self) -> bool:
        if self._decoder is None and (decoder := self._pool.take(self._language)) is not None:
            decoder.set_cmn(_listed(_TYPICAL))
            decoder.start_utt()
            self._decoder = decoder
            self._left_alone = weakref.finalize(
                self, self._pool.give_back, self._language, decoder, ended=False
            )
            self._left_alone.atexit = False
        return self._decoder is not None

    def _all_at_once(self, decoder: Any) -> Heard:
        """The whole utterance again, now that it is known how voice and room sound (rule 5)."""
        decoder.set_cmn(_listed(_mean(decoder, self._pcm[:_JUDGED])))
        decoder.start_utt()
        _decode(decoder, self._pcm)
        decoder.end_utt()
        return self._understood(decoder)

    def _so_far(self) -> str:
        if self._decoder is None or (hypothesis := self._decoder.hyp()) is None:
            return ""
        return written(" ".join(word for word in hypothesis.hypstr.split() if word[0] != "["))

    def _understood(self, decoder: Any) -> Heard:
        if decoder.hyp() is None:
            return Heard("", 0.0)
        words: list[str] = []
        sure = frames = spoken = hiss = 0.0
        for segment in decoder.seg():
            word, _, _ = segment.word.partition("(")
            length = segment.end_frame - segment.start_frame + 1
            if word in _HISS:
                hiss += length
            if word[0] == "<" or word in _HISS:
                continue
            frames += length
            if word[0] != "[":
                words.append(word)
                spoken += length
                sure += min(length, _DRAWLED * len(word)) * min(segment.prob, 1.0)
        confidence = sure / (frames or 1.0) if spoken > hiss * _DROWNED else 0.0
        return Heard(written(" ".join(words)) if confidence >= self._least else "", confidence)


def _mean(decoder: Any, pcm: bytearray) -> list[float]:
    """The cepstral mean of an utterance, leaning to what is typical as far as there is little of it.

    The decoder counts what it was told as `_TOLD` frames, and so does not get there by itself.
    """
    decoder.set_cmn(_listed(_TYPICAL))
    decoder.start_utt()
    _decode(decoder, pcm, no_search=True)
    decoder.end_utt()
    frames = decoder.n_frames()
    found = [float(number) for number in decoder.get_cmn(True).split(",")]
    return [
        (mean * (_TOLD + frames) - typical * (_TOLD - _LEANING)) / (frames + _LEANING)
        for mean, typical in zip(found, _TYPICAL, strict=True)
    ]


def _listed(numbers: Sequence[float]) -> str:
    return ",".join(f"{number:.4f}" for number in numbers)


def _decode(decoder: Any, pcm: bytearray, *, no_search: bool = False) -> None:
    """The package holds the interpreter while it decodes: short stretches let the event loop run between."""
    for begin in range(0, len(pcm) // 2 * 2, _STRETCH):
        decoder.process_raw(_with_floor(pcm[begin : begin + _STRETCH]), no_search=no_search)


@cache
def _floor() -> Any:
    """Faint noise, always the same: the acoustic model knows no rooms without any."""
    import numpy as np

    return np.random.default_rng(0).standard_normal(_STRETCH // 2) * FLOOR


def _with_floor(pcm: bytearray) -> bytes:
    import numpy as np

    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], np.int16)
    louder = samples + _floor()[: len(samples)]
    return bytes(np.clip(louder, -32_768, 32_767).astype(np.int16).tobytes())


@cache
def _package() -> Any:
    try:
        import pocketsphinx  # type: ignore[import-untyped]
    except ImportError as missing:
        raise MissingExtra("PocketSphinx needs pocketsphinx: pip install 'antiphon[voice]'.") from missing
    return pocketsphinx


def _part(name: str) -> Path:
    path = Path(_package().get_model_path(name))
    if not path.exists():
        raise ConfigurationError(f"pocketsphinx finds no model in {path}: reinstall pocketsphinx.")
    return path
