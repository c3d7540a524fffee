"""What the emulated model answers: a function from a prompt to the things it says and does. Pure.

```python
def reply(prompt: Prompt) -> Iterable[Item]:
    if prompt.responses:
        yield Say(f"It is {prompt.responses[0].output}.")
    elif prompt.text == "weather?":
        yield ToolCall("get_weather", {"city": "Paris"})
```

`echo` is the default: small and honest about what it is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from antiphon.testing.live_wire import blob_of

if TYPE_CHECKING:
    from antiphon.testing.live_setup import FunctionDeclaration, Setup

__all__ = [
    "Hold",
    "Item",
    "Pause",
    "Prompt",
    "Raw",
    "Reply",
    "Say",
    "Think",
    "ToolCall",
    "ToolResponse",
    "asked",
    "echo",
]


@dataclass(frozen=True, slots=True)
class Say:
    """Words of the model: spoken with their transcript, or text, as the session's modality has it."""

    words: str


@dataclass(frozen=True, slots=True)
class Think:
    """A thought; sent only when the setup asked for thoughts."""

    words: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a declared function; a list of them is one frame with several.

    End the reply after it: the answer comes as a new prompt with `responses`. `id` None makes one up as the
    service does (wire 1.6).
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing for so many seconds; see `Timing.pauses`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing more until the user cuts in: the turn stays open."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A frame in the wire's own words, within the turn."""

    frame: Mapping[str, Any]


Item = Say | Think | ToolCall | Pause | Hold | Raw | Sequence[ToolCall]
Reply = Callable[["Prompt"], Iterable[Item] | AsyncIterable[Item]]
"""May be a list, a generator or an async generator; it is closed when the user cuts in."""


@dataclass(frozen=True, slots=True)
class ToolResponse:
    """One answer to a tool call. `response` is the client's object."""

    id: str
    name: str
    args: Mapping[str, Any]
    response: Mapping[str, Any]
    will_continue: bool = False

    @property
    def output(self) -> Any:
        """`output`, else `result`, else `error`, else the whole object (wire 1.4)."""
        for key in ("output", "result", "error"):
            if key in self.response:
                return self.response[key]
        return dict(self.response)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model is to answer. Exactly one of `text`, `pcm` and `responses` is the occasion; a `text` may
    come with images, and with `pcm` when a `transcribe` function told the words."""

    text: str | None
    pcm: bytes = b""
    """The user's utterance, 16-bit little-endian mono at `rate` hertz."""
    rate: int = 16_000
    seconds: float = 0.0
    """How long the user spoke, without the silence around it."""
    images: tuple[bytes, ...] = ()
    responses: tuple[ToolResponse, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    """What was said before, oldest first, as `Content` objects; survives a resume."""
    setup: Setup | None = None

    @property
    def functions(self) -> tuple[FunctionDeclaration, ...]:
        return self.setup.functions if self.setup else ()


def asked(history: Sequence[Mapping[str, Any]]) -> Prompt:
    """What client content asks: all that the user said at the end of the history, as one prompt."""
    start = len(history)
    while start and _is_the_users(history[start - 1]):
        start -= 1
    said = history[start:]
    parts = [part for content in said for part in content.get("parts") or []]
    blobs = [blob_of(part["inlineData"]) for part in parts if part.get("inlineData")]
    return Prompt(
        "".join(map(_text_of, said)),
        pcm=b"".join(blob.data for blob in blobs if blob.is_audio),
        images=tuple(blob.data for blob in blobs if not blob.is_audio),
        history=tuple(history[:start]),
    )


def _is_the_users(content: Mapping[str, Any]) -> bool:
    """Whether the user said it; results of tools come in their name, and are none of their words."""
    parts = content.get("parts") or []
    return content.get("role", "user") != "model" and not any("functionResponse" in part for part in parts)


def echo(prompt: Prompt) -> Iterable[Item]:
    """The default reply: echoes, counts ("count to 5"), remembers ("what did I say?"), and calls a declared
    function when the user's words contain the words of its name; of speech it tells the length."""
    if prompt.responses:
        for response in prompt.responses:
            yield Say(f"{_words_of(response.name)}: {_spelled(response.output)}.")
    elif prompt.text is None:
        yield Say(f"I heard {prompt.seconds:.1f} seconds of speech.")
    elif found := re.search(r"\bcount (?:up )?to (\d+)", prompt.text, re.IGNORECASE):
        for number in range(1, int(found[1]) + 1):
            yield Say(f"{number} ")
            yield Pause(0.5)
    elif re.search(r"\bwhat did I (say|tell)", prompt.text, re.IGNORECASE):
        said = [
            text for content in prompt.history if content.get("role") == "user" if (text := _text_of(content))
        ]
        yield Say(f"You said: {'; '.join(said)}." if said else "You said nothing yet.")
    elif calls := [call for function in prompt.functions if (call := _call_for(function, prompt.text))]:
        yield calls
    elif prompt.images:
        yield Say(f"You said: {prompt.text} I see {len(prompt.images)} images.")
    else:
        yield Say(f"You said: {prompt.text}")


_FILLERS = frozenset(
    {"a", "an", "call", "do", "fetch", "find", "for", "get", "in", "of", "set", "the", "to", "tool"}
)


def _call_for(function: FunctionDeclaration, text: str) -> ToolCall | None:
    words = [word for word in _words_of(function.name).split() if word not in _FILLERS]
    told = set(re.findall(r"\w+", text.lower()))
    if not words or not told.issuperset(words):
        return None
    schema = function.parameters
    properties = schema.get("properties") or {}
    required = schema.get("required", list(properties))
    args: dict[str, Any] = {}
    for name, kind in properties.items():
        value = _value_for(kind if isinstance(kind, Mapping) else {}, text, words, name in required)
        if value is not None:
            args[name] = value
    return ToolCall(function.name, args)


def _value_for(schema: Mapping[str, Any], text: str, words: Sequence[str], required: bool) -> Any:
    kind = str(schema.get("type", "STRING")).upper()
    number = re.search(r"-?\d+(?:\.\d+)?", text)
    match kind:
        case "INTEGER":
            return int(float(number[0])) if number else (0 if required else None)
        case "NUMBER":
            return float(number[0]) if number else (0.0 if required else None)
        case "BOOLEAN":
            return True if required else None
        case "ARRAY":
            item = _value_for(schema.get("items") or {}, text, words, required)
            return None if item is None else [item]
        case "OBJECT":
            return {} if required else None
    if options := schema.get("enum"):
        found = next((option for option in options if str(option).lower() in text.lower()), None)
        return found if found is not None or not required else options[0]
    if found := re.search(r"\b(?:in|for|at|of|about|on|to)\s+(.+?)\s*[?.!]*$", text):
        return found[1]
    if not required:
        return None
    rest = [word for word in re.findall(r"\w+", text) if word.lower() not in {*words, *_FILLERS}]
    return " ".join(rest) or text


def _words_of(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_\-.]+", " ", name).lower().strip()


def _spelled(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_words_of(str(key))} {_spelled(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_spelled, value))
    return str(value)


def _text_of(content: Mapping[str, Any]) -> str:
    return "".join(part.get("text", "") for part in content.get("parts") or [])
