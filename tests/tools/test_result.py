from __future__ import annotations

import dataclasses
import datetime
import enum
import json
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from google.genai import types as official
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from antiphon.tools.result import (
    UnusableResult,
    UnusableState,
    cancelled,
    cannot_begin,
    check_state,
    error_response,
    timed_out,
    tool_failed,
    tool_response,
    unknown_tool,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class City(BaseModel):
    name: str
    founded: datetime.date


@dataclasses.dataclass
class Point:
    x: float
    y: float


class Unit(enum.Enum):
    CELSIUS = "C"


BERN = City(name="Bern", founded=datetime.date(1191, 1, 1))
BERN_JSON = {"name": "Bern", "founded": "1191-01-01"}


@pytest.mark.parametrize(
    ("value", "response"),
    [
        ({"a": 1}, {"a": 1}),
        ({}, {}),
        ({"city": BERN}, {"city": BERN_JSON}),
        ({1: "x"}, {"1": "x"}),
        (None, {"result": None}),
        ("sunny", {"result": "sunny"}),
        (0, {"result": 0}),
        ([1, BERN], {"result": [1, BERN_JSON]}),
        (BERN, {"result": BERN_JSON}),
        (Point(1, 2), {"result": {"x": 1, "y": 2}}),
        (Unit.CELSIUS, {"result": "C"}),
        (datetime.timedelta(minutes=5), {"result": "PT5M"}),
        (UUID(int=1), {"result": "00000000-0000-0000-0000-000000000001"}),
        ({1}, {"result": [1]}),
        ((1, "a"), {"result": [1, "a"]}),
        (float("nan"), {"result": "NaN"}),
        ({"a": float("inf")}, {"a": "Infinity"}),
        (10**30, {"result": 10**30}),
    ],
)
def test_results_are_json_objects(value: object, response: dict[str, Any]) -> None:  # contract 5.2
    assert tool_response(value) == response
    json.dumps(tool_response(value), allow_nan=False)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_goes_through_unchanged(value: Any) -> None:
    assert tool_response(value) == (value if isinstance(value, dict) else {"result": value})


async def coroutine() -> int:
    return 1


def generator() -> Iterator[int]:
    yield 1


async def stream() -> AsyncIterator[int]:
    yield 1


cycle: list[Any] = []
cycle.append(cycle)
deep: list[Any] = []
for _ in range(5_000):
    deep = [deep]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"abc", r"bytes, .*save_artifact\(\)"),
        ({"image": [bytearray(b"abc")]}, "bytes"),
        (object(), "an object, which is no JSON .*: return a dict"),
        ({"x": object()}, "a dict, which is no JSON"),
        (coroutine, "a function, which is no JSON"),
        (generator(), "a generator instead of a value: .*async generator"),
        (stream(), "an async_generator instead of a value"),
        ([iter([1])], "a list_iterator instead of a value"),
        (cycle, "contains itself"),
        (deep, "a list, which is no JSON"),
        ("\ud800", "a str, which is no JSON"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_json_is_refused_with_the_cure(value: object, says: str) -> None:  # contract 5.4
    with pytest.raises(UnusableResult, match=says):
        tool_response(value)


async def test_a_forgotten_await_is_named_and_does_not_warn() -> None:  # contract 5.4
    with pytest.raises(UnusableResult, match="a coroutine instead of a value: define it with async def"):
        tool_response(coroutine())


def test_errors_have_one_shape() -> None:  # contract 5.4
    assert error_response("CODE", "Text.", hint=1) == {
        "error": {"code": "CODE", "message": "Text.", "hint": 1}
    }


def test_an_unknown_tool_is_told_the_known_ones() -> None:  # contract 5.4
    error = unknown_tool("wether", ["weather", "clock"])["error"]
    assert error == {
        "code": "UNKNOWN_TOOL",
        "message": "There is no tool 'wether'. The tools are: clock, weather.",
        "known": ["clock", "weather"],
    }
    assert unknown_tool("wether", [])["error"]["message"] == "There is no tool 'wether'. There are no tools."


def test_an_exception_is_told_by_type_and_text() -> None:  # contract 5.4
    error = tool_failed(ZeroDivisionError("division by zero"))["error"]
    assert (error["code"], error["message"]) == ("TOOL_FAILED", "ZeroDivisionError: division by zero")
    assert tool_failed(KeyError())["error"]["message"] == "KeyError"
    assert len(tool_failed(ValueError("x" * 10_000))["error"]["message"]) < 600


@pytest.mark.parametrize("inner", [ValueError(), SystemExit(1)], ids=lambda inner: type(inner).__name__)
def test_an_exception_that_cannot_be_put_in_words_is_told_by_its_type(inner: BaseException) -> None:
    """contract 5.4"""

    class Wordless(Exception):
        def __str__(self) -> str:
            raise inner

    assert tool_failed(Wordless("x"))["error"]["message"] == "Wordless"


def test_state_that_cannot_be_stored_is_refused_by_its_key() -> None:  # contract 5.4, 4.6
    check_state({"a": {"b": [1, None]}, "user:c": BERN, "temp:lock": object()})
    with pytest.raises(UnusableState, match=r"an object to state\['user:o'\]"):
        check_state({"a": 1, "user:o": object()})
    with pytest.raises(UnusableState, match=r"a dict to state\['o'\].*'temp:o'"):
        check_state({"o": {"deep": [b"bytes"]}})
    with pytest.raises(UnusableState, match=r"state\[1\]: the key must be a string"):
        check_state({1: 1})  # type: ignore[dict-item]


def test_timeout_and_cancellation_are_told() -> None:  # contract 5.4, 5.5
    assert timed_out("weather", 2.5)["error"] == {
        "code": "TIMEOUT",
        "message": "weather did not finish within 2.5 s and was stopped.",
        "seconds": 2.5,
    }
    assert cancelled("weather")["error"]["code"] == "CANCELLED"


@pytest.mark.parametrize(
    "response", [tool_response(BERN), tool_failed(ValueError("x")), unknown_tool("a", ["b"])]
)
def test_responses_fit_the_official_type_and_are_plain(response: dict[str, Any]) -> None:
    assert official.FunctionResponse(name="f", response=response).response == response
    assert json.loads(json.dumps(response)) == response
    assert all(type(code) is str for code in [response.get("error", {}).get("code", "")])


def test_who_cannot_take_over_is_told_with_the_reason() -> None:  # contract 5.8
    error = cannot_begin("The key is missing.")["error"]
    assert error["code"] == "AGENT_NOT_READY"
    assert error["message"] == "Nobody took over, go on yourself. The key is missing."
