"""What is asked of chat completions: OpenAI's, and those of the many servers that speak them too. Pure."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import UnsupportedByModel
from antiphon.types import (
    Content,
    FunctionCallingConfigMode,
    Part,
    Schema,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.models.request import LlmRequest
    from antiphon.types import Blob, FunctionDeclaration, GenerateContentConfig, Tool

__all__ = ["as_json_schema", "request_body"]

_Json = dict[str, Any]

_SAME: Final = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed")
_MODES: Final = {
    FunctionCallingConfigMode.ANY: "required",
    FunctionCallingConfigMode.NONE: "none",
    FunctionCallingConfigMode.AUTO: "auto",
}
_TAKEN: Final = {
    *_SAME,
    "system_instruction",
    "tools",
    "tool_config",
    "top_k",
    "stop_sequences",
    "max_output_tokens",
    "response_logprobs",
    "logprobs",
    "response_mime_type",
    "response_schema",
    "response_json_schema",
    "thinking_config",
    "http_options",
    "labels",
    "response_modalities",
}
"""What of a `GenerateContentConfig` is heeded here, or means nothing here."""
_SOUNDS: Final = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def request_body(request: LlmRequest, *, max_tokens: str = "max_completion_tokens") -> _Json:
    """The arguments of one request. `max_tokens` is what the server calls that limit.

    Raises `UnsupportedByModel` for what cannot be said in this protocol.
    """
    config = request.config
    body: _Json = {"model": request.model or "", "messages": list(_messages(request))}
    tools = [_tool(each) for tool in config.tools or [] for each in _declarations(tool, request.model)]
    if tools:
        body["tools"] = tools
        if (choice := _tool_choice(config)) is not None:
            body["tool_choice"] = choice
    return body | _settings(config, request.model, max_tokens)


def _messages(request: LlmRequest) -> Iterable[_Json]:
    if told := _system(request.config.system_instruction):
        yield {"role": "system", "content": told}
    for content in request.contents:
        parts = content.parts or []
        if content.role == "model":
            yield from _assistant(parts)
            continue
        for part in parts:
            if (answer := part.function_response) is not None:
                yield {"role": "tool", "tool_call_id": answer.id or "", "content": _dumped(answer.response)}
        said = [each for part in parts if (each := _user_part(part, request.model)) is not None]
        if said and all(each["type"] == "text" for each in said):
            yield {"role": "user", "content": "\n".join(each["text"] for each in said)}
        elif said:
            yield {"role": "user", "content": said}


def _system(instruction: object) -> str:
    """The text of an instruction, whatever it is made of."""
    if isinstance(instruction, Content):
        return _system(instruction.parts)
    if isinstance(instruction, list):
        return "\n".join(filter(None, map(_system, instruction)))
    return (instruction.text if isinstance(instruction, Part) else str(instruction or "")) or ""


def _assistant(parts: list[Part]) -> Iterable[_Json]:
    text = "".join(part.text for part in parts if part.text and not part.thought)
    calls = [
        {
            "id": call.id or "",
            "type": "function",
            "function": {"name": call.name or "", "arguments": _dumped(call.args)},
        }
        for part in parts
        if (call := part.function_call)
    ]
    if text or calls:
        yield {"role": "assistant", "content": text or None} | ({"tool_calls": calls} if calls else {})


def _user_part(part: Part, model: str | None) -> _Json | None:
    if part.text and not part.thought:
        return {"type": "text", "text": part.text}
    if (blob := part.inline_data) is not None:
        return _inline(blob, model)
    if (file := part.file_data) is not None:
        if (file.mime_type or "").startswith("image/"):
            return {"type": "image_url", "image_url": {"url": file.file_uri or ""}}
        raise _cannot(model, f"read {file.mime_type or 'a file'} from {file.file_uri}", "Send its bytes.")
    return None


def _inline(blob: Blob, model: str | None) -> _Json:
    kind, data = (blob.mime_type or "").split(";")[0].lower(), b64encode(blob.data or b"").decode()
    if kind.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{data}"}}
    if kind in _SOUNDS:
        return {"type": "input_audio", "input_audio": {"data": data, "format": _SOUNDS[kind]}}
    if kind == "application/pdf":
        name = blob.display_name or "document.pdf"
        return {"type": "file", "file": {"filename": name, "file_data": f"data:{kind};base64,{data}"}}
    raise _cannot(model, f"read {blob.mime_type}", "Send text, an image, a WAV or MP3 file, or a PDF.")


def _declarations(tool: object, model: str | None) -> list[FunctionDeclaration]:
    declared: Tool | Any = tool
    others = [
        name for name in getattr(declared, "model_fields_set", ()) if getattr(declared, name) is not None
    ]
    for name in others:
        if name != "function_declarations":
            raise _cannot(model, f"use the tool {name}", "Give the agent a function instead.")
    return declared.function_declarations or []


def _tool(declaration: FunctionDeclaration) -> _Json:
    schema = declaration.parameters_json_schema
    if schema is None:
        parameters = declaration.parameters
        schema = as_json_schema(parameters) if parameters else {"type": "object", "properties": {}}
    function = {"name": declaration.name, "description": declaration.description or "", "parameters": schema}
    return {"type": "function", "function": function}


def _tool_choice(config: GenerateContentConfig) -> str | _Json | None:
    calling = config.tool_config.function_calling_config if config.tool_config else None
    if calling is None or calling.mode is None:
        return None
    names = calling.allowed_function_names or []
    if calling.mode is FunctionCallingConfigMode.ANY and len(names) == 1:
        return {"type": "function", "function": {"name": names[0]}}
    return _MODES.get(calling.mode)


def _settings(config: GenerateContentConfig, model: str | None, max_tokens: str) -> _Json:
    asked = {name for name in config.model_fields_set if getattr(config, name) is not None}
    if other := sorted(asked - _TAKEN):
        raise _cannot(model, f"take generate_content_config.{other[0]}", "Leave it out.")
    body: _Json = {name: value for name in _SAME if (value := getattr(config, name)) is not None}
    for name, value in (
        (max_tokens, config.max_output_tokens),
        ("stop", config.stop_sequences),
        ("logprobs", config.response_logprobs),
        ("top_logprobs", config.logprobs),
        ("extra_body", None if config.top_k is None else {"top_k": int(config.top_k)}),
        ("response_format", _response_format(config)),
    ):
        if value is not None:
            body[name] = value
    thinking = config.thinking_config
    if thinking is not None and thinking.thinking_level is not None:
        body["reasoning_effort"] = thinking.thinking_level.value.lower()
    return body


def _response_format(config: GenerateContentConfig) -> _Json | None:
    schema = config.response_json_schema if config.response_schema is None else config.response_schema
    if schema is None:
        return {"type": "json_object"} if config.response_mime_type == "application/json" else None
    if isinstance(schema, Schema):
        schema = as_json_schema(schema)
    elif hasattr(schema, "model_json_schema"):
        schema = schema.model_json_schema()
    return {"type": "json_schema", "json_schema": {"name": "response", "schema": schema}}


def as_json_schema(schema: Schema) -> _Json:
    """The same as JSON Schema: types in lower case, `nullable` as one of two."""
    plain: _Json = schema.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        exclude={"type", "nullable", "any_of", "items", "properties", "defs", "property_ordering"},
    )
    if schema.type is not None:
        kind = schema.type.value.lower()
        plain["type"] = [kind, "null"] if schema.nullable else kind
    if schema.any_of:
        plain["anyOf"] = [as_json_schema(each) for each in schema.any_of]
        if schema.nullable and schema.type is None:
            plain["anyOf"].append({"type": "null"})
    if schema.items is not None:
        plain["items"] = as_json_schema(schema.items)
    for name, fields in (("properties", schema.properties), ("$defs", schema.defs)):
        if fields is not None:
            plain[name] = {field: as_json_schema(each) for field, each in fields.items()}
    if "ref" in plain:
        plain["$ref"] = plain.pop("ref")
    if plain.get("enum") and schema.nullable:
        plain["enum"] = [*plain["enum"], None]
    return plain


def _dumped(value: object) -> str:
    return json.dumps(value or {}, ensure_ascii=False, default=str)


def _cannot(model: str | None, what: str, cure: str) -> UnsupportedByModel:
    return UnsupportedByModel(
        f"The model {model!r} is asked by chat completions, which cannot {what}. {cure}"
    )
