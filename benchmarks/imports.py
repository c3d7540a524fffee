"""What it costs to import a subject: CPU time of a fresh interpreter."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.processes import Kind

__all__ = ["import_time"]

_PROGRAM = """
import time
began = time.process_time()
{imports}
print(time.process_time() - began)
"""


def import_time(kind: Kind, python: str) -> float:
    """Milliseconds to import the names an application needs."""
    program = _PROGRAM.format(imports=kind.imports)
    command = [python, "-W", "ignore", "-c", program]
    compiled = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with tempfile.TemporaryDirectory() as elsewhere:  # so that this checkout is found only as it is installed
        ran = subprocess.run(command, cwd=elsewhere, env=compiled, capture_output=True, text=True, check=True)
    return float(ran.stdout.split()[-1]) * 1e3
