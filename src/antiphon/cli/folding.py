"""Where a growing line is broken so that its beginning can be let go; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from antiphon.cli.screen import Piece

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["fold"]

_Line = list[Piece]


def fold(pieces: Iterable[Piece], width: int) -> tuple[list[_Line], _Line]:
    """The lines that are complete, and what has begun of the next.

    A line ends at a newline, or where the next character would not fit into `width` cells (2 at least): at
    the last blank before, or right there when there is none.
    """
    width = max(2, width)
    done: list[_Line] = []
    line: _Line = []
    for piece in pieces:
        first, *others = piece.text.split("\n")
        line = _extended(done, line, Piece(first, piece.look), width)
        for text in others:
            done.append(line)
            line = _extended(done, [], Piece(text, piece.look), width)
    return done, line


def _extended(done: list[_Line], line: _Line, piece: Piece, width: int) -> _Line:
    if piece.text:
        line = [*line, piece]
    while sum(cell_len(character) for piece in line for character in piece.text) > width:
        head, line = _split(line, width)
        done.append(head)
    return line


def _split(line: Sequence[Piece], width: int) -> tuple[_Line, _Line]:
    characters = [(character, piece.look) for piece in line for character in piece.text]
    used = at = 0
    while at < len(characters) and (used := used + cell_len(characters[at][0])) <= width:
        at += 1
    assert 0 < at < len(characters)
    if characters[at][0] != " ":
        blanks = [i for i in range(1, at) if characters[i][0] == " "]
        cut = blanks[-1] + 1 if blanks else at
    else:
        cut = at
    return _joined(characters[:cut]), _joined(characters[cut:], strip=True)


def _joined(characters: Sequence[tuple[str, object]], *, strip: bool = False) -> _Line:
    pieces: _Line = []
    for character, look in characters:
        if strip and not pieces and character == " ":
            continue
        if pieces and pieces[-1].look is look:
            pieces[-1] = Piece(pieces[-1].text + character, pieces[-1].look)
        else:
            pieces.append(Piece(character, look))  # type: ignore[arg-type]
    return pieces
