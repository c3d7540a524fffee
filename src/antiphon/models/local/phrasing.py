"""What a tool answered, and what an agent can do, in plain sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from antiphon.models.local.abilities import first_sentence
from antiphon.models.local.english import ACTIONS, MONTHS
from antiphon.models.local.tokens import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.models.local.abilities import Ability, Parameter

__all__ = ["answered", "can_do", "joined", "question", "sentence", "task_of"]

_MOST: Final = 8
"""Fields of an answer, or items of a list, that are said; of more only how many there are."""
_DEPTH: Final = 3
_MEASURES: Final[dict[str, str]] = {
    "celsius": "degrees Celsius",
    "fahrenheit": "degrees Fahrenheit",
    "degrees": "degrees",
    "percent": "percent",
    "seconds": "seconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "km": "kilometres",
    "kilometers": "kilometres",
    "miles": "miles",
    "meters": "metres",
    "eur": "euros",
    "euros": "euros",
    "usd": "dollars",
    "dollars": "dollars",
}
_WHOLE: Final = ("result", "output", "message", "answer", "text")
_FINE: Final = frozenset({"ok", "success", "done", "completed", "complete", "true"})
_VERBS: Final = frozenset(
    {word for words in ACTIONS.values() for word in words}
    - {"what", "what's", "when", "where", "how", "is", "are", "which", "who", "new", "appointment", "note"}
    | set(
        "return tell say calculate compute convert translate count call ask transfer store save load handle "
        "answer help explain report roll draw pick choose lock unlock start stop activate enable disable "
        "mark log record remember compare estimate measure monitor watch file submit confirm issue refund do "
        "use "
        "query talk provide retrieve hand dim heat switch sum solve print publish reset repeat".split()
    )
)
_TELLING: Final = frozenset({"return", "get", "fetch", "retrieve"})
_TO_THE_USER: Final = (
    (re.compile(r"\bthe (?:user|customer|caller)'s\b"), "your"),
    (re.compile(r"\bthe (?:user|customer|caller)\b"), "you"),
)
_EXCEPTION: Final = re.compile(r"^[A-Z]\w*(?:Error|Exception)?: (?=\S)")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?")


def answered(name: str, args: Mapping[str, Any], response: Mapping[str, Any], about: str = "") -> str:
    """A tool's answer as a sentence; `about` is put first, to tell several answers apart."""
    error = response.get("error")
    if error is not None:
        return sentence(f"I could not {' '.join(words_of(name))}: {_reason(error)}")
    if response.get("status") == "pending":
        return "I have started that; I will tell you when there is a result."
    said = _spoken(response, args)
    if about and about.lower() not in said.lower():
        said = f"{about}: {said}"
    return sentence(said) if said else "Done."


def sentence(text: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    text = text.strip()
    if not text:
        return ""
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?…" else text + "."


def joined(items: Sequence[str], last: str = "and") -> str:
    """ "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def question(missing: Sequence[Parameter]) -> str:
    """One question for all of them."""
    asked = [_asked(each) for each in missing]
    return f"{joined(asked, 'and')}?"[0].upper() + f"{joined(asked, 'and')}?"[1:]


def task_of(ability: Ability) -> str:
    """What it does, to go on after "I can"."""
    if ability.target is not None:
        return f"put you through to {' '.join(words_of(ability.target))}"
    about = first_sentence(ability.about)
    for words, instead in _TO_THE_USER:
        about = words.sub(instead, about)
    if not about:
        return " ".join(words_of(ability.name))
    head, _, rest = about.partition(" ")
    verb = next((each for each in _infinitives(head.lower()) if each in _VERBS), None)
    if verb in _TELLING:
        return f"tell you {rest}"
    if verb is not None:
        return f"{verb} {rest}".strip()
    return f"tell you {head[0].lower() + head[1:] if not head.isupper() else head} {rest}".strip()


def can_do(able: Iterable[Ability]) -> str:
    """All that the agent can do, in a sentence."""
    tools = [each for each in able if each.target is None and each.name != "task_completed"]
    targets = [" ".join(words_of(each.target)) for each in able if each.target is not None]
    tasks = [task_of(each) for each in tools]
    if targets:
        tasks.append(f"put you through to {joined(targets, 'or')}")
    if not tasks:
        return "I can only say hello, repeat what I said, and count."
    more = [f"{len(tasks) - _MOST} more things"] if len(tasks) > _MOST else []
    return f"I can {joined(tasks[:_MOST] + more, 'and')}."


def _asked(parameter: Parameter) -> str:
    name = " ".join(parameter.words)
    if parameter.schema.enum and len(parameter.schema.enum) <= _MOST:
        choices = [" ".join(words_of(choice)) or choice for choice in parameter.schema.enum]
        return f"which {name}: {joined(choices, 'or')}"
    match parameter.kind:
        case "flag":
            return f"{name}, yes or no"
        case "whole" | "number" if name.endswith("s") or name in ("people", "party"):
            return f"how many {name}"
        case "place":
            return f"which {name}"
        case "moment" | "time" | "date" if name == "when":
            return "when"
        case _:
            return f"what {name}"


def _infinitives(word: str) -> list[str]:
    """`books` may be `book`, `fetches` `fetch`, `carries` `carry`."""
    forms = [word]
    if word.endswith("ies"):
        forms.append(word[:-3] + "y")
    if word.endswith("es"):
        forms.append(word[:-2])
    if word.endswith("s"):
        forms.append(word[:-1])
    return forms


def _reason(error: Any) -> str:
    told = error.get("message") or error.get("code") if isinstance(error, Mapping) else error
    said = _EXCEPTION.sub("", str(told or "it failed")).strip()
    return said[0].lower() + said[1:] if said[1:2].islower() else said


def _spoken(value: Any, args: Mapping[str, Any], depth: int = 0) -> str:
    match value:
        case Mapping():
            return _fields(value, args, depth)
        case str():
            return _ISO.sub(_date, value).strip()
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6g}" if abs(value) < 1e6 else f"{value:.2f}"
        case None:
            return ""
        case Sequence():
            return _list(value, args, depth)
        case _:
            return str(value)


def _fields(value: Mapping[str, Any], args: Mapping[str, Any], depth: int) -> str:
    fields = {key: each for key, each in value.items() if each is not None}
    for key in _WHOLE:
        if key in fields and (len(fields) == 1 or (key == "message" and isinstance(fields[key], str))):
            whole = fields[key]
            return _spoken(whole, args, depth) if whole != [] else "there is nothing"
    if len(fields) > 1 and str(fields.get("status", "")).lower() in _FINE:
        del fields["status"]
    if list(fields) == ["status"] and str(fields["status"]).lower() in _FINE:
        return "done"
    if depth >= _DEPTH:
        return f"{len(fields)} fields"
    given = {str(each).lower() for each in args.values()}
    head = [str(each) for key, each in fields.items() if isinstance(each, str) and each.lower() in given]
    rest = [_field(key, each, args, depth) for key, each in fields.items() if str(each) not in head]
    if len(rest) > _MOST:
        rest = [*rest[:_MOST], f"and {len(rest) - _MOST} more"]
    told = ", ".join(each for each in rest if each)
    return f"{head[0]}: {told}" if head and told else told or ", ".join(head)


def _field(key: str, value: Any, args: Mapping[str, Any], depth: int) -> str:
    words = words_of(key)
    name = " ".join(words)
    if isinstance(value, bool):
        return name if value else f"not {name}"
    number = isinstance(value, int | float)
    if number and words and (measure := _MEASURES.get(words[-1])):
        before = " ".join(words[:-1])
        one = measure.removesuffix("s") if value == 1 and measure not in ("degrees Celsius",) else measure
        return f"{before} {_spoken(value, args)} {one}".strip()
    said = _spoken(value, args, depth + 1)
    if not said:
        return f"no {name}" if isinstance(value, list | Mapping) else ""
    return f"{name} {said}" if number or isinstance(value, str) else f"{name}: {said}"


def _list(value: Sequence[Any], args: Mapping[str, Any], depth: int) -> str:
    if depth >= _DEPTH:
        return f"{len(value)} items"
    items = [said for each in value[:_MOST] if (said := _spoken(each, args, depth + 1))]
    if len(value) > _MOST:
        items.append(f"{len(value) - _MOST} more")
    if any(isinstance(each, Mapping) for each in value):
        return "; ".join(items)
    return joined(items)


def _date(found: re.Match[str]) -> str:
    """`2026-11-27T20:30` as it is said."""
    try:
        if len(found[0]) == 10:
            day = date.fromisoformat(found[0])
            return f"{day.day} {MONTHS[day.month - 1].capitalize()} {day.year}"
        moment = datetime.fromisoformat(found[0])
    except ValueError:
        return found[0]
    return f"{moment.day} {MONTHS[moment.month - 1].capitalize()} {moment.year} at {moment:%H:%M}"
