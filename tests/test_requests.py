"""One thing the user sends, and what may be in it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.errors import InvalidContent, UnknownMimeType
from antiphon.queue import LiveRequestQueue
from antiphon.requests import LiveRequest, Playback, check_blob, pcm_rate
from antiphon.types import ActivityEnd, ActivityStart, Blob, Content, Part

SECOND = Blob(data=b"\0\0" * 16_000, mime_type="audio/pcm")
IMAGE = Blob(data=b"\xff\xd8", mime_type="image/jpeg")
HELLO = Content(role="user", parts=[Part(text="hello")])


# Requests.


@pytest.mark.parametrize(
    "fields",
    [
        {"content": HELLO},
        {"content": HELLO, "partial": True, "state_delta": {"a": 1}},
        {"blob": SECOND},
        {"activity_start": ActivityStart()},
        {"activity_end": ActivityEnd()},
        {"audio_stream_end": True},
        {"stop": True},
        {"playback": Playback(played_ms=1200.0)},
        {"playback": Playback(played_ms=0, turn=3), "state_delta": {"a": 1}},
        {"close": True},
        {"close": True, "state_delta": {"a": 1}},
    ],
    ids=str,
)
def test_a_request_carries_one_thing(fields: dict[str, Any]) -> None:
    # contract 2.6
    request = LiveRequest(**fields)
    assert (
        LiveRequest.model_validate_json(request.model_dump_json(exclude_none=True, by_alias=True)) == request
    )


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({}, "this one has none"),
        ({"audio_stream_end": False, "close": False}, "this one has none"),
        ({"content": HELLO, "blob": SECOND}, "this one has content, blob"),
        ({"close": True, "activity_end": ActivityEnd()}, "this one has activity_end, close"),
        ({"close": True, "partial": True}, "partial goes with content only"),
        ({"content": Content(role="user", parts=[])}, "says nothing"),
        ({"blob": Blob(data=b"", mime_type="audio/pcm")}, "says nothing"),
        ({"nonsense": True}, "nonsense"),
    ],
    ids=str,
)
def test_any_other_request_is_refused(fields: dict[str, Any], complaint: str) -> None:
    # contract 2.6
    with pytest.raises(ValidationError, match=complaint):
        LiveRequest.model_validate(fields)


# MIME types.


@pytest.mark.parametrize(
    ("mime_type", "rate"),
    [
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=24000", 24_000),
        ("Audio/PCM; Channels=1; Rate=8000", 8_000),
        ("image/jpeg", None),
        ("image/png", None),
    ],
)
def test_the_rate_of_audio_is_in_its_type(mime_type: str, rate: int | None) -> None:
    # contract 2.7
    assert pcm_rate(mime_type) == rate


@pytest.mark.parametrize("mime_type", ["", "audio/ogg", "audio/pcmu", "video/mp4", "image/gif"])
def test_an_unknown_type_is_refused_with_the_known_ones(mime_type: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match="audio/pcm, image/jpeg, image/png"):
        LiveRequestQueue().send_realtime(Blob(data=b"\0", mime_type=mime_type))


@pytest.mark.parametrize("rate", ["", "fast", "-16000", "0", "999", "192001", "16e3"])
def test_a_rate_that_is_no_rate_is_refused(rate: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match="1000 to 192000"):
        pcm_rate(f"audio/pcm;rate={rate}")


def test_the_length_of_a_blob_is_in_seconds() -> None:
    assert check_blob(SECOND) == 1.0
    assert check_blob(IMAGE) == 0.0


# Refused with advice.


@pytest.mark.parametrize(
    "part",
    [
        {"text": "a\ud800b"},
        {"function_response": {"id": "c", "name": "book", "response": {"said": [1, "\udfff"]}}},
        {"function_response": {"id": "c", "name": "book", "response": {"\ud800": 1}}},
        {"function_response": {"id": "\ud800", "name": "book", "response": {}}},
        {"file_data": {"file_uri": "gs://\ud800"}},
    ],
    ids=ascii,
)
def test_half_a_character_is_refused_where_it_is(part: dict[str, Any]) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    parts = [{"text": "\U0001f600"}, part]
    for content in ({"parts": parts}, Content.model_validate({"parts": parts})):
        with pytest.raises(InvalidContent, match="Part 1 holds half a character"):
            queue.send_content(content)
    assert queue.depth == 0


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "empty"),
        (Content(parts=[Part(), Part(text="")]), "empty"),
        (Content(role="model", parts=[Part(text="I said")]), "role='user'"),
        (None, "NoneType"),
        (Part(text="hello"), "wrap parts"),
        ([Part(text="hello")], "wrap parts"),
    ],
    ids=repr,
)
def test_what_is_no_turn_of_a_user_is_refused_with_advice(content: Any, complaint: str) -> None:
    # contract 2.5
    queue = LiveRequestQueue()
    with pytest.raises(InvalidContent, match=complaint):
        queue.send_content(content)
    assert queue.depth == 0


def test_bare_bytes_and_no_requests_are_refused_with_advice() -> None:
    # contract 2.5, 2.7
    queue = LiveRequestQueue()
    wrong: Any = b"\0\0"
    with pytest.raises(InvalidContent, match=r'types\.Blob\(data=…, mime_type="audio/pcm;rate=16000"\)'):
        queue.send_realtime(wrong)
    with pytest.raises(InvalidContent, match="LiveRequest"):
        queue.send(wrong)


@pytest.mark.parametrize(
    ("mime_type", "advice"), [(None, "give mime_type"), ("audio/x-wav", "Strip the header"), ("a/b", "'a/b'")]
)
def test_a_type_that_cannot_be_sent_is_refused_with_advice(mime_type: str | None, advice: str) -> None:
    # contract 2.7
    with pytest.raises(UnknownMimeType, match=advice):
        LiveRequestQueue().send_realtime(Blob(data=b"\0\0", mime_type=mime_type))


@pytest.mark.parametrize("played_ms", [-1, float("nan"), float("inf"), "soon"])
def test_playback_is_a_time_from_zero_on(played_ms: Any) -> None:
    # contract 4.5
    with pytest.raises(ValidationError, match="played"):
        LiveRequestQueue().send_playback(played_ms)
