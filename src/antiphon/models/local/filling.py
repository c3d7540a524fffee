"""What a sentence says for the parameters of a tool. Pure: today's date is handed in.

Values that can be told by themselves (choices, dates, times, lengths of time, numbers) are taken first, what
is told by its place in the sentence (places, names) next, and free text gets what is left.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from antiphon.models.local.abilities import Parameter, parameters_of
from antiphon.models.local.dates import Moment, Span, dates, durations, times
from antiphon.models.local.matching import concepts
from antiphon.models.local.numerals import Numeral, numbers
from antiphon.models.local.phrases import Phrases
from antiphon.models.local.tokens import alike, stem, words_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from antiphon.models.local.abilities import Kind
    from antiphon.models.local.tokens import Token

__all__ = ["Filled", "fill"]

_ORDER: Final[tuple[Kind, ...]] = (
    "mail",
    "choice",
    "moment",
    "date",
    "time",
    "duration",
    "whole",
    "number",
    "code",
    "flag",
    "place",
    "person",
    "text",
    "many",
    "object",
)
_YES: Final = frozenset("yes yeah yep yup sure true right correct please okay ok definitely".split())
_NO: Final = frozenset("no nope nah not false without never don't".split())

Filled = dict[str, list[Any]]
"""By a parameter's name what was said for it; several values where several things were named."""


def fill(
    text: str,
    words: Sequence[Token],
    parameters: Sequence[Parameter],
    hits: Collection[int],
    now: datetime,
    *,
    answering: bool = False,
) -> Filled:
    """The values found in `words`, the tokens of `text`. `hits` are the words by which the tool was found.

    With `answering` the whole sentence is the answer to a question for these parameters.
    """
    return _Sentence(text, words, hits, now, answering=answering).fill(parameters)


class _Sentence:
    """One sentence, out of which values are taken one by one."""

    def __init__(
        self, text: str, words: Sequence[Token], hits: Collection[int], now: datetime, *, answering: bool
    ) -> None:
        self._words = words
        self._answering = answering
        self._now = now
        self._dates = dates(words, now.date())
        self._times = times(words)
        self._spans = durations(words)
        inside = _places([*self._dates, *self._times, *self._spans])
        self._numbers = [each for each in numbers(words) if each.start not in inside]
        self._loose = [each for each in numbers(words) if each.start in inside]
        self._phrases = Phrases(text, words, hits, inside, answering=answering)

    def fill(self, parameters: Sequence[Parameter]) -> Filled:
        filled: Filled = {}
        for parameter in parameters:
            if parameter.kind == "code" and (code := self._codes(parameter, cued=True)):
                filled[parameter.name] = code
        self._cued(parameters, filled)
        readers: dict[Kind, Callable[[Parameter], list[Any]]] = {
            "mail": lambda _: self._phrases.mails(),
            "choice": self._choices,
            "moment": self._moment,
            "date": lambda _: [each.value.isoformat() for each in self._take(self._dates)],
            "time": lambda _: [_clock(each) for each in self._take(self._times)],
            "duration": self._duration,
            "whole": self._number,
            "number": self._number,
            "code": lambda each: self._codes(each, cued=False),
            "flag": self._flag,
            "place": self._phrases.places,
            "person": self._phrases.persons,
            "text": self._phrases.texts,
            "many": self._many,
            "object": self._object,
        }
        for parameter in sorted(parameters, key=lambda each: (_ORDER.index(each.kind), not each.required)):
            if parameter.name not in filled and (values := readers[parameter.kind](parameter)):
                filled[parameter.name] = values
        return filled

    def _take(self, found: list[Moment]) -> list[Moment]:
        """The first of them; another parameter of the same kind gets the next."""
        taken = found[:1]
        del found[:1]
        self._phrases.take(*_places(taken))
        return taken

    def _moment(self, _: Parameter) -> list[Any]:
        """Date and time; a time alone is the next such time, a date alone stays one."""
        if (span := next((each for each in self._spans if self._follows(each, "in")), None)) is not None:
            self._spans.remove(span)
            self._phrases.take(span.start - 1, *_places([span]))
            return [(self._now + timedelta(seconds=span.seconds)).isoformat(timespec="minutes")]
        days, hours = self._take(self._dates), self._take(self._times)
        day = days[0].value if days else None
        hour = hours[0].value if hours else None
        if not isinstance(hour, time):
            return [] if day is None else [day.isoformat()]
        if not isinstance(day, date):
            day = self._now.date() + timedelta(days=hour <= self._now.time())
        return [datetime.combine(day, hour).isoformat(timespec="minutes")]

    def _follows(self, span: Span, word: str) -> bool:
        return span.start > 0 and self._words[span.start - 1].low == word

    def _duration(self, parameter: Parameter) -> list[Any]:
        if not self._spans:
            return []
        span = self._spans.pop(0)
        self._phrases.take(*_places([span]))
        if "format: duration" in parameter.about.lower():
            return [_iso_duration(span.seconds)]
        return [" ".join(word.text for word in self._words[span.start : span.end])]

    def _cued(self, parameters: Sequence[Parameter], filled: Filled) -> None:
        """Numbers that stand beside a word of their parameter come first: "a party of four", "two nights"."""
        for parameter in parameters:
            if parameter.kind not in ("whole", "number") or parameter.unit is not None:
                continue
            cues = {stem(word) for word in parameter.words}
            meanings = {concept for word in parameter.words for concept in concepts(word)}
            for numeral in self._numbers:
                beside = [*self._words[max(0, numeral.start - 2) : numeral.start]]
                beside += self._words[numeral.end : numeral.end + 2]
                if any(
                    stem(word.low) in cues or meanings.intersection(concepts(word.low)) for word in beside
                ):
                    filled[parameter.name] = [_as(parameter, numeral.value)]
                    self._use(numeral)
                    break

    def _number(self, parameter: Parameter) -> list[Any]:
        if parameter.unit is not None and self._spans:
            span = self._spans.pop(0)
            self._phrases.take(*_places([span]))
            return [_as(parameter, span.seconds / parameter.unit)]
        if parameter.unit is not None and not self._answering:
            return []
        usable = [each for each in self._numbers if _fits(parameter, each.value)]
        usable = usable or ([] if self._times and not parameter.required else self._loose_ones(parameter))
        if not usable:
            return []
        self._use(usable[0])
        return [_as(parameter, usable[0].value)]

    def _loose_ones(self, parameter: Parameter) -> list[Numeral]:
        """What might be a time as well ("set it to five"), where nothing else is left."""
        return [each for each in self._loose if self._times and _fits(parameter, each.value)]

    def _use(self, numeral: Numeral) -> None:
        self._numbers = [each for each in self._numbers if each != numeral]
        self._loose = [each for each in self._loose if each != numeral]
        self._times = [each for each in self._times if not each.start <= numeral.start < each.end]
        self._phrases.take(*range(numeral.start, numeral.end))

    def _codes(self, parameter: Parameter, *, cued: bool) -> list[Any]:
        run = self._phrases.code(parameter, cued=cued)
        for numeral in [each for each in (*self._numbers, *self._loose) if each.start in run]:
            self._use(numeral)
        before = range(max(0, run.start - 1), run.start)
        named = [at for at in before if stem(self._words[at].low) in {stem(each) for each in parameter.words}]
        self._phrases.take(*run, *named)
        return [self._phrases.spelt(run)] if run else []

    def _choices(self, parameter: Parameter) -> list[Any]:
        found: list[tuple[int, str]] = []
        covered: set[int] = set()
        for choice in sorted(parameter.schema.enum or (), key=len, reverse=True):
            at = self._stands(words_of(choice)) if words_of(choice) else None
            if at is None and choice.isdigit():
                at = next((each.start for each in self._numbers if each.value == int(choice)), None)
            here = range(at, at + max(1, len(words_of(choice)))) if at is not None else range(0)
            if at is not None and not covered.intersection(here):
                found.append((at, choice))
                covered.update(here)
        self._phrases.take(*covered)
        if not found and self._answering:
            return self._nearest_choice(parameter)
        return [choice for _, choice in sorted(found)]

    def _nearest_choice(self, parameter: Parameter) -> list[Any]:
        """In an answer, the one choice that shares a meaning with what was said, or a first part."""
        said = {concept for word in self._words for concept in concepts(word.low)}
        heads = {word.low for word in self._words if len(word.low) > 2}
        near = [
            choice
            for choice in parameter.schema.enum or ()
            if said & {concept for word in words_of(choice) for concept in concepts(word)}
            or any(word.startswith(head) for word in words_of(choice) for head in heads)
        ]
        return near if len(near) == 1 else []

    def _stands(self, sought: list[str]) -> int | None:
        for at in range(len(self._words) - len(sought) + 1):
            here = self._words[at : at + len(sought)]
            if all(alike(stem(word.low), stem(part)) for word, part in zip(here, sought, strict=True)):
                return at
        whole = "".join(sought)  # "bed room" is a bedroom
        for at, (one, other) in enumerate(pairwise(self._words)):
            if len(whole) > 5 and alike(one.low + other.low, whole):
                return at
        return None

    def _flag(self, parameter: Parameter) -> list[Any]:
        if self._answering:
            said = {word.low for word in self._words}
            if said & (_YES | _NO):
                return [not said & _NO]
        cues = {stem(word) for word in parameter.words if len(word) > 3}
        for at, word in enumerate(self._words):
            if stem(word.low) in cues:
                before = {each.low for each in self._words[max(0, at - 3) : at]}
                self._phrases.take(at)
                return [not before & _NO]
        return []

    def _many(self, parameter: Parameter) -> list[Any]:
        items = parameter.schema.items
        if items is None:
            return []
        (each,) = parameters_of(_wrapped(parameter.name, items, parameter.about))
        if each.kind in ("whole", "number"):
            found = [_as(each, numeral.value) for numeral in self._numbers]
            for numeral in list(self._numbers):
                self._use(numeral)
            return [found] if found else []
        if each.kind == "text":
            listed = self._phrases.listed(each)
            return [listed] if listed else []
        values = self.fill([each]).get(each.name)
        return [values] if values else []

    def _object(self, parameter: Parameter) -> list[Any]:
        inner = parameters_of(parameter.schema)
        values = {name: each[0] for name, each in self.fill(inner).items()}
        complete = all(each.name in values for each in inner if each.required)
        return [values] if values and complete else []


def _places(found: Sequence[Moment | Span]) -> set[int]:
    return {at for each in found for at in range(each.start, each.end)}


def _wrapped(name: str, items: Any, about: str) -> Any:
    described = items.model_copy(update={"description": items.description or about})
    return type(items)(properties={name: described}, required=[name])


def _clock(moment: Moment) -> str:
    assert isinstance(moment.value, time)
    return moment.value.isoformat(timespec="minutes")


def _as(parameter: Parameter, value: float) -> int | float:
    whole = parameter.kind == "whole" or value == int(value)
    return round(value) if whole else value


def _fits(parameter: Parameter, value: float) -> bool:
    low, high = parameter.schema.minimum, parameter.schema.maximum
    whole = parameter.kind != "whole" or value == int(value)
    return whole and (low is None or value >= low) and (high is None or value <= high)


def _iso_duration(seconds: float) -> str:
    whole = round(seconds)
    hours, minutes, rest = whole // 3_600, whole // 60 % 60, whole % 60
    said = "".join(f"{n}{unit}" for n, unit in ((hours, "H"), (minutes, "M"), (rest, "S")) if n)
    return f"PT{said or '0S'}"
