"""`python -m benchmarks.memory idle|hour`: what a server keeps in memory for a conversation.

`idle`: nothing is said. A server in a process of its own, a model in another, clients in this one. Beside it
the same number of bare sockets in the same engines: what is beyond those is Antiphon's. `hour`: see there.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import trustme
from rich.console import Console
from rich.table import Table
from websockets.asyncio.client import connect

from benchmarks.processes import ROOT, Process
from benchmarks.report import machine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["hour", "idle", "model_process", "trace"]

RESULTS: Final = ROOT / "benchmarks" / "results"
FEW, MANY = 100, 500
AT_ONCE: Final = 20
"""Clients that connect at the same time."""
SETTLE: Final = 1.5
"""Seconds from the last connection to the reading."""
SILENT: Final = "/idle/down/1000000/1/1/40000/0"
"""The work of `benchmarks.work` that never begins."""


def idle(few: int = FEW, many: int = MANY, rounds: int = 3) -> dict[str, Any]:
    """KiB for each conversation between the `few`th and the `many`th, in rounds that alternate."""
    found: dict[str, list[dict[str, float]]] = {"antiphon": [], "sockets": []}
    for _ in range(rounds):
        for kind, rows in found.items():
            first, last = _readings(kind, (few, many))
            rows.append({what: (last[what] - first[what]) / (many - few) for what in last})
    medians = {
        kind: {what: round(median(row[what] for row in rows), 1) for what in rows[0]}
        for kind, rows in found.items()
    }
    beyond = {what: round(medians["antiphon"][what] - medians["sockets"][what], 1) for what in ("rss", "pss")}
    return {"few": few, "many": many, "median": medians, "beyond_sockets": beyond, "rounds": found}


def trace(few: int = FEW, many: int = MANY) -> list[tuple[float, float, str]]:
    """Bytes and blocks for each conversation, by the line that took them, the most first."""
    first, last = (reading["lines"] for reading in _readings("antiphon", (few, many), "trace"))
    rows = []
    for line, (size, count) in last.items():
        before = first.get(line, (0, 0))
        rows.append(((size - before[0]) / (many - few), (count - before[1]) / (many - few), line))
    return sorted(rows, reverse=True)


def hour(minutes: int = 60) -> dict[str, Any]:
    """The memory of a process with one long conversation, minute by minute, as fast as both sides can.

    `kept`: the session is in the same memory. `forgotten`: without what is stored of it, which is to be flat.
    `growth` is in KiB and in objects for each minute of the last three quarters.
    """
    found: dict[str, Any] = {"minutes": minutes, "growth": {}}
    with model_process("hour_peer") as (port, trust):
        for kind in ("forgotten", "kept"):
            address = f"https://127.0.0.1:{port}/"
            process = Process(sys.executable, "hour", address, str(minutes), kind, trust=trust)
            found[kind] = process.read()
            process.end()
            settled = found[kind][minutes // 4 :]
            found["growth"][kind] = {
                what: round((settled[-1][what] - settled[0][what]) / (len(settled) - 1), 1)
                for what in ("rss", "objects")
            }
    return found


def _readings(kind: str, counts: Sequence[int], *options: str) -> list[dict[str, Any]]:
    """What the server says of its memory with so many conversations."""
    with model_process("peer") as (port, trust):
        address = f"https://127.0.0.1:{port}{SILENT}/"
        server = Process(sys.executable, "memory_server", kind, address, *options, trust=trust)
        try:
            return asyncio.run(_connect(server, counts))
        finally:
            server.end()


@contextmanager
def model_process(module: str) -> Iterator[tuple[int, str]]:
    """A model's process: its port, and the file with the authority that vouches for it."""
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "authority.pem")
        issued = authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem
        issued.write_to_path(folder / "peer.pem")
        model = Process(sys.executable, module, str(folder / "peer.pem"))
        try:
            yield model.hello, str(folder / "authority.pem")
        finally:
            model.end()


async def _connect(server: Process, counts: Sequence[int]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    subprotocols: Any = ["antiphon.v1"]

    async def enter(number: int) -> None:
        async with gate:
            url = f"ws://127.0.0.1:{server.hello}/ws/user{number}/session"
            socket = await stack.enter_async_context(
                connect(url, subprotocols=subprotocols, compression=None, proxy=None, ping_interval=None)
            )
            await socket.send('{"type":"hello"}')
            assert json.loads(await socket.recv())["type"] == "hello"

    gate = asyncio.Semaphore(AT_ONCE)
    async with AsyncExitStack() as stack:
        there = 0
        for count in counts:
            async with asyncio.TaskGroup() as group:
                for number in range(there, count):
                    group.create_task(enter(number))
            there = count
            await asyncio.sleep(SETTLE)
            found.append(await asyncio.to_thread(server.ask, {}))
    return found


def show(found: dict[str, Any], console: Console) -> None:
    if "growth" in found:
        table = Table("minute", title="One conversation: KiB in memory, and objects")
        for name in ("forgotten", "objects", "kept", "objects"):
            table.add_column(name, justify="right")
        step = max(found["minutes"] // 12, 1)
        for forgotten, kept in list(zip(found["forgotten"], found["kept"], strict=True))[::step]:
            cells = [row[what] for row in (forgotten, kept) for what in ("rss", "objects")]
            table.add_row(*(f"{cell:,}" for cell in (forgotten["minute"], *cells)))
        console.print(table, f"For each minute: {json.dumps(found['growth'])}")
        return
    table = Table("for each conversation", title="KiB in memory, and objects")
    for name in ("antiphon", "sockets", "beyond sockets"):
        table.add_column(name, justify="right")
    for what in ("rss", "pss", "objects"):
        one, other = found["median"]["antiphon"][what], found["median"]["sockets"][what]
        table.add_row(what, f"{one:.1f}", f"{other:.1f}", f"{one - other:.1f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("what", choices=("idle", "hour", "trace"))
    parser.add_argument("--output", type=Path, help="where the JSON goes")
    parser.add_argument("--minutes", type=int, default=60, help="of `hour`")
    parser.add_argument("--rounds", type=int, default=3, help="of `idle`")
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    if chosen.what == "trace":
        for size, count, line in trace()[:60]:
            console.print(f"{size:9.0f} bytes {count:6.1f} blocks  {line}", highlight=False)
        return
    found = idle(rounds=chosen.rounds) if chosen.what == "idle" else hour(chosen.minutes)
    show(found, console)
    output = chosen.output or RESULTS / f"memory-{chosen.what}.json"
    output.write_text(json.dumps({"machine": machine(os.getloadavg()[0]), **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
