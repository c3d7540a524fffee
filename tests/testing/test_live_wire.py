"""What clients write, in all its forms (wire 1.1, 1.3, 1.4)."""

from __future__ import annotations

import json

import pytest

from antiphon.testing.live_wire import (
    MAX_REASON,
    Message,
    Unreadable,
    camel_case,
    credential,
    decoded,
    encoded,
    merged,
    normalised,
    read,
    route,
    snake_case,
    truncated,
)

SERVICE = "ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"


def message(**body: object) -> Message:
    return read(json.dumps(body))


def test_keys_become_camel_case_except_in_what_is_the_applications() -> None:
    """Wire 1.4."""
    mine = {"snake_key": {"inner_key": 1}}
    written = {
        "tool_response": {"function_responses": [{"will_continue": True, "response": mine}]},
        "setup": {
            "labels": mine,
            "tools": [{"function_declarations": [{"parameters": mine, "parameters_json_schema": mine}]}],
            "turns": [{"parts": [{"function_call": {"args": mine}}]}],
        },
    }
    assert normalised(written) == {
        "toolResponse": {"functionResponses": [{"willContinue": True, "response": mine}]},
        "setup": {
            "labels": mine,
            "tools": [{"functionDeclarations": [{"parameters": mine, "parametersJsonSchema": mine}]}],
            "turns": [{"parts": [{"functionCall": {"args": mine}}]}],
        },
    }


@pytest.mark.parametrize("text", ["__77-gAB", "//77+gAB"])
def test_media_are_written_in_either_alphabet(text: str) -> None:
    """Wire 1.4."""
    assert decoded(text) == b"\xff\xfe\xfb\xfa\x00\x01"
    blob = {"data": text, "mime_type": "audio/pcm;rate=16000"}
    audio = message(realtime_input={"audio": blob})
    assert audio == {"realtimeInput": {"audio": {"data": "//77+gAB", "mimeType": "audio/pcm;rate=16000"}}}
    assert audio.audio == b"\xff\xfe\xfb\xfa\x00\x01"


def test_padding_is_optional() -> None:
    assert decoded("_9j__g") == decoded("/9j//g==") == b"\xff\xd8\xff\xfe"
    assert decoded("a") == b""
    assert encoded(b"\xff\xd8\xff\xfe") == "/9j//g=="


@pytest.mark.parametrize("prefix", ["/", "//", "/gateway/v2/", "/a//"])
@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha"])
def test_the_developer_api_is_found_behind_any_prefix(prefix: str, version: str) -> None:
    """Wire 1.2: a trailing slash in the base URL gives a double slash."""
    found = route(prefix + SERVICE.replace("v1beta", version) + "?key=k")
    assert found is not None
    assert (found.api, found.version, found.constrained, found.is_vertex) == (
        "developer",
        version,
        False,
        False,
    )


def test_ephemeral_tokens_have_a_method_of_their_own() -> None:
    found = route("/" + SERVICE + "Constrained")
    assert found is not None
    assert found.constrained


def test_vertex_has_a_path_of_its_own_or_any() -> None:
    """Wire 1.1."""
    found = route("/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent")
    assert found is not None
    assert (found.api, found.version, found.is_vertex) == ("vertex", "v1beta1", True)
    assert route("/anything") is None
    verbatim = route("/anything", verbatim=True)
    assert verbatim is not None
    assert verbatim.is_vertex


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/", {"x-goog-api-key": "K"}, "K"),
        ("/", {"authorization": "Token auth_tokens/T", "x-goog-api-key": "auth_tokens/T"}, "auth_tokens/T"),
        ("/", {"authorization": "Bearer B"}, "B"),
        ("/", {"authorization": "Basic B"}, None),
        ("//p?key=Q", {}, "Q"),
        ("/?access_token=auth_tokens%2FA", {}, "auth_tokens/A"),
        ("/", {}, None),
    ],
)
def test_the_credential_comes_in_many_forms(path: str, headers: dict[str, str], expected: str | None) -> None:
    """Wire 1.1."""
    assert credential(path, headers) == expected


def test_text_is_found_wherever_it_was_typed() -> None:
    assert message(realtimeInput={"text": "a"}).text == "a"
    turns = [{"parts": [{"text": "b"}, {"inlineData": {}}]}, {"parts": [{"text": "c"}]}]
    assert message(clientContent={"turns": turns}).text == "bc"
    assert message(clientContent={"turnComplete": True}).text is None
    assert message(realtimeInput={"activityStart": {}}).text is None
    assert message(setup={}).text is None


def test_the_old_media_chunks_count_once() -> None:
    chunks = [{"data": "AAA=", "mimeType": "image/png"}, {"data": "AQ==", "mimeType": "image/png"}]
    found = message(realtimeInput={"mediaChunks": chunks})
    assert found.media is not None
    assert found.media.data == b"\0\0"
    assert found.audio is None


def test_the_rate_of_audio_stands_in_its_type() -> None:
    media = message(realtimeInput={"audio": {"data": "", "mimeType": "audio/pcm; rate=24000"}}).media
    assert media is not None
    assert media.rate == 24_000
    media = message(realtimeInput={"audio": {"data": "", "mimeType": "audio/pcm"}}).media
    assert media is not None
    assert media.rate == 16_000


def test_function_responses_may_be_one_or_many() -> None:
    assert message(toolResponse={"functionResponses": {"id": "1"}}).function_responses == [{"id": "1"}]
    assert message(toolResponse={"functionResponses": [{"id": "1"}]}).function_responses == [{"id": "1"}]
    assert message(setup={}).function_responses == []


def test_a_message_is_of_one_kind() -> None:
    assert message(client_content={}).kind == "clientContent"
    assert message(other={}).kind == ""
    assert read(b"  ") == {}
    assert read('{"setup": {}}', time=1.5).time == 1.5


@pytest.mark.parametrize("frame", ["not json", b"\xff", "[1]"])
def test_what_is_no_object_cannot_be_read(frame: str | bytes) -> None:
    with pytest.raises(Unreadable, match="Invalid JSON payload received"):
        read(frame)


def test_merging_joins_lists_and_objects() -> None:
    one = {"serverContent": {"modelTurn": {"parts": [1]}, "a": 1}}
    two = {"serverContent": {"modelTurn": {"parts": [2]}, "a": 2}, "usageMetadata": {}}
    assert merged(one, two) == {
        "serverContent": {"modelTurn": {"parts": [1, 2]}, "a": 2},
        "usageMetadata": {},
    }
    assert one == {"serverContent": {"modelTurn": {"parts": [1]}, "a": 1}}, "the arguments stay as they were"


def test_reasons_are_cut_at_123_bytes_but_not_within_a_character() -> None:
    """Wire 1.9."""
    assert truncated("x" * 200) == "x" * MAX_REASON
    assert truncated("x" * 122 + "é") == "x" * 122


def test_names_convert_both_ways() -> None:
    assert camel_case("session_resumption") == "sessionResumption"
    assert camel_case("_private") == "_private"
    assert snake_case("sessionResumption") == "session_resumption"
