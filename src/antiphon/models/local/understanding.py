"""From a conversation to what is to be said or called next. Pure.

Nothing is remembered between two questions. What was asked last is found by asking again what came before it:
the same conversation always gives the same reply, and so the brain's own question is known by its words.

Rule 1  The answer to a question is held against what is missing; another clear request takes its place.
Rule 2  Several requests in a sentence are called together, and so is one request for several things.
Rule 3  An agent to hand over to is chosen by its name, or when what it is for fits better than any tool.
Rule 4  What is not understood is said to be, with what there is instead. Nothing is guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from antiphon.models.local.dates import Moment, Span, dates, durations, times
from antiphon.models.local.exchange import Exchange, Result, exchange
from antiphon.models.local.filling import Filled, fill
from antiphon.models.local.matching import COMMON, ENOUGH, Match, match
from antiphon.models.local.numerals import Numeral, numbers
from antiphon.models.local.phrasing import answered, can_do, question, sentence, task_of
from antiphon.models.local.small_talk import counting, echo, remark
from antiphon.models.local.tokens import Token, alike, stem, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from antiphon.models.local.abilities import Ability, Parameter
    from antiphon.models.local.small_talk import Remark
    from antiphon.types import Content

__all__ = ["Reply", "understand"]

_QUESTIONS_IN_A_ROW: Final = 6
_SPLIT: Final = re.compile(r"[.;?!]\s+|,?\s+(?:and then|and also|and|then|also|plus)\s+", re.IGNORECASE)
_TRANSFER: Final = re.compile(
    r"\b(?:talk(?:ing)? (?:to|with)|speak(?:ing)? (?:to|with)|transfer(?: me)?(?: over)? to|"
    r"put (?:me )?through(?: to)?|connect(?: me)? (?:to|with)|hand(?: me)? over to|pass me(?: on)? to|"
    r"switch(?: me)?(?: over)? to|get me|forward me to)\b\s*(.*)",
    re.IGNORECASE,
)
_WONDERS: Final = re.compile(
    r"(what (happens|would happen|will happen)|what if|how (do|can|would|could|should) i|should i|why)\b",
    re.IGNORECASE,
)
_REFUSES: Final = re.compile(r"(please )?(don't|do not|never)\b(?! (let me )?forget)", re.IGNORECASE)
_ANYBODY: Final = frozenset("someone somebody anyone anybody about regarding human person".split())
_DONE: Final = "task_completed"
_STOPS: Final = "stop_streaming"
_OFFER: Final = "What can I do for you?"
_SAYS: Final[dict[Remark, str]] = {
    "greeting": f"Hello! {_OFFER}",
    "farewell": "Goodbye!",
    "thanks": "You are welcome.",
    "yes": f"All right. {_OFFER}",
    "no": "All right.",
    "stop": "All right.",
    "how_are_you": f"I am fine, thank you. {_OFFER}",
    "done": "All right.",
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say, and what to call.

    `missing` are the parameters of `ability` that `text` asks for, with `filled` known already; with none
    missing it asks whether to call it at all.
    """

    text: str = ""
    calls: tuple[tuple[str, dict[str, Any]], ...] = ()
    ability: Ability | None = None
    filled: Filled = field(default_factory=dict)
    missing: tuple[Parameter, ...] = ()


def understand(
    contents: Sequence[Content], able: Sequence[Ability], now: datetime, role: str = "", depth: int = 0
) -> Reply:
    """The reply to a conversation of an agent that is `able` to do so much. `role` is what it is called."""
    heard = exchange(contents)
    told = _told(heard.results)
    if not heard.text:
        return Reply(told or can_do(able))
    reply = _Listener(_with_stops(able), now, role).reply(heard, depth)
    return replace(reply, text=f"{told} {reply.text}".strip()) if told else reply


def _told(results: Sequence[Result]) -> str:
    """What came of the calls. Several of the same tool are told apart by what they were called with."""
    lines = []
    for result in results:
        same = [each for each in results if each.name == result.name]
        about = ""
        if len(same) > 1:
            own = [
                str(value)
                for key, value in result.args.items()
                if any(each.args.get(key) != value for each in same)
            ]
            about = own[0] if own else ""
        lines.append(answered(result.name, result.args, result.response, about))
    return " ".join(dict.fromkeys(lines))


def _with_stops(able: Sequence[Ability]) -> list[Ability]:
    """The tool that stops others is told which there are."""
    others = [each.name for each in able if each.target is None and each.name not in (_STOPS, _DONE)]

    def closed(ability: Ability) -> Ability:
        if ability.name != _STOPS or not others:
            return ability
        known = tuple(
            replace(each, kind="choice", schema=each.schema.model_copy(update={"enum": others}))
            for each in ability.parameters
        )
        return replace(ability, parameters=known)

    return [closed(each) for each in able]


class _Listener:
    """An agent's ear for one sentence."""

    def __init__(self, able: Sequence[Ability], now: datetime, role: str) -> None:
        self._able = able
        self._tools = [each for each in able if each.target is None and each.name != _DONE]
        self._targets = [each for each in able if each.target is not None]
        self._now = now
        self._role = role

    def reply(self, heard: Exchange, depth: int) -> Reply:
        words = tokens(heard.text)
        asked = self._asked(heard, depth)
        kind = remark(words)
        if asked is not None and (answer := self._answer(heard.text, words, asked, kind)) is not None:
            return answer
        if kind is not None:
            return self._remark(kind, heard)
        if (said := echo(heard.text)) is not None:
            return Reply(sentence(said))
        if (row := counting(words)) is not None:
            return Reply(row)
        if _REFUSES.match(heard.text.strip()):
            return Reply("All right, I will not.")
        return self._request(heard.text, words)

    # Answers to questions.

    def _asked(self, heard: Exchange, depth: int) -> Reply | None:
        """The question that the model asked last, if it did."""
        if not heard.said or heard.said[-1] in ".!" or depth >= _QUESTIONS_IN_A_ROW:
            return None
        was = understand(heard.before, self._able, self._now, self._role, depth + 1)
        if was.ability is None or not (was.text.startswith(heard.said) or heard.said.endswith(was.text)):
            return None
        return was

    def _answer(self, text: str, words: Sequence[Token], asked: Reply, kind: Remark | None) -> Reply | None:
        assert asked.ability is not None
        yes_or_no = not asked.missing or any(each.kind == "flag" for each in asked.missing)
        if kind == "repeat":
            return asked
        if kind in ("stop", "done") or (kind == "no" and not (asked.missing and yes_or_no)):
            return Reply("All right.")
        if not asked.missing:
            return self._call(asked.ability, asked.filled) if kind == "yes" else None
        if kind is not None and not (yes_or_no and kind in ("yes", "no")):
            return None
        best = self._best(words)
        same = best is not None and best.ability.name == asked.ability.name
        hits = best.hits if same and best is not None else frozenset()
        found = fill(text, words, asked.missing, hits, self._now) if same else {}
        if not found:
            if best is not None and not same and best.evidence >= ENOUGH:
                return None  # another request (rule 1)
            found = fill(text, words, asked.missing, (), self._now, answering=True)
        if not found:
            again = f"Sorry, I did not understand that. {question(asked.missing)}"
            return replace(asked, text=again)
        return self._call(asked.ability, {**asked.filled, **found})

    def _remark(self, kind: Remark, heard: Exchange) -> Reply:
        if kind == "done" and any(each.name == _DONE for each in self._able):
            if not heard.said:  # it was said to the agent before, whose place this one has just taken
                return Reply(f"How can I help you? {can_do(self._able)}")
            return Reply(calls=((_DONE, {}),))
        if kind == "repeat":
            return Reply(heard.said or "I have not said anything yet.")
        if kind == "abilities":
            return Reply(can_do(self._able))
        if kind == "who":
            name = f"I am {self._role}. " if self._role else ""
            return Reply(f"{name}{can_do(self._able)}")
        return Reply(_SAYS[kind])

    # Requests.

    def _request(self, text: str, words: Sequence[Token]) -> Reply:
        if (handed := self._handed(text)) is not None:
            return handed
        replies = [self._one(clause) for clause in _clauses(text)]
        if len(replies) > 1 and all(each is not None for each in replies):
            known = [each for each in replies if each is not None]
            if all(each.calls for each in known):
                return Reply(calls=tuple(call for each in known for call in each.calls))
        one = self._one(text)
        if one is not None:
            return one
        return Reply(f"I did not understand that. {can_do(self._able)}")

    def _handed(self, text: str) -> Reply | None:
        """Whoever is asked for by name (rule 3).

        A name that is no target's may be this agent's own, who has just been handed over to.
        """
        if not self._targets or (asked := _TRANSFER.search(text)) is None:
            return None
        whom = tokens(asked[1])
        said = {stem(word.low) for word in whom}
        for target in self._targets:
            if any(alike(stem(word), each) for word in target.words for each in said):
                return self._call(target, {})
        if _ANYBODY.intersection(word.low for word in whom):
            return None  # whoever it is for is found by what it is about
        return Reply(f"How can I help you? {can_do(self._able)}")

    def _one(self, text: str) -> Reply | None:
        words = tokens(text)
        best = self._best(words)
        if best is None or best.evidence < ENOUGH:
            return None
        if best.ability.target is not None:
            return self._call(best.ability, {})
        filled = fill(text, words, best.ability.parameters, best.hits, self._now)
        if _WONDERS.match(text.strip()) and best.ability.words[0] not in (
            "get",
            "find",
            "check",
            "list",
            "show",
        ):
            return Reply(f"Shall I {task_of(best.ability)}?", ability=best.ability, filled=filled)
        return self._call(best.ability, filled)

    def _best(self, words: Sequence[Token]) -> Match | None:
        values: list[Moment | Span | Numeral] = [*dates(words, self._now.date()), *times(words)]
        values += [*durations(words), *numbers(words)]
        spent = {at for each in values for at in range(each.start, each.end)}
        able = [*self._tools, *self._targets]
        found = match(words, able, spent, _named(words))
        return found[0] if found else None

    def _call(self, ability: Ability, filled: Filled) -> Reply:
        """The call, or several for several things; or the question for what is missing."""
        if ability.target is not None:
            return Reply(calls=((ability.name, {"agent_name": ability.target}),))
        missing = tuple(each for each in ability.parameters if each.required and each.name not in filled)
        if missing:
            return Reply(question(missing), ability=ability, filled=filled, missing=missing)
        many = max((len(values) for values in filled.values()), default=1)
        calls = []
        for at in range(many):
            args = {name: values[at if len(values) == many else 0] for name, values in filled.items()}
            calls.append((ability.name, args))
        return Reply(calls=tuple(calls))


def _clauses(text: str) -> list[str]:
    return [clause for clause in _SPLIT.split(text) if clause.strip()]


def _named(words: Sequence[Token]) -> set[int]:
    """Words that may be names, as they follow a preposition or are written with a capital."""
    found: set[int] = set()
    for at, word in enumerate(words):
        follows = at > 0 and (words[at - 1].low in _BEFORE_NAMES or at - 1 in found)
        capital = at > 0 and word.text[0].isupper()
        if word.low not in COMMON and (follows or capital):
            found.add(at)
    return found


_BEFORE_NAMES: Final = frozenset("in at for near to from under with called named new of san los the".split())
