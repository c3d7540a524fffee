"""What was found: as a table, and as JSON with the facts of the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from rich.table import Table

from antiphon.compilation import build
from benchmarks.processes import ANTIPHON, GOOGLE_ADK, ROOT, SUBJECTS, WEBSOCKETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

__all__ = ["Report", "Row", "machine"]

PACKAGES = ("antiphon", "aiofastnet", "picows", "pydantic", "uvicorn", "uvloop", "websockets")
"""Of the interpreter that runs the benchmark; peers say their own."""


@dataclass
class Row:
    """One measure. `found` holds each subject's figures, one per round, in the order of the rounds."""

    measure: str
    unit: str
    found: dict[str, list[float]] = field(default_factory=dict)
    settings: dict[str, Any] | None = None

    def add(self, subject: str, value: float) -> None:
        self.found.setdefault(subject, []).append(value)

    def median(self, subject: str) -> float | None:
        values = self.found.get(subject)
        return median(values) if values else None

    def ratio(self, over: str, under: str) -> float | None:
        """The median of the rounds' ratios: what both suffered in a round cancels out."""
        above, below = self.found.get(over, ()), self.found.get(under, ())
        pairs = list(zip(above, below, strict=False))
        return median(a / b for a, b in pairs) if pairs else None

    def to_json(self) -> dict[str, Any]:
        rounded = {name: [round(value, 2) for value in values] for name, values in self.found.items()}
        medians = {name: round(median(values), 2) for name, values in self.found.items()}
        return {
            "measure": self.measure,
            "unit": self.unit,
            "settings": self.settings,
            "median": medians,
            "google_adk_over_antiphon": _rounded(self.ratio(GOOGLE_ADK.name, ANTIPHON.name)),
            "antiphon_over_websockets": _rounded(self.ratio(ANTIPHON.name, WEBSOCKETS.name)),
            "rounds": rounded,
        }


@dataclass
class Report:
    """All rows of one run."""

    rows: Sequence[Row]
    subjects: Mapping[str, Any]
    machine: Mapping[str, Any]

    def show(self, console: Console) -> None:
        names = [kind.name for kind in SUBJECTS if kind.name in self.subjects]
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("median of the rounds")
        for name in (*names, "google-adk ÷ antiphon", "antiphon ÷ websockets"):
            table.add_column(name, justify="right")
        for row in self.rows:
            found = [_figure(row.median(name)) for name in names]
            against_adk = row.ratio(GOOGLE_ADK.name, ANTIPHON.name)
            against_bare = row.ratio(ANTIPHON.name, WEBSOCKETS.name)
            table.add_row(f"{row.measure}, {row.unit}", *found, _figure(against_adk), _figure(against_bare))
        console.print(table)
        facts = self.machine
        console.print(
            f"{facts['cpu']}, {facts['cpus']} CPUs, {facts['system']}; "
            f"load {facts['load_before']:.1f} before, {facts['load_after']:.1f} after",
            highlight=False,
        )

    def write(self, path: Path) -> None:
        whole = {
            "machine": dict(self.machine),
            "subjects": dict(self.subjects),
            "rows": [row.to_json() for row in self.rows],
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def machine(load_before: float) -> dict[str, Any]:
    """What the figures depend on besides the subjects."""
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD") + (" and changes" * bool(_git("diff", "HEAD", "src"))),
        "cpu": _cpu(),
        "cpus": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "build": build(),
        "versions": dict(_versions()),
        "load_before": round(load_before, 2),
        "load_after": round(os.getloadavg()[0], 2),
    }


def _versions() -> Iterator[tuple[str, str]]:
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            yield name, version(name)


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def _git(*command: str) -> str:
    ran = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
