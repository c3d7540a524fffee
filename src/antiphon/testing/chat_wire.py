"""What a scripted chat model answers, on the wires of OpenAI's chat completions and of Gemini. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ChatCall", "ChatReply", "gemini", "openai", "question_in"]

_Json = dict[str, Any]
_GEMINI_FINISH: Final = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


@dataclass(frozen=True)
class ChatCall:
    """The model calls a function. `id=None` leaves the id out; `raw` is said instead of `args` as JSON."""

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    id: str | None = None
    raw: str | None = None


@dataclass(frozen=True)
class ChatReply:
    """One answer: text word by word, then the calls, then how it ended, in the words of chat completions.

    `status` other than 200 refuses the request with `error`. After as many chunks, `pause_after` waits for
    `ChatRequest.go_on()`, `cut_after` drops the connection, `stop_after` ends the answer as if it were whole,
    and `garble_after` sends what cannot be read. `fails_with` a code, chat completions end with an error.
    """

    text: str = ""
    calls: tuple[ChatCall, ...] = ()
    thought: str = ""
    finish: str | None = None
    usage: tuple[int, int] | None = (7, 3)
    status: int = 200
    error: str = "scripted"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    pause_after: int | None = None
    cut_after: int | None = None
    stop_after: int | None = None
    fails_with: str | None = None
    garble_after: int | None = None

    @property
    def finished(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")


def openai(reply: ChatReply, model: str, *, stream: bool) -> list[str]:
    """The events of a stream, or the one body."""
    if reply.status != 200:
        return [_dumped({"error": {"message": reply.error, "type": "scripted", "code": reply.code}})]
    if not stream:
        calls = [_call(call) for call in reply.calls]
        message = {"role": "assistant", "content": reply.text or None} | (
            {"tool_calls": calls} if calls else {}
        )
        if reply.thought:
            message["reasoning_content"] = reply.thought
        choice = {"index": 0, "message": message, "finish_reason": reply.finished}
        return [_dumped(_completion(model, "chat.completion", [choice]) | _openai_usage(reply))]
    deltas: list[_Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": word} for word in _words(reply.thought)]
    deltas += [{"content": word} for word in _words(reply.text)]
    for index, call in enumerate(reply.calls):
        whole = _call(call)
        said = whole["function"].pop("arguments")
        half = len(said) // 2
        deltas.append({"tool_calls": [{"index": index, **whole}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": each}}]}
            for each in (said[:half], said[half:])
        ]
    chunk = "chat.completion.chunk"
    events = [_completion(model, chunk, [{"index": 0, "delta": delta}]) for delta in deltas]
    events.append(_completion(model, chunk, [{"index": 0, "delta": {}, "finish_reason": reply.finished}]))
    if reply.usage is not None:
        events.append(_completion(model, chunk, []) | _openai_usage(reply))
    if reply.fails_with is not None:
        return [
            *map(_dumped, events[:2]),
            _dumped({"error": {"message": reply.error, "code": reply.fails_with}}),
        ]
    return [*map(_dumped, events), "[DONE]"]


def gemini(reply: ChatReply, model: str, *, stream: bool) -> list[str]:
    """The events of a stream, or the one body."""
    if reply.status != 200:
        return [_dumped({"error": {"code": reply.status, "message": reply.error, "status": "SCRIPTED"}})]
    words = _words if stream else lambda text: [text] if text else []
    said: list[_Json] = [{"text": word, "thought": True} for word in words(reply.thought)]
    said += [{"text": word} for word in words(reply.text)]
    for call in reply.calls:
        named = {"id": call.id} if call.id else {}
        said.append({"functionCall": {"name": call.name, "args": dict(call.args), **named}})
    last: _Json = {"finishReason": _GEMINI_FINISH.get(reply.finished, "STOP")}
    if not stream:
        candidates = [{"content": {"role": "model", "parts": said}, **last}]
        return [_dumped(_generated(reply, model, candidates))]
    chunks = [_generated(None, model, [{"content": {"role": "model", "parts": [part]}}]) for part in said]
    return [*map(_dumped, chunks), _dumped(_generated(reply, model, [last]))]


def question_in(body: Mapping[str, Any]) -> str:
    """The last text of the user in a request of either wire."""
    for message in reversed([*body.get("messages", ()), *body.get("contents", ())]):
        if message.get("role") != "user":
            continue
        said = message.get("content", message.get("parts"))
        if isinstance(said, str):
            return said
        if texts := [part["text"] for part in said or () if "text" in part]:
            return str(texts[-1])
    return ""


def _words(text: str) -> list[str]:
    return re.findall(r"\S+\s*|\s+", text)


def _call(call: ChatCall) -> _Json:
    written = _dumped(dict(call.args)) if call.raw is None else call.raw
    named = {"id": call.id} if call.id else {}
    return {**named, "type": "function", "function": {"name": call.name, "arguments": written}}


def _completion(model: str, kind: str, choices: list[_Json]) -> _Json:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": model, "choices": choices}


def _openai_usage(reply: ChatReply) -> _Json:
    if reply.usage is None:
        return {}
    asked, answered = reply.usage
    return {
        "usage": {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
    }


def _generated(reply: ChatReply | None, model: str, candidates: list[_Json]) -> _Json:
    body: _Json = {"candidates": candidates, "modelVersion": model}
    if reply is not None and reply.usage is not None:
        asked, answered = reply.usage
        body["usageMetadata"] = {
            "promptTokenCount": asked,
            "candidatesTokenCount": answered,
            "totalTokenCount": asked + answered,
        }
    return body


def _dumped(value: object) -> str:
    return to_json(value).decode()
