"""Gemini Live frames to and from the runtime's words; pure (wire reference 1.3 to 1.5).

Written in camelCase; media in the standard base64 alphabet, other bytes in the URL-safe one, as Google's own
SDK does. Read in camelCase and snake_case, in both alphabets, with or without padding; several parts and
several kinds of news in one frame; what is not known is left aside.
"""

from __future__ import annotations

from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, TypeVar, assert_never, cast

from pybase64 import b64encode_as_string
from pydantic_core import SchemaValidator, core_schema, from_json, to_json

from antiphon.core.messages import (
    ActivityEnded,
    ActivityStarted,
    Media,
    Message,
    StreamEnded,
    ToolResults,
    Turn,
)
from antiphon.core.signals import (
    CallsCancelled,
    GenerationComplete,
    GoingAway,
    Grounding,
    HandleUpdate,
    InputTranscript,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
    Usage,
    VoiceActivityChanged,
)
from antiphon.errors import MalformedFrame
from antiphon.models import gemini_errors
from antiphon.models.gemini_setup_codec import dump, frame, has_history_phase, setup_frame
from antiphon.types import (
    Content,
    FunctionCall,
    GroundingMetadata,
    InteractionStatus,
    Part,
    TurnCompleteReason,
    UsageMetadata,
    VoiceActivity,
    VoiceActivityType,
)
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from antiphon.errors import ModelConnectionError
    from antiphon.models.base import Setup
    from antiphon.models.gemini_profiles import Profile

__all__ = ["GeminiCodec"]

_Json = dict[str, Any]
_M = TypeVar("_M", bound=Model)

_ANSWERS_ONLY: Final = {"parts": {"__all__": {"function_response": {"scheduling", "will_continue"}}}}
"""What of a tool's answer means nothing once it is history, and is refused by some models."""

_END_OF_TURN: Final = '{"clientContent":{"turnComplete":true}}'

_OUTPUT_RATE: Final = 24_000
"""Hertz of the model's speech when it does not say (wire reference 1.8)."""


class GeminiCodec:
    """One connection's codec. `model` is the full resource name, such as `models/gemini-…`."""

    def __init__(self, model: str, profile: Profile) -> None:
        self._model = model
        self._profile = profile
        self._held: list[Turn] = []
        self._resuming = False

    @property
    def held(self) -> tuple[Message, ...]:
        """Pieces of a turn still open that wait here for its end: no frame has said them yet."""
        return tuple(self._held)

    # To the model.

    def setup(self, setup: Setup) -> Iterable[str]:
        """The one `setup` frame."""
        self._resuming = bool(setup.handle)
        return (setup_frame(setup, self._model, self._profile),)

    def opening(self, setup: Setup) -> Iterable[str]:
        """History first; then what the model is to answer."""
        gated = has_history_phase(setup, self._profile)
        if setup.history:
            yield _client_content(setup.history, complete=gated)
        elif gated:
            yield _END_OF_TURN
        if setup.pending is not None:
            yield from self.encode(Turn(setup.pending))

    def encode(self, message: Message) -> Iterable[str]:
        """One frame, but for typed turns that mix text and images, and for pieces of a turn still open."""
        match message:
            case Media():
                blob = message.blob
                data = b64encode_as_string(blob.data or b"")
                return (f'{{"realtimeInput":{{{_media_key(blob.mime_type or "")}"data":"{data}"}}}}}}',)
            case Turn(content, complete):
                if self._profile.typed_text == "turn":
                    return (_client_content((content,), complete=complete),)
                self._held.append(message)
                return self._realtime_turn() if complete else ()
            case ActivityStarted():
                return ('{"realtimeInput":{"activityStart":{}}}',)
            case ActivityEnded():
                return ('{"realtimeInput":{"activityEnd":{}}}',)
            case StreamEnded():
                return ('{"realtimeInput":{"audioStreamEnd":true}}',)
            case ToolResults(responses):
                heeded = self._profile.capabilities.tool_scheduling
                left_out = None if heeded else {"scheduling", "will_continue"}
                answers = [dump(response, exclude=left_out) for response in responses]
                return (frame({"toolResponse": {"functionResponses": answers}}),)
            case _:
                assert_never(message)

    def _realtime_turn(self) -> list[str]:
        """Real-time text is answered at once: so all pieces of the turn in one, after what it speaks of."""
        parts = [part for turn in self._held for part in turn.content.parts or ()]
        self._held.clear()
        frames: list[str] = []
        for part in parts:
            if part.inline_data is not None and _lane(part.inline_data.mime_type or "") is not None:
                frames.extend(self.encode(Media(part.inline_data)))
            elif part.text is None:
                content = Content.trusted(role="user", parts=[part])
                frames.append(_client_content((content,), complete=False))
        text = "\n".join(part.text for part in parts if part.text)
        if text:
            frames.append(frame({"realtimeInput": {"text": text}}))
        elif frames:
            # A frame of video ends no turn, nor does a file in an open one, and text would put words into
            # the user's mouth. This starts generation and adds nothing (wire reference 1.4).
            frames.append(_END_OF_TURN)
        return frames

    # From the model.

    def decode(self, data: bytes) -> list[ModelSignal]:
        """What one frame says, as it counts: content and calls, then usage, then what ends the turn."""
        if not data.strip():
            return []
        try:
            message = from_json(data, cache_strings="keys")  # not what is said: the cache outlives it
            if len(message) == 1 and (said := message.get("serverContent")) and len(said) == 1:
                if (turn := said.get("modelTurn")) is not None:
                    return _parts(turn)  # nearly every frame: speech, and nothing else
            return list(self._signals(message))
        except (ValueError, TypeError, AttributeError) as garbled:  # ValidationError is a ValueError
            raise MalformedFrame(
                f"Gemini sent a frame that cannot be read: {_glimpse(data)} ({garbled})."
            ) from garbled

    def _signals(self, message: _Json) -> Iterator[ModelSignal]:
        if (said := _either(message, "serverContent", "server_content")) is not None:
            yield from self._content(said)
        if "setupComplete" in message or "setup_complete" in message:
            self._resuming = False
            yield ModelReady()
        if (called := _either(message, "toolCall", "tool_call")) is not None:
            if calls := _list(_either(called, "functionCalls", "function_calls")):
                yield ToolCalls(tuple(_lenient(FunctionCall, call) for call in calls))
        if (cancelled := _either(message, "toolCallCancellation", "tool_call_cancellation")) is not None:
            yield CallsCancelled(tuple(_text(call_id) for call_id in _list(cancelled.get("ids"))))
        if (activity := _either(message, "voiceActivity", "voice_activity")) is not None:
            kind = activity.get("type") or _either(activity, "voiceActivityType", "voice_activity_type")
            offset = _either(activity, "audioOffset", "audio_offset")
            yield VoiceActivityChanged(VoiceActivity(voice_activity_type=kind, audio_offset=offset))
        if (detected := _either(message, *_DETECTION)) is not None:
            if (kind := _BOUNDARIES.get(_either(detected, "vadSignalType", "vad_signal_type"))) is not None:
                yield VoiceActivityChanged(VoiceActivity.trusted(voice_activity_type=kind))
        if (usage := _either(message, "usageMetadata", "usage_metadata")) is not None:
            yield Usage(_usage(usage))
        if said:
            yield from _ending(said)
        if (update := _either(message, "sessionResumptionUpdate", "session_resumption_update")) is not None:
            handle = _either(update, "newHandle", "new_handle")
            yield HandleUpdate(None if handle is None else _text(handle), _is(update, "resumable"))
        if (leaving := _either(message, "goAway", "go_away")) is not None:
            yield GoingAway(_seconds(_either(leaving, "timeLeft", "time_left")))
        if (error := message.get("error")) is not None:
            yield _error(error)

    def _content(self, said: _Json) -> Iterator[ModelSignal]:
        if (heard := _either(said, "inputTranscription", "input_transcription")) is not None:
            yield InputTranscript(*_words(heard))
        if (turn := _either(said, "modelTurn", "model_turn")) is not None:
            yield from _parts(turn)
        if (spoken := _either(said, "outputTranscription", "output_transcription")) is not None:
            text, finished, language = _words(spoken)
            if self._profile.text_as_transcript:
                yield ModelText(text)
            else:
                yield OutputTranscript(text, finished, language)
        if (grounding := _either(said, "groundingMetadata", "grounding_metadata")) is not None:
            yield Grounding(_lenient(GroundingMetadata, grounding))

    # What the endings mean.

    def close_error(self, code: int, reason: str) -> ModelConnectionError | None:
        return gemini_errors.close_error(code, reason, resuming=self._resuming)

    def handshake_error(self, status: int, body: str) -> ModelConnectionError:
        return gemini_errors.handshake_error(status, body)


def _parts(turn: _Json) -> list[ModelSignal]:
    return [signal for part in _list(turn.get("parts")) if (signal := _part(part)) is not None]


def _part(part: _Json) -> ModelSignal | None:
    if (inline := part.get("inlineData")) is None:
        inline = part.get("inline_data")
    if inline is not None:
        speech = _speech(inline.get("mimeType") or inline.get("mime_type") or "")
        if speech is not None:
            return ModelAudio(_bytes(inline.get("data") or ""), speech)
    elif (text := part.get("text")) is not None:
        return ModelText(_text(text), _is(part, "thought"))
    known = _lenient(Part, part)
    if known.function_call is not None:  # some models say their calls among their words
        return ToolCalls((known.function_call,))
    return ModelPart(known) if known.model_fields_set else None


def _ending(said: _Json) -> Iterator[ModelSignal]:
    if _is(said, "generationComplete", "generation_complete"):
        yield GenerationComplete()
    if _is(said, "interrupted"):
        yield ModelInterrupted()
    if _is(said, "turnComplete", "turn_complete"):
        reason = _either(said, "turnCompleteReason", "turn_complete_reason")
        status = _either(said, "interactionStatus", "interaction_status")
        yield TurnComplete(
            None if reason is None else TurnCompleteReason(reason),
            None if status is None else InteractionStatus(status),
        )


def _words(transcription: _Json) -> tuple[str, bool, str | None]:
    language = _either(transcription, "languageCode", "language_code")
    return (
        _text(transcription.get("text") or ""),
        _is(transcription, "finished"),
        None if language is None else _text(language),
    )


def _usage(counted: _Json) -> UsageMetadata:
    """The live names of output tokens become those of every other answer (contract 3.9)."""
    for live, common in _USAGE_NAMES:
        if live in counted:
            counted[common] = counted.pop(live)
    return _lenient(UsageMetadata, counted)


_USAGE_NAMES: Final = (
    ("responseTokenCount", "candidatesTokenCount"),
    ("response_token_count", "candidatesTokenCount"),
    ("responseTokensDetails", "candidatesTokensDetails"),
    ("response_tokens_details", "candidatesTokensDetails"),
)


_DETECTION: Final = ("voiceActivityDetectionSignal", "voice_activity_detection_signal")
_BOUNDARIES: Final = {
    "VAD_SIGNAL_TYPE_SOS": VoiceActivityType.ACTIVITY_START,
    "VAD_SIGNAL_TYPE_EOS": VoiceActivityType.ACTIVITY_END,
}
"""What Vertex AI's allow-listed detection calls start and end of speech: the same news without an offset."""


def _error(error: Any) -> ModelError:
    if not isinstance(error, dict):
        return ModelError("UNKNOWN", str(error))
    code = error.get("status") or error.get("code") or "UNKNOWN"
    return ModelError(str(code), str(error.get("message") or ""))


def _seconds(duration: str | None) -> float:
    """A protobuf duration such as `9.5s`; 0 when it is unsaid, or over."""
    if duration is None:
        return 0.0
    seconds = float(_text(duration).removesuffix("s"))
    if not isfinite(seconds):
        raise ValueError(f"{duration!r} is no duration")
    return max(seconds, 0.0)


def _either(holder: _Json, camel: str, snake: str) -> Any:
    value = holder.get(camel)
    return holder.get(snake) if value is None else value


def _is(holder: _Json, camel: str, snake: str = "") -> bool:
    value = _either(holder, camel, snake)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise TypeError(f"{camel} is {value!r}, neither true nor false")


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(f"{value!r} where text belongs")


def _list(value: Any) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    raise TypeError(f"{value!r} where a list belongs")


@lru_cache(maxsize=64)
def _speech(mime_type: str) -> str | None:
    """The MIME type of PCM, with its rate; `None` for what is no PCM."""
    kind, *parameters = (piece.strip().lower() for piece in mime_type.split(";"))
    if kind != "audio/pcm":
        return None
    rated = any(parameter.startswith("rate=") for parameter in parameters)
    return mime_type if rated else f"{mime_type};rate={_OUTPUT_RATE}"


_BASE64: Final = SchemaValidator(core_schema.bytes_schema(), core_schema.CoreConfig(val_json_bytes="base64"))
_bytes: Final = cast("Callable[[str], bytes]", _BASE64.validate_strings)
"""Either alphabet, padded or not; in compiled code, at a third of `binascii`'s cost."""


def _lenient(kind: type[_M], value: Any) -> _M:
    """Reads what is known of `value`, and leaves the rest aside, at every depth."""
    return kind.model_validate(value, extra="ignore")


def _client_content(turns: Iterable[Content], *, complete: bool) -> str:
    told = [dump(turn, exclude=_ANSWERS_ONLY) for turn in turns]
    return frame({"clientContent": {"turns": told, "turnComplete": complete}})


@lru_cache(maxsize=64)
def _media_key(mime_type: str) -> str:
    return f'"{_lane(mime_type) or "video"}":{{"mimeType":{to_json(mime_type).decode()},'


def _lane(mime_type: str) -> str | None:
    """Under which name the model hears or sees it as it comes; `None` for documents and the like."""
    kind = mime_type.partition("/")[0].strip().lower()
    return "audio" if kind == "audio" else "video" if kind in ("image", "video") else None


def _glimpse(frame: bytes) -> str:
    start = frame[:80].decode(errors="replace")
    return f"{start!r}{'…' if len(frame) > 80 else ''} ({len(frame)} bytes)"
