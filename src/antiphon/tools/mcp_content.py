"""Between the Model Context Protocol's tools and those of a model: declarations, arguments, results. Pure.

Rule 1  A structured result is the answer as it is; the text that repeats it is left out.
Rule 2  Without one, text is the answer: `{"result": text}`, the parts of it joined by line breaks.
Rule 3  Sound, pictures and binary resources are files: the caller keeps them and tells the model their names.
Rule 4  A link is told, not followed.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from antiphon.tools.function import NAME
from antiphon.tools.schema import branches_of, resolve, spell, to_schema
from antiphon.types import FunctionDeclaration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mcp_types import CallToolResult, Tool

__all__ = ["File", "Result", "declared", "model_name", "read_back", "read_result", "said"]

LONGEST: Final = 4000
"""Characters of a server's error that the model is told."""
DEEPEST: Final = 50
"""Levels of arguments that are looked into."""


@dataclass(frozen=True, slots=True)
class File:
    """Something in a result that is not text."""

    data: bytes
    mime_type: str


class Result(NamedTuple):
    """What a call returned: a JSON object, and the files that came with it."""

    response: dict[str, Any]
    files: list[File]


def model_name(name: str) -> str | None:
    """A server's name as models take names, `_` for what they do not; `None` if that does not help."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return plain if NAME.fullmatch(plain) else None


def declared(tool: Tool, name: str) -> FunctionDeclaration:
    """What a model is told of the tool.

    Raises:
        ValueError: its input schema cannot be described to a model, or is no JSON Schema.
    """
    schema = tool.input_schema
    try:
        parameters = to_schema(schema) if schema.get("properties") else None
    except (AttributeError, KeyError, RecursionError, TypeError) as error:
        raise ValueError(f"its input schema is malformed ({type(error).__name__}: {error})") from error
    return FunctionDeclaration(name=name, description=tool.description or tool.title, parameters=parameters)


def read_back(value: Any, schema: Mapping[str, Any] | bool, root: Mapping[str, Any], depth: int = 0) -> Any:
    """Arguments as the server wants them: models are told enums of strings, whatever they are of."""
    if isinstance(schema, bool) or depth > DEEPEST:
        return value
    node = resolve(schema, root)
    for branch in (*branches_of(node), *node.get("allOf", ())):
        value = read_back(value, branch, root, depth + 1)
    choices = node.get("enum", [node["const"]] if "const" in node else [])
    if isinstance(value, str) and value not in choices:
        return next((each for each in choices if each is not None and spell(each) == value), value)
    if isinstance(value, dict):
        known = node.get("properties", {})
        return {
            key: read_back(each, known[key], root, depth + 1) if key in known else each
            for key, each in value.items()
        }
    if isinstance(value, list) and isinstance(items := node.get("items"), dict):
        return [read_back(each, items, root, depth + 1) for each in value]
    return value


def said(result: CallToolResult) -> str:
    """The text of a result, for one that is an error."""
    text = "\n".join(block.text for block in result.content if block.type == "text")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def read_result(result: CallToolResult) -> Result:
    """What to answer the model for a result that is no error, by the rules above.

    Raises:
        ValueError: a file in it is no base64.
    """
    texts: list[str] = []
    files: list[File] = []
    resources: list[dict[str, Any]] = []
    for block in result.content:
        match block.type:
            case "text":
                texts.append(block.text)
            case "image" | "audio":
                files.append(File(base64.b64decode(block.data), block.mime_type))
            case "resource_link":
                told = {"uri": block.uri, "name": block.name, "description": block.description}
                resources.append({key: each for key, each in told.items() if each})
            case "resource":
                inside = block.resource
                if (blob := getattr(inside, "blob", None)) is not None:
                    kind = inside.mime_type or "application/octet-stream"
                    files.append(File(base64.b64decode(blob), kind))
                else:
                    resources.append({"uri": inside.uri, "text": getattr(inside, "text", "")})
    response: dict[str, Any] = {}
    if isinstance(result.structured_content, dict):
        response |= result.structured_content
    elif result.structured_content is not None:
        response["result"] = result.structured_content
    elif texts or not (files or resources):
        response["result"] = "\n".join(texts) if texts else None
    if resources:
        response.setdefault("resources", resources)
    return Result(response, files)
