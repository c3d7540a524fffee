"""JSON Schema as the `Schema` that live models accept. Pure.

Of what Gemini's two services accept, only what both do: the Developer API and Vertex refuse different things.

Rule 1  Every schema has a type, or nothing but `any_of`: Vertex refuses anything beside it.
Rule 2  An enum is of strings. Other literals and enum members are spelt, and `hints.unspell` reads them back.
Rule 3  `format` is `date-time` or absent; any other format is named in the description.
Rule 4  References are written out; what refers to itself is refused.
Rule 5  What the subset lacks (keys of mappings, patterns, multiples) is checked when the call comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from antiphon.types import Schema, Type

__all__ = ["UnusableType", "branches_of", "resolve", "spell", "to_schema"]

_ANYTHING = (Type.STRING, Type.NUMBER, Type.BOOLEAN, Type.OBJECT)
_OF_THE_WHOLE = ("type", "description", "anyOf", "oneOf")
_BOUNDS = {"minItems": "min_items", "maxItems": "max_items"}
_EXAMPLES = {
    "date": "2026-01-31",
    "time": "18:30:00",
    "duration": "PT1H30M",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "decimal": "12.50",
}


class UnusableType(ValueError):
    """A type that cannot be described to a model; the message says why, and what to write instead."""


def to_schema(json_schema: Mapping[str, Any]) -> Schema:
    """A JSON Schema (any draft from 4 on) in the subset that models accept.

    Raises:
        UnusableType: it refers to itself, to something that is not there, or asks for bytes.
    """
    return _convert(json_schema, json_schema, ())


def branches_of(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The alternatives of a JSON Schema: those of `anyOf` and `oneOf`, and one for each of several types."""
    for keyword in ("anyOf", "oneOf"):
        yield from node.get(keyword, ())
    if isinstance(kinds := node.get("type"), list):
        rest = {key: value for key, value in node.items() if key not in _OF_THE_WHOLE}
        for kind in kinds:
            yield {**rest, "type": kind}


def resolve(node: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The JSON Schema a reference stands for; what is said beside the reference comes first.

    Raises:
        UnusableType: there is nothing where the reference points.
    """
    if "$ref" not in node:
        return node
    found: Any = root
    for step in filter(None, str(node["$ref"]).removeprefix("#").split("/")):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise UnusableType(f"its schema refers to {node['$ref']}, which is not there")
    return {**found, **{key: value for key, value in node.items() if key != "$ref"}}


def spell(value: Any) -> str:
    """A value of an enum as a string (rule 2). Raises `UnusableType` for bytes."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        raise UnusableType("models cannot write bytes; use strings in Literal")
    return str(value)


def _convert(node: Mapping[str, Any] | bool, root: Mapping[str, Any], path: tuple[str, ...]) -> Schema:
    if isinstance(node, bool):  # `true`: whatever you like
        return _anything()
    if "$ref" in node:
        target = str(node["$ref"])
        if target in path:
            raise UnusableType(
                f"{target.split('/')[-1]} contains itself, which a model cannot be told; give the nested "
                "part another type, or use str and take JSON"
            )
        return _convert(resolve(node, root), root, (*path, target))
    if whole := node.get("allOf"):
        if len(whole) == 1:
            return _convert({**whole[0], **{k: v for k, v in node.items() if k != "allOf"}}, root, path)
        merged: dict[str, Any] = {}
        for part in (resolve(part, root) for part in whole):
            properties = {**merged.get("properties", {}), **part.get("properties", {})}
            required = [*merged.get("required", []), *part.get("required", [])]
            merged = {**merged, **part, "properties": properties, "required": required}
        return _convert({**merged, **{k: v for k, v in node.items() if k != "allOf"}}, root, path)
    if branches := list(branches_of(node)):
        return _union(node, branches, root, path)
    return _single(node, root, path)


def _union(
    node: Mapping[str, Any], branches: list[Mapping[str, Any]], root: Mapping[str, Any], path: tuple[str, ...]
) -> Schema:
    """Rule 1: alternatives stand alone: `nullable` goes into all of them, the description into the first."""
    real = [branch for branch in branches if branch.get("type") != "null"]
    if any(branch.get("type") == "number" for branch in real):
        real = [branch for branch in real if dict(branch) != {"type": "integer"}]
    if not real:
        real = [{"type": "string"}]
    if said := node.get("description"):
        own = resolve(real[0], root).get("description")
        real[0] = {**real[0], "description": f"{said} {own}" if own and len(real) > 1 else said}
    schemas: list[Schema] = []
    for branch in real:
        converted = _convert(branch, root, path)
        schemas += [each for each in converted.any_of or [converted] if each not in schemas]
    if any(branch.get("type") == "null" for branch in branches):
        schemas = [schema.model_copy(update={"nullable": True}) for schema in schemas]
    return schemas[0] if len(schemas) == 1 else Schema(any_of=schemas)


def _single(node: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...]) -> Schema:
    said = node.get("description")
    kind = node.get("type") or _implied(node)
    if kind is None:
        return _anything(said)
    if kind == "null":
        return Schema(type=Type.STRING, nullable=True, description=said)
    fields: dict[str, Any] = {"type": Type(kind)}
    notes: list[str] = []
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if values is not None:
        fields |= {"type": Type.STRING, "enum": [spell(value) for value in values if value is not None]}
        if None in values:
            fields["nullable"] = True
    elif kind in ("integer", "number"):
        fields |= _range(node, whole=kind == "integer")
    elif kind == "string":
        notes = _format(node, fields)
    elif kind == "array":
        fields["items"] = _items(node, root, path)
        fields |= {ours: node[theirs] for theirs, ours in _BOUNDS.items() if theirs in node}
    elif kind == "object":
        notes = _object(node, fields, root, path)
    if said or notes:
        fields["description"] = " ".join([said, *notes] if said else notes)
    return Schema(**fields)


def _object(
    node: Mapping[str, Any], fields: dict[str, Any], root: Mapping[str, Any], path: tuple[str, ...]
) -> list[str]:
    if properties := node.get("properties"):
        fields["properties"] = {name: _convert(each, root, path) for name, each in properties.items()}
        if required := [name for name in node.get("required", ()) if name in properties]:
            fields["required"] = list(dict.fromkeys(required))
        return []
    others = node.get("additionalProperties")
    if not isinstance(others, Mapping) or not others:
        return []
    value = _convert(others, root, path)  # refuses what cannot be described
    kinds = " or ".join(each.type.value.lower() for each in value.any_of or [value] if each.type)
    return [f"(An object of any keys; each value is of type {kinds}.)"]


def _items(node: Mapping[str, Any], root: Mapping[str, Any], path: tuple[str, ...]) -> Schema:
    first = node.get("prefixItems")
    if first:
        return _union({}, list(first), root, path)
    items = node.get("items", {})
    if isinstance(items, list):  # a tuple, as drafts before 2020 have it
        return _union({}, items, root, path)
    return _convert(items, root, path)


def _range(node: Mapping[str, Any], *, whole: bool) -> dict[str, Any]:
    step = 1 if whole else 0  # an open end of real numbers is checked when the call comes
    found: dict[str, Any] = {}
    for name, closed, opened, inwards in (
        ("minimum", "minimum", "exclusiveMinimum", step),
        ("maximum", "maximum", "exclusiveMaximum", -step),
    ):
        edge = node.get(opened)
        if closed in node:
            found[name] = node[closed]
        elif isinstance(edge, int | float) and not isinstance(edge, bool):  # in draft 4 it is a boolean
            found[name] = edge + inwards
    return found


def _format(node: Mapping[str, Any], fields: dict[str, Any]) -> list[str]:
    """Rule 3. The Developer API closes a session over any format of strings but these two."""
    form = node.get("format")
    if form in ("binary", "byte"):
        raise UnusableType("models cannot write bytes; use str, and decode base64 yourself if you must")
    if form == "date-time":
        fields["format"] = form
    elif form is not None and form != "enum":
        example = f", e.g. {_EXAMPLES[form]}" if form in _EXAMPLES else ""
        return [f"(Format: {form}{example}.)"]
    return []


def _anything(description: str | None = None) -> Schema:
    lists = Schema(type=Type.ARRAY, items=Schema(type=Type.STRING))
    first, *others = _ANYTHING
    return Schema(
        any_of=[Schema(type=first, description=description), *(Schema(type=kind) for kind in others), lists]
    )


def _implied(node: Mapping[str, Any]) -> str | None:
    if "enum" in node or "const" in node:
        return "string"
    if "properties" in node or isinstance(node.get("additionalProperties"), Mapping):
        return "object"
    return "array" if "items" in node or "prefixItems" in node else None
