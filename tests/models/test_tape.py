"""The tape as a file: what is read, what is refused, and what of a cut one is left (contract 9.5)."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import RunConfig
from antiphon.core.handover import Cast, Role
from antiphon.core.signals import UserActivity
from antiphon.errors import TapeUnusable
from antiphon.models.tape import (
    VERSION,
    Drawn,
    Fed,
    Finished,
    Header,
    Record,
    Started,
    Tape,
    as_json,
    blank,
)
from antiphon.runtime.replay import replay

GOLDEN = Path(__file__).parent / "golden_tape.jsonl"
"""Recorded by version 0.1.0. Later versions must read it, and hold the same conversation."""

HEADER = blank(
    Cast({"helper": Role("helper")}, "helper"),
    RunConfig(),
    antiphon="0.1.0",
    recorded=1_700_000_000.0,
    invocation="e-1",
    note="",
    now=0.0,
)
RECORDS: list[Record] = [Started(0.0), Fed(0.5, UserActivity("start")), Drawn(0.25), Finished(1.0)]
PARTS: list[Header | Record] = [HEADER, *RECORDS]
LINES = [json.dumps(as_json(line)).encode() + b"\n" for line in PARTS]
DATA = b"".join(LINES)


def test_a_tape_is_its_header_and_its_records() -> None:
    tape = Tape.read(DATA, "call.jsonl")
    assert (tape.header, list(tape.records), list(tape.lines)) == (HEADER, RECORDS, [2, 3, 4, 5])
    assert tape.complete and not tape.truncated
    assert Tape.read(gzip.compress(DATA), "call.jsonl") == tape
    assert Tape.read(gzip.compress(LINES[0]) + gzip.compress(b"".join(LINES[1:]))) == tape


def test_a_tape_ended_by_an_error_is_not_complete() -> None:
    last = json.dumps(as_json(Finished(1.0, "the disk is full"))).encode() + b"\n"
    tape = Tape.read(b"".join(LINES[:-1]) + last)
    assert not tape.complete and not tape.truncated
    assert not Tape.read(LINES[0]).complete


@pytest.mark.parametrize("zipped", [False, True])
def test_a_tape_cut_anywhere_is_read_up_to_there_or_refused_by_name(zipped: bool) -> None:
    """contract 9.5: at every byte"""
    whole = gzip.compress(DATA) if zipped else DATA
    lengths = set()
    for end in range(len(whole)):
        try:
            tape = Tape.read(whole[:end], "cut")
        except TapeUnusable as refused:
            assert "cut is no tape" in str(refused)
            continue
        assert tape.truncated or not tape.complete or end in (len(whole), len(DATA))
        assert list(tape.records) == RECORDS[: len(tape.records)]
        lengths.add(len(tape.records))
    assert lengths >= {0, 1, 2, 3} or zipped


@pytest.mark.parametrize("at", range(len(LINES)))
def test_a_line_that_is_missing_or_damaged_is_told_by_its_number(at: int) -> None:
    """contract 9.5: only the end of a tape may be missing"""
    for damaged in (b"\n", b"{\n", b"[1, 2]\n", b"\xff\xfe\n", b'{"is": "Later"}\n', b"[" * 100_000 + b"\n"):
        lines = [*LINES[:at], damaged, *LINES[at + 1 :]]
        with pytest.raises(TapeUnusable, match=f"line {at + 1}" if at else "is no tape"):
            Tape.read(b"".join(lines))


def test_a_tape_of_another_version_is_refused_with_what_to_do() -> None:
    """contract 9.5"""
    later = LINES[0].replace(b'"version": 1', b'"version": 2')
    with pytest.raises(TapeUnusable, match=f"version 2, .* antiphon '0.1.0'.*reads version {VERSION}"):
        Tape.read(later + b"whatever comes then\n")


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"hello\n", b"{}\n", b'{"tape": "cassette"}\n', b'{"tape":"antiphon","version":1}\n']
)
def test_what_is_no_tape_is_refused(data: bytes) -> None:
    with pytest.raises(TapeUnusable, match="x is no tape"):
        Tape.read(data, "x")


def test_a_cast_without_its_first_agent_is_refused() -> None:
    nobody = json.dumps(as_json(replace(HEADER, cast=Cast({}, "helper")))).encode() + b"\n"
    with pytest.raises(TapeUnusable, match="there is no role 'helper'"):
        Tape.read(nobody)


@given(st.data())
def test_damage_anywhere_is_refused_by_name_or_is_no_harm(data: st.DataObject) -> None:
    """contract 9.5: bytes that are wrong, missing or too many"""
    golden = bytearray(GOLDEN.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(golden) - 1))
        golden[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        tape = Tape.read(bytes(golden))
    except TapeUnusable:
        return
    assert tape.records is not None


def test_damaged_gzip_is_a_cut_tape() -> None:
    zipped = bytearray(gzip.compress(DATA))
    zipped[-3] ^= 0xFF
    assert Tape.read(bytes(zipped)).truncated
    with pytest.raises(TapeUnusable):
        Tape.read(b"\x1f\x8bnonsense")


def test_a_file_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(TapeUnusable, match=r"call\.jsonl cannot be read: No such file"):
        Tape.load(tmp_path / "call.jsonl")
    (tmp_path / "call.jsonl").write_bytes(DATA)
    assert Tape.load(tmp_path / "call.jsonl").name == "call.jsonl"


def test_the_first_tape_is_read_and_replayed_for_ever() -> None:
    """contract 9.5: it stays readable, and holds the same conversation"""
    tape = Tape.load(GOLDEN)
    assert tape.complete
    events = [event for step in replay(tape) for event in step.events]
    spoken = [e.output_transcription.text for e in events if e.output_transcription and not e.partial]
    assert spoken == ["It is sunny in Paris."]
    assert [call.args for event in events for call in event.get_function_calls()] == [{"city": "Paris"}]
    assert [answer.response for event in events for answer in event.get_function_responses()] == [
        {"result": "sunny"}
    ]
    assert events[-1].lifecycle is not None and events[-1].lifecycle.by == "user"
