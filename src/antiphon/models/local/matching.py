"""Which of an agent's abilities a sentence asks for, and how sure that is. Pure.

Rule 1  Words of a tool's name speak for it most, then its choices, its description, and its parameters. Words
        that mean the same count a little less, and so do words that are only nearly written the same.
Rule 2  Of several tools, words that few of them have decide.
Rule 3  A tool that does something else is not meant: what only sets a timer does not cancel one.
Rule 4  Words that say nothing of the tool speak against it. Below `ENOUGH` nothing was understood.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from antiphon.models.local.abilities import first_sentence
from antiphon.models.local.english import ACTIONS, GROUPS, STOP_WORDS, WEAK_WORDS
from antiphon.models.local.tokens import alike, stem, words_of
from antiphon.models.local.vocabulary import without_examples

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from antiphon.models.local.abilities import Ability
    from antiphon.models.local.tokens import Token

__all__ = ["COMMON", "ENOUGH", "Match", "concepts", "match"]

ENOUGH: Final = 1.5
"""Of what speaks for a tool, what it takes to call it."""
_NAME, _CHOICE, _ABOUT, _DETAIL = 3.0, 2.0, 1.4, 0.6
_SAME_MEANING, _MISHEARD = 0.7, 0.8
_WEAK: Final = 0.3
_UNKNOWN, _UNKNOWN_AT_MOST, _SAID_FREELY = 0.5, 1.0, 0.3
"""Against a tool for each word that has nothing to do with it, and at most; less where it takes free text."""
_OTHER_ACTION: Final = 4.0
_ANOTHER_QUESTION: Final = 1.0
_ANSWER_WANTED: Final = 3.0
_ONLY_LOOKS: Final = frozenset({"status", "info", "details", "history", "forecast"})
_WISHES: Final = frozenset("about do can could would should happens if".split())
_QUESTIONS: Final = frozenset("what what's when when's where where's who how is are which was did".split())
_LATER: Final = 0.08
"""By how much less each further word counts: what is asked for is said first."""

_CONCEPTS: Final[dict[str, tuple[str, ...]]] = {}
for _number, _group in enumerate(GROUPS):
    for _word in _group:
        _CONCEPTS[stem(_word)] = (*_CONCEPTS.get(stem(_word), ()), f"#{_number}")
_ACTION_OF: Final[dict[str, frozenset[str]]] = {
    stem(word): frozenset(kind for kind, words in ACTIONS.items() if word in words)
    for words in ACTIONS.values()
    for word in words
}
COMMON: Final = frozenset(
    {*STOP_WORDS, *WEAK_WORDS, *(word for group in GROUPS for word in group)}
    | {word for words in ACTIONS.values() for word in words}
)
"""Words that are no names."""


@dataclass(frozen=True, slots=True)
class Match:
    """One ability, and what of a sentence speaks for it."""

    ability: Ability
    evidence: float
    """What is held against `ENOUGH`."""
    rank: float
    """What is held against other abilities."""
    hits: frozenset[int] = field(default_factory=frozenset)
    """Which words."""


def concepts(word: str) -> tuple[str, ...]:
    """The groups a word stands in, by their marks."""
    return _CONCEPTS.get(stem(word), ())


def match(
    words: Sequence[Token],
    able: Sequence[Ability],
    spent: Collection[int] = (),
    named: Collection[int] = (),
) -> list[Match]:
    """All abilities, the likeliest first.

    `spent` words are values, such as dates: they say nothing here. `named` ones may be names: they speak
    against nothing.
    """
    terms = [_terms(each) for each in able]
    rarity = _rarity(terms)
    found = []
    for ability, known in zip(able, terms, strict=True):
        most = _SAID_FREELY if _takes_words(ability) else _UNKNOWN_AT_MOST
        evidence, rank, hits = _weigh(words, known, rarity, spent, named, most)
        against = _against(words, ability)
        found.append(Match(ability, evidence - against, rank - against, hits))
    order = sorted(range(len(found)), key=lambda at: (-found[at].rank, bool(able[at].target), at))
    return [found[at] for at in order]


def _terms(ability: Ability) -> dict[str, float]:
    """Stems and concepts that speak for it, and how much. Examples are values: they speak for themselves."""
    terms: dict[str, float] = {}

    def add(said: Iterable[str], weight: float) -> None:
        for word in said:
            if word in STOP_WORDS or (word.isdigit() and weight < _CHOICE):
                continue
            terms[stem(word)] = max(terms.get(stem(word), 0), weight)
            if word in WEAK_WORDS or weight < _ABOUT:
                continue
            for concept in concepts(word):
                terms[concept] = max(terms.get(concept, 0), weight * _SAME_MEANING)

    add(ability.words, _NAME)
    about = ability.about if ability.target else first_sentence(ability.about)
    add(words_of(about), _CHOICE if ability.target else _ABOUT)
    add(words_of(without_examples(ability.about)), _DETAIL)
    for parameter in ability.parameters:
        add(parameter.words, _DETAIL)
        add(words_of(without_examples(parameter.about)), _DETAIL)
        for choice in parameter.schema.enum or ():
            add(words_of(choice), _CHOICE)
    return terms


def _rarity(terms: Sequence[dict[str, float]]) -> dict[str, float]:
    counts: dict[str, int] = {}
    for known in terms:
        for term in known:
            counts[term] = counts.get(term, 0) + 1
    return {term: 1 + math.log(len(terms) / count) for term, count in counts.items()}


def _weigh(
    words: Sequence[Token],
    known: dict[str, float],
    rarity: dict[str, float],
    spent: Collection[int],
    named: Collection[int],
    against_at_most: float,
) -> tuple[float, float, frozenset[int]]:
    evidence = rank = unknown = 0.0
    only_weak = all(
        word.low in STOP_WORDS or word.low in WEAK_WORDS
        for at, word in enumerate(words)
        if at not in spent and at not in named
    )  # "what time is it" has nothing else to go by
    strong, place = False, 0
    hits: set[int] = set()
    counted: set[str] = set()
    for at, word in enumerate(words):
        if at in spent or word.low in STOP_WORDS or word.low.isdigit():
            continue
        term, weight = _best(word.low, known)
        weak = word.low in WEAK_WORDS and not only_weak
        if term is not None:
            hits.add(at)
        if term is not None and term not in counted:
            counted.add(term)
            worth = weight / (1 + _LATER * place)
            strong = strong or not weak
            evidence += worth * (_WEAK if weak else 1)
            rank += worth * rarity[term] * (_WEAK if weak else 1)
        elif term is None and not weak and at not in named and stem(word.low) not in _ACTION_OF:
            unknown += _UNKNOWN
        place += not weak
    against = min(unknown, against_at_most)
    return (evidence - against if strong else 0.0), rank, frozenset(hits)


def _best(word: str, known: dict[str, float]) -> tuple[str | None, float]:
    own = stem(word)
    found = [(known[term], term) for term in (own, *concepts(word)) if term in known]
    if found:
        weight, term = max(found)
        return term, weight
    if word in COMMON:
        return None, 0.0
    near = [(known[term], term) for term in known if not term.startswith("#") and alike(own, term)]
    near += [(known[each], each) for each in _meant(own) if each in known]
    if not near:
        return None, 0.0
    weight, term = max(near)
    return term, weight * _MISHEARD


@lru_cache(maxsize=4_096)
def _meant(own: str) -> tuple[str, ...]:
    """The groups of what a stem may be, misheard; the same for every tool."""
    return tuple(each for name in _CONCEPTS if alike(own, name) for each in _CONCEPTS[name])


def _against(words: Sequence[Token], ability: Ability) -> float:
    """Rule 3: what the sentence wants done, and what the ability does, as far as both can be told."""
    does = frozenset() if ability.target is not None else _does(ability)
    if not does:
        return 0.0
    wanted = next((kinds for word in words if (kinds := _wanted(word))), frozenset())
    if _asks(words) and "show" not in does:
        return _ANSWER_WANTED if wanted & does else _OTHER_ACTION
    if wanted & does:
        return 0.0
    if "cancel" in does or "cancel" in wanted or "change" in wanted:
        return _OTHER_ACTION
    if "show" in does:
        return _ANOTHER_QUESTION if wanted else 0.0
    return 0.0


def _asks(words: Sequence[Token]) -> bool:
    """Whether the sentence wants to know something; "what about" and "how do I" want something done."""
    said = [word.low for word in words[:2]]
    return bool(said) and said[0] in _QUESTIONS and not _WISHES.intersection(said[1:])


def _wanted(word: Token) -> frozenset[str]:
    """Questions ("what", "how") are none of the actions that exclude others: many ask for things that way."""
    kinds = _ACTION_OF.get(stem(word.low), frozenset())
    return frozenset() if kinds == {"show"} else kinds


def _takes_words(ability: Ability) -> bool:
    return any(each.required and each.kind in ("text", "many") for each in ability.parameters)


def _does(ability: Ability) -> frozenset[str]:
    """By the verb its description begins with, else by its name."""
    if _ONLY_LOOKS.intersection(ability.words):
        return frozenset({"show"})
    for word in (*words_of(first_sentence(ability.about))[:1], *ability.words):
        if kinds := _ACTION_OF.get(stem(word)):
            return kinds
    return frozenset()
