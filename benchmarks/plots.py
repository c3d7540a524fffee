"""The plots of docs/performance.md: small SVG files, the same bytes for the same figures."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

__all__ = ["PLOTS", "draw"]

STYLE: Final[Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9ca3af",
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 10,
    "grid.color": "#e5e7eb",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "antiphon",  # else the names of parts are drawn by lot
}
SERVERS: Final = {
    "antiphon": ("#2563eb", "-"),
    "google-adk": ("#dc2626", "-"),
    "websockets": ("#6b7280", "--"),
    "picows": ("#111827", ":"),
}
"""Colour and line of each."""
FIRST, SECOND = "#2563eb", "#ea580c"
STAGE_COLOURS: Final = (
    "#1d4ed8",
    "#3b82f6",
    "#f59e0b",
    "#fcd34d",
    "#10b981",
    "#6ee7b7",
    "#d1d5db",
    "#7c3aed",
    "#6b7280",
)


def draw(name: str, found: Mapping[str, Any], folder: Path) -> None:
    """Writes that plot of a part's results to `folder`."""
    with _figure(folder / f"{name}.svg", height=2.9 if name == "stages" else 3.4) as axes:
        PLOTS[name](axes, found)


def capacity(axes: Axes, found: Mapping[str, Any]) -> None:
    for name, server in found["servers"].items():
        trials = [trial for trial in server["levels"] if trial.get("down") and trial.get("up")]
        points = {
            trial["conversations"]: max(trial[way]["p99"] for way in ("down", "up")) for trial in trials
        }
        colour, line = SERVERS[name]
        axes.plot(*_sorted(points), color=colour, linestyle=line, marker="o", label=name)
    most = found["settings"]["p99_at_most_ms"]
    axes.axhline(most, color="#16a34a", linewidth=1.2, linestyle="-.", label=f"held: at most {most:g} ms")
    axes.set(xlabel="conversations on one core", ylabel="delay of sound, p99, ms", yscale="log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(NullLocator())
    axes.set_xlim(left=0)
    axes.figure.legend(loc="outside lower center", ncols=5, fontsize=8.5)


def conversations(axes: Axes, found: Mapping[str, Any]) -> None:
    _curves(axes, found, "conversations on one core", FIRST, "conversations")


def history(axes: Axes, found: Mapping[str, Any]) -> None:
    _curves(axes, found, "events in the session before", FIRST, "history")
    other = axes.twinx()
    other.grid(visible=False)
    _curves(other, found, "", SECOND, "history_start")


def store(axes: Axes, found: Mapping[str, Any]) -> None:
    for name, line in (("store_p99", "-"), ("store_p50", "--")):
        curve = found["curves"][name]
        axes.plot(curve["x"], curve["y"], line, marker="o", color=FIRST, label=name.partition("_")[2])
    axes.set(xlabel="ms that the store takes to append", ylabel="from the model to the client, ms")
    _from_zero(axes)
    axes.legend()


def memory(axes: Axes, found: Mapping[str, Any]) -> None:
    for kind, colour, label in (
        ("kept", SECOND, "history in the same memory"),
        ("forgotten", FIRST, "nothing kept of what was said"),
    ):
        rows = found[kind]
        axes.plot(
            [row["minute"] for row in rows], [row["rss"] / 1024 for row in rows], color=colour, label=label
        )
    axes.set(xlabel="minutes of conversation", ylabel="resident memory, MiB")
    _from_zero(axes)
    axes.legend(loc="lower right")


def stages(axes: Axes, found: Mapping[str, Any]) -> None:
    bars = {"a chunk up (100 ms)": "up", "a frame down (40 ms)": "down"}
    left = dict.fromkeys(bars, 0.0)
    for stage, colour in zip(STAGES, STAGE_COLOURS, strict=True):
        widths = {
            bar: found["stages"][way][stage] + found["stages"]["shared"][stage] for bar, way in bars.items()
        }
        axes.barh(
            list(bars), list(widths.values()), left=list(left.values()), color=colour, label=stage, height=0.6
        )
        left = {bar: left[bar] + width for bar, width in widths.items()}
    axes.grid(visible=False, axis="y")
    axes.set(xlabel="µs of the server's CPU")
    assert isinstance(axes.figure, Figure)
    axes.figure.legend(loc="outside lower center", ncols=2, fontsize=8.5)


PLOTS: Final[Mapping[str, Callable[[Axes, Mapping[str, Any]], None]]] = {
    "capacity": capacity,
    "conversations": conversations,
    "history": history,
    "store": store,
    "memory": memory,
    "stages": stages,
}


def _curves(axes: Axes, found: Mapping[str, Any], x: str, colour: str, name: str) -> None:
    """One curve and its axes, both in this colour."""
    curve = found["curves"][name]
    axes.plot(curve["x"], curve["y"], color=colour, marker="o")
    axes.set_ylabel(curve["unit"], color=colour)
    _from_zero(axes)
    if x:
        axes.set_xlabel(x)


def _from_zero(axes: Axes) -> None:
    """With room above what is greatest."""
    axes.margins(x=0.03, y=0.15)
    axes.set_ylim(bottom=0)
    axes.set_xlim(left=0)


def _sorted(points: Mapping[int, float]) -> tuple[list[int], list[float]]:
    ordered = sorted(points)
    return ordered, [points[x] for x in ordered]


@contextmanager
def _figure(path: Path, height: float) -> Iterator[Axes]:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7.2, height), layout="constrained")
        yield figure.add_subplot()
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
