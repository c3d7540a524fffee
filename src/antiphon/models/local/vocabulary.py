"""What is likely to be said to an agent, told from its instruction and its tools.

Rule 1. Everyday phrases are always among it.
Rule 2. A function gives questions and requests: `get_weather(city)` "what's the weather in {place}",
        `set_timer(minutes)` "can you set a timer for {number} minutes". Its name says the deed and the
        thing; the type, name and description of a parameter say what may stand there.
Rule 3. Enumerated values and examples ("e.g. Paris", "such as …", whatever is in quotes) may be said.
Rule 4. Other agents are asked for by name, and by what their descriptions are about.
Rule 5. What else was told gives single words, as far as they are no everyday words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from antiphon.core.handover import TRANSFER
from antiphon.models.local.everyday import PHRASES, SLOTS, WORDS
from antiphon.models.local.recognizer import Vocabulary
from antiphon.models.local.spelling import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from antiphon.types import FunctionDeclaration, Tool

__all__ = ["MOST_PHRASES", "MOST_WORDS", "vocabulary_of", "without_examples"]

MOST_PHRASES: Final = 3_000
"""Phrases of the agent's own; those told later are left out."""
MOST_WORDS: Final = 1_000
"""Words of the agent's own, of phrases apart; those told later are left out."""

_ASKING: Final = frozenset(
    "get fetch find look lookup search show tell check list read query current describe what give".split()
)
_DOING: Final = frozenset(
    """
    set start stop book order buy add remove delete cancel create make send call play pause open close turn
    write save store remember schedule reserve roll change update move rename pay transfer translate convert
    calculate compute count run submit report note record switch lock unlock enable disable increase decrease
    """.split()
)
_QUESTIONS: Final = (
    "what is the {}",
    "what's the {}",
    "what are the {}",
    "how is the {}",
    "how's the {}",
    "when is the next {}",
    "is there a {}",
    "are there any {}",
    "{{ask}} tell me the {}",
    "{{ask}} tell me about the {}",
    "{{ask}} give me the {}",
    "{{ask}} show me the {}",
    "{{ask}} get me the {}",
    "{{ask}} get the {}",
    "{{ask}} find a {}",
    "{{ask}} find me a {}",
    "{{ask}} check the {}",
    "{{ask}} look for a {}",
    "{{ask}} look up the {}",
    "{{want}} know the {}",
    "i need a {}",
    "i'd like a {}",
    "i'm looking for a {}",
    "do you have a {}",
    "do you know the {}",
    "the {}",
    "a {}",
    "{}",
)
_REQUESTS: Final = tuple(
    f"{{{{{manner}}}}} {deed}"
    for manner in ("ask", "want")
    for deed in ("{} {}", "{} a {}", "{} the {}", "{} my {}")
)
_HAND_OVERS: Final = tuple(
    """
    {ask} transfer me to {agent}
    {ask} connect me to {agent}
    {ask} connect me with {agent}
    {ask} put me through to {agent}
    {ask} hand me over to {agent}
    {want} talk to {agent}
    {want} speak to {agent}
    {want} speak with {agent}
    {agent} please
    {agent}
    i have a question about {topic}
    i have a question about my {topic}
    i have a problem with my {topic}
    it's about my {topic}
    it's about {topic}
    i want a {topic}
    i need a {topic}
    my {topic}
    about {topic}
    where is my {topic}
    """.strip().splitlines()
)
_AGENT_FORMS: Final = ("{}", "the {}", "the {} agent", "the agent for {}", "{} department", "somebody in {}")

_PLACES: Final = frozenset(
    "city cities town place location country where destination address zone region".split()
)
_TIMES: Final = frozenset("time clock hour when at".split())
_DAYS: Final = frozenset("day date when".split())
_PEOPLE: Final = frozenset("person name user contact guest customer recipient attendee who".split())
_UNITS: Final = frozenset("seconds minutes hours duration second minute hour".split())
_PREPOSITIONS: Final = frozenset("to from at in on for with by of about".split())

_EXAMPLES: Final = re.compile(
    r"(?:\be\.g\.|\bfor example|\bfor instance|\bsuch as|\bone of|\blike(?= [A-Z\"'“]))[:,]?\s+([^.;)\n]+)",
    re.IGNORECASE,
)
_QUOTED: Final = re.compile(r"[\"“]([^\"”\n]{2,80})[\"”]|(?<!\w)['\u2018`]([^'’`\n]{2,80})['’`](?!\w)")
_LISTED_AGENT: Final = re.compile(r"^- (\w+): (.*)$", re.MULTILINE)
_EVERYDAY: Final = frozenset(WORDS) | {"e", "g", "i", "s", "t"}


class _Gathering:
    """What was found so far, in order, each once."""

    def __init__(self) -> None:
        self.phrases: dict[str, None] = {}
        self.words: dict[str, None] = {}
        self.slots: dict[str, dict[str, None]] = {}

    def say(self, phrase: str) -> None:
        if len(self.phrases) < MOST_PHRASES and (words := said(phrase)):
            self.phrases[words] = None

    def mention(self, text: str) -> None:
        for word in said(text).split():
            if len(self.words) < MOST_WORDS and len(word) > 1 and word not in _EVERYDAY:
                self.words[word] = None

    def allow(self, slot: str, values: Iterable[str]) -> None:
        for value in values:
            if words := said(value):
                self.slots.setdefault(slot, {})[words] = None


def vocabulary_of(instruction: str = "", tools: Sequence[Tool] = ()) -> Vocabulary:
    """What is likely to be said to an agent that was told this; always the same for the same.

    Takes milliseconds, and any text. At most `MOST_PHRASES` and `MOST_WORDS` come from what was told.
    """
    found = _Gathering()
    for phrase in _examples(instruction):
        found.say(phrase)
    for tool in tools:
        for declaration in tool.function_declarations or ():
            if declaration.name == TRANSFER:
                _hand_overs(declaration, found)
            else:
                _function(declaration, found)
    found.mention(instruction)
    own = {name: tuple(values) for name, values in found.slots.items()}
    return Vocabulary(
        phrases=(*found.phrases, *(phrase for phrase in PHRASES if phrase not in found.phrases)),
        words=(*found.words, *WORDS),
        slots=tuple((own | SLOTS).items()),
    )


def _function(declaration: FunctionDeclaration, found: _Gathering) -> None:
    name = said(declaration.name or "").split()
    if not name:
        return
    deed, thing = (name[0], name[1:]) if name[0] in _ASKING | _DOING else ("", name)
    things = dict.fromkeys(filter(None, (" ".join(thing), thing[-1] if thing else "")))
    tails = ["", *_tails(declaration, found)]
    counted = any(kind in ("integer", "number") for _, kind, _, _ in _parameters(declaration))
    for tail in tails:
        for what in things:
            if deed not in _DOING:
                for question in _QUESTIONS:
                    found.say(f"{question.format(what)} {tail}")
            for request in _REQUESTS if deed else ():
                found.say(f"{request.format(deed, what)} {tail}")
            if deed not in _ASKING:
                found.say(f"{{want}} have a {what} {tail}")
                found.say(f"{what} {tail}")
            if counted:
                found.say(f"{{ask}} {deed} {{number}} {what}")
        if deed and not thing:
            for manner in ("ask", "want"):
                for object_ in ("", "that", "it", "this"):
                    found.say(f"{{{manner}}} {deed} {object_} {tail}")
        if not deed:
            for verb in ("set", "start", "use", "make"):
                found.say(f"{{ask}} {verb} a {' '.join(thing)} {tail}")
    for example in _examples(declaration.description or ""):
        found.say(example)
        found.mention(example)
    found.mention(declaration.description or "")


def _tails(declaration: FunctionDeclaration, found: _Gathering) -> Iterator[str]:
    """What a parameter adds to a request: "in {place}", "for {number} minutes"."""
    for parameter, kind, description, values in _parameters(declaration):
        words = said(parameter)
        about = {*words.split(), *said(description).split()[:12]}
        examples = [*values, *_examples(description)]
        own = f"{said(declaration.name or '').replace(' ', '_')}_{words.replace(' ', '_')}"
        before = words if words in _PREPOSITIONS else ""
        if kind in ("integer", "number"):
            unit = "{unit}" if about & _UNITS else words
            yield from (
                "for {number} " + unit,
                "{number} " + unit,
                "of {number} " + unit,
                "in {number} " + unit,
            )
            yield from ("for {number}", "with {number} " + unit)
        elif values:
            found.allow(own, examples)
            yield from (
                f"{preposition} {{{own}}}" for preposition in ("", "in", "for", "to", "with", "the", before)
            )
        elif kind != "boolean":
            if examples:
                found.allow(own, (value for example in examples for value in (example, _last_part(example))))
                yield from (
                    f"{preposition} {{{own}}}" for preposition in ("", "in", "for", "to", "of", before)
                )
            if about & _PLACES:
                yield from (
                    f"{preposition} {{place}}" for preposition in ("in", "for", "to", "of", "from", before)
                )
                yield from ("in {place} {day}", "like in {place}", "like {day} in {place}")
            if about & _DAYS:
                yield from ("{day}", "for {day}", "on {month} {date}", "on the {date} of {month}")
            if about & _TIMES and not about & _PLACES:
                yield from ("at {clock}", "for {clock}", "{day} at {clock}", "at {clock} {day}")
            if about & _PEOPLE:
                yield from ("{name}", "for {name}", "to {name}", "with {name}", "my name is {name}")
        found.mention(words)
        found.mention(description)


def _after(prepositions: Iterable[str], slot: str) -> Iterator[str]:
    return (f"{preposition} {{{slot}}}" for preposition in prepositions)


def _parameters(declaration: FunctionDeclaration) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, type, description and enumerated values of each."""
    schema: Any = declaration.parameters_json_schema
    if declaration.parameters is not None:
        schema = declaration.parameters.model_dump(mode="json", exclude_none=True)
    properties = schema.get("properties") if isinstance(schema, dict) else None
    for name, given in properties.items() if isinstance(properties, dict) else ():
        told: dict[str, Any] = given if isinstance(given, dict) else {}
        options: list[Any] = [told]
        for key in ("anyOf", "any_of", "oneOf", "items"):
            more = told.get(key)
            options += more if isinstance(more, list) else [more]
        options = [option for option in options if isinstance(option, dict)]
        kinds = [str(option["type"]).lower() for option in options if "type" in option]
        kind = next((kind for kind in kinds if kind not in ("array", "null", "type_unspecified")), "string")
        values = [str(value) for option in options for value in option.get("enum") or () if value is not None]
        yield str(name), kind, str(told.get("description") or ""), values


def _hand_overs(declaration: FunctionDeclaration, found: _Gathering) -> None:
    described = _LISTED_AGENT.findall(declaration.description or "")
    names = [name for *_, values in _parameters(declaration) for name in values]
    for name in dict.fromkeys((*names, *(name for name, _ in described))):
        words = said(name)
        found.allow("agent", (form.format(words) for form in _AGENT_FORMS))
        found.allow("topic", [words])
        found.mention(words)
    for _, description in described:
        topics = [word for word in said(description).split() if word not in _EVERYDAY]
        found.allow("topic", (form for topic in topics for form in _numbers_of(topic)))
        found.mention(description)
    if "agent" in found.slots:
        for phrase in _HAND_OVERS:
            found.say(phrase.strip())


def without_examples(text: str) -> str:
    """What a description says, without the values it gives as examples."""
    return _EXAMPLES.sub(" ", text)


def _examples(text: str) -> Iterator[str]:
    for found in _EXAMPLES.finditer(text):
        yield from re.split(r",\s*(?:and\s|or\s)?|\s(?:and|or)\s", found[1].strip().strip("'\"“”\u2018’`"))
    for found in _QUOTED.finditer(text):
        yield found[1] or found[2]


def _last_part(path: str) -> str:
    """Of "Europe/Paris", the city."""
    return path.rpartition("/")[2]


def _numbers_of(noun: str) -> tuple[str, ...]:
    """A noun as it stands, and in the other number, roughly."""
    if noun.endswith("ies"):
        return noun, noun[:-3] + "y"
    if noun.endswith("s") and not noun.endswith("ss"):
        return noun, noun[:-1]
    return noun, noun + "s"
