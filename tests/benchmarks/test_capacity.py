"""How the benchmark of capacity searches, and what it measures again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks.capacity import measuring
from benchmarks.capacity.ladder import capacity
from benchmarks.capacity.measuring import AGAIN, Plan, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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
) -> tuple[Bench, dict[str, Any]]:
    bench = Bench(finds)
    monkeypatch.setattr(measuring, "Trials", bench)
    monkeypatch.setattr(measuring, "pythons", lambda names: dict.fromkeys(names, "python"))
    monkeypatch.setattr(measuring, "versions", lambda python: {})
    plan = Plan(servers, levels, rounds=1, turns=0, precision=0.5)
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
