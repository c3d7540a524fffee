"""`python -m benchmarks.performance_report`: writes the tables and plots of docs/performance.md.

What stands there between the markers of a part is written anew from that part's JSON; all else stays. Parts
without JSON stay as they are.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.capacity.figures import ROWS, figure
from benchmarks.markdown import inserted, table
from benchmarks.plots import draw
from benchmarks.processes import ROOT
from benchmarks.stages import STAGES, WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["FIGURES", "RESULTS", "write"]

RESULTS: Final = ROOT / "benchmarks" / "results"
PAGE: Final = ROOT / "docs" / "performance.md"

Found = dict[str, Any]


def write(results: Path, prefix: str = "", page: Path = PAGE) -> list[str]:
    """The page from `results/PREFIXpart.json`; plots to a folder of its name. Returns the parts."""
    text, written = page.read_text(encoding="utf-8"), []
    for part, (figures, plots) in FIGURES.items():
        path = results / f"{prefix}{part}.json"
        if not path.exists():
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        images = []
        for plot, title in plots.items():
            draw(plot, found, page.with_suffix(""))
            images.append(f"![{title}]({page.stem}/{plot}.svg)")
        told = "\n\n".join([*figures(found), *images, _where(found["machine"])])
        text = inserted(text, told, f"<!-- measured: {part} -->", f"<!-- end: {part} -->")
        written.append(part)
    page.write_text(text, encoding="utf-8")
    return written


def frames(found: Found) -> Iterator[str]:
    names = list(found["subjects"])
    ratios = {
        "google-adk ÷ antiphon": "google_adk_over_antiphon",
        "antiphon ÷ websockets": "antiphon_over_websockets",
    }
    rows = []
    for row in found["rows"]:
        values = [_short(row["median"].get(name), row["unit"]) for name in names]
        rows.append([row["measure"], *values, *(_short(row[key]) for key in ratios.values())])
    yield table(["", *names, *ratios], rows)


def capacity(found: Found) -> Iterator[str]:
    servers = found["servers"]
    rows = ([title, *(figure(of, server) for server in servers.values())] for title, of in ROWS.items())
    yield table(["on one core", *servers], rows)
    alone = [trial for trial in found["load_alone"] if trial.get("down") and trial.get("up")]
    if alone:
        told = "; ".join(
            f"{trial['conversations']} conversations: p99 {trial['down']['p99']:.1f} ms down, "
            f"{trial['up']['p99']:.1f} ms up, {sum(trial['load_cpu'].values()):.0%} of its core"
            for trial in alone
        )
        yield f"The load by itself, without a server: {told}."


def curves(found: Found) -> Iterator[str]:
    for name, first in (
        ("conversations", "conversations on one core"),
        ("tools", "tools in flight"),
        ("history", "events in the session before"),
        ("store_p99", "ms that the store takes to append"),
    ):
        group = name.partition("_")[0]
        kin = [curve for other, curve in found["curves"].items() if other.partition("_")[0] == group]
        columns = zip(found["curves"][name]["x"], *(curve["y"] for curve in kin), strict=True)
        rows = ([f"{x:,}", *(_short(y) for y in ys)] for x, *ys in columns)
        yield table([first, *(curve["unit"] for curve in kin)], rows)
    start = found["start"]
    yield (
        f"`antiphon serve` is ready {start['wall_s']:.2f} s after its process started, which takes "
        f"{start['cpu_s']:.2f} s of CPU."
    )


def stages(found: Found) -> Iterator[str]:
    of = found["stages"]
    totals = {way: sum(of[way].values()) for way in WAYS}
    rows = [[stage, *(_short(of[way][stage]) for way in WAYS)] for stage in STAGES]
    rows.append(["**all of it**", *(f"**{_short(totals[way])}**" for way in WAYS)])
    yield table(["µs of CPU", "a frame down", "a chunk up", "either, besides"], rows)
    yield (
        f"{found['conversations']} conversations for {found['seconds']:g} s, {found['cpu']:.0%} of a core, "
        f"{found['samples']:,} samples."
    )


def idle(found: Found) -> Iterator[str]:
    one, other = found["median"]["antiphon"], found["median"]["sockets"]
    rows = (
        [title, *(f"{value:.0f}" for value in (one[what], other[what], one[what] - other[what]))]
        for what, title in (
            ("rss", "resident (RSS), KiB"),
            ("pss", "proportional (PSS), KiB"),
            ("objects", "objects"),
        )
    )
    yield table(["for each conversation", "antiphon", "sockets alone", "beyond the sockets"], rows)


def hour(found: Found) -> Iterator[str]:
    titles = {"forgotten": "nothing kept of what was said", "kept": "history in the same memory"}
    growth = found["growth"]
    rows = (
        [title, *(f"{growth[kind][what]:.1f}" for what in ("rss", "objects"))]
        for kind, title in titles.items()
    )
    yield table(
        [f"growth a minute, from minute {found['minutes'] // 4} to {found['minutes']}", "KiB", "objects"],
        rows,
    )


FIGURES: Final[Mapping[str, tuple[Callable[[Found], Iterator[str]], Mapping[str, str]]]] = {
    "frames": (frames, {}),
    "capacity": (
        capacity,
        {"capacity": "The delay of sound against the number of conversations, all servers"},
    ),
    "stages": (stages, {"stages": "Where each microsecond goes"}),
    "curves": (
        curves,
        {
            "conversations": "CPU for a conversation's second against the number of conversations",
            "history": "CPU for a frame and until the first sound against the events in the session",
            "store": "The delay of sound and CPU against the latency of the store",
        },
    ),
    "memory-idle": (idle, {}),
    "memory-hour": (hour, {"memory": "Resident memory over an hour of conversation"}),
}
"""Of each part: its tables, and its plots with their descriptions."""


def _where(facts: Mapping[str, Any]) -> str:
    python = f"Python {facts['python']}, " if "python" in facts else ""
    compiled = "compiled, " if facts.get("build") == "compiled" else ""
    system, made = facts["system"].partition("-")[0], facts["made"][:10]
    return (
        f"*{facts['cpu']}, {facts['cpus']} CPUs (virtual), {system}, {python}{compiled}{made}; "
        f"load {facts['load_before']:.1f} before.*"
    )


def _short(value: float | None, unit: str = "") -> str:
    if value is None:
        return "–"
    return (f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}") + f" {unit}" * bool(unit)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.performance_report", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder of the JSON files")
    parser.add_argument("--kept", metavar="NAME", help="from the files kept under that name, as 2026-11")
    chosen = parser.parse_args()
    written = write(chosen.results, f"{chosen.kept}-" if chosen.kept else "")
    print(f"{PAGE.relative_to(ROOT)}: {', '.join(written) or 'no results, nothing'} written.")


if __name__ == "__main__":
    main()
