"""Values that are told by where they stand in a sentence: places, names, codes, free text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.models.local.english import SMALL_NUMBERS, STOP_WORDS, WEAK_WORDS
from antiphon.models.local.matching import COMMON
from antiphon.models.local.numerals import number_at
from antiphon.models.local.tokens import stem

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from antiphon.models.local.abilities import Parameter
    from antiphon.models.local.tokens import Token

__all__ = ["Phrases"]

_ENDS: Final = frozenset(
    """
    in at on for from to into with and or please right now this is are am be do does will by about because
    like if when so then that my i i'm me we you your before after until look looks looking going under
    near who whose it it's was has have as via using instead but than saying says called named
    """.split()
)
_PLACED: Final = ("in", "at", "for", "near", "of", "to", "from", "around", "into", "about")
_FROM: Final = frozenset({"from", "origin", "source", "departure", "start"})
_TO: Final = frozenset({"to", "destination", "target", "arrival", "into"})
_NAMED: Final = (("on", "behalf", "of"), ("name", "is"), ("name's",), ("i", "am"), ("i'm",), ("this", "is"))
_NAMED_AFTER: Final = ("under", "named", "called", "for", "with", "by", "name")
_SENT_TO: Final = frozenset({"recipient", "to", "contact", "who", "whom"})
_LABELS: Final = frozenset({"called", "named", "labelled", "labeled", "titled", "saying", "says"})
_MARKS: Final = frozenset({"to", "that", "about", "saying", "says", "titled", "called"})
_LEADS: Final = frozenset(
    """
    me myself us him her them please to that about for saying says it it's its is of with
    """.split()
)
_ITEM_LEADS: Final = _LEADS | {"a", "an", "some", "the", "my"}
_TAILS: Final = frozenset("at on in for by please and to from of the my our then with now thanks".split())
_ANSWER_LEADS: Final = frozenset(
    """
    it it's its is in at for to on from the um uh er please my name name's i'm i am i'd like want make
    that that's would be should under say well just use let's let us with of oh okay ok yes
    """.split()
)
_TIMES: Final = {"double": 2, "triple": 3}
_LONGEST: Final = 4
"""Words of a place or a name."""


class Phrases:
    """A sentence, and which of its words are spoken for: by a value, or by the tool itself (`hits`).

    `timed` words belong to dates, times and lengths of time, whether a tool wants those or not.
    """

    def __init__(
        self,
        text: str,
        words: Sequence[Token],
        hits: Collection[int],
        timed: Collection[int],
        *,
        answering: bool,
    ) -> None:
        self._text = text
        self._words = words
        self._hits = frozenset(hits)
        self._timed = frozenset(timed)
        self._taken: set[int] = set()
        self._answering = answering

    def take(self, *places: int) -> None:
        """These words are a value."""
        self._taken.update(places)

    def mails(self) -> list[str]:
        found = [at for at, word in enumerate(self._words) if "@" in word.text]
        self.take(*found)
        return [self._words[at].text for at in found]

    def code(self, parameter: Parameter, *, cued: bool) -> range:
        """Digits, spoken one by one or written, with letters between: with `cued` after a word of its own."""
        runs = self._runs_of_digits()
        own = {stem(word) for word in (*parameter.words, "number")}
        for cues in (own, {stem(self._words[at].low) for at in self._hits}):
            for run in runs:
                if any(stem(word.low) in cues for word in self._words[max(0, run.start - 2) : run.start]):
                    return run
        return runs[0] if runs and not cued else range(0)

    def places(self, parameter: Parameter) -> list[str]:
        words = set(parameter.words)
        others: tuple[str, ...]
        if words & _FROM and not words & _TO:
            found, others = self._after(("from",)), ("to", "into")
        elif words & _TO and not words & _FROM:
            found, others = self._after(("to", "into")), ("from",)
        else:
            found, others = self._after(_PLACED), ()
        if not found and parameter.required:
            found = self._left_over(others)
        return [self._said(each) for each in found]

    def persons(self, parameter: Parameter) -> list[str]:
        before = ("to", *_NAMED_AFTER) if _SENT_TO.intersection(parameter.words) else _NAMED_AFTER
        found = self._introduced() or self._after(before, common=False)
        if not found and (self._answering or _SENT_TO.intersection(parameter.words)):
            found = self._left_over()
        return [self._said(each) for each in found]

    def texts(self, parameter: Parameter) -> list[str]:
        if self._answering:
            rest = self._stripped(range(len(self._words)), _ANSWER_LEADS)
            return [self._said(rest)] if rest else []
        label = next((at for at, word in enumerate(self._words) if word.low in _LABELS), None)
        if label is not None and not self._free(label) and not parameter.required:
            return []
        if not parameter.required and label is None:
            return []
        start = self._after_trigger() if label is None or parameter.required else label + 1
        rest = self._longest(start)
        if not rest:
            return []
        self.take(*rest)
        return [self._said(rest)]

    def listed(self, parameter: Parameter) -> list[str]:
        """Free text taken apart at commas and "and"."""
        whole = self._longest(self._after_trigger() if not self._answering else 0)
        rest = self._stripped(whole, _ANSWER_LEADS if self._answering else _ITEM_LEADS)
        items, begin = [], rest.start
        for at in rest:
            joins = self._words[at].low in ("and", "or")
            if joins or self._words[at].breaks or at == rest.stop - 1:
                item = self._stripped(range(begin, at if joins else at + 1), _ITEM_LEADS)
                items += [self._said(item)] if item else []
                begin = at + 1
        self.take(*rest)
        return items

    # Where phrases begin and end.

    def _free(self, at: int) -> bool:
        return at not in self._taken and at not in self._timed

    def _phrase(self, at: int, *, common: bool = True) -> range:
        """What begins here, if it may be a name; without `common` words that are none."""
        while at < len(self._words) and self._words[at].low in ("the", "a", "an", "my", "name"):
            at += 1
        end = at
        while end < len(self._words) and end - at < _LONGEST:
            if not self._names(end, common=common) or (end in self._hits and (end == at or not common)):
                break
            end += 1
            if self._words[end - 1].breaks:
                break
        return range(at, end)

    def _names(self, at: int, *, common: bool) -> bool:
        word = self._words[at].low
        if not self._free(at) or word in _ENDS or number_at(self._words, at):
            return False
        return common or word not in COMMON

    def _after(self, prepositions: Sequence[str], *, common: bool = True) -> list[range]:
        """The phrases after the first of these words that has one, and those joined to it."""
        for at, word in enumerate(self._words):
            if word.low in prepositions and at not in self._taken:
                phrase = self._phrase(at + 1, common=common)
                if phrase and not all(self._words[each].low in STOP_WORDS for each in phrase):
                    return self._joined(phrase, prepositions, common=common)
        return []

    def _joined(self, phrase: range, prepositions: Sequence[str], *, common: bool) -> list[range]:
        """ "in Paris and in London", "in Paris, London and Rome"."""
        found = [phrase]
        while phrase:
            self.take(*phrase)
            at = phrase.stop
            joined = self._words[at - 1].breaks
            while at < len(self._words) and self._words[at].low in ("and", "or", *prepositions):
                joined = joined or self._words[at].low in ("and", "or")
                at += 1
            phrase = self._phrase(at, common=common) if joined else range(0)
            if phrase and all(self._words[each].low in COMMON for each in phrase):
                break
            found += [phrase] if phrase else []
        return found

    def _introduced(self) -> list[range]:
        """ "my name is Ann", "I'm Ann"."""
        low = [word.low for word in self._words]
        for at in range(len(low)):
            for intro in _NAMED:
                if tuple(low[at : at + len(intro)]) == intro:
                    phrase = self._phrase(at + len(intro), common=False)
                    if phrase:
                        self.take(*phrase)
                        return [phrase]
        return []

    def _left_over(self, others: Collection[str] = ()) -> list[range]:
        """The first words that nothing else has explained, but none after `others`.

        In an answer, all that is no mere lead-in.
        """
        if self._answering:
            rest = self._stripped(range(len(self._words)), _ANSWER_LEADS)
            return self._joined(self._phrase(rest.start), ("in",), common=True) if rest else []
        for at, word in enumerate(self._words):
            before = self._words[at - 1].low if at else ""
            if word.low not in STOP_WORDS and word.low not in WEAK_WORDS and before not in others:
                phrase = self._phrase(at, common=False)
                if phrase:
                    return self._joined(phrase, ("in",), common=False)
        return []

    def _after_trigger(self) -> int:
        """Where free text begins: after the word that asked for it, and what leads over to it."""
        at = min(self._hits, default=-1) + 1
        while at < len(self._words) and (self._words[at].low in _LEADS or not self._free(at)):
            at += 1
            if self._words[at - 1].low in _MARKS and self._words[at - 1].low != "to":
                break
        return at

    def _longest(self, start: int) -> range:
        """The longest stretch from there on that is no value of its own."""
        best, begin = range(0), start
        for at in range(start, len(self._words) + 1):
            if at == len(self._words) or not self._free(at):
                stretch = self._stripped(range(begin, at), _LEADS)
                best = stretch if len(stretch) > len(best) else best
                begin = at + 1
        return best

    def _stripped(self, rest: range, leads: Collection[str]) -> range:
        """Without what leads in and out; "to my shopping list" goes where it only says the tool again."""
        start, stop = rest.start, rest.stop
        while start < stop and (self._words[start].low in leads or not self._free(start)):
            start += 1
        while stop > start and (self._words[stop - 1].low in _TAILS or not self._free(stop - 1)):
            stop -= 1
        tail = stop
        while tail > start and (tail - 1 in self._hits or self._words[tail - 1].low in _TAILS):
            tail -= 1
        if start < tail < stop and self._words[tail].low in ("to", "on", "in", "from", "of"):
            stop = tail
        return range(start, stop)

    def _said(self, phrase: range) -> str:
        """As it was written."""
        if not phrase:
            return ""
        return self._text[self._words[phrase.start].start : self._words[phrase.stop - 1].end]

    def _runs_of_digits(self) -> list[range]:
        runs, at = [], 0
        while at < len(self._words):
            end, digits = at, False
            while end < len(self._words) and end not in self._taken and self._is_code(end):
                digits = digits or self._is_digit(end)
                end += 1
                if self._words[end - 1].breaks:
                    break
            if digits:
                runs.append(range(at, end))
            at = max(end, at + 1)
        return runs

    def _is_digit(self, at: int) -> bool:
        low = self._words[at].low
        return any(letter.isdigit() for letter in low) or low.split("-")[0] in SMALL_NUMBERS or low == "oh"

    def _is_code(self, at: int) -> bool:
        if at >= len(self._words):
            return False
        word = self._words[at]
        if word.low in _TIMES:
            return self._is_code(at + 1)
        if len(word.text) == 1 and word.low.isalpha():
            return word.low not in ("a", "i") or self._is_code(at + 1)
        return self._is_digit(at) or (len(word.text) < 4 and word.text.isupper() and self._is_code(at + 1))

    def spelt(self, run: range) -> str:
        """Digits and letters as they are written."""
        said, at = "", run.start
        while at < run.stop:
            word = self._words[at]
            if word.low in _TIMES:
                said, at = said + self.spelt(range(at + 1, at + 2)) * (_TIMES[word.low] - 1), at + 1
                continue
            numeral = number_at(self._words[: run.stop], at) if word.low in SMALL_NUMBERS else None
            if numeral is not None:
                said, at = said + str(numeral.plain), numeral.end
                continue
            said += (
                "0"
                if word.low == "oh"
                else word.text.upper()
                if len(word.text) == 1
                else word.text.lstrip("#")
            )
            at += 1
        return said
