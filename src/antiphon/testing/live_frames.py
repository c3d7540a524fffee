"""The frames a Gemini Live server sends, one function each (wire 1.5). Pure.

Each returns one JSON object. `live_wire.merged` makes one frame of several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from antiphon.testing.live_wire import Json, encoded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "AUDIO_MIME_TYPE",
    "audio",
    "content",
    "duration",
    "error",
    "function_call",
    "generation_complete",
    "go_away",
    "input_transcription",
    "interrupted",
    "model_turn",
    "output_transcription",
    "setup_complete",
    "text",
    "tool_call",
    "tool_call_cancellation",
    "turn_complete",
    "update",
    "usage",
    "voice_activity",
]

AUDIO_MIME_TYPE: Final = "audio/pcm;rate=24000"


def setup_complete(session_id: str | None = None) -> Json:
    """Vertex AI adds a `session_id`, the developer API does not."""
    return {"setupComplete": {"sessionId": session_id} if session_id else {}}


def content(**fields: Any) -> Json:
    """`serverContent` with these fields, named as on the wire."""
    return {"serverContent": fields}


def model_turn(*parts: Mapping[str, Any]) -> Json:
    return content(modelTurn={"role": "model", "parts": [dict(part) for part in parts]})


def text(words: str, *, thought: bool = False) -> Json:
    return model_turn({"text": words, "thought": True} if thought else {"text": words})


def audio(pcm: bytes, *, mime_type: str = AUDIO_MIME_TYPE) -> Json:
    """`pcm` is 16-bit little-endian mono at 24 kHz."""
    return model_turn({"inlineData": {"mimeType": mime_type, "data": encoded(pcm)}})


def output_transcription(words: str, *, finished: bool | None = None) -> Json:
    return content(outputTranscription=_transcription(words, finished))


def input_transcription(words: str, *, finished: bool | None = None) -> Json:
    return content(inputTranscription=_transcription(words, finished))


def _transcription(words: str, finished: bool | None) -> Json:
    return {"text": words} if finished is None else {"text": words, "finished": finished}


def generation_complete() -> Json:
    return content(generationComplete=True)


def interrupted() -> Json:
    return content(interrupted=True)


def turn_complete(
    usage_metadata: Mapping[str, Any] | None = None,
    *,
    status: Literal["IN_PROGRESS", "IDLE"] | None = None,
    reason: str | None = None,
) -> Json:
    """The end of a turn; the usage rides in the same frame."""
    frame = content(turnComplete=True)
    if status:
        frame["serverContent"]["interactionStatus"] = status
    if reason:
        frame["serverContent"]["turnCompleteReason"] = reason
    if usage_metadata is not None:
        frame["usageMetadata"] = dict(usage_metadata)
    return frame


def usage(prompt: Mapping[str, int], response: Mapping[str, int], *, thoughts: int = 0) -> Json:
    """`usageMetadata` from tokens by modality, such as `{"AUDIO": 700}`."""
    said, told = sum(response.values()), sum(prompt.values())
    counted: Json = {
        "promptTokenCount": told,
        "responseTokenCount": said,
        "totalTokenCount": told + said + thoughts,
        "promptTokensDetails": [{"modality": m, "tokenCount": n} for m, n in prompt.items() if n],
        "responseTokensDetails": [{"modality": m, "tokenCount": n} for m, n in response.items() if n],
    }
    if thoughts:
        counted["thoughtsTokenCount"] = thoughts
    return counted


def function_call(id: str, name: str, args: Mapping[str, Any] | None = None) -> Json:
    return {"id": id, "name": name, "args": dict(args or {})}


def tool_call(*calls: Mapping[str, Any]) -> Json:
    """One frame with these function calls; see `function_call`."""
    return {"toolCall": {"functionCalls": [dict(call) for call in calls]}}


def tool_call_cancellation(ids: Sequence[str]) -> Json:
    return {"toolCallCancellation": {"ids": list(ids)}}


def go_away(seconds: float) -> Json:
    return {"goAway": {"timeLeft": duration(seconds)}}


def update(handle: str | None, *, resumable: bool | None = None) -> Json:
    """`sessionResumptionUpdate`: with a handle it is resumable unless said otherwise; without, it is not."""
    if handle is None:
        return {"sessionResumptionUpdate": {"resumable": bool(resumable)}}
    return {"sessionResumptionUpdate": {"newHandle": handle, "resumable": resumable is not False}}


def voice_activity(kind: Literal["ACTIVITY_START", "ACTIVITY_END"], offset: float) -> Json:
    """`offset` is in seconds of audio received since the session began; it survives a resume."""
    return {"voiceActivity": {"type": kind, "audioOffset": f"{offset:.3f}s"}}


def error(code: int, message: str, *, status: str = "INTERNAL") -> Json:
    """The standard error object of Google APIs, which the official SDK cannot parse (wire 1.3)."""
    return {"error": {"code": code, "message": message, "status": status}}


def duration(seconds: float) -> str:
    """A protobuf `Duration`, such as "50s" or "9.5s"."""
    return f"{seconds:.9f}".rstrip("0").rstrip(".") + "s"
