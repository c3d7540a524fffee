"""The servers under test: what each is, how it is started, and what it takes of the machine."""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.capacity.control import ROOT, SERVER
from benchmarks.processes import adk_python

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "ANTIPHON",
    "GOOGLE_ADK",
    "SUBJECTS",
    "Server",
    "Subject",
    "Usage",
    "cpu_of",
    "lend_uvloop",
    "pythons",
    "stolen",
    "versions",
]

STARTING: Final = 60.0
"""Seconds until a server has to listen."""
_TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Subject:
    """`dialect`: what its clients speak. `framework`: it knows of interruptions and tools; relays do not.

    `apart`: how its tools can be set apart from conversations, where there is a setting for it.
    """

    name: str
    module: str
    dialect: str
    framework: bool = False
    apart: str = ""


ANTIPHON: Final = Subject("antiphon", "antiphon_serve", "antiphon", framework=True, apart="in a process")
GOOGLE_ADK: Final = Subject("google-adk", "adk_fastapi", "google-adk", framework=True, apart="in threads")
SUBJECTS: Final = {
    subject.name: subject
    for subject in (
        ANTIPHON,
        GOOGLE_ADK,
        Subject("websockets", "relay_websockets", "gemini"),
        Subject("picows", "relay_picows", "gemini"),
    )
}


@dataclass(frozen=True)
class Usage:
    """Of a process so far: CPU, and waiting for its core, in seconds; memory in KiB.

    `waited` is of its first thread. `pss` counts shared pages by their share.
    """

    cpu: float
    waited: float
    rss: int
    pss: int


class Server:
    """One of them, alone on its core, from `Server(…)` until `end`.

    `environ` is what else it is told. `profile` is where antiphon writes what `cProfile` found.
    """

    def __init__(
        self,
        subject: Subject,
        python: str,
        model: str,
        *,
        trust: Path,
        environ: dict[str, str],
        profile: Path | None = None,
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        module = f"benchmarks.capacity.servers.{subject.module}"
        self._profile = profile
        if profile:
            environ = environ | {"CAPACITY_PROFILE": str(profile)}
        self._child = subprocess.Popen(
            [python, "-m", module, str(self.port), model],
            cwd=ROOT,
            env=os.environ | {"SSL_CERT_FILE": str(trust), "NO_PROXY": "127.0.0.1"} | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("CAPACITY_VERBOSE") else subprocess.DEVNULL,
        )
        try:
            os.sched_setaffinity(self._child.pid, {SERVER})
            self._await_listening()
        except BaseException:
            self.end()
            raise

    def usage(self) -> Usage:
        """Raises `RuntimeError` when it has ended."""
        process = Path(f"/proc/{self._child.pid}")
        try:
            waited = int((process / "schedstat").read_text().split()[1]) / 1e9
            rolled = (process / "smaps_rollup").read_text().splitlines()
            sizes = {line.split(":")[0]: int(line.split()[1]) for line in rolled[1:]}
            return Usage(cpu_of(self._child.pid), waited, sizes["Rss"], sizes["Pss"])
        except (OSError, KeyError) as gone:
            raise RuntimeError("the server ended: CAPACITY_VERBOSE=1 tells why") from gone

    def end(self) -> None:
        self._child.kill()
        self._child.wait()

    def profile(self, *, on: bool) -> None:
        """Begins and ends the profile, if there is to be one."""
        if self._profile is not None:
            self._child.send_signal(signal.SIGUSR1 if on else signal.SIGUSR2)

    def _await_listening(self) -> None:
        until = time.monotonic() + STARTING
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self._child.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the server does not start: CAPACITY_VERBOSE=1 tells why") from None
                time.sleep(0.05)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(status[11]) + int(status[12])) / _TICKS


def stolen(core: int) -> float:
    """Seconds for which a hypervisor has kept this processor from the whole machine."""
    [line] = [each for each in Path("/proc/stat").read_text().splitlines() if each.startswith(f"cpu{core} ")]
    return int(line.split()[8]) / _TICKS


def pythons(names: Sequence[str]) -> dict[str, str]:
    """The interpreter of each server; google-adk is left out where there is none that has it."""
    found = {name: adk_python() if name == GOOGLE_ADK.name else sys.executable for name in names}
    return {name: python for name, python in found.items() if python is not None}


def versions(python: str) -> dict[str, str]:
    """Of the interpreter and of what of these packages it has."""
    code = (
        "import importlib.metadata as m, json, platform; d = {'python': platform.python_version()}\n"
        "for name in %r:\n"
        "    try: d[name] = m.version(name)\n"
        "    except m.PackageNotFoundError: pass\n"
        "print(json.dumps(d))"
    )
    packages = (
        "antiphon",
        "fastapi",
        "google-adk",
        "google-genai",
        "picows",
        "uvicorn",
        "uvloop",
        "websockets",
    )
    asked = [python, "-c", code % (packages,)]
    told: dict[str, str] = json.loads(subprocess.check_output(asked, cwd="/"))
    return told


def lend_uvloop(folder: Path, python: str) -> dict[str, str]:
    """For an interpreter without uvloop, which google-adk's guide installs with uvicorn: the one there is
    here, if both are of one version. Returns the environment that makes it known."""
    spec = find_spec("uvloop")
    known = versions(python)
    if (
        spec is None
        or spec.origin is None
        or "uvloop" in known
        or known["python"] != platform.python_version()
    ):
        return {}
    (folder / "uvloop").symlink_to(Path(spec.origin).parent)
    return {"PYTHONPATH": os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), str(folder))))}
