"""The processes of a benchmark: the peer, and the subjects, each in the interpreter it is installed in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import trustme

from benchmarks.work import Work

__all__ = [
    "ANTIPHON",
    "GOOGLE_ADK",
    "PICOWS",
    "ROOT",
    "SUBJECTS",
    "WEBSOCKETS",
    "Bench",
    "Kind",
    "adk_python",
]

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 5.0
"""Seconds a process has to end by itself."""


def adk_python() -> str | None:
    """The interpreter that has google-adk, if there is one (the Makefile's `adk-env`)."""
    python = os.environ.get("ANTIPHON_ADK_PYTHON") or str(ROOT / ".venv-adk" / "bin" / "python")
    looked = [python, "-c", "import importlib.metadata as m; m.version('google-adk')"]
    try:
        found = subprocess.run(looked, capture_output=True, timeout=60, check=False)
    except OSError:
        return None
    return python if found.returncode == 0 else None


@dataclass(frozen=True)
class Kind:
    """A subject. `imports` is what an application writes to have it."""

    name: str
    module: str
    imports: str
    framework: bool = False
    """Makes events, which can be written as JSON; the others only move frames."""


ANTIPHON = Kind(
    "antiphon",
    "antiphon_live",
    "from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue, RunConfig",
    framework=True,
)
GOOGLE_ADK = Kind(
    "google-adk",
    "adk_live",
    "from google.adk.agents import Agent, LiveRequestQueue, RunConfig; "
    "from google.adk.models import Gemini; from google.adk.runners import InMemoryRunner",
    framework=True,
)
WEBSOCKETS = Kind("websockets", "websockets_only", "from websockets.asyncio.client import connect")
PICOWS = Kind("picows", "picows_only", "from picows import ws_connect")
SUBJECTS = (ANTIPHON, GOOGLE_ADK, WEBSOCKETS, PICOWS)


class Process:
    """A module of this package, running. It ends when its standard input does."""

    def __init__(self, python: str, module: str, *arguments: str, trust: str = "") -> None:
        self._name = module
        self._child = subprocess.Popen(
            [python, "-m", f"benchmarks.{module}", *arguments],
            cwd=ROOT,
            env=os.environ | {"SSL_CERT_FILE": trust, "NO_PROXY": "127.0.0.1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.hello = self.read()

    def ask(self, question: dict[str, Any]) -> Any:
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        return self.read()

    def end(self) -> None:
        assert self._child.stdin is not None
        self._child.stdin.close()
        try:
            self._child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._child.kill()

    def read(self) -> Any:
        """The next line it says."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended before it answered; see what it wrote above")
        return json.loads(line)


class Bench:
    """The peer and these subjects, each with its interpreter. Use it as a context manager."""

    def __init__(self, pythons: dict[Kind, str]) -> None:
        self._pythons = pythons
        self._stack = ExitStack()
        self._subjects: dict[Kind, Process] = {}
        self._port = 0
        self._trust = ""
        self._runs = count(1)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            authority = trustme.CA()
            authority.cert_pem.write_to_path(folder / "authority.pem")
            authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
                folder / "peer.pem"
            )
            self._trust = str(folder / "authority.pem")
            peer = Process(sys.executable, "peer", str(folder / "peer.pem"))
            stack.callback(peer.end)
            self._port = peer.hello
            for kind, python in self._pythons.items():
                self._subjects[kind] = Process(python, f"subjects.{kind.module}", trust=self._trust)
                stack.callback(self._subjects[kind].end)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def subjects(self) -> dict[str, Any]:
        """What each subject says of itself."""
        return {kind.name: process.hello for kind, process in self._subjects.items()}

    def first_event(self, kind: Kind) -> float:
        """Milliseconds of CPU from the start of a process to the first event of its first conversation."""
        fresh = Process(self._pythons[kind], f"subjects.{kind.module}", trust=self._trust)
        try:
            return float(self._took(fresh, Work("down", 1, 1, 1, 0.01))["before"] * 1e3)
        finally:
            fresh.end()

    def measure(self, kind: Kind, work: Work) -> float:
        """Microseconds of CPU per frame."""
        took = self._took(self._subjects[kind], work)
        return float(took["cpu"] / took["frames"] * 1e6)

    def _took(self, subject: Process, work: Work) -> Any:
        address = f"https://127.0.0.1:{self._port}{work.path(f'run{next(self._runs)}')}"
        return subject.ask({"work": work.to_json(), "address": address})
