"""How the main process talks with a subject, which lives as long as the benchmark: lines of JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version

from benchmarks.round import Converse, measure
from benchmarks.work import Work

__all__ = ["serve"]


def serve(converse: Converse, *packages: str) -> None:
    """Says who this is, then measures whatever it is given until there is no more."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a package prints goes to the log
    hello = {"python": platform.python_version(), "versions": {name: version(name) for name in packages}}
    print(json.dumps(hello), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        found = measure(converse, Work(**asked["work"]), asked["address"])
        print(json.dumps(found), file=answers, flush=True)
