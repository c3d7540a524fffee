"""From text as a model streams it to sentences to say, and back from what was said to the text.

Rule 1   A sentence ends after . ! ? or …, with the quotes and brackets that close on it, where a space
         follows; after their wide forms (U+3002, U+FF01, U+FF1F) at once.
Rule 2   A dot does not end one after an abbreviation, an initial or a number that opens a line, nor does any
         mark before a small letter. So what follows is waited for: one more piece of the stream.
Rule 3   A line ends one, unless the next goes on with a small letter; an empty line always does.
Rule 4   The first of an answer may end sooner, at the end of a clause, so that the first sound comes soon.
Rule 5   What is longer than the bound ends at its last clause, else at its last space, else at the bound.
Rule 6   Marks of markdown, emoji and the scheme of an address are not said.
Rule 7   What is written of all sentences together is the stream, character by character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Sentence", "Sentences"]

LONGEST: Final = 300
"""Characters of a sentence, as it is written."""
OPENING: Final = 16
"""Characters a first clause has at least."""

_ENDS: Final = re.compile(r"[.!?…]+[\"'”’»)\]*_`]*(?=\s)|[\u3002\uff01\uff1f]+[”’\u300d\u300f\uff09]*|\n")
_CLAUSE: Final = re.compile(r"(?:[,;:][\"'”’»)\]*_`]*|\s[–—-])(?=\s)|[\uff0c\u3001\uff1b\uff1a]")
_NO_END: Final = re.compile(
    r"(?:(?<![^\W_])(?:mr|mrs|ms|dr|prof|sr|jr|st|mt|ft|vs|fig|vol|pp|ed|eds|approx|dept|est|inc|ltd|"
    r"co|corp|gen|col|sgt|lt|rev|hon|jan|feb|mar|apr|jun|jul|aug|sep|sept|oct|nov|dec|ca|cf|e\.g|i\.e|z\.b|d\.h"
    r"|bzw|nr)|(?<!\w)[A-Z]|(?:^|\n)[ \t]*\d{1,3})\.$",
    re.IGNORECASE,
)

_UNSAID: Final = re.compile(
    r"""
      ^[ \t]*(?:\#{1,6}[ ]|>+[ ]?|[-*+•][ ](?:\[[ xX]\][ ])?)                 # at a line's start
    | ^[ \t]*(?:```.*|~~~.*|(?:[-*_=][ \t]*){3,})$                              # whole lines
    | !?\[(?=[^\]\n]*\]\([^)\s]*\))  | \](?:\([^)\s]*\))                        # links: their words stay
    | (?<![\d\s])\*+(?=[^\w]|$) | (?<!\d)\*+(?=\S) | (?<=\S)\*+(?!\d)            # *, but not 2*3
    | (?<![^\W_])_+(?=\w) | (?<=[^\W_])_+(?![^\W_])                              # _, but not snake_case
    | ~~ | `+ | \|
    | (?<!\w)(?:https?|ftp)://(?:www\.)?
    | [\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\u20e3]
    | [\u2190-\u21ff\u2300-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff\U000e0000-\U000e007f]
    """,
    re.VERBOSE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of an answer, as it is written and as it is said."""

    start: int
    """Where it begins in the stream, in characters."""
    written: str
    said: str
    """Without marks, on one line; empty when there is nothing to say of it."""
    origins: tuple[int, ...]
    """For each character of `said`, where in `written` it stands."""

    def written_until(self, said: int) -> int:
        """How much of `written` is over, in characters, when so many characters of `said` have been said.

        Marks and spaces count with what follows them; all of it is over when all was said.
        """
        if said >= len(self.said):
            return len(self.written)
        return self.origins[said] if said > 0 else 0


class Sentences:
    """Splits one answer. Holds less than a sentence of `longest` characters, besides what it was given."""

    def __init__(self, *, longest: int = LONGEST, opening: int | None = OPENING) -> None:
        """`opening`: the least length of a first clause, `None` to wait for the first sentence (rule 4)."""
        self._longest = longest
        self._opening = opening
        self._text = ""
        self._start = 0

    def add(self, piece: str) -> list[Sentence]:
        """The sentences that are whole now."""
        self._text += piece
        return self._taken(over=False)

    def end(self) -> list[Sentence]:
        """The answer is over: what is left. To begin another, make another."""
        return self._taken(over=True)

    def _taken(self, *, over: bool) -> list[Sentence]:
        found: list[Sentence] = []
        at = 0
        text = self._text
        while at < len(text):
            ahead = text[at : at + self._longest + 1]
            seen_all = at + len(ahead) == len(text)
            length = self._end_of(ahead)
            if length is None:
                if not over or not seen_all:
                    break
                length = len(ahead)
            sentence = _sentence(self._start + at, text[at : at + length])
            found.append(sentence)
            if sentence.said:
                self._opening = None
            at += length
        self._start += at
        self._text = text[at:]
        return found

    def _end_of(self, text: str) -> int | None:
        """How long the first sentence is, with the space after it; `None` while that is not known."""
        for found in _ENDS.finditer(text):
            follows = text[found.end() :]
            after = follows.lstrip()
            space = len(follows) - len(after)
            if not text[: found.start()].strip() and found.group() == "\n":
                continue  # empty lines before the first word
            if not after and found.end() + space <= self._longest:
                return None  # what follows decides (rule 2)
            if not self._goes_on(text, found, after, follows[:space]):
                return found.end() + space
        if self._opening is not None and (clause := self._clause(text, self._opening)):
            return clause
        return self._bounded(text) if len(text) > self._longest else None

    @staticmethod
    def _goes_on(text: str, found: re.Match[str], after: str, space: str) -> bool:
        mark = found.group()
        if mark[0] in "\u3002\uff01\uff1f":
            return False
        if mark == "\n":
            return "\n" not in space and after[:1].islower()
        if "\n" in space and not after[:1].islower():
            return False
        upto = text[: found.end()]
        return after[:1].islower() or bool(mark == "." and after and _NO_END.search(upto))

    @staticmethod
    def _clause(text: str, least: int) -> int | None:
        for found in _CLAUSE.finditer(text):
            if len(text[: found.end()].strip()) >= least:
                end = found.end()
                return end + len(text[end:]) - len(text[end:].lstrip())
        return None

    def _bounded(self, text: str) -> int:
        clauses = [found.end() for found in _CLAUSE.finditer(text, 0, self._longest)]
        space = text.rfind(" ", 0, self._longest) + 1
        if clauses and clauses[-1] > self._longest // 2:
            return clauses[-1]
        return space if space > 1 and text[:space].strip() else self._longest


def _sentence(start: int, written: str) -> Sentence:
    said: list[str] = []
    origins: list[int] = []
    at = 0
    for begins, ends in [*(found.span() for found in _UNSAID.finditer(written)), (len(written),) * 2]:
        for index in range(at, begins):
            character = written[index]
            if not character.isspace():
                said.append(character)
                origins.append(index)
            elif said and said[-1] != " ":
                said.append(" ")
                origins.append(index)
        at = max(at, ends)
    if said and said[-1] == " ":
        del said[-1], origins[-1]
    text = "".join(said)
    if not any(character.isalnum() for character in text):
        return Sentence(start, written, "", ())
    return Sentence(start, written, text, tuple(origins))
