"""`python -m benchmarks.everything [PART …]`: measures all, one part after the other, and writes the page.

What each part found goes to `benchmarks/results/PART.json`, what it said to `PART.txt` beside it; then
docs/performance.md gets its tables and plots. Half an hour, which wants the machine for itself.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.performance_report import RESULTS, write
from benchmarks.processes import ROOT, adk_python

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["PARTS", "Part"]


@dataclass(frozen=True)
class Part:
    """A module of the benchmarks with its arguments; `quick` are those of a quick run."""

    title: str
    module: str
    arguments: Sequence[str] = ()
    quick: Sequence[str] = ("--quick",)

    def run(self, name: str, folder: Path, *, quick: bool) -> bool:
        """Whether it has found something; what it says goes to a file."""
        arguments = [
            *self.arguments,
            *(self.quick if quick else ()),
            "--output",
            str(folder / f"{name}.json"),
        ]
        with (folder / f"{name}.txt").open("w", encoding="utf-8") as log:
            command = [sys.executable, "-m", f"benchmarks{self.module}", *arguments]
            with subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT) as child:
                try:
                    return child.wait() == 0
                except BaseException:
                    child.terminate()
                    raise


PARTS: Final = {
    "frames": Part("CPU for a frame, beside google-adk and bare sockets", ""),
    "capacity": Part("how many conversations a core holds", ".capacity"),
    "stages": Part("where each microsecond goes", ".stages"),
    "curves": Part("how cost grows", ".curves"),
    "memory-idle": Part("memory of silent conversations", ".memory", ("idle",), ("--rounds", "1")),
    "memory-hour": Part("memory over an hour", ".memory", ("hour",), ("--minutes", "10")),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.everything", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"all, or some of {', '.join(PARTS)}, or memory for both"
    )
    parser.add_argument(
        "--quick", action="store_true", help="less of everything, to results/quick; the page stays as it is"
    )
    parser.add_argument("--keep", metavar="NAME", help="also keep the JSON for git, as NAME-PART.json")
    chosen = parser.parse_args()
    names = [name for name in PARTS if not chosen.parts or {name, name.partition("-")[0]} & {*chosen.parts}]
    if unknown := {*chosen.parts} - {*PARTS, "memory"}:
        parser.error(f"{', '.join(sorted(unknown))}: choose of {', '.join(PARTS)}")
    folder = RESULTS / "quick" if chosen.quick else RESULTS
    folder.mkdir(parents=True, exist_ok=True)
    if {"frames", "capacity"} & {*names} and adk_python() is None:
        print(
            "google-adk is left out: no interpreter here has it (make adk-env, or set ANTIPHON_ADK_PYTHON)."
        )
    print(f"Load {os.getloadavg()[0]:.1f} before; what parts say goes to {folder.relative_to(ROOT)}.")
    failed = [name for name in names if not _run(name, folder, quick=chosen.quick)]
    if chosen.keep:
        for name in names:
            if name not in failed:
                shutil.copy(folder / f"{name}.json", RESULTS / f"{chosen.keep}-{name}.json")
    if not chosen.quick:
        print(f"docs/performance.md: {', '.join(write(folder))} written.")
    if failed:
        raise SystemExit(f"Failed: {', '.join(failed)}; see the .txt files.")


def _run(name: str, folder: Path, *, quick: bool) -> bool:
    part, began = PARTS[name], time.monotonic()
    (folder / f"{name}.json").unlink(missing_ok=True)
    print(f"{name}: {part.title} …", end=" ", flush=True)
    done = part.run(name, folder, quick=quick)
    print(f"{time.monotonic() - began:.0f} s" if done else "failed", flush=True)
    return done


if __name__ == "__main__":
    main()
