"""What an agent can do, as its declarations say it: tools with their parameters, and agents to hand over to.

What kind of value a parameter wants is read from its schema, its name and its description. Pure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from antiphon.core.handover import TRANSFER
from antiphon.models.local.tokens import words_of
from antiphon.types import Schema, Type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from antiphon.types import FunctionDeclaration, Tool

__all__ = ["Ability", "Kind", "Parameter", "abilities", "first_sentence", "parameters_of"]

Kind = Literal[
    "choice",
    "flag",
    "whole",
    "number",
    "date",
    "time",
    "moment",
    "duration",
    "mail",
    "code",
    "place",
    "person",
    "text",
    "many",
    "object",
]
_BY_TYPE: Final[dict[Type | None, Kind]] = {
    Type.BOOLEAN: "flag",
    Type.INTEGER: "whole",
    Type.NUMBER: "number",
    Type.ARRAY: "many",
    Type.OBJECT: "object",
}
_BY_NAME: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("mail", frozenset({"email", "mail"})),
    ("moment", frozenset({"datetime", "when", "timestamp", "deadline"})),
    ("date", frozenset({"date", "day", "birthday"})),
    ("time", frozenset({"time"})),
    ("duration", frozenset({"duration"})),
    ("code", frozenset({"id", "number", "code", "reference", "phone", "zip", "postcode", "sku"})),
    (
        "place",
        frozenset(
            "city place location where country town destination origin address region airport area street "
            "room station language currency from to source target".split()
        ),
    ),
    (
        "person",
        frozenset(
            "name person guest customer contact recipient who whom patient doctor author artist owner".split()
        ),
    ),
)
_BY_FORMAT: Final[tuple[tuple[str, Kind], ...]] = (
    (r"format: date-time|yyyy-mm-dd[t ]+hh|iso(?: |-)?8601 date(?: and |-|)time", "moment"),
    (r"format: date\b|yyyy-mm-dd|\biso date\b", "date"),
    (r"format: time\b|hh:mm", "time"),
    (r"format: duration", "duration"),
)
_UNITS: Final = {
    "second": 1,
    "minute": 60,
    "hour": 3_600,
    "day": 86_400,
    "week": 604_800,
    "sec": 1,
    "min": 60,
}
_TARGET: Final = re.compile(r"^- (\S+?): ?(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a tool wants."""

    name: str
    kind: Kind
    schema: Schema
    required: bool = False
    unit: int | None = None
    """Seconds that one of a number stands for, where it is a length of time."""

    @property
    def words(self) -> list[str]:
        return words_of(self.name)

    @property
    def about(self) -> str:
        return self.schema.description or ""


@dataclass(frozen=True, slots=True)
class Ability:
    """A tool, or an agent to hand over to (`target`)."""

    name: str
    about: str = ""
    parameters: tuple[Parameter, ...] = ()
    target: str | None = None

    @property
    def words(self) -> list[str]:
        return words_of(self.target or self.name)


def abilities(tools: Iterable[Tool] | None) -> list[Ability]:
    """All of them, hand-overs one by one. What models run by themselves, such as searches, is none."""
    found: list[Ability] = []
    for tool in tools or ():
        for declared in getattr(tool, "function_declarations", None) or ():
            if declared.name == TRANSFER:
                found += _targets(declared)
            else:
                parameters = tuple(parameters_of(_schema(declared)))
                found.append(Ability(declared.name or "", declared.description or "", parameters))
    return found


def parameters_of(schema: Schema | None) -> list[Parameter]:
    """The properties of an object."""
    if schema is None:
        return []
    required = schema.required or ()
    return [_parameter(name, each, name in required) for name, each in (schema.properties or {}).items()]


def first_sentence(text: str) -> str:
    """What a description begins with, without its full stop."""
    whole = " ".join(text.split("\n\n")[0].split())
    return re.split(r"(?<=[^.][^.][.!?])\s", whole, maxsplit=1)[0].rstrip(".!? ")


def _targets(declared: FunctionDeclaration) -> list[Ability]:
    schema = (_schema(declared) or Schema()).properties or {}
    names = next((each.enum for each in schema.values() if each.enum), None) or []
    about = dict(_TARGET.findall(declared.description or ""))
    listed = {name: about.get(name, "").replace("(no description)", "") for name in names}
    return [Ability(TRANSFER, text, target=name) for name, text in listed.items()]


def _schema(declared: FunctionDeclaration) -> Schema | None:
    if declared.parameters is not None or not isinstance(declared.parameters_json_schema, dict):
        return declared.parameters
    return _from_json(declared.parameters_json_schema)


def _from_json(json: Mapping[str, Any]) -> Schema:
    """As much of a JSON schema as is of use here."""
    kind = json.get("type")
    kind = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
    return Schema(
        type=Type(kind.upper()) if isinstance(kind, str) and kind.upper() in Type.__members__ else None,
        description=json.get("description"),
        format=json.get("format"),
        enum=[str(each) for each in json["enum"]] if json.get("enum") else None,
        required=json.get("required"),
        items=_from_json(json["items"]) if isinstance(json.get("items"), dict) else None,
        properties={name: _from_json(each) for name, each in json.get("properties", {}).items()} or None,
        any_of=[_from_json(each) for each in json.get("anyOf", ())] or None,
    )


def _parameter(name: str, schema: Schema, required: bool) -> Parameter:
    if schema.any_of:
        said = schema.description or schema.any_of[0].description
        schema = schema.any_of[0].model_copy(update={"description": said})
    kind = _kind(words_of(name), schema)
    unit = _unit(words_of(name), schema.description or "") if kind in ("whole", "number") else None
    return Parameter(name, kind, schema, required, unit)


def _kind(words: list[str], schema: Schema) -> Kind:
    if schema.enum:
        return "choice"
    if schema.type in _BY_TYPE:
        return _BY_TYPE[schema.type]
    about = f"{schema.description or ''} (format: {schema.format or ''})".lower()
    for pattern, kind in _BY_FORMAT:
        if re.search(pattern, about):
            return kind
    if {"date", "time"} <= set(words):
        return "moment"
    for kind, names in _BY_NAME:
        if names.intersection(words):
            return kind
    return "text"


def _unit(words: list[str], about: str) -> int | None:
    """Of a number that is a length of time: the unit in its name, or "in minutes" in its description."""
    for word in words:
        if word.endswith("s") and word[:-1] in _UNITS:  # an hour, a minute may be of the clock
            return _UNITS[word[:-1]]
    if {"duration", "length", "delay", "timeout"}.intersection(words) or "how long" in about.lower():
        for word in words_of(about):
            if word.rstrip("s") in _UNITS:
                return _UNITS[word.rstrip("s")]
    return None
