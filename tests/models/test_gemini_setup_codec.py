import json
from typing import Any

import pytest
from google import genai
from google.genai import _common, _live_converters
from google.genai import types as official
from pydantic import BaseModel

from antiphon import types
from antiphon.config import RunConfig
from antiphon.models.base import Setup
from antiphon.models.gemini_profiles import Profile, profile_of
from antiphon.models.gemini_setup_codec import frame, has_history_phase, setup_frame

LIVE = profile_of("gemini-3.8-live")
NATIVE = profile_of("gemini-2.5-flash-native-audio-preview")
TEXT_MODEL = profile_of("robotics-er-2-streaming")
HISTORY = (types.Content(role="user", parts=[types.Part(text="My name is Ada.")]),)


def body(setup: Setup, profile: Profile = LIVE) -> dict[str, Any]:
    """The object in the frame, which the official package reads and writes again as it is."""
    said = json.loads(setup_frame(setup, "models/m", profile))
    assert list(said) == ["setup"]
    inside: dict[str, Any] = said["setup"]
    modelled = dict(inside)
    if (heard := modelled.pop("realtimeInputConfig", None)) is not None:  # not in its LiveClientSetup
        assert agreed(official.RealtimeInputConfig.model_validate(heard)) == heard
    assert agreed(official.LiveClientMessage.model_validate({"setup": modelled})) == {"setup": modelled}
    return inside


def agreed(read: BaseModel) -> Any:
    return json.loads(read.model_dump_json(by_alias=True, exclude_none=True))


def as_camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def camel(value: Any) -> Any:
    """As the service reads it: either spelling of a key."""
    if isinstance(value, dict):
        return {as_camel(name): camel(inner) for name, inner in value.items()}
    return [camel(inner) for inner in value] if isinstance(value, list) else value


def test_the_least_that_is_said() -> None:  # contract 6.1
    assert body(Setup(RunConfig(input_audio_transcription=None, output_audio_transcription=None))) == {
        "model": "models/m",
        "generationConfig": {"responseModalities": ["AUDIO"]},
    }


def test_everything_stands_where_the_wire_has_it() -> None:  # wire reference 1.4
    config = RunConfig.model_validate(
        {
            "response_modalities": ["AUDIO"],
            "enable_affective_dialog": True,
            "input_audio_transcription": {"language_codes": ["en-US"]},
            "output_audio_transcription": {},
            "realtime_input_config": {
                "automatic_activity_detection": {
                    "disabled": False,
                    "start_of_speech_sensitivity": "START_SENSITIVITY_HIGH",
                    "end_of_speech_sensitivity": "END_SENSITIVITY_LOW",
                    "prefix_padding_ms": 20,
                    "silence_duration_ms": 100,
                },
                "activity_handling": "NO_INTERRUPTION",
                "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
            },
            "session_resumption": {"transparent": True},
            "context_window_compression": {
                "trigger_tokens": 25600,
                "sliding_window": {"target_tokens": 12800},
            },
            "proactivity": {"proactive_audio": True},
        }
    )
    generation = types.GenerateContentConfig.model_validate(
        {
            "temperature": 0.5,
            "top_p": 0.9,
            "top_k": 3,
            "candidate_count": 1,
            "max_output_tokens": 100,
            "presence_penalty": 0.1,
            "frequency_penalty": 0.2,
            "seed": 7,
            "media_resolution": "MEDIA_RESOLUTION_LOW",
            "thinking_config": {"include_thoughts": False, "thinking_budget": 0},
            "stop_sequences": ["not for live sessions"],
            "response_mime_type": "text/plain",
            "speech_config": {
                "voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}},
                "language_code": "en-US",
            },
            "safety_settings": [
                {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"},
            ],
            "labels": {"team_name": "voice"},
        }
    )
    tools = [
        types.Tool(google_search=types.GoogleSearch()),
        types.Tool(
            function_declarations=[
                types.FunctionDeclaration(
                    name="weather",
                    description="The weather.",
                    parameters=types.Schema(
                        type="OBJECT",
                        properties={"city_name": types.Schema(type="STRING")},
                        required=["city_name"],
                    ),
                    behavior="NON_BLOCKING",
                )
            ]
        ),
    ]
    assert body(Setup(config, "Be brief.", tools, generation)) == {
        "model": "models/m",
        "generationConfig": {
            "responseModalities": ["AUDIO"],
            "temperature": 0.5,
            "topP": 0.9,
            "topK": 3.0,
            "candidateCount": 1,
            "maxOutputTokens": 100,
            "presencePenalty": 0.1,
            "frequencyPenalty": 0.2,
            "seed": 7,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
            "thinkingConfig": {"includeThoughts": False, "thinkingBudget": 0},
            "speechConfig": {
                "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Puck"}},
                "languageCode": "en-US",
            },
            "enableAffectiveDialog": True,
        },
        "systemInstruction": {"role": "user", "parts": [{"text": "Be brief."}]},
        "tools": [
            {"googleSearch": {}},
            {
                "functionDeclarations": [
                    {
                        "name": "weather",
                        "description": "The weather.",
                        "parameters": {
                            "type": "OBJECT",
                            "properties": {"city_name": {"type": "STRING"}},
                            "required": ["city_name"],
                        },
                        "behavior": "NON_BLOCKING",
                    }
                ]
            },
        ],
        "sessionResumption": {"transparent": True},
        "inputAudioTranscription": {"languageCodes": ["en-US"]},
        "outputAudioTranscription": {},
        "realtimeInputConfig": {
            "automaticActivityDetection": {
                "disabled": False,
                "startOfSpeechSensitivity": "START_SENSITIVITY_HIGH",
                "endOfSpeechSensitivity": "END_SENSITIVITY_LOW",
                "prefixPaddingMs": 20,
                "silenceDurationMs": 100,
            },
            "activityHandling": "NO_INTERRUPTION",
            "turnCoverage": "TURN_INCLUDES_ALL_INPUT",
        },
        "contextWindowCompression": {"triggerTokens": 25600, "slidingWindow": {"targetTokens": 12800}},
        "proactivity": {"proactiveAudio": True},
        "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_ONLY_HIGH"}],
        "labels": {"team_name": "voice"},
    }


def test_the_official_client_says_the_same() -> None:  # wire reference 1.4
    settings: dict[str, Any] = {
        "enable_affective_dialog": False,
        "input_audio_transcription": {},
        "output_audio_transcription": {},
        "realtime_input_config": {"automatic_activity_detection": {"disabled": True}},
        "session_resumption": {"handle": "h"},
        "context_window_compression": {"sliding_window": {}},
        "proactivity": {"proactive_audio": True},
        "speech_config": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Puck"}}},
    }
    theirs = official.LiveConnectParameters(
        model="models/m",
        config=official.LiveConnectConfig(
            response_modalities=[official.Modality.AUDIO],
            temperature=0.5,
            media_resolution=official.MediaResolution.MEDIA_RESOLUTION_LOW,
            thinking_config=official.ThinkingConfig(thinking_level=official.ThinkingLevel.LOW),
            system_instruction=official.Content(role="user", parts=[official.Part(text="Be brief.")]),
            tools=[official.Tool(google_search=official.GoogleSearch())],
            **settings,
        ),
    )
    client = genai.Client(api_key="k")
    said = _live_converters._LiveConnectParameters_to_mldev(
        client._api_client, theirs.model_dump(exclude_none=True)
    )
    client.close()
    expected: Any = _common.encode_unserializable_types(_common.convert_to_dict(said))["setup"]
    expected["model"] = "models/m"
    generation = types.GenerateContentConfig.model_validate(
        {
            "temperature": 0.5,
            "media_resolution": "MEDIA_RESOLUTION_LOW",
            "thinking_config": {"thinking_level": "LOW"},
        }
    )
    tools = [types.Tool(google_search=types.GoogleSearch())]
    ours = body(Setup(RunConfig.model_validate(settings), "Be brief.", tools, generation, handle="h"))
    assert camel(ours) == camel(json.loads(json.dumps(expected)))


def test_the_agents_voice_goes_before_the_runs_and_a_string_is_a_voice_by_name() -> None:
    run = RunConfig(speech_config=types.SpeechConfig(language_code="de-DE"))
    assert body(Setup(run))["generationConfig"]["speechConfig"] == {"languageCode": "de-DE"}
    agent = types.GenerateContentConfig(speech_config="Kore")
    assert body(Setup(run, generation=agent))["generationConfig"]["speechConfig"] == {
        "voiceConfig": {"prebuiltVoiceConfig": {"voiceName": "Kore"}}
    }
    assert body(Setup(run, generation=types.GenerateContentConfig(top_k=1)))["generationConfig"][
        "speechConfig"
    ] == {"languageCode": "de-DE"}


@pytest.mark.parametrize(
    ("resumption", "handle", "said"),
    [
        (None, None, None),
        ({}, None, {}),
        ({"handle": "first"}, "newest", {"handle": "newest"}),
        ({"handle": "first"}, None, {}),
        (None, "newest", {"handle": "newest"}),
        (None, "", None),
    ],
)
def test_a_session_is_resumed_by_the_handle_of_the_set_up(  # contract 7.1
    resumption: dict[str, Any] | None, handle: str | None, said: dict[str, Any] | None
) -> None:
    config = RunConfig.model_validate({"session_resumption": resumption})
    assert body(Setup(config, handle=handle)).get("sessionResumption") == said


def test_transcripts_are_asked_for_where_there_can_be_some() -> None:  # contract 3.8
    assert "outputAudioTranscription" in body(Setup(RunConfig()))
    text = RunConfig(response_modalities=["TEXT"])
    assert "outputAudioTranscription" not in body(Setup(text))
    assert "inputAudioTranscription" in body(Setup(text), TEXT_MODEL)
    assert "outputAudioTranscription" not in body(Setup(RunConfig()), TEXT_MODEL)
    deaf = Profile("deaf", "", TEXT_MODEL.capabilities.__class__(input_transcription=False))
    assert "inputAudioTranscription" not in body(Setup(RunConfig()), deaf)


@pytest.mark.parametrize(("behavior", "kept"), [("NON_BLOCKING", False), ("BLOCKING", True), (None, False)])
def test_only_models_that_can_are_asked_to_go_on_talking(behavior: str | None, kept: bool) -> None:
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="f", behavior=behavior)])
    setup = Setup(RunConfig(), tools=[tool, types.Tool(google_search=types.GoogleSearch())])
    (declared, _) = body(setup, profile_of("gemini-3.1-flash-live-preview"))["tools"]
    assert ("behavior" in declared["functionDeclarations"][0]) is kept
    assert tool.function_declarations and tool.function_declarations[0].behavior == behavior


@pytest.mark.parametrize(
    ("profile", "asked", "history", "handle", "phase"),
    [
        (LIVE, None, True, None, True),
        (LIVE, None, False, None, False),
        (LIVE, False, True, None, False),
        (LIVE, True, False, None, True),
        (LIVE, True, True, "h", False),
        (NATIVE, None, True, None, False),
        (NATIVE, True, True, None, True),
    ],
)
def test_the_phase_for_history(  # contract 4.4
    profile: Profile, asked: bool | None, history: bool, handle: str | None, phase: bool
) -> None:
    config = RunConfig(history_config=types.HistoryConfig(initial_history_in_client_content=asked))
    setup = Setup(config, history=HISTORY if history else (), handle=handle)
    assert has_history_phase(setup, profile) is phase
    expected = {"initialHistoryInClientContent": True} if phase else None
    assert body(setup, profile).get("historyConfig") == expected


def test_numbers_that_json_lacks_do_not_spoil_a_frame() -> None:
    assert json.loads(frame({"x": float("nan"), "y": [float("inf")]})) == {"x": None, "y": [None]}
