"""Gemini Live frames to and from the runtime's words; pure (wire reference 1.3 to 1.5).

Written in camelCase, with the standard base64 alphabet. Read in camelCase and snake_case, in both alphabets, with or
without padding; several parts and several kinds of news in one frame; what is not known is left aside.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64, b2a_base64
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, assert_never

from pydantic_core import from_json, to_json

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
from antiphon.types import (
    Behavior,
    Content,
    FunctionCall,
    GroundingMetadata,
    InteractionStatus,
    Part,
    TurnCompleteReason,
    UsageMetadata,
    VoiceActivity,
)
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from antiphon.errors import ModelConnectionError
    from antiphon.models.base import Setup
    from antiphon.models.gemini_profiles import Profile

__all__ = ["GeminiCodec"]

_Json = dict[str, Any]
_M = TypeVar("_M", bound=Model)

_GENERATION_FIELDS: Final = (
    "candidate_count",
    "max_output_tokens",
    "temperature",
    "top_p",
    "top_k",
    "presence_penalty",
    "frequency_penalty",
    "seed",
    "media_resolution",
    "thinking_config",
)
"""What of a `GenerateContentConfig` a live session takes, under the same names."""


class GeminiCodec:
    """One connection's codec. `model` is the full resource name, such as `models/gemini-…`."""

    def __init__(self, model: str, profile: Profile) -> None:
        self._model = model
        self._profile = profile
        self._held: list[Part] = []

    # To the model.

    def setup(self, setup: Setup) -> Iterable[str]:
        """The one `setup` frame."""
        config, profile = setup.config, self._profile
        generation: _Json = {"responseModalities": [config.modality]}
        if setup.generation is not None:
            generation |= _dump(setup.generation, include=set(_GENERATION_FIELDS))
        speech = (setup.generation and setup.generation.speech_config) or config.speech_config
        if speech is not None:
            generation["speechConfig"] = speech if isinstance(speech, str) else _dump(speech)
        if config.enable_affective_dialog is not None:
            generation["enableAffectiveDialog"] = config.enable_affective_dialog
        body: _Json = {"model": self._model, "generationConfig": generation}
        if setup.instruction:
            body["systemInstruction"] = {"role": "user", "parts": [{"text": setup.instruction}]}
        if setup.tools:
            body["tools"] = [self._tool(_dump(tool)) for tool in setup.tools]
        if setup.handle is not None or config.session_resumption is not None:
            resumption = _dump(config.session_resumption) if config.session_resumption else {}
            resumption.pop("handle", None)
            body["sessionResumption"] = resumption | ({"handle": setup.handle} if setup.handle else {})
        audio_in, audio_out = config.input_audio_transcription, config.output_audio_transcription
        if audio_in is not None and profile.capabilities.input_transcription:
            body["inputAudioTranscription"] = _dump(audio_in)
        if audio_out is not None and profile.capabilities.output_transcription and config.modality == "AUDIO":
            body["outputAudioTranscription"] = _dump(audio_out)
        for name, value in (
            ("realtimeInputConfig", config.realtime_input_config),
            ("contextWindowCompression", config.context_window_compression),
            ("proactivity", config.proactivity),
            ("historyConfig", config.history_config),
        ):
            if value is not None:
                body[name] = _dump(value)
        if setup.generation is not None and setup.generation.safety_settings:
            body["safetySettings"] = [_dump(each) for each in setup.generation.safety_settings]
        if setup.generation is not None and setup.generation.labels:
            body["labels"] = setup.generation.labels
        if setup.history and profile.history_gate:
            body["historyConfig"] = {"initialHistoryInClientContent": True}
        yield _frame({"setup": body})

    def opening(self, setup: Setup) -> Iterable[str]:
        """History first; then what the model is to answer."""
        if setup.history:
            yield _client_content(setup.history, complete=self._profile.history_gate)
        if setup.pending is not None:
            yield from self.encode(Turn(setup.pending))

    def encode(self, message: Message) -> Iterable[str]:
        """One frame, but for typed turns that mix text and images, and for parts of a turn still open."""
        match message:
            case Media(blob):
                data = b2a_base64(blob.data or b"", newline=False).decode()
                return (f'{{"realtimeInput":{{{_media_key(blob.mime_type or "")}"data":"{data}"}}}}}}',)
            case Turn(content, complete):
                if self._profile.typed_text == "turn":
                    return (_client_content((content,), complete=complete),)
                return self._realtime_turn(content, complete)
            case ActivityStarted():
                return ('{"realtimeInput":{"activityStart":{}}}',)
            case ActivityEnded():
                return ('{"realtimeInput":{"activityEnd":{}}}',)
            case StreamEnded():
                return ('{"realtimeInput":{"audioStreamEnd":true}}',)
            case ToolResults(responses):
                left_out = set() if self._profile.capabilities.tool_scheduling else {"scheduling", "will_continue"}
                answers = [_dump(response, exclude=left_out) for response in responses]
                return (_frame({"toolResponse": {"functionResponses": answers}}),)
            case _:
                assert_never(message)

    def _realtime_turn(self, content: Content, complete: bool) -> Iterator[str]:
        """Real-time text is answered at once, so parts of an open turn wait here for its end."""
        self._held.extend(content.parts or [])
        if not complete:
            return
        parts, self._held = self._held, []
        others = [part for part in parts if part.text is None and part.inline_data is None]
        if others:
            yield _client_content((Content(role="user", parts=others),), complete=False)
        for part in parts:
            if part.inline_data is not None:
                yield _frame({"realtimeInput": {"video": _dump(part.inline_data)}})
        text = "\n".join(part.text for part in parts if part.text)
        if text:
            yield _frame({"realtimeInput": {"text": text}})

    def _tool(self, tool: _Json) -> _Json:
        """A model that cannot go on talking while a tool runs is not asked to."""
        if not self._profile.capabilities.non_blocking_tools:
            for declaration in tool.get("functionDeclarations", ()):
                if declaration.get("behavior") == Behavior.NON_BLOCKING:
                    del declaration["behavior"]
        return tool

    # From the model.

    def decode(self, frame: bytes) -> list[ModelSignal]:
        """What one frame says, in the order in which it counts: content before what ends it, usage before the end."""
        if not frame.strip():
            return []
        try:
            message = from_json(frame)
            if not isinstance(message, dict):
                raise MalformedFrame(f"Gemini sent JSON that is no object: {_glimpse(frame)}")
            return list(self._signals(message))
        except (ValueError, TypeError, AttributeError) as garbled:  # ValidationError and Base64Error are ValueErrors
            raise MalformedFrame(f"Gemini sent a frame that cannot be read: {_glimpse(frame)} ({garbled})") from garbled

    def _signals(self, message: _Json) -> Iterator[ModelSignal]:
        said = _either(message, "serverContent", "server_content")
        if said:
            yield from self._content(said)
        if "setupComplete" in message or "setup_complete" in message:
            yield ModelReady()
        if (called := _either(message, "toolCall", "tool_call")) is not None:
            calls = _either(called, "functionCalls", "function_calls") or ()
            yield ToolCalls(
                tuple(FunctionCall.trusted(id=c.get("id"), name=c.get("name"), args=c.get("args") or {}) for c in calls)
            )
        if (cancelled := _either(message, "toolCallCancellation", "tool_call_cancellation")) is not None:
            yield CallsCancelled(tuple(cancelled.get("ids") or ()))
        if (activity := _either(message, "voiceActivity", "voice_activity")) is not None:
            kind = activity.get("type") or _either(activity, "voiceActivityType", "voice_activity_type")
            offset = _either(activity, "audioOffset", "audio_offset")
            yield VoiceActivityChanged(VoiceActivity(voice_activity_type=kind, audio_offset=offset))
        if (usage := _either(message, "usageMetadata", "usage_metadata")) is not None:
            yield Usage(_usage(usage))
        if said:
            yield from _ending(said)
        if (update := _either(message, "sessionResumptionUpdate", "session_resumption_update")) is not None:
            yield HandleUpdate(_either(update, "newHandle", "new_handle"), bool(update.get("resumable")))
        if (leaving := _either(message, "goAway", "go_away")) is not None:
            yield GoingAway(_seconds(_either(leaving, "timeLeft", "time_left")))
        if (error := message.get("error")) is not None:
            yield _error(error)

    def _content(self, said: _Json) -> Iterator[ModelSignal]:
        if (heard := _either(said, "inputTranscription", "input_transcription")) is not None:
            yield InputTranscript(*_words(heard))
        if (turn := _either(said, "modelTurn", "model_turn")) is not None:
            for part in turn.get("parts") or ():
                yield _part(part)
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
        return gemini_errors.close_error(code, reason)

    def handshake_error(self, status: int, body: str) -> ModelConnectionError:
        return gemini_errors.handshake_error(status, body)


def _part(part: _Json) -> ModelSignal:
    inline = _either(part, "inlineData", "inline_data")
    if inline is not None:
        mime_type: str = _either(inline, "mimeType", "mime_type") or ""
        if mime_type.startswith("audio/"):
            return ModelAudio(_bytes(inline.get("data") or ""), mime_type)
    text = part.get("text")
    if text is not None and inline is None:
        return ModelText(text, bool(part.get("thought")))
    return ModelPart(_lenient(Part, part))


def _ending(said: _Json) -> Iterator[ModelSignal]:
    if _either(said, "generationComplete", "generation_complete"):
        yield GenerationComplete()
    if said.get("interrupted"):
        yield ModelInterrupted()
    if _either(said, "turnComplete", "turn_complete"):
        reason = _either(said, "turnCompleteReason", "turn_complete_reason")
        status = _either(said, "interactionStatus", "interaction_status")
        yield TurnComplete(
            TurnCompleteReason(reason) if reason else None, InteractionStatus(status) if status else None
        )


def _words(transcription: _Json) -> tuple[str, bool, str | None]:
    language = _either(transcription, "languageCode", "language_code")
    return transcription.get("text") or "", bool(transcription.get("finished")), language


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


def _error(error: Any) -> ModelError:
    if not isinstance(error, dict):
        return ModelError("UNKNOWN", str(error))
    code = error.get("status") or error.get("code") or "UNKNOWN"
    return ModelError(str(code), str(error.get("message") or ""))


def _seconds(duration: Any) -> float:
    """A protobuf duration such as `9.5s`; 0 when it is unsaid."""
    return float(str(duration).removesuffix("s")) if duration else 0.0


def _either(holder: _Json, camel: str, snake: str) -> Any:
    value = holder.get(camel)
    return holder.get(snake) if value is None else value


_STANDARD = str.maketrans("-_", "+/")


def _bytes(data: str) -> bytes:
    if "-" in data or "_" in data:
        data = data.translate(_STANDARD)
    try:
        return a2b_base64(data)
    except Base64Error:
        return a2b_base64(data + "=" * (-len(data) % 4))


def _lenient(kind: type[_M], value: Any) -> _M:
    """Reads what is known of `value`, and leaves the rest aside."""
    return kind.model_validate(value, extra="ignore")


def _dump(value: Model, *, include: set[str] | None = None, exclude: set[str] | None = None) -> _Json:
    return value.model_dump(mode="json", by_alias=True, exclude_none=True, include=include, exclude=exclude)


def _frame(message: _Json) -> str:
    return to_json(message).decode()


def _client_content(turns: Iterable[Content], *, complete: bool) -> str:
    told = [_dump(turn) for turn in turns]
    return _frame({"clientContent": {"turns": told, "turnComplete": complete}})


@lru_cache(maxsize=64)
def _media_key(mime_type: str) -> str:
    lane = "audio" if mime_type.startswith("audio/") else "video"
    return f'"{lane}":{{"mimeType":{to_json(mime_type).decode()},'


def _glimpse(frame: bytes) -> str:
    start = frame[:80].decode(errors="replace")
    return f"{start!r}{'…' if len(frame) > 80 else ''} ({len(frame)} bytes)"
