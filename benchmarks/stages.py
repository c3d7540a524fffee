"""`python -m benchmarks.stages`: where each microsecond goes, of a frame down and a chunk up.

The whole server under load, by samples (`benchmarks.capacity.servers.sampling`), grouped into stages. A
sample belongs to the frame or the chunk whose socket has woken the server, else to what both share.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections import Counter
from itertools import takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from benchmarks.capacity.servers.sampling import ENTRY
from benchmarks.capacity.subjects import ANTIPHON
from benchmarks.capacity.trial import Load, Trials
from benchmarks.processes import ROOT
from benchmarks.report import machine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["READERS", "STAGES", "WAYS", "WRITERS", "stage_of", "stages"]

RESULT: Final = ROOT / "benchmarks" / "results" / "stages.json"
PACKAGE: Final = "/antiphon/"
WAYS: Final = ("down", "up", "shared")
"""`shared`: no frame or chunk was being handled."""
READING: Final = "read: socket, TLS, WebSocket"
WRITING: Final = "write: WebSocket, TLS, socket"
LOOP: Final = "event loop: waiting, waking, timers"
READERS: Final = {
    "models/socket_connection.py:on_ws_frame": "down",
    "server/direct_socket.py:on_ws_frame": "up",
}
"""What compiled code calls with a message that it has read."""
WRITERS: Final = ("models/socket_connection.py:_write", "server/direct_socket.py:send")
_RULES: Final = (
    ("models/", "Gemini's JSON, and the link to the model"),
    ("core/", "the conversation: what follows from what was said"),
    ("runtime/", "the runtime: driver, events, what is stored"),
    ("queue.py", "the runtime: driver, events, what is stored"),
    ("lanes.py", "the runtime: driver, events, what is stored"),
    ("types/", "the runtime: driver, events, what is stored"),
    ("server/wire.py", "antiphon.v1: coding and decoding"),
    ("server/messages.py", "antiphon.v1: coding and decoding"),
    ("server/", "the room: clients, backlog, acknowledgements"),
)
_OUTSIDE: Final = "asyncio/base_events.py:_run_once"
"""Beyond it is what has started the loop."""
_REST: Final = "other code of Antiphon's"
STAGES: Final = tuple(dict.fromkeys((READING, *(stage for _, stage in _RULES), _REST, WRITING, LOOP)))


def stage_of(stack: Sequence[str]) -> tuple[str, str]:
    """The way and the stage of a sample: functions as `file:name`, innermost first."""
    entered = stack[:1] == [ENTRY]
    inner = takewhile(lambda name: not name.endswith(_OUTSIDE), stack)
    known = [name.partition(PACKAGE)[2] for name in inner if PACKAGE in name]
    way = next((READERS[name] for name in known if name in READERS), "shared")
    if not known:
        return way, LOOP
    innermost = known[0]
    if entered and innermost in READERS:
        return way, READING
    if innermost in WRITERS:
        return way, WRITING
    return way, next((stage for path, stage in _RULES if innermost.startswith(path)), _REST)


def stages(samples: Iterable[tuple[int, Sequence[str]]], spent: float, frames: int, chunks: int) -> Any:
    """Microseconds, by way and stage: of a frame, of a chunk, and what is shared, of either.

    `spent`: seconds of CPU in which so many frames and chunks were handled.
    """
    counts = Counter[tuple[str, str]]()
    for count, stack in samples:
        counts[stage_of(stack)] += count
    each = dict(zip(WAYS, (frames, chunks, frames + chunks), strict=True))
    sample = spent / max(counts.total(), 1) * 1e6
    return {
        way: {stage: round(counts[way, stage] * sample / each[way], 2) for stage in STAGES} for way in WAYS
    }


def measured(conversations: int, seconds: float) -> dict[str, Any]:
    """What was found, as it goes into JSON."""
    with TemporaryDirectory() as folder, Trials({ANTIPHON.name: sys.executable}) as trials:
        path = Path(folder) / "samples.json"
        trial = trials.run(ANTIPHON, Load(conversations, seconds), profile=path)
        if not trial.get("down") or not path.exists():
            raise RuntimeError(f"antiphon serve: {trial['why']}")
        samples = json.loads(path.read_text(encoding="utf-8"))
    frames, chunks = trial["down"]["count"], trial["up"]["count"]
    return {
        "conversations": conversations,
        "seconds": seconds,
        "samples": sum(count for count, _ in samples),
        "cpu": trial["cpu"],
        "frames": frames,
        "chunks": chunks,
        "stages": stages(samples, trial["cpu"] * seconds, frames, chunks),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="ten seconds, which is little")
    parser.add_argument("--conversations", type=int, default=100, help="(100)")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the JSON goes")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process of it is left behind
    load_before = os.getloadavg()[0]
    found = measured(chosen.conversations, 6.0 if chosen.quick else 40.0)
    print(f"{found['samples']} samples; µs of a frame down, of a chunk up, and of either")
    for stage in STAGES:
        print(*(f"{found['stages'][way][stage]:8.1f}" for way in WAYS), "", stage)
    chosen.output.write_text(
        json.dumps({"machine": machine(load_before), **found}, indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
