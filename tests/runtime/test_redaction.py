"""What is kept off a tape (contract 9.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon import ModelConnectionError, RunConfig, types
from antiphon.core.handover import Cast, Role
from antiphon.core.messages import Turn
from antiphon.core.signals import (
    HandleUpdate,
    LinkLost,
    ModelError,
    ModelText,
    Received,
    Tick,
    ToolFinished,
    UserTurn,
)
from antiphon.errors import ConnectionLost, InvalidSetup
from antiphon.models.tape import Begun, Fed, Record, Told, blank
from antiphon.runtime.redaction import HANDLES, Redaction

KEY = 'a "key" of ü'


def text(words: str) -> types.Content:
    return types.Content(role="user", parts=[types.Part(text=words)])


def written(line: Record, redaction: Redaction | None = None) -> Any:
    return json.loads((redaction or Redaction([KEY])).written(line))


@pytest.mark.parametrize(
    "line",
    [
        Fed(0.0, UserTurn(text(f"my key is {KEY}, and again {KEY}"))),
        Fed(0.0, Received(1, [ModelText(f"your key is {KEY}")])),
        Fed(0.0, ToolFinished("1", {"headers": [{"deep": KEY}], KEY: 1})),
        Fed(0.0, LinkLost(1, ConnectionLost(f"refused {KEY}", reason=KEY))),
        Told(0.0, 1, Turn(text(KEY))),
        Begun(0.0, 1, instruction=f"Use {KEY}.", history=(text(KEY),)),
    ],
)
def test_a_known_secret_is_replaced_wherever_it_appears(line: Record) -> None:
    """contract 9.2"""
    data = json.dumps(written(line), ensure_ascii=False)
    assert json.dumps(KEY, ensure_ascii=False)[1:-1] not in data
    assert "[secret]" in data


def test_the_longer_secret_is_replaced_first_and_a_short_one_is_a_word() -> None:
    redaction = Redaction(["12345678", "123456789", "Hello"])
    data = written(Fed(0.0, UserTurn(text("Hello 123456789 12345678"))), redaction)
    assert data["signal"]["content"]["parts"] == [{"text": "Hello [secret] [secret]"}]


@pytest.mark.parametrize("secret", ["antiphon", "ToolFinished", "response", "LinkLost", "ConnectionLost"])
def test_a_secret_that_is_a_word_of_the_tape_leaves_the_tape_whole(secret: str) -> None:
    redaction = Redaction([secret])
    assert written(Fed(0.0, ToolFinished("1", {"result": secret})), redaction) == {
        "is": "Fed",
        "now": 0.0,
        "signal": {"is": "ToolFinished", "call_id": "1", "response": {"result": "[secret]"}},
    }
    lost = written(Fed(0.0, LinkLost(1, ConnectionLost("gone"))), redaction)
    assert lost["signal"]["error"]["error"] == "ConnectionLost"
    header = blank(
        Cast({"a": Role("a")}, "a"),
        RunConfig(),
        antiphon="0",
        recorded=0.0,
        invocation="",
        note=secret,
        now=0.0,
    )
    assert json.loads(redaction.written(header))["tape"] == "antiphon"


def test_handles_are_numbered_as_they_appear() -> None:
    """contract 9.2"""
    redaction = Redaction([])
    config = RunConfig(session_resumption=types.SessionResumptionConfig(handle="old one"))
    header = blank(
        Cast({"a": Role("a")}, "a"), config, antiphon="0", recorded=0.0, invocation="", note="", now=0.0
    )
    assert json.loads(redaction.written(header))["config"]["session_resumption"] == {"handle": "handle-1"}
    update = Fed(0.0, Received(1, [ModelText("a"), HandleUpdate("new one", True), HandleUpdate(None, False)]))
    assert written(update, redaction)["signal"]["said"] == [
        {"is": "ModelText", "text": "a"},
        {"is": "HandleUpdate", "handle": "handle-2", "resumable": True},
        {"is": "HandleUpdate", "handle": None, "resumable": False},
    ]
    assert written(Begun(0.0, 1, handle="old one"), redaction)["handle"] == "handle-1"
    assert "handle" not in written(Begun(0.0, 1), redaction)
    lost = Fed(0.0, LinkLost(1, ConnectionLost("no session new one here")))
    assert written(lost, redaction)["signal"]["error"]["message"] == "no session handle-2 here"


def test_only_the_newest_handles_are_known_again() -> None:
    redaction = Redaction([])
    for number in range(HANDLES + 1):
        written(Begun(0.0, 1, handle=f"number {number}"), redaction)
    assert written(Begun(0.0, 1, handle=f"number {HANDLES}"), redaction)["handle"] == f"handle-{HANDLES + 1}"
    assert written(Begun(0.0, 1, handle="number 0"), redaction)["handle"] == f"handle-{HANDLES + 2}"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("GET wss://h/p?key=AbC-12&alt=1 failed", "GET wss://h/p?key=[secret]&alt=1 failed"),
        ("access_token=abc)", "access_token=[secret])"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer [secret]"),
        ("https://me:pass@host/x", "https://[secret]@host/x"),
        ("key AIzaSyA0123456789abcdef is bad", "key [secret] is bad"),
        ("ya29.a0Af_x expired", "[secret] expired"),
        ("auth_tokens/0123abc unknown", "[secret] unknown"),
        ("The token expired; the key is not valid.", "The token expired; the key is not valid."),
    ],
)
def test_what_looks_secret_in_a_peers_words_is_replaced(words: str, kept: str) -> None:
    """contract 9.2"""
    error = InvalidSetup(words, code=1007, reason=words)
    lost = written(Fed(0.0, LinkLost(1, error)))["signal"]["error"]
    assert (lost["message"], lost["reason"], lost["code"]) == (kept, kept, 1007)
    assert (str(error), error.reason) == (words, words), "the application's own is left as it is"
    said = written(Fed(0.0, Received(1, [ModelError("UNKNOWN", words)])))["signal"]["said"]
    assert said[0]["message"] == kept


def test_an_error_made_in_an_odd_way_keeps_its_kind() -> None:
    class Odd(ConnectionLost):
        def __init__(self, host: str, port: int) -> None:
            super().__init__(f"{host}:{port}?key=abcdefgh")

    error: ModelConnectionError = Odd("h", 1)
    lost = written(Fed(0.0, LinkLost(1, error)))["signal"]["error"]
    assert lost == {"error": "ConnectionLost", "message": "h:1?key=[secret]"}


def test_what_holds_nothing_secret_is_as_it_is() -> None:
    assert written(Fed(1.0, Tick())) == {"is": "Fed", "now": 1.0, "signal": {"is": "Tick"}}
    assert written(Fed(1.0, LinkLost(1, None)))["signal"] == {"is": "LinkLost", "link": 1, "error": None}
