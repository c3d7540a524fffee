"""Type hints as JSON Schema, and the model's values as what the hints ask for. Pydantic does the work."""

from __future__ import annotations

import sys
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typing_extensions
from pydantic import ConfigDict, PydanticUserError, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from antiphon.tools.schema import UnusableType, branches_of, resolve, spell

if typing.TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

__all__ = ["SPELT", "adapter_of", "has_spelt", "json_schema_of", "unspell"]

SPELT = "x-spelt"
"""Beside `enum`: what the strings stand for (`schema`, rule 2)."""


def adapter_of(annotation: Any) -> TypeAdapter[Any]:
    """What reads values of the type: leniently, as models write them (`"3"` is 3, and 3 is `"3"`).

    Raises:
        UnusableType: Pydantic does not know the type.
    """
    annotation = _modern(annotation)
    try:
        try:
            return TypeAdapter(annotation, config=ConfigDict(coerce_numbers_to_str=True))
        except PydanticUserError as error:
            if error.code != "type-adapter-config-unused":
                raise
            return TypeAdapter(annotation)
    except Exception as error:  # hints may hold the user's code, and Pydantic has many words for "no"
        reason = str(error).split("\n")[0]
        raise UnusableType(
            f"{_name(annotation)} is not a type that can be described to a model ({reason.rstrip('.')}); use "
            "str, int, float, bool, Literal, Enum, list, dict, a dataclass, a TypedDict or a Pydantic model"
        ) from error


def json_schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """The JSON Schema of what the adapter reads, with enums of strings only (rule 2).

    Raises:
        UnusableType: values of the type cannot come in JSON: bytes, functions.
    """
    try:
        return adapter.json_schema(schema_generator=_Writer)
    except PydanticUserError as error:
        reason = str(error).split("\n")[0]
        raise UnusableType(f"its values cannot be written in JSON ({reason}); use a type that can") from error


def has_spelt(json_schema: Mapping[str, Any]) -> bool:
    """Whether `unspell` could change anything."""
    return SPELT in repr(json_schema)


def unspell(value: Any, json_schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The value with spelt literals and enum members put back, wherever the schema has some."""
    root = json_schema if root is None else root
    json_schema = resolve(json_schema, root)
    for branch in branches_of(json_schema):
        value = unspell(value, branch, root)
    match value:
        case str():
            spelt = json_schema.get(SPELT)
            return spelt.read(value) if isinstance(spelt, _Spelt) else value
        case list():
            first = json_schema.get("prefixItems", ())
            rest = json_schema.get("items", {})
            rest = rest if isinstance(rest, Mapping) else {}
            return [
                unspell(each, first[at] if at < len(first) else rest, root) for at, each in enumerate(value)
            ]
        case dict():
            known = json_schema.get("properties", {})
            others = json_schema.get("additionalProperties", {})
            others = others if isinstance(others, Mapping) else {}
            return {key: unspell(each, known.get(key, others), root) for key, each in value.items()}
    return value


class _Spelt:
    """What the strings of an enum stand for. A class of its own, since Pydantic looks into dicts."""

    def __init__(self, meanings: dict[str, Any]) -> None:
        self._meanings = meanings

    def read(self, text: str) -> Any:
        return self._meanings.get(text, text)


class _Writer(GenerateJsonSchema):
    """Pydantic's generator, where models need it otherwise."""

    ignored_warning_kinds = typing.cast("Any", {"skipped-choice", "non-serializable-default"})

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        return _choices(schema["expected"])

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return _choices(schema["members"])

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        return {"type": "string", "format": "decimal"}

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        raise UnusableType("models cannot write bytes; use str, and decode base64 yourself if you must")


def _choices(values: list[Any]) -> dict[str, Any]:
    if all(isinstance(_plain(value), str) for value in values):
        return {"type": "string", "enum": [_plain(value) for value in values]}
    meanings = {spell(value): value for value in values if value is not None}
    written: dict[str, Any] = {"type": "string", "enum": list(meanings), SPELT: _Spelt(meanings)}
    return {"anyOf": [written, {"type": "null"}]} if None in values else written


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


def _modern(annotation: Any) -> Any:
    """The hint with `typing.TypedDict` as Pydantic wants it: before 3.12 only from `typing_extensions`."""
    if sys.version_info >= (3, 12):
        return annotation
    if typing.is_typeddict(annotation):
        fields: dict[str, Any] = {}
        for name, hint in typing.get_type_hints(annotation, include_extras=True).items():
            # Where hints are strings, `__required_keys__` of Python 3.11 overlooks Required and NotRequired.
            said = get_origin(hint) if get_origin(hint) in (typing.Required, typing.NotRequired) else None
            optional = said is typing.NotRequired or (not said and name in annotation.__optional_keys__)
            inner = _modern(get_args(hint)[0] if said else hint)
            fields[name] = typing.NotRequired[inner] if optional else inner
        make: Any = typing_extensions.TypedDict
        modern = make(annotation.__name__, fields)
        modern.__doc__ = annotation.__doc__
        return modern
    origin, args = get_origin(annotation), get_args(annotation)
    if not args or origin is Literal:
        return annotation
    inner = tuple(_modern(arg) for arg in args)
    if inner == args:
        return annotation
    if origin is Annotated:
        return Annotated[(inner[0], *args[1:])]
    return Union[inner] if origin in (Union, types.UnionType) else origin[inner]  # noqa: UP007 - not all know `|`


def _name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
