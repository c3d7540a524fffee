from __future__ import annotations

import pytest

from antiphon.cli import wording
from antiphon.types import FunctionCall, UsageMetadata


def test_a_call_is_written_as_in_python() -> None:
    call = FunctionCall(name="book", args={"city": "Zürich", "seats": 2, "window": None})
    assert wording.called(call) == 'book(city="Zürich", seats=2, window=null)'
    assert wording.called(FunctionCall()) == "?()"


def test_long_arguments_and_results_are_cut() -> None:
    shown = wording.called(FunctionCall(name="say", args={"text": "x" * 500}))
    assert len(shown) < 80 and shown.endswith("…)")
    assert len(wording.result_of({"result": "x" * 500})) == 200


def test_what_is_no_json_is_shown_by_its_text() -> None:
    assert wording.short({"a": {1}}, 20) == '{"a": "{1}"}'


@pytest.mark.parametrize(
    ("response", "shown"),
    [
        ({"result": 3}, "3"),
        ({"output": [1]}, "[1]"),
        ({"a": 1, "result": 2}, '{"a": 1, "result": 2}'),
        ({}, "{}"),
    ],
)
def test_a_lone_result_stands_for_itself(response: dict[str, object], shown: str) -> None:
    assert wording.result_of(response) == shown


@pytest.mark.parametrize(
    ("response", "failure"),
    [
        ({"error": {"code": "TIMEOUT", "message": "took\ntoo long"}}, "TIMEOUT: took too long"),
        ({"error": {"message": "no"}}, "no"),
        ({"error": "no"}, '"no"'),
        ({"error": "no", "found": 3}, None),
        ({"result": 1}, None),
    ],
)
def test_failures_are_told_from_results(response: dict[str, object], failure: str | None) -> None:
    """contract 5.4"""
    assert wording.failure_of(response) == failure


def test_nothing_steers_the_terminal() -> None:
    assert wording.clean("a\x1b[31mb\x07\tc\nd\x9b\r") == "a[31mb\tc\nd"
    assert "\x1b" not in wording.called(FunctionCall(name="\x1bf", args={"\x1b": "\x1b"}))


def test_tokens_are_counted_in_and_out() -> None:
    """contract 3.9"""
    usage = UsageMetadata(prompt_token_count=12, response_token_count=30, total_token_count=42)
    assert wording.tokens(usage) == "tokens: 12 in, 30 out, 42 in all"
