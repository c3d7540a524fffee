"""Pages whose figures are written anew by a command, between markers, while the prose around them stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["BEGIN", "END", "inserted", "table"]

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown; the first column to the left, figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def inserted(page: str, figures: str, begin: str = BEGIN, end: str = END) -> str:
    """The page with these between its markers. Raises `ValueError` where it has none."""
    before, found, rest = page.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"The page needs a line {begin!r} and, after it, a line {end!r}.")
    return f"{before}{begin}\n\n{figures}\n\n{end}{after}"
