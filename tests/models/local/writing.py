"""A model that writes piece by piece, whose every probability is written down."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["STOP", "Table"]

STOP = "."


class Table:
    """After what was written, so likely is each next piece; what is not listed stops."""

    def __init__(self, chances: Mapping[str, Mapping[str, float]]) -> None:
        self.chances = chances
        self.pieces = [STOP, *sorted({piece for row in chances.values() for piece in row} - {STOP})]
        self.rows = [""]
        self.most_rows = 0

    def likeliest(self, most: int) -> Sequence[Sequence[tuple[int, float]]]:
        self.most_rows = max(self.most_rows, len(self.rows))
        following = [self.chances.get(row, {STOP: 1.0}) for row in self.rows]
        return [
            [(self.pieces.index(piece), math.log(chance)) for piece, chance in row.items()][:most]
            for row in following
        ]

    def write(self, rows: Sequence[int], pieces: Sequence[int]) -> None:
        self.rows = [self.rows[row] + self.pieces[piece] for row, piece in zip(rows, pieces, strict=True)]
