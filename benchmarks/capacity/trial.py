"""One trial: a fresh model, server and clients; so many conversations; what was found."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from itertools import zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING, Any, Final

import trustme

from benchmarks.capacity.control import LOAD, SERVER, Helper, quantiles
from benchmarks.capacity.frames import TOOL_CALLS
from benchmarks.capacity.subjects import Server, Subject, cpu_of, lend_uvloop, stolen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

__all__ = ["MOST_DELAY", "Load", "Trials", "disturbed", "spans_of"]

MOST_DELAY: Final = 20.0
"""Milliseconds of the 99th percentile, either way, with which a level counts as held."""
LOCK: Final = Path(gettempdir()) / "antiphon-capacity.lock"
JOINS: Final = 100.0
"""Clients that come in a second, at most."""
REST: Final = 0.5
WARM: Final = 2.0
BUSY: Final = 0.85
"""Of its core, above which the load side is no steady load any more."""
DISTURBED: Final = 0.04
"""Of the time, which a server alone on its core does not wait for it."""
STOLEN: Final = 0.01
"""Of the time, which one of the two processors was kept from this machine."""
STOPPED: Final = 10.0
"""Milliseconds for which one of them did not run at all."""
LATE: Final = 10.0
"""Milliseconds by which a load side that has time to spare was late."""
SPARE: Final = 0.5
"""Of its core, up to which it has."""

SETTLED: Final = 250_000_000
"""Nanoseconds after which what a tool has held up is through."""

_CORES: Final = (SERVER, LOAD)


@dataclass(frozen=True)
class Load:
    """`turn`: seconds of an answer. `ending`: how the model ends it, `complete` or `interrupted`; with
    `tool` one more conversation does nothing but call a tool that computes for two seconds, and again two
    seconds after its answer, with `tool_apart` one that does so set apart, as `Subject.apart` says."""

    conversations: int
    seconds: float
    turn: float = 5.0
    ending: str = "complete"


class Trials:
    """Runs trials. Use it as a context manager.

    `pythons` has the interpreter of each server; `loop` is theirs, `uvloop` or `asyncio`; with `database`
    Antiphon keeps its sessions in SQLite.
    """

    def __init__(self, pythons: Mapping[str, str], *, loop: str = "uvloop", database: bool = False) -> None:
        self._pythons = pythons
        self._loop = loop
        self._database = database
        self._stack = ExitStack()
        self._folder = Path()
        self._databases = 0
        self._lent: dict[str, dict[str, str]] = {}

    def __enter__(self) -> Self:
        self._folder = Path(self._stack.enter_context(TemporaryDirectory()))
        authority = trustme.CA()
        authority.cert_pem.write_to_path(self._trust)
        chain = authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem
        chain.write_to_path(self._folder / "model.pem")
        for name, python in self._pythons.items():
            if python != sys.executable:
                self._lent[name] = lend_uvloop(self._folder, python)
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def _trust(self) -> str:
        return str(self._folder / "authority.pem")

    def run(
        self,
        subject: Subject | None,
        load: Load,
        *,
        profile: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Without a subject the clients speak to the model itself: what the load costs by itself.

        `profile` and `environ` are for the `Server`. Trials of other runs on this machine are waited for:
        they use the same cores. A server that does not start, or ends, has not held the level.
        """
        with LOCK.open("w") as lock:
            flock(lock, LOCK_EX)
            try:
                return self._run(subject, load, profile, environ or {})
            except (OSError, RuntimeError) as failed:
                return {"conversations": load.conversations, "held": False, "why": str(failed)}

    def _run(
        self, subject: Subject | None, load: Load, profile: Path | None, environ: Mapping[str, str]
    ) -> dict[str, Any]:
        trust = Path(self._trust)
        with ExitStack() as stack:
            model = Helper("model", str(self._folder / "model.pem"), trust=trust)
            stack.callback(model.end)
            port = model.answer()
            server: Server | None = None
            dialect, address = "gemini", f"wss://127.0.0.1:{port}"
            if subject is not None:
                server = Server(
                    subject,
                    self._pythons[subject.name],
                    f"https://127.0.0.1:{port}",
                    trust=trust,
                    environ=self._environ(subject, load) | dict(environ),
                    profile=profile,
                )
                stack.callback(server.end)
                dialect, address = subject.dialect, f"ws://127.0.0.1:{server.port}"
            clients = Helper("clients", dialect, address, trust=trust)
            stack.callback(clients.end)
            metronomes = []
            for core in _CORES:
                metronomes.append(metronome := Helper("metronome", trust=trust, core=core))
                stack.callback(metronome.end)
            return _measured(model, server, clients, metronomes, load)

    def _environ(self, subject: Subject, load: Load) -> dict[str, str]:
        told = {"CAPACITY_LOOP": self._loop} | self._lent.get(subject.name, {})
        if load.ending == "tool_apart":
            told["CAPACITY_TOOL_THREADS"] = "1"
        if self._database:
            self._databases += 1
            told["CAPACITY_DATABASE"] = f"sqlite+aiosqlite:///{self._folder}/sessions-{self._databases}.db"
        return told


def _measured(
    model: Helper, server: Server | None, clients: Helper, metronomes: Sequence[Helper], load: Load
) -> dict[str, Any]:
    clients.ask(do="join", count=1, rate=JOINS)  # what is loaded for the first is not what each one takes
    first = clients.answer()
    empty = server.usage() if server else None
    calling = load.ending in TOOL_CALLS
    count = load.conversations + calling - 1
    clients.ask(do="join", count=count, rate=JOINS)
    joined = clients.answer()
    found: dict[str, Any] = {
        "conversations": load.conversations,
        "first_frame_ms": joined["first_frame_ms"],
        "very_first_frame_ms": first["first_frame_ms"] and first["first_frame_ms"]["max"],
    }
    if joined["joined"] < count or not first["joined"]:
        return found | {"held": False, "why": "not all clients got in", "failures": joined["failures"]}
    time.sleep(REST)
    idle = server.usage() if server else None
    window = _window(load.seconds)
    model.ask(do="run", **window, turn=load.turn, ending=load.ending)
    clients.ask(do="run", **window, silent=[load.conversations] if calling else [])
    for metronome in metronomes:
        metronome.ask(do="run", **window)
    _until(window["warm"])
    warm, loaded = server.usage() if server else None, (cpu_of(model.child.pid), cpu_of(clients.child.pid))
    began, before = time.monotonic(), _stolen()
    if server:
        server.profile(on=True)
    _until(window["end"])
    seconds = time.monotonic() - began
    kept_away = max(after - then for then, after in zip(before, _stolen(), strict=True)) / seconds
    busy = server.usage() if server else None
    if server:
        server.profile(on=False)
    model_cpu = (cpu_of(model.child.pid) - loaded[0]) / seconds
    clients_cpu = (cpu_of(clients.child.pid) - loaded[1]) / seconds
    said, heard = model.answer(), clients.answer()
    stopped = [metronome.answer() for metronome in metronomes]
    found |= {
        "down": heard["down"],
        "up": said["up"],
        "late_ms": {"model": said["late_ms"], "clients": heard["late_ms"]},
        "load_cpu": {"model": round(model_cpu, 3), "clients": round(clients_cpu, 3)},
        "load_busy": model_cpu + clients_cpu > BUSY,
        "stolen": round(kept_away, 3),
        "stopped_ms": None if None in stopped else max(stopped),
        "lost": {
            "down": sum(said["sent"].values()) - sum(heard["frames"].values()) + heard["gaps"],
            "up": heard["sent"] - said["heard"],
        },
        "calls": len(said["answers"]),
    }
    if calling:
        for when, spans in spans_of(said["calls"], said["answers"], window["end"]).items():
            model.ask(do="among", spans=spans)
            clients.ask(do="among", spans=spans)
            found[when] = {"down": clients.answer(), "up": model.answer()}
    if server is not None and empty and idle and warm and busy:
        cpu = (busy.cpu - warm.cpu) / seconds
        found |= {
            "cpu": round(cpu, 3),
            "waited": round((busy.waited - warm.waited) / seconds, 3),
            "per_core": round(load.conversations / cpu, 1) if cpu else None,
            "kib_per_conversation": {
                "idle_pss": round((idle.pss - empty.pss) / count, 1),
                "idle_rss": round((idle.rss - empty.rss) / count, 1),
                "load_pss": round((busy.pss - empty.pss) / count, 1),
                "load_rss": round((busy.rss - empty.rss) / count, 1),
            },
            "server_kib": {"empty_pss": empty.pss, "idle_pss": idle.pss, "load_pss": busy.pss},
        }
        found["disturbed"] = disturbed(found, calling=calling)
    if load.ending == "interrupted":
        found["barge_in"] = _told(window, said["interrupted"], heard["interrupted"])
    return found | _verdict(found)


def _window(seconds: float) -> dict[str, int]:
    begin = time.monotonic_ns() + int(0.2e9)
    return {"begin": begin, "warm": begin + int(WARM * 1e9), "end": begin + int((WARM + seconds) * 1e9)}


def _stolen() -> tuple[float, ...]:
    return tuple(map(stolen, _CORES))


def _until(moment: int) -> None:
    time.sleep(max(0.0, (moment - time.monotonic_ns()) / 1e9))


def _told(
    window: dict[str, int], said: dict[str, list[int]], heard: dict[str, list[int]]
) -> dict[str, Any] | None:
    """The delays of interruptions, the n-th of a conversation with the n-th that its client was told of."""
    pairs = [pair for line, times in said.items() for pair in zip(times, heard.get(line, ()), strict=False)]
    missed = sum(map(len, said.values())) - sum(map(len, heard.values()))
    told = quantiles([late - sent for sent, late in pairs if window["warm"] <= sent < window["end"]])
    return told and told | {"not_told": missed}


def spans_of(calls: Sequence[int], answers: Sequence[int], end: int) -> dict[str, list[tuple[int, int]]]:
    """From when to when a tool was `computing`, and from when to when `resting`, until the end.

    Each answer was before the next call. What came to be in the moment after an answer counts for neither.
    """
    return {
        "computing": list(zip_longest(calls, answers, fillvalue=end)),
        "resting": [
            (answer + SETTLED, call) for answer, call in zip_longest(answers, calls[1:], fillvalue=end)
        ],
    }


def disturbed(found: dict[str, Any], *, calling: bool = False) -> bool:
    """Whether others than the server and its load took part; a tool that computes makes the server wait."""
    spare = sum(found["load_cpu"].values()) < SPARE
    return (
        (found["waited"] > DISTURBED and not calling)
        or found["stolen"] > STOLEN
        or (found["stopped_ms"] or 0.0) > STOPPED
        or (spare and max(found["late_ms"].values()) > LATE)
    )


def _verdict(found: dict[str, Any]) -> dict[str, Any]:
    """Whether the level was held, and if not, why."""
    if "barge_in" not in found and any(found["lost"].values()):  # an interruption sheds what is not said
        return {"held": False, "why": "frames were lost, or over a second late"}
    for way in ("down", "up"):
        if found[way] is None or found[way]["p99"] > MOST_DELAY:
            return {"held": False, "why": f"p99 {way}"}
    return {"held": True, "why": ""}
