"""The search for a server's capacity. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

__all__ = ["PRECISION", "capacity"]

PRECISION: Final = 0.05


def capacity(levels: Sequence[int], precision: float = PRECISION) -> Generator[int, bool, tuple[int, bool]]:
    """Yields the numbers to try, and is sent whether each holds. Goes up the levels to the first that does
    not hold, then halves what is between it and the one before.

    Returns the largest number that holds, to `precision`, and whether it is only the last that was tried.
    """
    good, bad = 0, None
    for level in sorted(levels):
        if not (yield level):
            bad = level
            break
        good = level
    if bad is None:
        return good, True
    while bad - good > max(1, precision * bad):
        middle = (good + bad) // 2
        if (yield middle):
            good = middle
        else:
            bad = middle
    return good, False
