"""`python -m benchmarks`: measures, prints a table, writes `benchmarks/results/latest.json`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from benchmarks.imports import import_time
from benchmarks.processes import ANTIPHON, GOOGLE_ADK, PICOWS, ROOT, WEBSOCKETS, Bench, Kind, adk_python
from benchmarks.report import Report, Row, machine
from benchmarks.round import LOOP
from benchmarks.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL_ROUNDS = 5
LATEST = ROOT / "benchmarks" / "results" / "latest.json"


def works(*, quick: bool) -> Iterator[tuple[str, Work]]:
    """Every measure of CPU per frame, by its name in the table."""
    for pacing, conversations, bursts, burst, down, up in (
        ("flat out", 1, 60, 50, 0.0005, 0.01),
        ("bursts", 1, 300, 10, 0.0025, 0.0025),
        ("real time", 20, 50, 1, 0.04, 0.1),
    ):
        times = bursts // 4 if quick else bursts
        yield f"audio to Event, {pacing}", Work("down", conversations, times, burst, down)
        yield f"audio to JSON, {pacing}", Work("down", conversations, times, burst, down, as_json=True)
        times = round(times * down / up) if conversations > 1 else times  # as long as downstream
        yield f"audio to the model, {pacing}", Work("up", conversations, times, burst, up)


WARM_UP = (Work("down", 2, 10, 10, 0.005, as_json=True), Work("up", 2, 10, 10, 0.005))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round, in half a minute")
    parser.add_argument("--rounds", type=int, help=f"how often each is measured ({FULL_ROUNDS})")
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), default="asyncio", help="everybody's")
    parser.add_argument("--output", type=Path, default=LATEST, help="where the JSON goes")
    chosen = parser.parse_args()
    os.environ[LOOP] = chosen.loop
    console = Console(width=None if sys.stdout.isatty() else 140)
    pythons = {ANTIPHON: sys.executable, WEBSOCKETS: sys.executable, PICOWS: sys.executable}
    adk = adk_python()
    if adk is None:
        console.print("Without google-adk: no interpreter has it (make adk-env, or set ANTIPHON_ADK_PYTHON).")
    else:
        pythons = {ANTIPHON: sys.executable, GOOGLE_ADK: adk} | pythons
    rounds = chosen.rounds or (1 if chosen.quick else FULL_ROUNDS)
    load_before = os.getloadavg()[0]
    with console.status("measuring"):
        cpu, subjects = cpu_rows(pythons, rounds, quick=chosen.quick)
        imports = import_row(pythons, rounds)
    report = Report([*cpu, imports], subjects, machine(load_before) | {"loop": chosen.loop})
    report.show(console)
    report.write(chosen.output)


def cpu_rows(pythons: dict[Kind, str], rounds: int, *, quick: bool) -> tuple[list[Row], dict[str, object]]:
    """A B C A B C: what disturbs the machine disturbs all of them."""
    rows = [(Row(name, "µs", settings=work.to_json()), work) for name, work in works(quick=quick)]
    with Bench(pythons) as bench:
        for kind in pythons:
            for work in WARM_UP:
                bench.measure(kind, work)
        first = Row("start to first event", "ms")
        for _ in range(rounds):
            for row, work in rows:
                for kind in pythons:
                    if kind.framework or not work.as_json:
                        row.add(kind.name, bench.measure(kind, work))
            for kind in pythons:
                first.add(kind.name, bench.first_event(kind))
        return [*(row for row, _ in rows), first], bench.subjects


def import_row(pythons: dict[Kind, str], rounds: int) -> Row:
    row = Row("import", "ms")
    for kind, python in pythons.items():
        import_time(kind, python)  # once to have everything compiled and in the file cache
    for _ in range(rounds):
        for kind, python in pythons.items():
            row.add(kind.name, import_time(kind, python))
    return row


if __name__ == "__main__":
    main()
