"""`python -m benchmarks.curves`: how cost grows, with conversations, tools, history, and a slow store.

Conversations and the store's latency go through the whole server (`benchmarks.capacity`); tools and history
through `Runner.run_live` in this process, in bursts, to a model over TLS in another. Also what it takes
`antiphon serve` to start.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue
from benchmarks.capacity.servers import antiphon_serve
from benchmarks.capacity.subjects import ANTIPHON, cpu_of
from benchmarks.capacity.trial import Load, Trials
from benchmarks.memory import model_process
from benchmarks.processes import ROOT
from benchmarks.report import machine
from benchmarks.round import measure
from benchmarks.sessions import said
from benchmarks.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.round import Round

__all__ = ["Curve", "Plan"]

RESULT: Final = ROOT / "benchmarks" / "results" / "curves.json"
FULL: Final = 0.95
"""Of its core: from there on a server is late, and its CPU says nothing."""
PATIENCE: Final = 60.0
BATCH: Final = 250

Curve = dict[str, Any]
"""`x`, `y` and `unit`, of `y`."""


@dataclass(frozen=True)
class Plan:
    """What is measured. `seconds`: of each window through the whole server; `bursts` are of ten frames."""

    conversations: tuple[int, ...] = (25, 50, 100, 150, 200, 300, 400)
    tools: tuple[int, ...] = (0, 1, 4, 16, 64)
    history: tuple[int, ...] = (0, 100, 1_000, 5_000)
    store: tuple[int, ...] = (0, 1, 10, 50, 200)
    seconds: float = 8.0
    bursts: int = 300
    rounds: int = 5


QUICK: Final = Plan((25, 100), (0, 16), (0, 1_000), (0, 50), 2.0, 80, 2)
STORING: Final = 20
"""Conversations at each latency of the store."""
TURN: Final = 1.0
"""Seconds after which each of them stores the end of a turn."""


def across_conversations(plan: Plan, trials: Trials) -> dict[str, Curve]:
    """Milliseconds of CPU for a second of one conversation."""
    curve = _curve("ms of CPU for a conversation's second")
    for count in plan.conversations:
        trial = trials.run(ANTIPHON, Load(count, plan.seconds))
        cpu = trial.get("cpu")
        if cpu is None or cpu > FULL:
            break
        _add(curve, count, cpu / count * 1e3)
    return {"conversations": curve}


def across_store(plan: Plan, trials: Trials) -> dict[str, Curve]:
    """A store that takes its time with each append: CPU, and the delay of sound to the client."""
    cpu = _curve("ms of CPU for a conversation's second")
    middle, late = (
        _curve("ms from the model to the client, p50"),
        _curve("ms from the model to the client, p99"),
    )
    for latency in plan.store:
        told = {"CAPACITY_STORE_SECONDS": str(latency / 1e3)}
        trial = trials.run(ANTIPHON, Load(STORING, plan.seconds, TURN), environ=told)
        if trial.get("cpu") is None or trial.get("down") is None:
            raise RuntimeError(f"with a store that takes {latency} ms: {trial['why']}")
        _add(cpu, latency, trial["cpu"] / STORING * 1e3)
        _add(middle, latency, trial["down"]["p50"])
        _add(late, latency, trial["down"]["p99"])
    return {"store_cpu": cpu, "store_p50": middle, "store_p99": late}


def across_tools(plan: Plan, address: str) -> dict[str, Curve]:
    """Asynchronous tools that wait while the model speaks: CPU for a frame, audio to `Event`."""
    cases = {count: [Case(calls=count)] for count in plan.tools}
    _rounds(plan, address, cases)
    return {"tools": _of_cases("µs of CPU for a frame", cases, lambda case: case.frame)}


def across_history(plan: Plan, address: str) -> dict[str, Curve]:
    """Events in the session before the conversation: CPU for a frame, and until the first sound."""
    cases = {count: [Case(history=count)] for count in plan.history}
    _rounds(plan, address, cases)
    return {
        "history": _of_cases("µs of CPU for a frame", cases, lambda case: case.frame),
        "history_start": _of_cases("ms of CPU to the first sound", cases, lambda case: case.first),
    }


def starting(rounds: int) -> dict[str, float]:
    """`antiphon serve`, from the start of the process until `/readyz` answers 200: seconds, and of CPU."""
    found = [_start() for _ in range(rounds)]
    wall, cpu = zip(*found, strict=True)
    return {"wall_s": round(median(wall), 3), "cpu_s": round(median(cpu), 3)}


@dataclass
class Case:
    """One conversation, measured once."""

    calls: int = 0
    history: int = 0
    frame: float = 0.0
    """Microseconds of CPU."""
    first: float = 0.0
    """Milliseconds of CPU until the first sound; the reading of the session is in it."""
    started: int = 0
    """Calls under way."""

    def measure(self, address: str, bursts: int) -> None:
        work = Work("down", 1, bursts, 10, 0.0025, calls=self.calls)
        name = f"calls{self.calls}history{self.history}at{time.monotonic_ns()}"
        took = measure(self._converse, work, f"{address}{work.path(name)}")
        if self.started != self.calls:
            raise RuntimeError(f"{self.started} of {self.calls} tools were running")
        self.frame = took["cpu"] / took["frames"] * 1e6

    async def _converse(self, round_: Round, number: int) -> None:
        async def wait() -> str:
            """Waits."""
            self.started += 1
            await asyncio.Event().wait()
            return "over"

        model = Gemini("gemini-3.8-live", api_key="any", base_url=round_.address)
        agent = Agent(name="speaker", model=model, tools=[wait])
        runner = InMemoryRunner(agent, app_name="benchmark")
        session = await runner.session_service.create_session(app_name="benchmark", user_id="user")
        while missing := self.history - len(session.events):
            events = [said() for _ in range(min(BATCH, missing))]
            await runner.session_service.append_events(session, events)
        session_id, began = session.id, time.process_time()
        async for event in runner.run_live(
            user_id="user", session_id=session_id, live_request_queue=LiveRequestQueue()
        ):
            if event.content and event.content.parts and event.content.parts[0].inline_data:
                self.first = self.first or (time.process_time() - began) * 1e3
                round_.heard()


def _rounds(plan: Plan, address: str, cases: dict[int, list[Case]]) -> None:
    """A B C A B C; the first of each only warms up."""
    for _ in range(plan.rounds):
        for done in cases.values():
            case = Case(done[0].calls, done[0].history)
            case.measure(address, plan.bursts)
            done.append(case)


def _of_cases(unit: str, cases: dict[int, list[Case]], figure: Callable[[Case], float]) -> Curve:
    curve = _curve(unit)
    for x, done in cases.items():
        _add(curve, x, median(figure(case) for case in done[1:]))
    return curve


def _curve(unit: str) -> Curve:
    return {"x": [], "y": [], "unit": unit}


def _add(curve: Curve, x: int, y: float) -> None:
    curve["x"].append(x)
    curve["y"].append(round(y, 3))


def _start() -> tuple[float, float]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    program = "from antiphon.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", str(antiphon_serve.__file__), "--port", str(port)]
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not _ready(port):
            if child.poll() is not None or time.perf_counter() > began + PATIENCE:
                raise RuntimeError("antiphon serve does not get ready")
            time.sleep(0.005)
        return time.perf_counter() - began, cpu_of(child.pid)
    finally:
        child.kill()
        child.wait()


def _ready(port: int) -> bool:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5.0)
    try:
        asking.request("GET", "/readyz")
        return asking.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        asking.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.curves", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few points, short windows: half a minute")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the JSON goes")
    chosen = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that no process of it is left behind
    plan, load_before = QUICK if chosen.quick else Plan(), os.getloadavg()[0]
    curves: dict[str, Curve] = {}
    with model_process("peer") as (port, trust):
        os.environ["SSL_CERT_FILE"] = trust
        address = f"https://127.0.0.1:{port}"
        curves |= across_tools(plan, address) | across_history(plan, address)
    del os.environ["SSL_CERT_FILE"]
    with Trials({ANTIPHON.name: sys.executable}) as trials:
        curves |= across_conversations(plan, trials) | across_store(plan, trials)
    start = starting(plan.rounds)
    for name, curve in curves.items():
        print(f"{name}, {curve['unit']}: {dict(zip(curve['x'], curve['y'], strict=True))}")
    print(f"antiphon serve until it is ready: {start}")
    found = {"machine": machine(load_before), "curves": curves, "start": start}
    chosen.output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
