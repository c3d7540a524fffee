"""Everything in order: the search, then each server at half of what it holds, cut off and computing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from benchmarks.capacity.figures import NOTHING
from benchmarks.capacity.ladder import PRECISION, capacity
from benchmarks.capacity.subjects import SUBJECTS, Subject, pythons, versions
from benchmarks.capacity.trial import MOST_DELAY, WARM, Load, Trials
from benchmarks.report import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["LEVELS", "Plan", "measure"]

LEVELS: Final = (50, 100, 200, 400, 800, 1600)
AGAIN: Final = 2
"""How often a trial that was disturbed is measured again; levels only if they were not held."""
TURN: Final = 1.0
"""Seconds after which the model is interrupted, again and again."""


@dataclass(frozen=True)
class Plan:
    """What is measured. `seconds`: of each window; of those with the tool, which computes half of the time,
    twice as many. `rounds`: of the comparison with and without the tool.

    `turns`: how often all are measured at the first level, A B C D A B C D, with half of the window.
    `precision`: of the search, a share of the capacity. `database`: Antiphon keeps its sessions in SQLite.
    """

    servers: Sequence[str] = tuple(SUBJECTS)
    levels: Sequence[int] = LEVELS
    seconds: float = 8.0
    rounds: int = 5
    turns: int = 2
    precision: float = PRECISION
    loop: str = "uvloop"
    database: bool = False


def measure(plan: Plan, tell: Callable[[str], None] = print) -> dict[str, Any]:
    """What was found, as it goes into JSON (see `benchmarks/capacity/README.md`)."""
    load_before = os.getloadavg()[0]
    found = pythons(plan.servers)
    servers: dict[str, Any] = {}
    with Trials(found, loop=plan.loop, database=plan.database) as trials:
        same: dict[str, list[Any]] = {name: [] for name in found}
        for _ in range(plan.turns):
            for name in found:
                trial = trials.run(SUBJECTS[name], Load(plan.levels[0], plan.seconds / 2))
                same[name].append(_Teller(name, tell)(trial, " in turn"))
        searched = _search(trials, plan, {name: _Teller(name, tell) for name in found})
        for name, python in found.items():
            told = _Teller(name, tell)
            servers[name] = {"versions": versions(python), "same": same[name]} | searched[name]
            servers[name] |= _at_half(trials, SUBJECTS[name], plan, told, searched[name]["capacity"] // 2)
        held = [result["capacity"] for result in servers.values() if result["capacity"]]
        told = _Teller("load alone", tell)
        alone = [
            told(trials.run(None, Load(count, plan.seconds))) for count in held and {min(held), max(held)}
        ]
    return {
        "machine": machine(load_before),
        "settings": {
            "levels": list(plan.levels),
            "window_seconds": plan.seconds,
            "warm_up_seconds": WARM,
            "p99_at_most_ms": MOST_DELAY,
            "loop": f"{plan.loop}; antiphon: asyncio",
            "antiphon_sessions": "sqlite" if plan.database else "memory",
        },
        "servers": servers,
        "load_alone": alone,
    }


@dataclass
class _Teller:
    name: str
    tell: Callable[[str], None]

    def __call__(self, trial: dict[str, Any], what: str = "") -> dict[str, Any]:
        down, up = trial.get("down") or {}, trial.get("up") or {}
        why = ("held" if trial["held"] else trial["why"]) + ", disturbed" * trial.get("disturbed", False)
        why += f", tried {trial['again'] + 1} times" if "again" in trial else ""
        load = sum(trial.get("load_cpu", {}).values())
        self.tell(
            f"{self.name}{what}, {trial['conversations']} conversations: {why}; p99 "
            f"{down.get('p99', 0):.1f} ms down, {up.get('p99', 0):.1f} ms up; "
            f"server {trial.get('cpu', 0):.0%} "
            f"and {trial.get('waited', 0):.0%} waiting, load {load:.0%} of a core"
        )
        return trial


def _search(trials: Trials, plan: Plan, tellers: Mapping[str, _Teller]) -> dict[str, dict[str, Any]]:
    """The capacity of each, in turns: within minutes a machine may be faster or slower by a fifth."""
    searches = {name: capacity(plan.levels, plan.precision) for name in tellers}
    asked = {name: next(search) for name, search in searches.items()}
    levels: dict[str, list[dict[str, Any]]] = {name: [] for name in searches}
    found: dict[str, dict[str, Any]] = {}
    while asked:
        for name, count in list(asked.items()):
            load = Load(count, plan.seconds)
            trial = tellers[name](_undisturbed(trials, SUBJECTS[name], load, or_held=True))
            levels[name].append(trial)
            try:
                asked[name] = searches[name].send(bool(trial["held"]))
            except StopIteration as over:
                del asked[name]
                most, at_least = over.value
                above = [trial for trial in levels[name] if trial["conversations"] > most]
                first = min(above, key=lambda trial: trial["conversations"], default={})
                at_least = at_least or bool(first.get("load_busy"))
                found[name] = {"capacity": most, "at_least": at_least, "levels": levels[name]}
    return found


def _at_half(trials: Trials, subject: Subject, plan: Plan, told: _Teller, half: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if not half:
        return result
    plain = Load(half, plan.seconds)
    result["half"] = told(_undisturbed(trials, subject, plain), " at half")
    if subject.framework:
        interrupted = Load(half, plan.seconds, TURN, "interrupted")
        result["barge_in"] = told(_undisturbed(trials, subject, interrupted), " interrupted")
        without, with_it, apart = [result["half"]], [], []
        for number in range(plan.rounds):
            if number:
                without.append(told(_undisturbed(trials, subject, plain), " without the tool"))
            computing = Load(half, 2 * plan.seconds, ending="tool")
            with_it.append(told(_undisturbed(trials, subject, computing), " with the tool"))
            if subject.apart:
                beside = Load(half, 2 * plan.seconds, ending="tool_apart")
                apart.append(told(_undisturbed(trials, subject, beside), f" with the tool {subject.apart}"))
        result["half"] = sorted(without, key=lambda trial: (trial.get("down") or NOTHING)["p99"])[
            len(without) // 2
        ]
        result["tool"] = {"without": without, "with": with_it, "apart": apart}
    return result


def _undisturbed(trials: Trials, subject: Subject, load: Load, *, or_held: bool = False) -> dict[str, Any]:
    """What was measured while others used the server's core is measured again."""
    trial = trials.run(subject, load)
    for times in range(AGAIN):
        if not trial.get("disturbed") or (or_held and trial["held"]):
            break
        trial = trials.run(subject, load) | {"again": times + 1}
    return trial
