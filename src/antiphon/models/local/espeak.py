"""Speech by eSpeak NG: instant, in some hundred languages, and with the place of every word in the sound.

It does not sound like a person. It needs no model, no network and about half a hundredth of a core while
it is being played.

The library is one state for the whole process: its voice is set and a sentence said under one lock, which
is held for milliseconds.
"""

from __future__ import annotations

import ctypes
import re
import threading
from copy import copy
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import ConfigurationError, MissingExtra
from antiphon.models.local.stretches import cut, sayable
from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from antiphon.models.local.manner import Manner

__all__ = ["Espeak", "phonemes"]

LONGEST: Final = 400
"""Characters said under one hold of the lock; what is longer is cut at a space."""
SLOWEST, FASTEST = 80, 450
"""Words per minute that the library can do."""

_SYNCHRONOUS: Final = 2
_BUFFER_MS: Final = 500
_UTF8: Final = 1
_RATE_PARAMETER, _PITCH_PARAMETER = 1, 3
_WORD_EVENT: Final = 1
_IPA: Final = 2

_SILENT: Final = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ud800-\udfff"
    "\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\U000e0000-\U0010ffff*_`~#|<>{}\\[\\]\\\\^]"
)
"""Said as one space each, so that what follows keeps its place."""


class _Identifier(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Identifier),
    )


class _VoiceEntry(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_void_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_CALLBACK: Final = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(_Event))


@dataclass(frozen=True, slots=True)
class _Manner:
    voice: str
    words_per_minute: int
    pitch: int
    language: str = ""
    """By BCP-47; of a voice that names none."""


class _Library:
    """The library, loaded once. Everything but `__init__` is called with the lock held."""

    def __init__(self) -> None:
        try:
            import espeakng_loader
        except ImportError as missing:
            raise MissingExtra("Espeak needs espeakng-loader: pip install 'antiphon[voice]'.") from missing
        data = espeakng_loader.get_data_path()
        try:
            self._call: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise ConfigurationError(
                f"eSpeak NG cannot be loaded ({error}): reinstall espeakng-loader."
            ) from error
        self.rate: int = self._call.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, data.encode(), 0)
        if self.rate <= 0:
            raise ConfigurationError(f"eSpeak NG finds no data in {data}: reinstall espeakng-loader.")
        self.variants = frozenset(path.name for path in Path(data, "voices", "!v").iterdir())
        self.languages = self._listed()
        self._manner: _Manner | None = None
        self._pcm = bytearray()
        self._places: list[tuple[int, int]] = []
        self._callback = _CALLBACK(self._synthesized)  # kept: the library calls it for as long as it lives
        self._call.espeak_SetSynthCallback(self._callback)

    def _synthesized(self, samples: int | None, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pcm += ctypes.string_at(samples, count * 2)
        index = 0
        while (event := events[index]).type:
            if event.type == _WORD_EVENT:
                self._places.append((event.text_position - 1, event.sample))
            index += 1
        return 0

    def say(self, text: str, manner: _Manner) -> tuple[bytes, list[tuple[int, int]]]:
        """PCM, and which character stands at which sample."""
        if self._manner != manner:
            self.set(manner)
        self._pcm.clear()
        self._places = []
        encoded = text.encode() + b"\0"
        self._call.espeak_Synth(encoded, len(encoded), 0, 1, 0, _UTF8, None, None)
        self._call.espeak_Synchronize()
        return bytes(self._pcm), self._places

    def set(self, manner: _Manner) -> None:
        self._manner = None
        language, plus, variant = manner.voice.partition("+")
        if manner.language and language in self.variants and not plus and language not in self.languages:
            language, plus, variant = "", "+", language
        language = language or self._spoken(manner.language)
        voice = self.languages.get(language.lower(), language) + plus + variant
        # Any name passes for a variant, and one that there is none of for the plain voice.
        if (plus and variant not in self.variants) or self._call.espeak_SetVoiceByName(voice.encode()) != 0:
            raise self.unknown(language + plus + variant)
        self._call.espeak_SetParameter(_RATE_PARAMETER, manner.words_per_minute, 0)
        self._call.espeak_SetParameter(_PITCH_PARAMETER, manner.pitch, 0)
        self._manner = manner

    def _spoken(self, tag: str) -> str:
        """The language of a BCP-47 tag: what is closest to it, from `de-AT` to `de`."""
        closest = tag.lower()
        while closest not in self.languages and "-" in closest:
            closest = closest.rpartition("-")[0]
        return closest if closest in self.languages else tag

    def phonemes(self, word: str) -> str:
        """In the International Phonetic Alphabet, by the voice that is set."""
        translate = self._call.espeak_TextToPhonemes
        translate.restype = ctypes.c_char_p
        rest = ctypes.c_char_p(word.encode())
        found: list[str] = []
        while rest.value:  # it takes a clause at a time, and leaves NULL at the end
            found.append((translate(ctypes.byref(rest), _UTF8, _IPA) or b"").decode("utf-8", "replace"))
        return " ".join(found)

    def _listed(self) -> dict[str, str]:
        """Languages, such as `en-us` and `de`, and what the library calls the voice that suits each best."""
        self._call.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_VoiceEntry))
        entries = self._call.espeak_ListVoices(None)
        best: dict[str, tuple[int, str]] = {}
        index = 0
        while entries[index]:
            entry = entries[index].contents
            at = entry.languages
            while priority := ctypes.string_at(at, 1)[0]:  # a byte of priority and a name, again and again
                name = ctypes.string_at(at + 1)
                found = priority, entry.identifier.decode("utf-8", "replace")
                language = name.decode("utf-8", "replace").lower()
                best[language] = min(found, best.get(language, found))
                at += len(name) + 2
            index += 1
        return {language: identifier for language, (_, identifier) in best.items()}

    def unknown(self, voice: str) -> ConfigurationError:
        language, _, variant = voice.partition("+")
        if variant and variant not in self.variants and language.lower() in self.languages:
            some = ", ".join(f"{language}+{name}" for name in ("f1", "f2", "f3", "m1", "m2", "m3", "whisper"))
            return ConfigurationError(f"eSpeak NG has no variant {variant!r}: there are {some} and others.")
        some = ", ".join(sorted(self.languages))
        return ConfigurationError(
            f"eSpeak NG has no voice {voice!r}: name a language, with a variant if you like "
            f"('en-us', 'en-gb+f3'). It has {some}."
        )


_LOCK: Final = threading.Lock()


@cache
def _loaded() -> _Library:
    """To be called with the lock held, so that it is loaded once."""
    return _Library()


class Espeak(Synthesizer):
    """Says sentences by eSpeak NG, word by word; needs `pip install 'antiphon[voice]'`.

    Several with different voices may speak in one process at once. Emoji, control characters and marks of
    markup are not said. A text longer than 400 characters is said in parts.
    """

    rate = 22_050

    def __init__(self, voice: str = "en-us", *, words_per_minute: int = 175, pitch: int = 50) -> None:
        """A voice is a language (`en-us`, `de`, `cmn`), with a variant if wanted: `en-us+f3`, `en-gb+m1`.

        Args:
            voice: looked up by the first sentence, or by `prepare`.
            words_per_minute: 80 to 450.
            pitch: 0 to 100.

        Raises:
            ConfigurationError: a number is out of its range.
        """
        if not SLOWEST <= words_per_minute <= FASTEST:
            raise ConfigurationError(
                f"words_per_minute={words_per_minute}: eSpeak NG speaks between {SLOWEST} and {FASTEST}."
            )
        if not 0 <= pitch <= 100:
            raise ConfigurationError(f"pitch={pitch}: name one from 0 to 100.")
        self._manner = _Manner(voice, words_per_minute, pitch)

    def __repr__(self) -> str:
        manner = self._manner
        voice = manner.voice or manner.language
        return f"Espeak({voice!r}, words_per_minute={manner.words_per_minute}, pitch={manner.pitch})"

    def say(self, sentence: str) -> Iterator[Speech]:
        """See `Synthesizer.say`. Raises `ConfigurationError` for a voice there is none of, listing some."""
        for part in _parts(sentence):
            if not sayable(part):
                yield Speech(text=part, pcm=b"")
                continue
            with _LOCK:
                pcm, places = _loaded().say(_SILENT.sub(" ", part), self._manner)
            yield from cut(part, pcm, places)

    def speaking(self, manner: Manner) -> Espeak:
        """See `Synthesizer.speaking`. A voice is named as in `__init__`, or by its variant alone (`f3`)."""
        language, plus, variant = self._manner.voice.partition("+")
        other = copy(self)
        other._manner = replace(
            self._manner,
            voice=manner.voice if manner.voice is not None else plus + variant,
            language=manner.language or language,
        )
        return other

    def prepare(self) -> None:
        """Loads the library and the voice. Raises like `say`."""
        with _LOCK:
            _loaded().set(self._manner)


def phonemes(words: Iterable[str], voice: str = "en-us") -> list[str]:
    """How each of the words is said by the voice, in the International Phonetic Alphabet.

    Raises `ConfigurationError` like `Espeak.say`.
    """
    with _LOCK:
        library = _loaded()
        library.set(_Manner(voice, SLOWEST, 50))
        return [library.phonemes(_SILENT.sub(" ", word)) for word in words]


def _parts(text: str) -> Iterator[str]:
    while len(text) > LONGEST:
        space = text.rfind(" ", LONGEST // 2, LONGEST) + 1
        yield text[: space or LONGEST]
        text = text[space or LONGEST :]
    yield text
