"""Signals, messages and records to JSON and back: every one there is, found by the unions themselves."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types as python
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic_core import to_json

from antiphon import ModelConnectionError, RunConfig, errors, types
from antiphon.core.calls import ToolFacts
from antiphon.core.messages import Message, Turn
from antiphon.core.signals import LinkLost, ModelAudio, ModelSignal, ModelText, Received, Signal, ToolFinished
from antiphon.errors import ConnectionLost, ModelUnavailable
from antiphon.events import EventActions
from antiphon.models.tape import Header, Record
from antiphon.models.tape_codec import NotOfThisKind, form_of, read, write
from antiphon.models.tape_hints import hints_of
from antiphon.types import Content, FunctionResponseScheduling, Part

EVERY: list[Any] = [*get_args(Signal), *get_args(ModelSignal), *get_args(Message), *get_args(Record), Header]


def sample(hint: Any) -> Any:
    """A value of the hint that is unlike any default."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        return {"any": [1, None, {"thing": "ü"}]}
    plain = {str: 'say "ü"\n', int: 7, float: 0.1 + 0.2, bool: True, bytes: b"\x00\xff\xfe"}
    if hint in plain:
        return plain[hint]
    if origin is Literal:
        return arguments[-1]
    if origin in (Union, python.UnionType):
        return sample(next(kind for kind in arguments if kind is not type(None)))
    if origin is tuple and arguments[-1] is not Ellipsis:
        return tuple(sample(kind) for kind in arguments)
    if origin in (tuple, collections.abc.Sequence, list):
        return tuple(sample(kind) for kind in members(arguments[0]))
    if origin in (dict, collections.abc.Mapping):
        return {"key": sample(arguments[1])}
    if hint is ModelConnectionError:
        return ModelUnavailable("It is overloaded.", code=1013, reason="busy")
    if isinstance(hint, type) and issubclass(hint, Enum):
        return list(hint)[-1]
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return some(hint)
    hints = hints_of(hint)
    value = {part.name: sample(hints[part.name]) for part in dataclasses.fields(hint)}
    for part in dataclasses.fields(hint):
        if value[part.name] is True and part.default is True:
            value[part.name] = False
    return hint(**value)


def members(hint: Any) -> Sequence[Any]:
    union = get_origin(hint) in (Union, python.UnionType)
    return get_args(hint) if union else (hint,)


def some(kind: type[BaseModel]) -> BaseModel:
    if kind is Content:
        blob = types.Blob(data=b"\xff\x00", mime_type="audio/pcm")
        return Content(role="user", parts=[Part(text="a", thought=True), Part(inline_data=blob)])
    if kind is EventActions:
        return EventActions(state_delta={"a": None}, transfer_to_agent="b")
    if kind is RunConfig:
        return RunConfig(
            input_audio_transcription=None,
            response_modalities=["TEXT"],
            custom_metadata={"a": 1},
            retry={"jitter": 0},
        )
    return kind()


@pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)
def test_every_signal_message_and_record_comes_back(kind: Any) -> None:
    value = sample(kind)
    data = write(value, kind)
    back = read(json.loads(to_json(data)), kind)
    assert write(back, kind) == data
    if kind is not LinkLost:  # an error equals itself only
        assert back == value
    for part in dataclasses.fields(kind):
        assert part.name in data, "the sample is unlike the default"


@pytest.mark.parametrize("union", [Signal, ModelSignal, Message, Record])
def test_members_of_a_union_are_told_apart(union: Any) -> None:
    for kind in get_args(union):
        value = sample(kind)
        data = write(value, union)
        assert data["is"] == kind.__name__
        assert type(read(json.loads(to_json(data)), union)) is kind


def test_what_is_as_by_default_is_left_out() -> None:
    assert write(ModelText("a"), ModelText) == {"text": "a"}
    assert read({"text": "a"}, ModelText) == ModelText("a")
    assert write(ToolFinished("1", None), ToolFinished) == {"call_id": "1", "response": None}


def test_actions_that_were_changed_in_place_are_written() -> None:
    finished = ToolFinished("1", {"result": None})
    finished.actions.state_delta["seen"] = True
    assert read(write(finished, ToolFinished), ToolFinished) == finished


@pytest.mark.parametrize(
    "name", [name for name in errors.__all__ if issubclass(getattr(errors, name), ModelConnectionError)]
)
@pytest.mark.parametrize(("code", "reason"), [(None, ""), (1011, "because")])
def test_every_error_of_a_connection_comes_back(name: str, code: int | None, reason: str) -> None:
    error = getattr(errors, name)("It went wrong.", code=code, reason=reason)
    back = read(write(error, ModelConnectionError), ModelConnectionError)
    assert type(back) is type(error)
    assert (str(back), back.code, back.reason) == ("It went wrong.", code, reason)
    assert back.retryable is error.retryable


def test_an_error_of_another_package_comes_back_as_the_nearest_and_as_retryable() -> None:
    class Theirs(ConnectionLost):
        retryable = False

    class TheirOwn(ModelConnectionError):
        retryable = True

    for error, kind in ((Theirs("a"), ConnectionLost), (TheirOwn("b"), ModelConnectionError)):
        back = read(write(error, ModelConnectionError), ModelConnectionError)
        assert type(back) is kind
        assert back.retryable is error.retryable


def test_enums_and_mappings() -> None:
    facts = {"a": ToolFacts(scheduling=FunctionResponseScheduling.SILENT), "b": ToolFacts()}
    data = write(facts, Mapping[str, ToolFacts])
    assert data == {"a": {"scheduling": "SILENT"}, "b": {}}
    assert read(data, Mapping[str, ToolFacts]) == facts


@dataclass(frozen=True)
class Lists:
    numbers: list[int] = field(default_factory=list)


def test_lists_come_back_as_lists() -> None:
    assert read(write(Lists([1, 2]), Lists), Lists) == Lists([1, 2])


@pytest.mark.parametrize(
    ("data", "hint", "said"),
    [
        (1, str, "1 is no str"),
        (True, int, "True is no int"),
        ("a", float, "'a' is no int or float"),
        ("maybe", Literal["yes", "no"], "'maybe' is none of 'yes', 'no'"),
        ("a b", bytes, "no base64"),
        (1, bytes, "1 is no str"),
        ("x", tuple[int, ...], "'x' is no list"),
        ("x", tuple[str, int], "'x' is no list"),
        (["x"], tuple[str, int], "['x'] has not 2 items"),
        (["x", "y"], tuple[str, int], "'y' is no int"),
        ([], dict[str, int], "[] is no dict"),
        ({"is": "Nonsense"}, Signal, "'Nonsense' is none of Received, "),
        ({"is": ["Tick"]}, Signal, "none of Received"),
        ([], Signal, "[] is no dict"),
        ({"text": "a", "tone": "b"}, ModelText, "ModelText has no tone"),
        ({}, ModelText, "ModelText: "),
        ({"text": 1}, ModelText, "text: 1 is no str"),
        (
            {"is": "Received", "link": 1, "said": [{"is": "ModelText", "text": 1}]},
            Signal,
            "said: text: 1 is no",
        ),
        ({"content": {"parts": 1}}, Turn, "content: Content.parts: "),
        ({"content": 1}, Turn, "content: Content: "),
        ("LOUD", FunctionResponseScheduling, "'LOUD' is no FunctionResponseScheduling"),
        ({"error": "Nonsense", "message": ""}, ModelConnectionError, "there is no error 'Nonsense'"),
        ({"error": "UsageError", "message": ""}, ModelConnectionError, "there is no error 'UsageError'"),
        ({"error": "ConnectionLost"}, ModelConnectionError, "None is no str"),
    ],
)
def test_what_does_not_fit_is_refused_by_name_and_place(data: Any, hint: Any, said: str) -> None:
    with pytest.raises(NotOfThisKind) as refused:
        read(data, hint)
    assert said in str(refused.value)


@pytest.mark.parametrize("hint", [object, set[int], int | str, ModelAudio | ModelText | None])
def test_a_hint_without_a_form_is_a_mistake_of_this_package(hint: Any) -> None:
    with pytest.raises(TypeError, match="the tape"):
        form_of(hint)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
)


@given(JSON)
def test_no_json_makes_reading_fail_otherwise(data: Any) -> None:
    for hint in (Record, Header, Signal):
        with pytest.raises(NotOfThisKind):
            read(data, hint)


@given(st.lists(st.binary(max_size=64), max_size=4), st.integers(0, 9))
def test_audio_comes_back_byte_for_byte(chunks: list[bytes], link: int) -> None:
    received = Received(link, tuple(ModelAudio(chunk, "audio/pcm;rate=24000") for chunk in chunks))
    assert read(json.loads(to_json(write(received, Signal))), Signal) == received
