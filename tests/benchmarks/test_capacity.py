"""How the benchmark of capacity searches, and what it measures again."""

from __future__ import annotations

import asyncio
import errno
import os
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from picows import WSMsgType

from antiphon.server import messages
from antiphon.server.wire import decode_up, pcm_frame
from benchmarks.capacity import measuring, metronome
from benchmarks.capacity.control import Delays
from benchmarks.capacity.dialects import AntiphonClient, Heard
from benchmarks.capacity.figures import ROWS, figure
from benchmarks.capacity.frames import FRAME_BYTES, stamp
from benchmarks.capacity.ladder import capacity
from benchmarks.capacity.measuring import AGAIN, Plan, measure
from benchmarks.capacity.trial import SETTLED, disturbed, spans_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from picows import WSFrame, WSTransport

    from benchmarks.capacity.subjects import Subject
    from benchmarks.capacity.trial import Load

DELAY = {"p50": 0.3, "p99": 1.25, "p99.9": 2.0}


def searched(holds: Callable[[int], bool], *levels: int, precision: float = 0.05) -> tuple[list[int], Any]:
    """What was tried, and what was found."""
    search = capacity(levels, precision)
    tried = [next(search)]
    while True:
        try:
            tried.append(search.send(holds(tried[-1])))
        except StopIteration as over:
            return tried, over.value


def test_the_search_goes_up_and_then_halves() -> None:
    tried, found = searched(lambda count: count <= 330, 100, 200, 400, 800)
    assert tried == [100, 200, 400, 300, 350, 325, 337]
    assert found == (325, False)


def test_the_search_knows_that_there_may_be_more() -> None:
    assert searched(lambda count: True, 50, 100) == ([50, 100], (100, True))


def test_the_search_finds_that_nothing_holds() -> None:
    assert searched(lambda count: False, 4) == ([4, 2, 1], (0, False))


class Bench:
    """Trials that find what they are told to."""

    def __init__(self, finds: Callable[[str, int, int], Mapping[str, Any]]) -> None:
        self._finds = finds
        self.ran: list[tuple[str, int]] = []

    def __call__(self, pythons: Mapping[str, str], **_: Any) -> Bench:
        return self

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None: ...

    def run(self, subject: Subject | None, load: Load) -> dict[str, Any]:
        name, count = subject.name if subject else "", load.conversations
        times = self.ran.count((name, count))
        self.ran.append((name, count))
        found = {"conversations": count, "held": True, "why": "", "cpu": 0.5, "down": DELAY, "up": DELAY}
        return found | dict(self._finds(name, count, times))


def measured(
    monkeypatch: pytest.MonkeyPatch,
    finds: Callable[[str, int, int], Mapping[str, Any]],
    *servers: str,
    levels: tuple[int, ...] = (8, 16),
    rounds: int = 1,
) -> tuple[Bench, dict[str, Any]]:
    bench = Bench(finds)
    monkeypatch.setattr(measuring, "Trials", bench)
    monkeypatch.setattr(measuring, "pythons", lambda names: dict.fromkeys(names, "python"))
    monkeypatch.setattr(measuring, "versions", lambda python: {})
    plan = Plan(servers, levels, rounds=rounds, turns=0, precision=0.5)
    return bench, measure(plan, lambda said: None)["servers"]


def test_servers_are_searched_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    def finds(name: str, count: int, times: int) -> dict[str, Any]:
        return {"held": count <= (8 if name == "picows" else 16)}

    bench, found = measured(monkeypatch, finds, "websockets", "picows")
    assert bench.ran[:4] == [("websockets", 8), ("picows", 8), ("websockets", 16), ("picows", 16)]
    assert {name: server["capacity"] for name, server in found.items()} == {"websockets": 16, "picows": 8}
    assert found["websockets"]["at_least"] and not found["picows"]["at_least"]
    assert [trial["conversations"] for trial in found["picows"]["levels"]] == [8, 16]
    assert found["picows"]["half"]["conversations"] == 4


def test_a_search_that_takes_longer_goes_on_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def finds(name: str, count: int, times: int) -> dict[str, Any]:
        return {"held": count <= (7 if name == "picows" else 33), "load_busy": count > 30}

    bench, found = measured(monkeypatch, finds, "websockets", "picows", levels=(8, 32, 128))
    tried = [("websockets", 8), ("picows", 8), ("websockets", 32), ("picows", 4), ("websockets", 128)]
    assert bench.ran[:6] == [*tried, ("websockets", 80)]
    assert (found["picows"]["capacity"], found["picows"]["at_least"]) == (4, False)
    assert (found["websockets"]["capacity"], found["websockets"]["at_least"]) == (32, True), (
        "the load was busy"
    )


def test_a_load_that_was_busy_far_above_the_capacity_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def finds(name: str, count: int, times: int) -> dict[str, Any]:
        return {"held": count <= 8, "load_busy": count > 30}

    _, found = measured(monkeypatch, finds, "websockets", levels=(8, 32))
    assert (found["websockets"]["capacity"], found["websockets"]["at_least"]) == (8, False)


@pytest.mark.parametrize(("disturbed", "tried"), [(1, 2), (AGAIN + 5, AGAIN + 1), (0, 1)])
def test_a_level_that_was_not_held_is_tried_again_where_others_disturbed(
    monkeypatch: pytest.MonkeyPatch, disturbed: int, tried: int
) -> None:
    def finds(name: str, count: int, times: int) -> dict[str, Any]:
        return {"held": times >= disturbed > 0, "disturbed": times < disturbed, "why": "p99 down"}

    bench, found = measured(monkeypatch, finds, "picows", levels=(8,))
    assert bench.ran.count(("picows", 8)) == tried
    assert found["picows"]["levels"][0]["held"] == (disturbed == 1)


def test_a_level_that_was_held_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bench, _ = measured(monkeypatch, lambda *_: {"disturbed": True}, "picows", levels=(8,))
    assert bench.ran.count(("picows", 8)) == 1, "it would have been held on a quiet machine too"
    assert bench.ran.count(("picows", 4)) == 1 + AGAIN, "at half it is the figures that count"


def test_at_half_the_middle_of_the_rounds_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def finds(name: str, count: int, times: int) -> dict[str, Any]:
        return {"down": DELAY | {"p99": float(times)}}

    _, found = measured(monkeypatch, finds, "google-adk", levels=(8,), rounds=3)
    adk = found["google-adk"]
    assert [trial["down"]["p99"] for trial in adk["tool"]["without"]] == [0, 4, 7], "in turns with the others"
    assert adk["half"]["down"]["p99"] == 4
    assert [len(trials) for trials in adk["tool"].values()] == [3, 3, 3]


@pytest.mark.parametrize(
    ("calls", "answers", "computing", "resting"),
    [
        ([1, 5], [2, 6], [(1, 2), (5, 6)], [(2, 5), (6, 9)]),
        ([1, 5], [2], [(1, 2), (5, 9)], [(2, 5)]),
        ([1], [], [(1, 9)], []),
    ],
)
def test_a_tool_computes_until_it_answers_and_rests_until_it_is_called(
    calls: list[int], answers: list[int], computing: list[tuple[int, int]], resting: list[tuple[int, int]]
) -> None:
    spans = spans_of(calls, answers, 9)
    assert spans["computing"] == computing
    assert spans["resting"] == [(begin + SETTLED, end) for begin, end in resting]


def test_delays_are_told_of_what_was_sent_at_a_time() -> None:
    delays = Delays()
    for sent, took in ((1_000_000, 3), (2_000_000, 5), (3_000_000, 9)):
        delays.add(sent, sent + took * 1_000_000)
    told = delays.among([(0, 1_000_000), (2_000_000, 3_000_000)])
    assert told and (told["max"], told["count"]) == (5.0, 1)
    whole = delays.all()
    assert whole and (whole["max"], whole["count"]) == (9.0, 3)


def test_a_tool_set_apart_is_compared_with_itself() -> None:
    def trial(computing: float, resting: float | None) -> dict[str, Any]:
        return {
            "computing": {way: {"p99": computing} for way in ("down", "up")},
            "resting": {way: resting and {"p99": resting} for way in ("down", "up")},
            "lost": {"down": 0, "up": 0},
        }

    without = {"down": {"p99": 1.0}, "up": {"p99": 1.0}, "lost": {"down": 0, "up": 0}}
    tool = {"without": [without], "with": [trial(9.0, 1.0)], "apart": [trial(3.0, 2.0), trial(1.0, 1.0)]}
    told = {title: figure(of, {"tool": tool}) for title, of in ROWS.items() if "comput" in title}
    assert list(told.values()) == ["1.0 / 9.0 / 2.0", "1.0 / 9.0 / 2.0", "1.25 / 1.25"]
    tool["apart"] = [trial(3.0, None)]
    assert figure([*ROWS.values()][-1], {"tool": tool}) == "–", "a tool that never rests has no other half"


QUIET: dict[str, Any] = {
    "load_cpu": {"model": 0.2, "clients": 0.1},
    "late_ms": {"model": 4.0, "clients": 3.0},
    "waited": 0.01,
    "stolen": 0.0,
    "stopped_ms": None,
}


@pytest.mark.parametrize(
    ("found", "by_others"),
    [
        ({}, False),
        ({"stopped_ms": 9.0}, False),
        ({"stopped_ms": 11.0}, True),
        ({"waited": 0.1}, True),
        ({"stolen": 0.02}, True),
        ({"late_ms": {"model": 4.0, "clients": 30.0}}, True),
        ({"late_ms": {"model": 30.0, "clients": 3.0}, "load_cpu": {"model": 0.4, "clients": 0.3}}, False),
    ],
)
def test_a_trial_is_disturbed_by_others_only(found: dict[str, Any], by_others: bool) -> None:
    assert disturbed(QUIET | found) == by_others


def test_a_server_that_waits_for_its_own_tool_is_not_disturbed() -> None:
    assert not disturbed(QUIET | {"waited": 0.3}, calling=True)


@pytest.mark.parametrize("number", [errno.EPERM, errno.EINVAL])
def test_a_metronome_that_may_not_go_first_knows_nothing(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert asyncio.run(metronome.run(0, 1)) is None


class Sent:
    """A transport that keeps what is sent."""

    def __init__(self) -> None:
        self.frames: list[str | bytes] = []

    def send(self, kind: WSMsgType, message: bytes) -> None:
        self.frames.append(message.decode() if kind is WSMsgType.TEXT else message)


async def test_the_client_sends_what_the_server_understands(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5_000_000_000
    monkeypatch.setattr(time, "monotonic_ns", lambda: now)
    client, sent = AntiphonClient(Heard()), Sent()
    transport = cast("WSTransport", sent)
    client.on_ws_connected(transport)
    frame = pcm_frame(stamp(0) + bytes(3) + bytes(FRAME_BYTES - 12), 24_000, 1, 0, 0)
    event, flush = '{"type":"event","seq":7,"event":{}}', '{"type":"flush","seq":8,"stream":1}'
    client.on_ws_frame(transport, given(WSMsgType.BINARY, frame))
    client.on_ws_frame(transport, given(WSMsgType.TEXT, event.encode()))
    client.speak()
    now += 1_100_000_000
    client.speak()
    client.on_ws_frame(transport, given(WSMsgType.TEXT, flush.encode()))
    said = [decode_up(each) for each in sent.frames]
    assert isinstance(said[0], messages.ClientHello)
    assert [type(each) for each in said[1:3]] == [messages.Media, messages.Media]
    assert said[3:] == [messages.Playback(1, 1_100), messages.Ack(7), messages.Playback(1, 1_100)]


def given(kind: WSMsgType, payload: bytes) -> WSFrame:
    frame = SimpleNamespace(msg_type=kind, get_payload_as_bytes=lambda: payload)
    return cast("WSFrame", frame)
