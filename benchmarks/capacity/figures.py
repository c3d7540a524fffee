"""What is told of each server, one figure a row."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["NOTHING", "ROWS", "figure"]

NOTHING: Final = {"p99": 1_000.0}
"""Of a trial in which nothing came, which is waited for that long at least."""


def figure(of: Callable[[Any], Any], server: Mapping[str, Any]) -> str:
    """As it stands in a table; a dash where it was not measured."""
    try:
        return str(of(server))
    except (KeyError, TypeError, ValueError):
        return "–"


def _delays(delays: Mapping[str, float], count: int = 3) -> str:
    return " / ".join(f"{delays[name]:.1f}" for name in ("p50", "p99", "p99.9")[:count])


def _memory(sizes: Mapping[str, float]) -> str:
    return f"{sizes['idle_pss']:.0f} / {sizes['load_pss']:.0f}"


def _same(server: Mapping[str, Any]) -> str:
    """Of the turn in which the server's core was disturbed least."""
    measured = [trial for trial in server["same"] if "cpu" in trial]
    turn = min(measured, key=lambda trial: (trial["disturbed"], trial["waited"]))
    return f"{turn['conversations']}: {turn['cpu']:.0%}"


def _tool(tool: Mapping[str, Any], way: str) -> str:
    """The medians of the rounds; a round that lost frames had a longer delay than what came."""
    told = []
    for trials in filter(None, (tool["without"], tool["with"], tool.get("apart"))):
        more = "> " if any(trial["lost"][way] for trial in trials) else ""
        told.append(f"{more}{median(_p99(trial.get('computing', trial), way) for trial in trials):.1f}")
    return " / ".join(told)


def _beside(trials: Sequence[Mapping[str, Any]]) -> str:
    """The medians of what the rounds have: each compares with itself."""
    return " / ".join(
        f"{median(_p99(each['computing'], way) / each['resting'][way]['p99'] for each in trials):.2f}"
        for way in ("down", "up")
    )


def _p99(delays: Mapping[str, Any], way: str) -> float:
    return float((delays[way] or NOTHING)["p99"])


ROWS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "conversations held": lambda s: f"{'≥ ' if s['at_least'] else ''}{s['capacity']}",
    "CPU at the same number, of a core": _same,
    "at half: conversations": lambda s: s["half"]["conversations"],
    "at half: server's CPU": lambda s: f"{s['half']['cpu']:.0%}",
    "at half: conversations for a whole core": lambda s: f"{s['half']['per_core']:.0f}",
    "at half: delay down, p50 / p99 / p99.9, ms": lambda s: _delays(s["half"]["down"]),
    "at half: delay up, p50 / p99 / p99.9, ms": lambda s: _delays(s["half"]["up"]),
    "at half: dialling to first sound, p50 / p99, ms": lambda s: _delays(s["half"]["first_frame_ms"], 2),
    "KiB for a conversation, idle / at load": lambda s: _memory(s["half"]["kib_per_conversation"]),
    "interruption to the client, p50 / p99, ms": lambda s: _delays(s["barge_in"]["barge_in"], 2),
    "p99 down without / with a computing tool / set apart, ms": lambda s: _tool(s["tool"], "down"),
    "p99 up without / with a computing tool / set apart, ms": lambda s: _tool(s["tool"], "up"),
    "p99 while one set apart computes ÷ while it rests, down / up": lambda s: _beside(s["tool"]["apart"]),
}
"""By their titles, from what JSON has of a server."""
