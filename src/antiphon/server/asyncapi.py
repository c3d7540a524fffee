"""`/asyncapi.json`: the sockets described for tools, as AsyncAPI 3, made from the messages themselves.

docs/protocol.md says what they mean; what is here cannot differ from what the codec reads and writes.
"""

from __future__ import annotations

import dataclasses
import types
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic.json_schema import models_json_schema

from antiphon.events import Event
from antiphon.requests import LiveRequest
from antiphon.server import messages
from antiphon.server.access import NoAuthentication

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from antiphon.server.access import Access

__all__ = ["asyncapi_document", "asyncapi_router"]

_JSON = dict[str, Any]

_MODELS: Final = "#/components/schemas/{model}"
_TYPES: Final = {int: "integer", float: "number", str: "string", bool: "boolean"}
_CONVERSATION: Final = "/ws/{userId}/{sessionId}"
_HEADER: Final = (
    "16 bytes, big-endian: kind (1: PCM of 16 bits, little-endian, mono; 2: JPEG; 3: PNG), zero, rate "
    "in hundreds of Hz (2), stream (4), number (4), milliseconds (4); then the payload. Protocol, section 2."
)
_PLAIN: Final[Mapping[str, Mapping[str, str]]] = {
    "text": {"text": "string"},
    "image": {"data": "base64", "mimeType": "string"},
    "audio": {"data": "base64", "mime_type": "string"},
    "activity_start": {},
    "activity_end": {},
    "close": {},
}


def asyncapi_document(title: str, host: str, *, tokens: bool = True) -> _JSON:
    """The document of a server of this name, as JSON's types.

    `host` is where it is, with the port; `tokens` says whether it asks for them.
    """
    up = {f"up.{name}": _object(kind, name) for name, kind in messages.UP.items()}
    down = {f"down.{name}": _object(kind, name) for name, kind in messages.DOWN.items()}
    down["down.event"]["properties"]["event"] = _model("Event")
    plain = {f"say.{name}": _plain(name, fields) for name, fields in _PLAIN.items()}
    server: _JSON = {"host": host, "protocol": "ws"}
    components: _JSON = {"schemas": _models()}
    if tokens:
        components["securitySchemes"] = {
            "header": {"type": "http", "scheme": "bearer"},
            "query": {"type": "httpApiKey", "in": "query", "name": "token"},
        }
        server["security"] = [
            {"$ref": f"#/components/securitySchemes/{name}"} for name in ("header", "query")
        ]
    channels = {
        "v1": _channel(
            _CONVERSATION,
            "With the subprotocol `antiphon.v1`.",
            _written({**up, **down}) | _binary("up.media", _HEADER) | _binary("down.media", _HEADER),
        ),
        "plain": _channel(
            _CONVERSATION,
            "Without a subprotocol: the protocol of ADK's bidi-demo.",
            _written({**plain, "event": _model("Event")})
            | _binary("say.sound", "PCM of 16 bits, little-endian, mono, at 16 kHz."),
        ),
        "run_live": _channel(
            "/run_live",
            "The ADK API server's.",
            _written({"request": _model("LiveRequest"), "event": _model("Event")}),
        ),
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": version("antiphon"),
            "description": "Live conversations with an agent. The server receives what a client says.",
        },
        "defaultContentType": "application/json",
        "servers": {"here": server},
        "channels": channels,
        "operations": {
            f"{name}.{action}": _operation(name, action, channel["messages"])
            for name, channel in channels.items()
            for action in ("receive", "send")
        },
        "components": components,
    }


def asyncapi_router(title: str, access: Access) -> APIRouter:
    """The route of the document."""
    router = APIRouter()

    @router.get("/asyncapi.json", tags=["documents"], summary="The sockets, as AsyncAPI 3")
    async def asyncapi(request: Request) -> JSONResponse:
        """What goes over the WebSockets, in either direction."""
        access.admit(request.scope)
        tokens = not isinstance(access.authenticator, NoAuthentication)
        return JSONResponse(asyncapi_document(title, request.headers["host"], tokens=tokens))

    return router


# --- pieces of the document -------------------------------------------------------------------------------


def _channel(address: str, description: str, content: _JSON) -> _JSON:
    channel = {"address": address, "description": description, "messages": content}
    if "{" in address:
        told = {"userId": "Whose conversation it is.", "sessionId": "Made where there is none."}
        channel["parameters"] = {name: {"description": text} for name, text in told.items()}
    return channel


def _operation(channel: str, action: str, names: Iterable[str]) -> _JSON:
    """`receive` and `send` are the server's."""
    chosen = [name for name in names if name.startswith(("up.", "say.", "request")) == (action == "receive")]
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in chosen],
    }


def _written(payloads: Mapping[str, _JSON]) -> _JSON:
    return {name: {"name": name, "payload": payload} for name, payload in payloads.items()}


def _binary(name: str, description: str) -> _JSON:
    return {name: {"name": name, "contentType": "application/octet-stream", "description": description}}


def _plain(name: str, fields: Mapping[str, str]) -> _JSON:
    kinds = {"string": {"type": "string"}, "base64": {"type": "string", "contentEncoding": "base64"}}
    properties = {"type": {"const": name}, **{field: kinds[kind] for field, kind in fields.items()}}
    required = ["type", *(field for field in fields if not field.startswith("mime"))]
    return {"type": "object", "properties": properties, "required": required}


def _model(name: str) -> _JSON:
    return {"$ref": _MODELS.format(model=name)}


@cache
def _models() -> _JSON:
    _, schema = models_json_schema(
        [(Event, "serialization"), (LiveRequest, "validation")], ref_template=_MODELS
    )
    found: _JSON = schema["$defs"]
    return found


# --- schemas of messages ----------------------------------------------------------------------------------


def _object(kind: type, name: str | None = None) -> _JSON:
    """The schema of a message, or of an object in it."""
    hints = get_type_hints(kind, include_extras=True)
    properties = {field.name: _schema(hints[field.name]) for field in dataclasses.fields(kind)}
    required = [
        field.name
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if name is not None:
        properties, required = {"type": {"const": name}, **properties}, ["type", *required]
    schema: _JSON = {"type": "object", "properties": properties, "required": required}
    if kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("):
        schema["description"] = kind.__doc__
    return schema


def _schema(hint: Any) -> _JSON:
    if dataclasses.is_dataclass(hint):
        return _object(hint)  # type: ignore[arg-type]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _bounded(*arguments)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is tuple:
        items = [_schema(argument) for argument in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (Union, types.UnionType):  # what is None is left out
        (inner,) = (argument for argument in arguments if argument is not types.NoneType)
        return _schema(inner)
    return {"type": _TYPES[hint]}


def _bounded(hint: Any, bound: object) -> _JSON:
    """`Annotated[int, range(…)]`, or `Annotated[str, dict]`: an object that the codec has as text."""
    if isinstance(bound, range):
        return _schema(hint) | {"minimum": bound.start, "maximum": bound.stop - 1}
    return {"type": "object"}
