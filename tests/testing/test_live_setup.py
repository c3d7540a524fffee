"""What a setup may contain, and what each model refuses (wire 1.4, 1.9, 1.10)."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import types

from antiphon.testing.live_profiles import profile_named
from antiphon.testing.live_setup import Refusal, Setup, accept, check, seed_refused
from antiphon.testing.live_wire import Message, Route, camel_case, normalised

V1BETA = Route("developer", "v1beta")
INVALID = "Request contains an invalid argument."

# Captured from google-genai 3.4.0 (wire 1.4).
CAPTURED: dict[str, Any] = {
    "model": "models/gemini-x-live",
    "generationConfig": {
        "responseModalities": ["AUDIO"],
        "temperature": 0.5,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "speechConfig": {
            "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
            "language_code": "en-US",
        },
        "thinkingConfig": {"include_thoughts": False, "thinking_budget": 0},
        "enableAffectiveDialog": True,
    },
    "systemInstruction": {"parts": [{"text": "be brief"}], "role": "user"},
    "tools": [
        {"googleSearch": {}},
        {"functionDeclarations": [{"name": "w", "behavior": "NON_BLOCKING", "parameters": {"a_b": 1}}]},
    ],
    "sessionResumption": {},
    "inputAudioTranscription": {},
    "outputAudioTranscription": {},
    "realtimeInputConfig": {
        "automatic_activity_detection": {
            "disabled": False,
            "prefix_padding_ms": 20,
            "silence_duration_ms": 100,
        },
        "activity_handling": "NO_INTERRUPTION",
        "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
    },
    "contextWindowCompression": {"trigger_tokens": 25600, "sliding_window": {"target_tokens": 12800}},
    "historyConfig": {"initial_history_in_client_content": True},
}


def judged(profile: str = "any", route: Route = V1BETA, **setup: Any) -> Setup | Refusal:
    body = normalised({"setup": {"model": "models/m", **setup}})
    return accept(Message(body), route, profile_named(profile))


def accepted(profile: str = "any", **setup: Any) -> Setup:
    result = judged(profile, **setup)
    assert isinstance(result, Setup), result
    return result


def generation(**fields: Any) -> dict[str, Any]:
    return {"generationConfig": fields}


def tools(**function: Any) -> list[dict[str, Any]]:
    return [{"functionDeclarations": [{"name": "f", **function}]}]


def test_what_the_official_sdk_sends_is_understood() -> None:
    setup = accepted(**CAPTURED)
    assert setup.model == "models/gemini-x-live"
    assert (setup.modality, setup.instruction, setup.interruptible) == ("AUDIO", "be brief", False)
    assert (setup.resumable, setup.handle, setup.seeds_history) == (True, None, True)
    assert (setup.transcribes_input, setup.transcribes_output, setup.shows_thoughts) == (True, True, False)
    assert setup.detection["silenceDurationMs"] == 100
    [function] = setup.functions
    assert (function.name, function.parameters, function.blocking) == ("w", {"a_b": 1}, False)


def test_a_bare_setup_speaks_and_offers_nothing() -> None:
    setup = accepted()
    assert (setup.modality, setup.functions, setup.handle, setup.resumable) == ("AUDIO", (), None, False)
    assert setup.interruptible
    assert accepted("robotics-er-2-streaming").modality == "TEXT"
    assert accepted(sessionResumption={"handle": "h"}).handle == "h"


@pytest.mark.parametrize(
    ("setup", "name", "path"),
    [
        ({"modell": 1}, "modell", "setup"),
        ({"generationConfig": {"voice": 1}}, "voice", "setup.generation_config"),
        ({"sessionResumption": {"transparent": True}}, "transparent", "setup.session_resumption"),
        (
            {"tools": [{"functionDeclarations": [{"nam": 1}]}]},
            "nam",
            "setup.tools[0].function_declarations[0]",
        ),
        ({"proactivity": {}}, "proactivity", "setup"),
        ({"explicitVadSignal": True}, "explicitVadSignal", "setup"),
    ],
)
def test_unknown_fields_are_named(setup: dict[str, Any], name: str, path: str) -> None:
    """Wire 1.9, verbatim; `proactivity` off v1alpha and `transparent` off Vertex are unknown too."""
    reason = f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
    assert judged(**setup) == Refusal(1007, reason)


FIELDS: dict[str, Any] = {
    "generationConfig": types.GenerationConfig,
    "generationConfig.speechConfig": types.SpeechConfig,
    "generationConfig.speechConfig.voiceConfig": types.VoiceConfig,
    "generationConfig.thinkingConfig": types.ThinkingConfig,
    "generationConfig.translationConfig": types.TranslationConfig,
    "tools": types.Tool,
    "tools.functionDeclarations": types.FunctionDeclaration,
    "realtimeInputConfig": types.RealtimeInputConfig,
    "realtimeInputConfig.automaticActivityDetection": types.AutomaticActivityDetection,
    "sessionResumption": types.SessionResumptionConfig,
    "contextWindowCompression": types.ContextWindowCompressionConfig,
    "contextWindowCompression.slidingWindow": types.SlidingWindow,
    "historyConfig": types.HistoryConfig,
    "proactivity": types.ProactivityConfig,
    "inputAudioTranscription": types.AudioTranscriptionConfig,
}


@pytest.mark.parametrize("path", FIELDS)
def test_every_field_of_the_official_sdk_is_known(path: str) -> None:
    setup: Any = {camel_case(name): None for name in FIELDS[path].model_fields}
    for name in reversed(path.split(".")):
        setup = {name: setup}
    result = judged(route=Route("vertex", "v1beta1"), **setup)
    assert isinstance(result, Setup), result


def test_what_only_some_apis_know() -> None:
    assert isinstance(
        judged(route=Route("developer", "v1alpha"), proactivity={"proactiveAudio": True}), Setup
    )
    vertex = Route("vertex", "v1beta1")
    assert isinstance(judged(route=vertex, sessionResumption={"transparent": True}), Setup)
    assert isinstance(judged(route=vertex, explicitVadSignal=True), Setup)


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    assert judged(generationConfig=1) == Refusal(1007, "Invalid value at 'setup.generation_config'")


NATIVE = "The requested combination of response modalities (TEXT) is not supported by the model."


@pytest.mark.parametrize(
    ("profile", "setup", "reason"),
    [
        ("2.5-native-audio", generation(responseModalities=["TEXT"]), NATIVE),
        ("3.1-flash-live-preview", generation(responseModalities=["TEXT"]), NATIVE),
        ("3.8-live", generation(responseModalities=["TEXT"]), NATIVE),
        (
            "robotics-er-2-streaming",
            generation(responseModalities=["AUDIO"]),
            NATIVE.replace("TEXT", "AUDIO"),
        ),
        ("any", generation(responseModalities=["AUDIO", "TEXT"]), NATIVE.replace("TEXT", "AUDIO, TEXT")),
        (
            "3.8-live",
            generation(thinkingConfig={"thinkingLevel": "LOW"}),
            "Thinking level is not supported for this model",
        ),
        ("3.8-live-extended-thinking", {}, "Thinking level must be specified for this model"),
        ("vertex-live-2.5-flash", generation(thinkingConfig={"thinkingBudget": 99}), INVALID),
        ("3.1-flash-live-preview", generation(enableAffectiveDialog=True), INVALID),
        (
            "3.8-live-extended-thinking",
            generation(thinkingConfig={"thinkingLevel": "LOW"}) | {"tools": tools(behavior="BLOCKING")},
            "BLOCKING function calls are not supported for this model",
        ),
        (
            "3.8-live",
            {"tools": [{"codeExecution": {}}]},
            "Code Execution tool is not supported for this model",
        ),
        ("any", {"model": ""}, INVALID),
    ],
)
def test_what_a_model_cannot_do_is_refused(profile: str, setup: dict[str, Any], reason: str) -> None:
    """Wire 1.9, 1.10."""
    assert judged(profile, **setup) == Refusal(1007, reason)


@pytest.mark.parametrize(
    ("profile", "behavior", "blocking"),
    [
        ("2.5-native-audio", None, True),
        ("2.5-native-audio", "NON_BLOCKING", False),
        ("3.1-flash-live-preview", "NON_BLOCKING", True),
        ("3.8-live", None, False),
        ("3.8-live", "BLOCKING", True),
        ("3.8-live-extended-thinking", None, False),
        ("vertex-live-2.5-flash", "NON_BLOCKING", True),
    ],
)
def test_each_model_has_its_idea_of_blocking(profile: str, behavior: str | None, blocking: bool) -> None:
    """Wire 1.10."""
    declared = tools(behavior=behavior) if behavior else tools()
    thinking = generation(thinkingConfig={"thinkingLevel": "LOW"}) if "extended" in profile else {}
    [function] = accepted(profile, tools=declared, **thinking).functions
    assert function.blocking is blocking


def test_models_that_do_not_exist_are_refused() -> None:
    """Wire 1.9: the reason is cut in the close frame."""
    message = Message({"setup": {"model": "models/M"}})
    refused = accept(message, V1BETA, profile_named("any"), models=["gemini-3.8-live"])
    assert isinstance(refused, Refusal)
    assert refused.code == 1008
    assert refused.reason.startswith("models/M is not found for API version v1beta, or is not supported for")
    assert isinstance(accept(message, V1BETA, profile_named("any"), models=["M"]), Setup)


@pytest.mark.parametrize("body", [{"clientContent": {}}, {"setup": 1}, {}])
def test_the_setup_comes_first(body: dict[str, Any]) -> None:
    assert accept(Message(body), V1BETA, profile_named("any")) == Refusal(1007, INVALID)


def test_the_setup_comes_once() -> None:
    """Wire 1.4."""
    assert check(Message({"setup": {}})) == Refusal(1007, INVALID)


def test_messages_are_of_one_known_kind() -> None:
    assert check(Message({})) is None
    assert check(Message({"realtimeInput": {"text": "a"}})) is None
    assert check(Message({"realtimeInput": {}, "clientContent": {}})) == Refusal(1007, INVALID)
    reason = 'Invalid JSON payload received. Unknown name "foo": Cannot find field.'
    assert check(Message({"foo": 1})) == Refusal(1007, reason)
    unknown = check(Message({"clientContent": {"turns": [{"part": []}]}}))
    assert unknown is not None
    assert "at 'client_content.turns[0]'" in unknown.reason
    assert check(Message({}, problem="not JSON")) == Refusal(1007, "not JSON")


def test_context_updates_change_instruction_and_tools() -> None:
    """Wire 1.4."""
    setup = accepted(tools=tools(), systemInstruction={"parts": [{"text": "old"}]})
    updated = setup.updated({"systemInstruction": {"parts": [{"text": "new"}]}})
    assert (updated.instruction, len(updated.functions)) == ("new", 1)
    assert setup.updated({"tools": {"tools": []}}).functions == ()
    assert len(setup.updated({"tools": tools()}).functions) == 1


def blob(mime_type: str) -> dict[str, Any]:
    return {"parts": [{"inlineData": {"mimeType": mime_type, "data": ""}}]}


def test_seeded_history_has_its_limits() -> None:
    """Wire 1.9, 1.10."""
    call = {"parts": [{"functionCall": {"name": "f"}}]}
    assert seed_refused(call, profile_named("2.5-native-audio")) == Refusal(1007, INVALID)
    assert seed_refused(call, profile_named("3.8-live")) is None
    assert seed_refused(blob("audio/pcm;rate=16000"), profile_named("2.5-native-audio")) == Refusal(
        1007, INVALID
    )
    assert seed_refused(blob("audio/pcm;rate=16000"), profile_named("3.8-live")) is None
    refused = seed_refused(blob("audio/pcm;rate=24000"), profile_named("3.8-live"))
    assert refused == Refusal(1008, "Operation is not implemented, or supported, or enabled.")
    assert seed_refused(blob("image/png"), profile_named("any")) is None
