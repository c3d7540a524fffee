"""`python -m benchmarks.capacity`: how many conversations a server holds on one core."""

from __future__ import annotations

import argparse
import json
import pstats
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from benchmarks.capacity.control import ROOT
from benchmarks.capacity.figures import ROWS, figure
from benchmarks.capacity.measuring import LEVELS, Plan, measure
from benchmarks.capacity.subjects import ANTIPHON, SUBJECTS
from benchmarks.capacity.trial import Load, Trials

if TYPE_CHECKING:
    from collections.abc import Mapping

RESULT = ROOT / "benchmarks" / "results" / "capacity.json"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--levels", type=_numbers, default=LEVELS, help="of conversations: 50,100,200,400")
    parser.add_argument("--servers", type=_names, default=tuple(SUBJECTS), help=",".join(SUBJECTS))
    parser.add_argument("--seconds", type=float, default=8.0, help="of each window (8)")
    parser.add_argument(
        "--quick", action="store_true", help="the first two servers, short windows: 1.5 minutes"
    )
    parser.add_argument(
        "--loop",
        choices=("uvloop", "asyncio"),
        default="uvloop",
        help="of all servers but antiphon, which has asyncio's (uvloop)",
    )
    parser.add_argument("--antiphon-database", choices=("sqlite",), help="instead of sessions in memory")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="only profile antiphon, at the first level"
    )
    parser.add_argument("--output", type=Path, default=RESULT, help="where the JSON goes")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process of it is left behind
    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    database = chosen.antiphon_database is not None
    if chosen.profile:
        profile(chosen.profile, chosen.levels[0], chosen.seconds, chosen.loop, database=database)
        return
    plan = Plan(chosen.servers, chosen.levels, chosen.seconds, loop=chosen.loop, database=database)
    if chosen.quick:
        plan = replace(
            plan, servers=chosen.servers[:2], levels=(40,), seconds=2.0, rounds=1, turns=0, precision=0.5
        )
    found = measure(plan, console.print)
    show(found, console)
    chosen.output.parent.mkdir(parents=True, exist_ok=True)
    chosen.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def show(found: Mapping[str, Any], console: Console) -> None:
    """The servers side by side."""
    servers = found["servers"]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("on one core")
    for name in servers:
        table.add_column(name, justify="right")
    for title, of in ROWS.items():
        table.add_row(title, *(figure(of, server) for server in servers.values()))
    console.print(table)
    for trial in found["load_alone"]:
        if trial.get("down") and trial.get("up"):
            down, up, load = trial["down"]["p99"], trial["up"]["p99"], sum(trial["load_cpu"].values())
            console.print(
                f"load alone, {trial['conversations']} conversations: "
                f"p99 {down:.1f} ms down, {up:.1f} ms up, {load:.0%} of its core"
            )
    for name, server in servers.items():
        if busy := [str(trial["conversations"]) for trial in server["levels"] if trial.get("load_busy")]:
            console.print(f"{name}: the load side was over 90 % busy at {', '.join(busy)} conversations.")
    disturbed = [name for name, server in servers.items() if any(map(_disturbed, server["levels"]))]
    if disturbed:
        console.print(f"The machine was disturbed while {', '.join(disturbed)} was measured: expect more.")
    facts = found["machine"]
    console.print(f"{facts['cpu']}, {facts['cpus']} CPUs; load {facts['load_before']} before")


def profile(path: Path, conversations: int, seconds: float, loop: str, *, database: bool) -> None:
    """Prints where antiphon spends the time of the window, and keeps the file for `pstats` and others."""
    with Trials({ANTIPHON.name: sys.executable}, loop=loop, database=database) as trials:
        trial = trials.run(ANTIPHON, Load(conversations, seconds), profile=path.resolve())
    if not trial.get("down"):
        raise SystemExit(f"antiphon serve: {trial['why']}")
    pstats.Stats(str(path)).sort_stats("tottime").print_stats(40)
    down, up = (trial[way]["count"] for way in ("down", "up"))
    print(f"{down} frames down and {up} chunks up in {seconds:g} s; the profile: {path.resolve()}")


def _disturbed(trial: Mapping[str, Any]) -> bool:
    return bool(trial.get("disturbed"))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(",")))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if unknown := set(names).difference(SUBJECTS):
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose of {', '.join(SUBJECTS)}")
    return names


if __name__ == "__main__":
    main()
