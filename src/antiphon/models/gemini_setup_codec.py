"""The frame that sets a Gemini Live session up; pure (wire reference 1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from antiphon.types import Behavior

if TYPE_CHECKING:
    from antiphon.models.base import Setup
    from antiphon.models.gemini_profiles import Profile
    from antiphon.types import SpeechConfig
    from antiphon.types.model import Model

__all__ = ["dump", "frame", "has_history_phase", "setup_frame"]

_Json = dict[str, Any]

_GENERATION_FIELDS: Final = {
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
}
"""What of a `GenerateContentConfig` a live session takes, under the same names."""


def setup_frame(setup: Setup, model: str, profile: Profile) -> str:
    """The first frame of a connection. `model` is the full resource name."""
    config, chosen = setup.config, setup.generation
    generation: _Json = {"responseModalities": [config.modality]}
    if chosen is not None:
        generation |= dump(chosen, include=_GENERATION_FIELDS)
    speech = (chosen and chosen.speech_config) or config.speech_config
    if speech is not None:
        generation["speechConfig"] = _speech(speech)
    if config.enable_affective_dialog is not None:
        generation["enableAffectiveDialog"] = config.enable_affective_dialog
    body: _Json = {"model": model, "generationConfig": generation}
    if setup.instruction:
        body["systemInstruction"] = {"role": "user", "parts": [{"text": setup.instruction}]}
    if setup.tools:
        body["tools"] = [_tool(dump(tool), profile) for tool in setup.tools]
    if setup.handle or config.session_resumption is not None:
        resumption = dump(config.session_resumption) if config.session_resumption else {}
        resumption.pop("handle", None)  # the run's own is the first of many
        body["sessionResumption"] = resumption | ({"handle": setup.handle} if setup.handle else {})
    audio_in, audio_out = config.input_audio_transcription, config.output_audio_transcription
    if audio_in is not None and profile.capabilities.input_transcription:
        body["inputAudioTranscription"] = dump(audio_in)
    if audio_out is not None and profile.capabilities.output_transcription and config.modality == "AUDIO":
        body["outputAudioTranscription"] = dump(audio_out)
    for name, value in (
        ("realtimeInputConfig", config.realtime_input_config),
        ("contextWindowCompression", config.context_window_compression),
        ("proactivity", config.proactivity),
    ):
        if value is not None:
            body[name] = dump(value)
    if has_history_phase(setup, profile):
        body["historyConfig"] = {"initialHistoryInClientContent": True}
    if chosen is not None and chosen.safety_settings:
        body["safetySettings"] = [dump(each) for each in chosen.safety_settings]
    if chosen is not None and chosen.labels:
        body["labels"] = chosen.labels
    return frame({"setup": body})


def has_history_phase(setup: Setup, profile: Profile) -> bool:
    """Whether the session begins with a phase for history, which a complete turn ends.

    The run may ask for one, or do without, by its `HistoryConfig`; a session that goes on has had its own.
    """
    config = setup.config.history_config
    asked = config.initial_history_in_client_content if config else None
    wanted = bool(setup.history) and profile.history_gate if asked is None else asked
    return wanted and not setup.handle


def _speech(speech: str | SpeechConfig) -> _Json:
    """A string names one of the model's own voices."""
    if isinstance(speech, str):
        return {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": speech}}}
    return dump(speech)


def _tool(tool: _Json, profile: Profile) -> _Json:
    """A model that cannot go on talking while a tool runs is not asked to."""
    if not profile.capabilities.non_blocking_tools:
        for declaration in tool.get("functionDeclarations", ()):
            if declaration.get("behavior") == Behavior.NON_BLOCKING:
                del declaration["behavior"]
    return tool


def dump(value: Model, *, include: set[str] | None = None, exclude: Any = None) -> _Json:
    """What is set of `value`, in camelCase, ready for JSON."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True, include=include, exclude=exclude)


def frame(message: _Json) -> str:
    return to_json(message, inf_nan_mode="null").decode()
