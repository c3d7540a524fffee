"""How much memory this process has."""

from __future__ import annotations

import gc
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

__all__ = ["Memory"]

_ROLLUP = Path("/proc/self/smaps_rollup")


@dataclass(frozen=True)
class Memory:
    """In KiB, as Linux counts it, and in objects the garbage collector knows."""

    rss: int
    """All that is in memory."""
    pss: int
    """Of what is shared with other processes, this process's part."""
    objects: int

    @classmethod
    def now(cls) -> Self:
        lines = (line.split() for line in _ROLLUP.read_text().splitlines()[1:])
        sizes = {line[0]: int(line[1]) for line in lines}
        return cls(sizes["Rss:"], sizes["Pss:"], len(gc.get_objects()))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
