"""How words are pronounced: by the CMU dictionary, and by eSpeak NG what is not in it, such as names."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from antiphon.models.local.espeak import phonemes

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["PHONES", "arpabet", "pronunciations"]

# ruff: noqa: RUF001
_IPA: Final = """
    b B  d D  f F  h HH  k K  l L  m M  n N  p P  r R  s S  t T  v V  w W  z Z  ɹ R  ɡ G  g G  j Y  ŋ NG  θ TH
    ð DH  ʃ SH  ʒ ZH  tʃ CH  dʒ JH  æ AE  ɑ AA  a AA  ɐ AH  ə AH  ɛ EH  e EH  ɜ ER  ɜː ER  ɚ ER  ɪ IH  ᵻ IH
    i IY  iː IY  ɔ AO  ɔː AO  o OW  ʊ UH  u UW  uː UW  ʌ AH  ɒ AA  aɪ AY  aʊ AW  eɪ EY  oʊ OW  əʊ OW  ɔɪ OY
    əl AH_L  n̩ AH_N  l̩ AH_L  iə IY_AH  ɛɹ EH_R  aɪɚ AY_ER  ɑːɹ AA_R  ɔːɹ AO_R  ʊɹ UH_R  ɪɹ IH_R
    ɾ D  ʔ T  x K  ç HH  ɬ L  ɣ G  β V  q K  c K  ɲ N  ɫ L  y UW  ø ER  œ ER  ɝ ER
"""
"""The International Phonetic Alphabet, as eSpeak NG writes English and names from elsewhere."""
_ARPABET: Final = {
    sound: phones.replace("_", " ")
    for sound, phones in zip(_IPA.split()[::2], _IPA.split()[1::2], strict=True)
}
_SOUND: Final = re.compile("|".join(sorted(map(re.escape, _ARPABET), key=len, reverse=True)))

PHONES: Final = tuple(sorted({phone for said in _ARPABET.values() for phone in said.split()}))
"""All sounds of English, as the dictionary and the acoustic model call them."""


def arpabet(ipa: str) -> str:
    """Phones between spaces; marks and sounds that English has not are left out."""
    return " ".join(_ARPABET[sound] for sound in _SOUND.findall(ipa))


def pronunciations(words: Iterable[str], dictionary: Path) -> dict[str, list[str]]:
    """Every way each of the words is said. A word that cannot be said in English is left out."""
    wanted: dict[bytes, list[str]] = {}
    found: dict[str, list[str]] = {}
    for word in words:
        found[word] = []
        for spelling in {word, _plain(word)}:
            wanted.setdefault(spelling.encode(), []).append(word)
    for line in dictionary.read_bytes().splitlines():
        entry, _, said = line.partition(b" ")
        for word in wanted.get(entry.partition(b"(")[0], ()):
            found[word].append(said.decode().strip())
    unknown = [word for word, ways in found.items() if not ways and _plain(word).isascii()]
    for word, ipa in zip(unknown, phonemes(unknown), strict=True):
        found[word] = [way] if (way := arpabet(ipa)) else []
    return {word: ways for word, ways in found.items() if ways}


def _plain(word: str) -> str:
    """Without accents."""
    apart = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).replace("ß", "ss")
