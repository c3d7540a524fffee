import base64
import json
from collections.abc import Iterable
from typing import Any

import pytest
from google.genai import types as official
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from antiphon import types
from antiphon.config import RunConfig
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
from antiphon.errors import AuthenticationRefused, MalformedFrame, RequestRefused, ResumptionRefused
from antiphon.models.base import Setup
from antiphon.models.gemini_codec import GeminiCodec
from antiphon.models.gemini_profiles import profile_of

AUDIO = bytes(range(256))  # has every letter of both alphabets, and both of the odd ones
PCM = "audio/pcm;rate=24000"


def codec(model: str = "gemini-3.8-live") -> GeminiCodec:
    return GeminiCodec(f"models/{model}", profile_of(model))


NATIVE = "gemini-2.5-flash-native-audio-preview"
TEXT_ONLY = "robotics-er-2-streaming"


# --- to the model ---------------------------------------------------------------------------------------


def said(frames: Iterable[str]) -> list[dict[str, Any]]:
    """The frames' objects, each of which the official package reads and writes again as the same."""
    messages = [json.loads(frame) for frame in frames]
    for message in messages:
        read = official.LiveClientMessage.model_validate(message)
        again = json.loads(read.model_dump_json(by_alias=True, exclude_none=True))
        assert standard(again) == standard(message)
    return messages


def standard(value: Any) -> Any:
    """With base64 in one alphabet."""
    if isinstance(value, dict):
        return {
            name: inner.replace("-", "+").replace("_", "/") if name == "data" else standard(inner)
            for name, inner in value.items()
        }
    return [standard(inner) for inner in value] if isinstance(value, list) else value


def encoded(message: Message, model: str = "gemini-3.8-live") -> list[dict[str, Any]]:
    return said(codec(model).encode(message))


def user(*parts: types.Part) -> types.Content:
    return types.Content(role="user", parts=list(parts))


def text(words: str) -> types.Part:
    return types.Part(text=words)


def blob(mime_type: str | None, data: bytes | None = AUDIO) -> types.Blob:
    return types.Blob(data=data, mime_type=mime_type)


def b64(data: bytes = AUDIO) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(
    ("mime_type", "lane"),
    [
        ("audio/pcm;rate=16000", "audio"),
        ("Audio/PCM", "audio"),
        ("image/jpeg", "video"),
        ("image/png", "video"),
        (None, "video"),
    ],
)
def test_media_goes_as_it_came(mime_type: str | None, lane: str) -> None:  # contract 2.7
    (message,) = encoded(Media(blob(mime_type)))
    assert message == {"realtimeInput": {lane: {"mimeType": mime_type or "", "data": b64()}}}


def test_media_without_bytes_is_still_a_frame() -> None:
    (message,) = encoded(Media(blob("audio/pcm", None)))
    assert message["realtimeInput"]["audio"]["data"] == ""


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_mime_type_stays_in_its_place(mime_type: str) -> None:
    (message,) = [json.loads(frame) for frame in codec().encode(Media(blob(f"audio/{mime_type}")))]
    assert message == {"realtimeInput": {"audio": {"mimeType": f"audio/{mime_type}", "data": b64()}}}


def test_signals_of_activity() -> None:  # contract 6.4
    assert encoded(ActivityStarted()) == [{"realtimeInput": {"activityStart": {}}}]
    assert encoded(ActivityEnded()) == [{"realtimeInput": {"activityEnd": {}}}]
    assert encoded(StreamEnded()) == [{"realtimeInput": {"audioStreamEnd": True}}]


def test_a_typed_turn_is_content_for_models_that_take_it_so() -> None:  # contract 2.5
    content = user(text("Look:"), types.Part.from_bytes(data=AUDIO, mime_type="image/png"))
    parts = [{"text": "Look:"}, {"inlineData": {"mimeType": "image/png", "data": b64()}}]
    for complete in (True, False):
        (message,) = encoded(Turn(content, complete), NATIVE)
        expected = {"clientContent": {"turns": [{"role": "user", "parts": parts}], "turnComplete": complete}}
        assert standard(message) == expected


def test_a_typed_turn_is_real_time_text_for_the_others_in_one_frame() -> None:
    assert encoded(Turn(user(text("Hello,"), text("world")))) == [
        {"realtimeInput": {"text": "Hello,\nworld"}}
    ]


def test_what_a_real_time_turn_speaks_of_goes_before_its_text() -> None:
    parts = (
        text("What are these?"),
        types.Part.from_bytes(data=AUDIO, mime_type="image/png"),
        types.Part.from_bytes(data=AUDIO, mime_type="audio/pcm;rate=16000"),
        types.Part.from_bytes(data=b"%PDF", mime_type="application/pdf"),
        types.Part(inline_data=types.Blob(data=b"?")),
        types.Part.from_uri(file_uri="gs://b/f.txt", mime_type="text/plain"),
    )
    image, audio, document, unknown, file, words = encoded(Turn(user(*parts)))
    assert image == {"realtimeInput": {"video": {"mimeType": "image/png", "data": b64()}}}
    assert audio == {"realtimeInput": {"audio": {"mimeType": "audio/pcm;rate=16000", "data": b64()}}}
    assert document["clientContent"]["turns"][0]["parts"][0]["inlineData"]["mimeType"] == "application/pdf"
    assert "mimeType" not in unknown["clientContent"]["turns"][0]["parts"][0]["inlineData"]
    part = {"fileData": {"fileUri": "gs://b/f.txt", "mimeType": "text/plain"}}
    assert file == {"clientContent": {"turns": [{"role": "user", "parts": [part]}], "turnComplete": False}}
    assert words == {"realtimeInput": {"text": "What are these?"}}


def test_an_image_alone_and_an_empty_turn() -> None:  # contract 2.5
    message, end = encoded(Turn(user(types.Part.from_bytes(data=AUDIO, mime_type="image/png"))))
    assert list(message["realtimeInput"]) == ["video"]
    assert end == {"clientContent": {"turnComplete": True}}
    assert encoded(Turn(types.Content(role="user"))) == []


def test_a_turn_of_files_alone_ends_too() -> None:  # contract 2.5
    file, end = encoded(Turn(user(types.Part.from_uri(file_uri="gs://b/f.pdf", mime_type="application/pdf"))))
    assert file["clientContent"]["turns"][0]["parts"][0]["fileData"]["fileUri"] == "gs://b/f.pdf"
    assert end == {"clientContent": {"turnComplete": True}}


def test_pieces_of_an_open_turn_wait_for_its_end_and_are_known_to_wait() -> None:  # contract 2.6, 7.3
    gemini = codec()
    first, second = Turn(user(text("Book")), complete=False), Turn(user(text("a table")), complete=False)
    assert [*gemini.encode(first), *gemini.encode(second)] == []
    assert said(gemini.encode(Media(blob("audio/pcm"))))
    assert list(gemini.held) == [first, second]
    assert said(gemini.encode(Turn(user(text("for two."))))) == [
        {"realtimeInput": {"text": "Book\na table\nfor two."}}
    ]
    assert list(gemini.held) == []
    assert said(gemini.encode(Turn(user(text("Thanks."))))) == [{"realtimeInput": {"text": "Thanks."}}]


ANSWER = types.FunctionResponse(
    id="c1",
    name="snake_case",
    response={"result": None, "snake_key": {"camelKey": [1, None]}},
    scheduling="WHEN_IDLE",
    will_continue=False,
)


def test_tool_results_go_with_their_ids() -> None:  # contract 5.2
    (message,) = encoded(ToolResults((ANSWER, types.FunctionResponse(id="c2", name="other", response={}))))
    first, second = message["toolResponse"]["functionResponses"]
    assert first == {
        "id": "c1",
        "name": "snake_case",
        "response": {"result": None, "snake_key": {"camelKey": [1, None]}},
        "scheduling": "WHEN_IDLE",
        "willContinue": False,
    }
    assert second == {"id": "c2", "name": "other", "response": {}}


def test_models_that_refuse_scheduling_are_told_none() -> None:  # wire reference 1.10
    (message,) = encoded(ToolResults((ANSWER,)), "gemini-3.8-live-extended-thinking")
    assert message["toolResponse"]["functionResponses"][0].keys() == {"id", "name", "response"}


# --- setting up -----------------------------------------------------------------------------------------

HISTORY = (
    user(text("My name is Ada.")),
    types.Content(
        role="model", parts=[types.Part(function_call=types.FunctionCall(id="c1", name="f", args={}))]
    ),
    user(types.Part(function_response=ANSWER)),
)


def test_the_set_up_is_one_frame() -> None:
    (frame,) = codec().setup(Setup(RunConfig(), "Be brief."))
    assert json.loads(frame)["setup"]["model"] == "models/gemini-3.8-live"


def test_nothing_is_said_when_there_is_nothing_to_say() -> None:
    assert list(codec().opening(Setup(RunConfig()))) == []


def test_history_ends_its_phase_and_then_the_question_is_asked() -> None:  # contract 4.4
    setup = Setup(RunConfig(), history=HISTORY, pending=user(text("Who am I?")))
    told, asked = said(codec().opening(setup))
    assert told["clientContent"]["turnComplete"] is True
    roles = [turn["role"] for turn in told["clientContent"]["turns"]]
    assert roles == ["user", "model", "user"]
    answer = told["clientContent"]["turns"][2]["parts"][0]["functionResponse"]
    assert answer == {"id": "c1", "name": "snake_case", "response": ANSWER.response}
    assert asked == {"realtimeInput": {"text": "Who am I?"}}


def test_without_a_phase_history_is_an_open_turn() -> None:
    setup = Setup(RunConfig(), history=HISTORY[:1], pending=user(text("Who am I?")))
    told, asked = said(codec(NATIVE).opening(setup))
    assert told["clientContent"]["turnComplete"] is False
    assert asked["clientContent"]["turnComplete"] is True


def test_a_phase_that_was_asked_for_is_ended_even_without_history() -> None:  # wire reference 1.4
    config = RunConfig(history_config=types.HistoryConfig(initial_history_in_client_content=True))
    assert said(codec().opening(Setup(config))) == [{"clientContent": {"turnComplete": True}}]
    assert said(codec().opening(Setup(config, handle="h"))) == []


# --- from the model -------------------------------------------------------------------------------------


def decoded(message: Any, model: str = "gemini-3.8-live") -> list[ModelSignal]:
    return codec(model).decode(json.dumps(message).encode())


def spelt(message: BaseModel) -> list[dict[str, Any]]:
    """The JSON of an official message: both spellings of keys, both alphabets, padded and not."""
    respellings = (str, lambda data: standard({"data": data})["data"], lambda data: data.rstrip("="))
    return [
        respelt(json.loads(message.model_dump_json(by_alias=by_alias, exclude_unset=True)), respell)
        for by_alias in (True, False)
        for respell in respellings
    ]


def respelt(value: Any, respell: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: respell(inner) if name in ("data", "thoughtSignature") else respelt(inner, respell)
            for name, inner in value.items()
        }
    return [respelt(inner, respell) for inner in value] if isinstance(value, list) else value


def server(**fields: Any) -> official.LiveServerMessage:
    return official.LiveServerMessage(**fields)


def content(**fields: Any) -> official.LiveServerMessage:
    return server(server_content=official.LiveServerContent(**fields))


def turn(*parts: official.Part) -> official.Content:
    return official.Content(role="model", parts=list(parts))


def speech(data: bytes, mime_type: str | None = PCM) -> official.Part:
    return official.Part(inline_data=official.Blob(data=data, mime_type=mime_type))


USAGE = official.UsageMetadata(
    prompt_token_count=768,
    response_token_count=15,
    total_token_count=783,
    cached_content_token_count=3,
    tool_use_prompt_token_count=4,
    thoughts_token_count=5,
    prompt_tokens_details=[
        official.ModalityTokenCount(modality=official.MediaModality.AUDIO, token_count=700)
    ],
    response_tokens_details=[
        official.ModalityTokenCount(modality=official.MediaModality.AUDIO, token_count=15)
    ],
)
COUNTED = types.UsageMetadata(
    prompt_token_count=768,
    candidates_token_count=15,
    total_token_count=783,
    cached_content_token_count=3,
    tool_use_prompt_token_count=4,
    thoughts_token_count=5,
    prompt_tokens_details=[types.ModalityTokenCount(modality="AUDIO", token_count=700)],
    candidates_tokens_details=[types.ModalityTokenCount(modality="AUDIO", token_count=15)],
)
GROUNDED: dict[str, Any] = {
    "web_search_queries": ["weather"],
    "grounding_chunks": [{"web": {"uri": "https://example.org", "title": "Weather"}}],
}
CALLED = types.FunctionCall(
    id="fc_4290863095698509728", name="book_slot", args={"slot_time": "3pm", "n": None}
)

MESSAGES: list[tuple[official.LiveServerMessage, list[ModelSignal]]] = [
    (server(setup_complete=official.LiveServerSetupComplete()), [ModelReady()]),
    (server(setup_complete=official.LiveServerSetupComplete(session_id="s")), [ModelReady()]),
    (content(model_turn=turn(speech(AUDIO))), [ModelAudio(AUDIO, PCM)]),
    (content(model_turn=turn(official.Part(text="Hel"))), [ModelText("Hel")]),
    (content(model_turn=turn(official.Part(text="Hm", thought=True))), [ModelText("Hm", thought=True)]),
    (content(model_turn=turn(official.Part(text="Oh", thought=False))), [ModelText("Oh")]),
    (
        content(model_turn=turn(speech(b"\x89PNG", "image/png"))),
        [ModelPart(types.Part(inline_data=types.Blob(data=b"\x89PNG", mime_type="image/png")))],
    ),
    (
        content(model_turn=turn(official.Part(executable_code=official.ExecutableCode(code="1")))),
        [ModelPart(types.Part(executable_code=types.ExecutableCode(code="1")))],
    ),
    (
        content(
            model_turn=turn(official.Part(text="Hi"), speech(AUDIO), speech(b"\x01\x02")),
            output_transcription=official.Transcription(text="Hi "),
        ),
        [ModelText("Hi"), ModelAudio(AUDIO, PCM), ModelAudio(b"\x01\x02", PCM), OutputTranscript("Hi ")],
    ),
    (
        content(input_transcription=official.Transcription(text="yes", finished=True, language_code="en-US")),
        [InputTranscript("yes", finished=True, language_code="en-US")],
    ),
    (content(input_transcription=official.Transcription(text="ye")), [InputTranscript("ye")]),
    (
        content(output_transcription=official.Transcription(finished=True)),
        [OutputTranscript("", finished=True)],
    ),
    (content(interim_input_transcription=official.Transcription(text="y")), []),
    (
        content(grounding_metadata=official.GroundingMetadata.model_validate(GROUNDED)),
        [Grounding(types.GroundingMetadata.model_validate(GROUNDED))],
    ),
    (content(generation_complete=True), [GenerationComplete()]),
    (content(interrupted=True), [ModelInterrupted()]),
    (content(waiting_for_input=True), []),
    (content(turn_complete=True), [TurnComplete()]),
    (content(turn_complete=False, interrupted=False, generation_complete=False), []),
    (
        content(
            turn_complete=True,
            turn_complete_reason=official.TurnCompleteReason.NEED_MORE_INPUT,
            interaction_status=official.InteractionStatus.IDLE,
        ),
        [TurnComplete(types.TurnCompleteReason.NEED_MORE_INPUT, types.InteractionStatus.IDLE)],
    ),
    (
        server(
            tool_call=official.LiveServerToolCall(
                function_calls=[
                    official.FunctionCall(id=CALLED.id, name=CALLED.name, args=CALLED.args),
                    official.FunctionCall(name="no_id"),
                ]
            )
        ),
        [ToolCalls((CALLED, types.FunctionCall(name="no_id")))],
    ),
    (server(tool_call=official.LiveServerToolCall()), []),
    (
        server(tool_call_cancellation=official.LiveServerToolCallCancellation(ids=["a", "b"])),
        [CallsCancelled(("a", "b"))],
    ),
    (server(usage_metadata=USAGE), [Usage(COUNTED)]),
    (server(go_away=official.LiveServerGoAway(time_left="50s")), [GoingAway(50.0)]),
    (server(go_away=official.LiveServerGoAway(time_left="9.5s")), [GoingAway(9.5)]),
    (server(go_away=official.LiveServerGoAway()), [GoingAway(0.0)]),
    (
        server(
            session_resumption_update=official.LiveServerSessionResumptionUpdate(
                new_handle="36-chars", resumable=True, last_consumed_client_message_index=4
            )
        ),
        [HandleUpdate("36-chars", resumable=True)],
    ),
    (
        server(session_resumption_update=official.LiveServerSessionResumptionUpdate(resumable=False)),
        [HandleUpdate(None, resumable=False)],
    ),
    (
        server(session_resumption_update=official.LiveServerSessionResumptionUpdate()),
        [HandleUpdate(None, resumable=False)],
    ),
    (
        server(
            voice_activity=official.VoiceActivity(
                voice_activity_type=official.VoiceActivityType.ACTIVITY_START, audio_offset="0.160s"
            )
        ),
        [
            VoiceActivityChanged(
                types.VoiceActivity(voice_activity_type="ACTIVITY_START", audio_offset="0.160s")
            )
        ],
    ),
    (
        server(
            voice_activity_detection_signal=official.VoiceActivityDetectionSignal(
                vad_signal_type=official.VadSignalType.VAD_SIGNAL_TYPE_SOS
            )
        ),
        [VoiceActivityChanged(types.VoiceActivity(voice_activity_type="ACTIVITY_START"))],
    ),
    (
        server(
            voice_activity_detection_signal=official.VoiceActivityDetectionSignal(
                vad_signal_type=official.VadSignalType.VAD_SIGNAL_TYPE_EOS
            )
        ),
        [VoiceActivityChanged(types.VoiceActivity(voice_activity_type="ACTIVITY_END"))],
    ),
    (server(voice_activity_detection_signal=official.VoiceActivityDetectionSignal()), []),
]


@pytest.mark.parametrize(("message", "signals"), MESSAGES)
def test_every_official_message_is_read(  # wire reference 1.5
    message: official.LiveServerMessage, signals: list[ModelSignal]
) -> None:
    for form in spelt(message):
        assert decoded(form) == signals


def test_the_wires_own_name_for_the_kind_of_activity() -> None:
    activity = types.VoiceActivity(voice_activity_type="ACTIVITY_END", audio_offset="1s")
    assert decoded({"voiceActivity": {"type": "ACTIVITY_END", "audioOffset": "1s"}}) == [
        VoiceActivityChanged(activity)
    ]


def test_a_frame_with_everything_is_told_in_the_order_in_which_it_counts() -> None:  # contract 3.5, 3.8, 3.9
    message = server(
        server_content=official.LiveServerContent(
            turn_complete=True,
            interrupted=True,
            generation_complete=True,
            model_turn=turn(speech(AUDIO)),
            input_transcription=official.Transcription(text="yes"),
            output_transcription=official.Transcription(text="no"),
            grounding_metadata=official.GroundingMetadata(),
        ),
        setup_complete=official.LiveServerSetupComplete(),
        tool_call=official.LiveServerToolCall(function_calls=[official.FunctionCall(id="1")]),
        tool_call_cancellation=official.LiveServerToolCallCancellation(ids=["0"]),
        usage_metadata=official.UsageMetadata(),
        session_resumption_update=official.LiveServerSessionResumptionUpdate(),
        go_away=official.LiveServerGoAway(),
        voice_activity=official.VoiceActivity(),
    )
    for form in spelt(message):
        assert [type(signal) for signal in decoded(form)] == [
            InputTranscript,
            ModelAudio,
            OutputTranscript,
            Grounding,
            ModelReady,
            ToolCalls,
            CallsCancelled,
            VoiceActivityChanged,
            Usage,
            GenerationComplete,
            ModelInterrupted,
            TurnComplete,
            HandleUpdate,
            GoingAway,
        ]


@pytest.mark.parametrize("frame", [b"", b" \n", b"{}", b'{"serverContent": {}}', b'{"serverContent": null}'])
def test_frames_that_say_nothing(frame: bytes) -> None:  # wire reference 1.5
    assert codec().decode(frame) == []


@pytest.mark.parametrize(
    "message",
    [
        {"news": 1},
        {"serverContent": {"news": {"modelTurn": 1}}},
        {"serverContent": {"modelTurn": {"role": "model"}}},
        {"serverContent": {"modelTurn": {"parts": [{"news": 1}, {}]}}},
        {"voiceActivityDetectionSignal": {"vadSignalType": "NEWS"}},
    ],
)
def test_news_of_an_unknown_kind_is_left_aside(message: dict[str, Any]) -> None:
    assert decoded(message) == []


def test_unknown_details_are_left_aside_at_every_depth() -> None:
    news = {"news": {"deep": [1]}}
    assert decoded(
        {
            "serverContent": {
                "modelTurn": {
                    "parts": [{"text": "Hi", **news}, {"executableCode": {"code": "1", **news}, **news}]
                },
                "inputTranscription": {"text": "yes", **news},
                "groundingMetadata": {"groundingChunks": [{"web": {"uri": "u", **news}}], **news},
                "turnComplete": True,
                "turnCompleteReason": "NEW_REASON",
                "interactionStatus": "NEW_STATUS",
                **news,
            },
            "toolCall": {"functionCalls": [{"id": "1", "name": "f", "args": news, **news}], **news},
            "usageMetadata": {
                "totalTokenCount": 1,
                "promptTokensDetails": [{"modality": "SMELL", **news}],
                **news,
            },
            "voiceActivity": {"type": "LAUGHTER", **news},
        }
    ) == [
        InputTranscript("yes"),
        ModelText("Hi"),
        ModelPart(types.Part(executable_code=types.ExecutableCode(code="1"))),
        Grounding(types.GroundingMetadata.model_validate({"grounding_chunks": [{"web": {"uri": "u"}}]})),
        ToolCalls((types.FunctionCall(id="1", name="f", args=news),)),
        VoiceActivityChanged(types.VoiceActivity(voice_activity_type=types.VoiceActivityType("LAUGHTER"))),
        Usage(
            types.UsageMetadata.model_validate(
                {"total_token_count": 1, "prompt_tokens_details": [{"modality": "SMELL"}]}
            )
        ),
        TurnComplete(types.TurnCompleteReason("NEW_REASON"), types.InteractionStatus("NEW_STATUS")),
    ]


@pytest.mark.parametrize(
    ("mime_type", "told"),
    [
        ("audio/pcm", "audio/pcm;rate=24000"),  # 24 kHz is what the model speaks when it does not say
        ("audio/PCM; rate=16000", "audio/PCM; rate=16000"),
        ("audio/pcm;channels=1", "audio/pcm;channels=1;rate=24000"),
        ("audio/pcm; RATE=48000;x", "audio/pcm; RATE=48000;x"),
    ],
)
def test_speech_is_pcm_of_a_known_rate(mime_type: str, told: str) -> None:  # contract 3.7
    for form in spelt(content(model_turn=turn(speech(AUDIO, mime_type)))):
        assert decoded(form) == [ModelAudio(AUDIO, told)]


@pytest.mark.parametrize("mime_type", ["audio/mpeg", "audio/", "audio", "text/plain", None])
def test_what_is_no_pcm_is_content_like_any_other(mime_type: str | None) -> None:
    for form in spelt(content(model_turn=turn(speech(b"ID3", mime_type)))):
        (signal,) = decoded(form)
        assert isinstance(signal, ModelPart) and signal.part.inline_data
        assert (signal.part.inline_data.data, signal.part.inline_data.mime_type) == (b"ID3", mime_type)


def test_speech_without_bytes_says_nothing() -> None:
    assert decoded({"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": PCM}}]}}}) == [
        ModelAudio(b"", PCM)
    ]


def test_text_models_that_only_transcribe() -> None:  # wire reference 1.10
    form = {"serverContent": {"outputTranscription": {"text": "Left.", "finished": True}}}
    assert decoded(form, TEXT_ONLY) == [ModelText("Left.")]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            {"code": 429, "message": "Too much.", "status": "RESOURCE_EXHAUSTED"},
            ModelError("RESOURCE_EXHAUSTED", "Too much."),
        ),
        ({"code": 500}, ModelError("500", "")),
        ({}, ModelError("UNKNOWN", "")),
        ("broken", ModelError("UNKNOWN", "broken")),
    ],
)
def test_errors_in_a_frame(error: Any, told: ModelError) -> None:  # contract 3.10
    assert decoded({"error": error}) == [told]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("0s", 0.0), ("-3s", 0.0), ("12", 12.0), ("1.000000001s", 1.000000001)]
)
def test_durations(duration: str, seconds: float) -> None:
    assert decoded({"goAway": {"timeLeft": duration}}) == [GoingAway(seconds)]


GARBLED: list[Any] = [
    b"hello",
    b"\xff\xfe",
    b'{"serverContent":',
    b'{"a": "\\ud83d"}',
    b'{"a": ' + b"[" * 1000 + b"]" * 1000 + b"}",
    [],
    [{"serverContent": {}}],
    1,
    "serverContent",
    None,
    True,
    {"serverContent": []},
    {"serverContent": "x"},
    {"serverContent": 0},
    {"serverContent": {"modelTurn": []}},
    {"serverContent": {"modelTurn": {"parts": {}}}},
    {"serverContent": {"modelTurn": {"parts": ""}}},
    {"serverContent": {"modelTurn": {"parts": [1]}}},
    {"serverContent": {"modelTurn": {"parts": [{"text": 1}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"text": "x", "thought": "no"}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": "x"}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": 1}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": ["audio/pcm"]}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": PCM, "data": 1}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": PCM, "data": "A"}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": PCM, "data": "é"}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "*"}}]}}},
    {"serverContent": {"modelTurn": {"parts": [{"executableCode": 1}]}}},
    {"serverContent": {"inputTranscription": "x"}},
    {"serverContent": {"inputTranscription": {"text": 1}}},
    {"serverContent": {"inputTranscription": {"text": "x", "finished": "yes"}}},
    {"serverContent": {"outputTranscription": {"text": "x", "languageCode": 1}}},
    {"serverContent": {"groundingMetadata": 1}},
    {"serverContent": {"turnComplete": "false"}},
    {"serverContent": {"turnComplete": True, "turnCompleteReason": 1}},
    {"serverContent": {"turnComplete": True, "interactionStatus": {}}},
    {"serverContent": {"interrupted": 1}},
    {"serverContent": {"generationComplete": []}},
    {"toolCall": 1},
    {"toolCall": {"functionCalls": {}}},
    {"toolCall": {"functionCalls": [1]}},
    {"toolCall": {"functionCalls": [{"id": 1}]}},
    {"toolCall": {"functionCalls": [{"id": "1", "name": "f", "args": []}]}},
    {"toolCallCancellation": {"ids": "abc"}},
    {"toolCallCancellation": {"ids": [1]}},
    {"usageMetadata": 1},
    {"usageMetadata": []},
    {"usageMetadata": "responseTokenCount"},
    {"usageMetadata": {"totalTokenCount": "many"}},
    {"sessionResumptionUpdate": "h"},
    {"sessionResumptionUpdate": {"newHandle": 1}},
    {"sessionResumptionUpdate": {"newHandle": "h", "resumable": "yes"}},
    {"goAway": "50s"},
    {"goAway": {"timeLeft": 50}},
    {"goAway": {"timeLeft": "soon"}},
    {"goAway": {"timeLeft": "infs"}},
    {"goAway": {"timeLeft": "nan"}},
    {"voiceActivity": 1},
    {"voiceActivity": {"type": 1}},
    {"voiceActivity": {"audioOffset": 1}},
    {"voiceActivityDetectionSignal": 1},
    {"voiceActivityDetectionSignal": {"vadSignalType": []}},
]


@pytest.mark.parametrize("frame", GARBLED)
def test_what_cannot_be_read_is_malformed_and_shown(frame: Any) -> None:
    data = frame if isinstance(frame, bytes) else json.dumps(frame).encode()
    with pytest.raises(MalformedFrame, match=r"^Gemini sent a frame that cannot be read: .* bytes\)") as told:
        codec().decode(data)
    assert len(str(told.value)) < 1000
    assert not told.value.retryable


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
VALID = [form for message, _ in MESSAGES for form in spelt(message)[::3]]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for name, each in inner for place in places(each, (*path, name)))]


def with_other(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = with_other(value[path[0]], path[1:], other)
    return changed


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    form = draw(st.sampled_from(VALID))
    return json.dumps(with_other(form, draw(st.sampled_from(places(form))), draw(JSON))).encode()


@st.composite
def cut(draw: st.DrawFn) -> bytes:
    frame = bytearray(json.dumps(draw(st.sampled_from(VALID))).encode())
    frame[draw(st.integers(0, len(frame) - 1))] = draw(st.integers(0, 255))
    return bytes(frame[: draw(st.integers(0, len(frame)))])


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | mutated() | cut())
def test_whatever_comes_is_read_or_malformed(frame: bytes) -> None:
    try:
        signals = codec().decode(frame)
    except MalformedFrame:
        return
    for signal in signals:
        match signal:
            case ModelAudio(mime_type=mime_type):
                assert mime_type.lower().startswith("audio/pcm")
            case ModelText(words) | InputTranscript(words) | OutputTranscript(words):
                assert isinstance(words, str)
            case GoingAway(time_left):
                assert 0 <= time_left < float("inf")


@given(st.binary(max_size=100))
def test_all_spellings_of_base64_are_the_same_bytes(data: bytes) -> None:
    for form in spelt(content(model_turn=turn(speech(data)))):
        assert decoded(form) == [ModelAudio(data, PCM)]


# --- endings --------------------------------------------------------------------------------------------

GONE = "Requested entity was not found."


def test_a_handle_that_is_refused_is_told_from_a_refused_message() -> None:  # contract 7.1
    gemini = codec()
    assert isinstance(gemini.close_error(1008, GONE), RequestRefused)
    list(gemini.setup(Setup(RunConfig(), handle="old")))
    assert isinstance(gemini.close_error(1008, GONE), ResumptionRefused)
    assert gemini.decode(b'{"setupComplete": {}}') == [ModelReady()]
    assert isinstance(gemini.close_error(1008, GONE), RequestRefused)


def test_endings_have_their_meaning() -> None:  # contract 7.4
    assert codec().close_error(1000, "") is None
    assert isinstance(codec().handshake_error(401, ""), AuthenticationRefused)


def test_a_call_among_the_models_words_is_a_call() -> None:  # contract 5.2
    call = {"functionCall": {"id": "c", "name": "look", "args": {"n": 1}}}
    said = decoded({"serverContent": {"modelTurn": {"parts": [{"text": "let me see"}, call]}}})
    assert said == [
        ModelText("let me see"),
        ToolCalls((types.FunctionCall(id="c", name="look", args={"n": 1}),)),
    ]
