"""What a Gemini Live client writes, read as the service reads it (wire 1.1, 1.3, 1.4). Pure.

Clients differ: the official SDK mixes snake_case with camelCase and writes URL-safe base64, browsers write
camelCase and standard base64. `read` makes them one: camelCase keys, standard padded base64.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "MAX_REASON",
    "Blob",
    "Json",
    "Message",
    "Route",
    "Unreadable",
    "blob_of",
    "camel_case",
    "credential",
    "decoded",
    "encoded",
    "merged",
    "normalised",
    "read",
    "route",
    "snake_case",
    "truncated",
]

Json = dict[str, Any]

MAX_REASON: Final = 123
"""Bytes of UTF-8 that fit in a close frame; the service cuts at exactly that (wire 1.9)."""

_OPAQUE = frozenset(
    {"args", "response", "parameters", "parametersJsonSchema", "responseJsonSchema", "labels"}
)
_KINDS = ("setup", "clientContent", "realtimeInput", "toolResponse", "contextUpdate")
_DEVELOPER = re.compile(
    r"/ws/google\.ai\.generativelanguage\.(?P<version>[^./]+)"
    r"\.GenerativeService\.(?P<method>BidiGenerateContent(?:Constrained)?)/?$"
)
_VERTEX = re.compile(
    r"/ws/google\.cloud\.aiplatform\.(?P<version>[^./]+)\.LlmBidiService/(?P<method>BidiGenerateContent)/?$"
)


class Unreadable(ValueError):
    """A frame that is not one JSON object. The text is what the service gives as its close reason."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Media of a message: `data` is decoded; audio is 16-bit little-endian mono PCM at `rate` hertz."""

    mime_type: str
    data: bytes

    @property
    def is_audio(self) -> bool:
        return self.mime_type.startswith("audio/")

    @property
    def rate(self) -> int:
        """Hertz, from `;rate=` of the MIME type; 16,000 when it says nothing."""
        found = re.search(r";\s*rate=(\d+)", self.mime_type)
        return int(found[1]) if found and int(found[1]) else 16_000


def blob_of(data: Mapping[str, Any]) -> Blob:
    """From the wire's `{"mimeType": …, "data": …}`."""
    return Blob(str(data.get("mimeType", "")), decoded(str(data.get("data", ""))))


class Message(Json):
    """One frame as a dictionary, normalised, so that it can be compared with one.

    `time` is when it passed, in seconds of the server's clock; `raw` the bytes that passed;
    `problem` why they could not be read.
    """

    def __init__(
        self, body: Mapping[str, Any], *, time: float = 0.0, raw: bytes = b"", problem: str = ""
    ) -> None:
        super().__init__(body)
        self.problem = problem
        self.time = time
        self.raw = raw

    @property
    def kind(self) -> str:
        """`setup`, `clientContent`, `realtimeInput`, `toolResponse`, `contextUpdate`; "" for none of them."""
        return next((kind for kind in _KINDS if kind in self), "")

    @property
    def text(self) -> str | None:
        """What was typed: realtime text, or the texts of the turns of client content; else None."""
        if self.kind == "realtimeInput":
            text = self["realtimeInput"].get("text")
            return text if isinstance(text, str) else None
        if self.kind == "clientContent":
            turns = self["clientContent"].get("turns") or []
            texts = [part["text"] for turn in turns for part in turn.get("parts") or [] if "text" in part]
            return "".join(texts) if texts else None
        return None

    @property
    def media(self) -> Blob | None:
        """The audio chunk or video frame of realtime input; of the old `mediaChunks` the first counts."""
        body = self.get("realtimeInput") or {}
        chunks = body.get("mediaChunks") or []
        blob = body.get("audio") or body.get("video") or (chunks[0] if chunks else None)
        if not isinstance(blob, dict):
            return None
        return blob_of(blob)

    @property
    def audio(self) -> bytes | None:
        """The PCM of an audio chunk, 16-bit little-endian mono; None for any other message."""
        media = self.media
        return media.data if media and media.is_audio else None

    @property
    def function_responses(self) -> list[Json]:
        """The `functionResponses` of a tool response, else an empty list."""
        found = (self.get("toolResponse") or {}).get("functionResponses") or []
        return [found] if isinstance(found, dict) else list(found)


@dataclass(frozen=True, slots=True)
class Route:
    """Which API a path asks for."""

    api: Literal["developer", "vertex", "verbatim"]
    version: str = "v1beta"
    constrained: bool = False

    @property
    def is_vertex(self) -> bool:
        return self.api != "developer"


def route(path: str, *, verbatim: bool = False) -> Route | None:
    """The API behind a request's path, with any prefix and any number of slashes before `/ws/` (wire 1.2).

    A path that is no Live endpoint is None, or a Vertex route when `verbatim` (the SDK's custom `base_url`).
    """
    bare = unquote(urlsplit("http://host/" + path.lstrip("/")).path)
    if found := _DEVELOPER.search(bare):
        return Route("developer", found["version"], found["method"].endswith("Constrained"))
    if found := _VERTEX.search(bare):
        return Route("vertex", found["version"])
    return Route("verbatim") if verbatim else None


def credential(path: str, headers: Mapping[str, str]) -> str | None:
    """The API key or token of a request, in whichever form of wire 1.1 it came; None if there is none.

    The names of `headers` are in lower case, or matched whatever their case.
    """
    if key := headers.get("x-goog-api-key"):
        return key
    scheme, _, value = (headers.get("authorization") or "").partition(" ")
    if scheme.lower() in ("bearer", "token") and value:
        return value.strip()
    query = parse_qs(urlsplit("http://host/" + path.lstrip("/")).query)
    return next((query[name][0] for name in ("key", "access_token") if name in query), None)


def read(frame: str | bytes, *, time: float = 0.0) -> Message:
    """One client frame, normalised. An empty frame is an empty message.

    Raises `Unreadable` when it is not UTF-8 JSON, or not an object.
    """
    raw = frame.encode() if isinstance(frame, str) else frame
    if not raw.strip():
        return Message({}, time=time, raw=raw)
    try:
        body = json.loads(raw)
    except ValueError as error:  # of JSON and of UTF-8 alike
        raise Unreadable(f"Invalid JSON payload received. {error}") from None
    if not isinstance(body, dict):
        raise Unreadable("Invalid JSON payload received. Expected an object.")
    return Message(normalised(body), time=time, raw=raw)


def normalised(value: Any) -> Any:
    """`value` with camelCase keys and standard base64, except inside what belongs to the application:
    arguments, responses, schemas and labels (wire 1.4)."""
    if isinstance(value, list):
        return [normalised(item) for item in value]
    if not isinstance(value, dict):
        return value
    result: Json = {}
    for key, item in value.items():
        name = camel_case(key)
        result[name] = item if name in _OPAQUE else normalised(item)
    if "mimeType" in result and isinstance(result.get("data"), str):
        result["data"] = encoded(decoded(result["data"]))
    return result


def camel_case(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(word[:1].upper() + word[1:] for word in tail) if head else name


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", lambda found: "_" + found[0].lower(), name)


def decoded(text: str) -> bytes:
    """Base64 of either alphabet, padded or not; what cannot be decoded is empty."""
    standard = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "=" * (-len(standard) % 4))
    except binascii.Error:
        return b""


def encoded(data: bytes) -> str:
    """Standard base64 with padding, as the service writes it."""
    return base64.b64encode(data).decode("ascii")


def merged(*frames: Mapping[str, Any]) -> Json:
    """One frame that says all that `frames` say: objects are merged, lists joined, later values win."""
    result: Json = {}
    for frame in frames:
        for key, value in frame.items():
            before = result.get(key)
            if isinstance(before, dict) and isinstance(value, dict):
                result[key] = merged(before, value)
            elif isinstance(before, list) and isinstance(value, list):
                result[key] = [*before, *value]
            else:
                result[key] = value
    return result


def truncated(reason: str) -> str:
    """`reason` cut to what fits in a close frame, never within a character."""
    return reason.encode()[:MAX_REASON].decode(errors="ignore")
