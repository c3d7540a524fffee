from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.server import messages
from antiphon.server.messages import JPEG, PCM, PNG, Down, Limits, Media, Unknown, Up
from antiphon.server.wire import HEADER_BYTES, Malformed, decode_down, decode_up, encode, pcm_frame

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

KINDS = [*messages.UP.items(), *messages.DOWN.items()]
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))["vectors"]
GOOD = [each for each in VECTORS if "message" in each]
BAD = [each for each in VECTORS if "error" in each]
CANONICAL = [each for each in GOOD if each.get("canonical")]


def frame_of(vector: dict[str, Any]) -> str | bytes:
    return bytes.fromhex(vector["hex"]) if "hex" in vector else vector["text"]


def decoded(vector: dict[str, Any]) -> Up | Down | Unknown:
    return (decode_up if vector["direction"] == "up" else decode_down)(frame_of(vector))


def meaning(message: Up | Down | Unknown) -> dict[str, Any]:
    """A message as the vectors write it."""
    if isinstance(message, Unknown):
        return {"type": "unknown", "name": message.type} | ({"seq": message.seq} if message.seq else {})
    if isinstance(message, Media):
        header = {name: getattr(message, name) for name in ("kind", "rate", "stream", "number", "at")}
        return {"type": "media", **header, "payload": bytes(message.data).hex(" ")}
    (name,) = (
        name
        for kinds in (messages.UP, messages.DOWN)
        for name, kind in kinds.items()
        if kind is type(message)
    )
    fields = {key: value for key, value in asdict(message).items() if value is not None}
    if "event" in fields:
        fields["event"] = json.loads(fields["event"])
    if "audio" in fields:
        fields["audio"] = list(fields["audio"])
    if "config" in fields:
        fields["config"] = {key: value for key, value in fields["config"].items() if value is not None}
    return {"type": name, **{key: value for key, value in fields.items() if value != {}}}


@pytest.mark.parametrize("vector", GOOD, ids=lambda each: each["name"])
def test_reads_the_vectors(vector: dict[str, Any]) -> None:
    assert meaning(decoded(vector)) == vector["message"]


@pytest.mark.parametrize("vector", CANONICAL, ids=lambda each: each["name"])
def test_writes_the_vectors(vector: dict[str, Any]) -> None:
    message = decoded(vector)
    assert not isinstance(message, Unknown)
    written, frame = encode(message), frame_of(vector)
    if isinstance(written, str) and isinstance(frame, str):
        assert json.loads(written) == json.loads(frame)
    else:
        assert written == frame


@pytest.mark.parametrize("vector", BAD, ids=lambda each: each["name"])
def test_refuses_the_vectors(vector: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        decoded(vector)
    assert {name: getattr(refused.value, name) for name in ("code", "close", "n")} == vector["error"]
    assert refused.value.message == str(refused.value)


def test_the_vectors_have_every_message() -> None:
    def found(direction: str) -> set[str]:
        return {each["message"]["type"] for each in CANONICAL if each["direction"] == direction}

    assert found("up") == {*messages.UP, "media"}
    assert found("down") == {*messages.DOWN, "media"}


def test_refuses_frames_over_their_limits() -> None:
    """protocol 7.2 and 7.3: bytes count, not characters."""
    limits = Limits(text_bytes=30, media_bytes=HEADER_BYTES + 2)
    small, large = Media(JPEG, b"ab"), Media(JPEG, b"abc")
    assert decode_up(encode(small), limits) == small
    for frame in (encode(large), '{"type":"hello","x":"' + "a" * 20, '{"type":"hello","x":"éééé"}'):
        with pytest.raises(Malformed) as refused:
            decode_up(frame, limits)
        assert (refused.value.code, refused.value.close) == ("too_long", 1009)
    assert decode_up('{"type":"hello","x":"éé"}', limits) == messages.ClientHello()


def test_refuses_a_frame_that_is_no_unicode() -> None:
    for frame in ('{"type":"\ud83d"}', "\ud83d"):
        with pytest.raises(Malformed) as refused:
            decode_up(frame)
        assert (refused.value.code, refused.value.close) == ("bad_message", 1007)


def test_names_the_field_and_what_it_must_be() -> None:
    with pytest.raises(Malformed, match=r'In \'hello\', `config.modality` must be "AUDIO" or "TEXT"'):
        decode_up('{"type":"hello","config":{"modality":"VIDEO"}}')


def test_reads_sixteen_levels() -> None:
    """protocol 7.4"""
    assert decode_up('{"type":"hello","x":' + "[" * 15 + "]" * 15 + "}") == messages.ClientHello()


def test_events_down_may_be_deep() -> None:
    event = '{"args":' + "[" * 50 + "]" * 50 + "}"
    assert decode_down(encode(messages.Event(1, event))) == messages.Event(1, event)


def test_an_event_is_not_written_anew() -> None:
    event = '{ "text" : "caf\\u00e9" }'
    frame = encode(messages.Event(12, event))
    assert frame == '{"type":"event","seq":12,"event":' + event + "}"
    assert decode_down(frame) == messages.Event(12, event)


def test_media_is_not_copied() -> None:
    frame = bytearray(encode(Media(PCM, b"\1\0", 16000)))
    media = decode_up(frame)
    assert isinstance(media, Media)
    frame[HEADER_BYTES] = 9
    assert media.data[0] == 9


def test_sound_at_a_rate_without_a_number_is_not_sent() -> None:
    with pytest.raises(ValueError, match="22050 Hz: resample it to a multiple of 100 Hz"):
        encode(Media(PCM, b"\1\0", 22050))


# --- whatever comes -------------------------------------------------------------------------------------

numbers = st.integers(1, 2**53 - 1)
counts = st.integers(0, 2**53 - 1)
in_header = st.integers(0, 2**32 - 1)
texts = st.text(st.characters(exclude_categories=["Cs"]))
amounts = st.integers(0, 10**9) | st.floats(0, 1e12)
flags = st.booleans()
roles = st.sampled_from(["speaker", "watcher"])
json_values = st.recursive(
    st.none()
    | flags
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
)


@st.composite
def sounds(draw: DrawFn, stream: st.SearchStrategy[int]) -> Media:
    rate = 100 * draw(st.integers(80, 480))
    data = 2 * draw(st.binary(min_size=1))
    return Media(PCM, data, rate, draw(stream), draw(in_header), draw(in_header))


images = st.builds(Media, st.sampled_from([JPEG, PNG]), st.binary(min_size=1), number=in_header, at=in_header)
events = st.builds(
    messages.Event,
    numbers,
    st.dictionaries(texts, json_values, max_size=3).map(lambda event: json.dumps(event)),
)
configs = st.builds(
    messages.Config, st.sampled_from(["AUDIO", "TEXT", None]), *[flags | st.none() for _ in range(3)]
)
ups: st.SearchStrategy[Up] = st.one_of(
    st.builds(
        messages.ClientHello,
        texts | st.none(),
        counts,
        st.tuples(in_header, in_header) | st.none(),
        flags,
        configs,
    ),
    st.builds(messages.Text, numbers, texts),
    *(st.builds(kind, numbers) for kind in (messages.ActivityStart, messages.AudioEnd, messages.Close)),
    st.builds(messages.Stop, numbers, in_header, counts),
    st.builds(messages.Playback, in_header, counts),
    st.builds(messages.Ack, counts),
    sounds(st.just(0)),
    images,
)
downs: st.SearchStrategy[Down] = st.one_of(
    st.builds(
        messages.ServerHello,
        *[texts] * 5,
        amounts,
        flags,
        roles,
        counts,
        st.builds(messages.Capabilities, *[flags] * 5, counts, counts),
        st.builds(messages.Limits, counts, counts, *[amounts] * 5),
    ),
    st.builds(messages.Queue, numbers, numbers),
    st.builds(messages.Received, counts),
    events,
    st.builds(messages.Flush, numbers, in_header),
    st.builds(messages.Drain, numbers, amounts),
    st.builds(messages.Role, numbers, roles),
    st.builds(messages.Closed, numbers, texts),
    st.builds(messages.Shed, numbers, in_header, in_header, counts),
    st.builds(messages.Error, texts, texts, counts | st.none()),
    sounds(st.integers(1, 2**32 - 1)),
)


@given(ups)
def test_everything_up_comes_back(message: Up) -> None:
    assert decode_up(encode(message)) == message


@given(downs)
def test_everything_down_comes_back(message: Down) -> None:
    assert decode_down(encode(message)) == message


names = st.sampled_from([*messages.UP, *messages.DOWN])
keys = st.sampled_from(["n", "seq", "text", "config", "audio", "event", "stream", "played", "limits", "role"])
near_misses = st.builds(
    lambda name, fields: json.dumps({"type": name, **fields}), names, st.dictionaries(keys, json_values)
)


@given(st.text() | st.binary() | near_misses)
def test_garbage_raises_nothing_but_malformed(frame: str | bytes) -> None:
    for decode in (decode_up, decode_down):
        try:
            decode(frame)
        except Malformed as refused:
            assert refused.message
            assert refused.code in ("bad_message", "unknown_type")
            assert refused.close in (None, 1007)


@given(ups | downs, st.data())
def test_a_spoiled_frame_raises_nothing_but_malformed(message: Up | Down, data: st.DataObject) -> None:
    frame = encode(message)
    place = data.draw(st.integers(0, len(frame)))
    for decode in (decode_up, decode_down):
        try:
            if isinstance(frame, str):
                decode(frame[:place] + data.draw(st.text(max_size=3)) + frame[place + 1 :])
            else:
                decode(frame[:place] + data.draw(st.binary(max_size=3)) + frame[place + 1 :])
        except Malformed:
            pass


@given(st.binary(min_size=2), st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_a_chunk_of_sound_has_the_frame_of_its_message(data: bytes, stream: int, number: int) -> None:
    assert pcm_frame(data, 24_000, stream, number, 7) == encode(Media(PCM, data, 24_000, stream, number, 7))
