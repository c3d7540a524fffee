from __future__ import annotations

import pytest
from rich.cells import cell_len

from antiphon.cli.folding import fold
from antiphon.cli.screen import Look, Piece, plain


def folded(text: str, width: int) -> tuple[list[str], str]:
    done, rest = fold([Piece(text, Look.WORDS)], width)
    return [plain(line) for line in done], plain(rest)


@pytest.mark.parametrize(
    ("text", "done", "rest"),
    [
        ("", [], ""),
        ("short", [], "short"),
        ("a line\n", ["a line"], ""),
        ("a\n\nb", ["a", ""], "b"),
        ("one two three", ["one two "], "three"),
        ("12345678 9", ["12345678"], "9"),
        ("1234567890", ["12345678"], "90"),
        ("日本語日本", ["日本語日"], "本"),
    ],
)
def test_lines_end_at_newlines_and_at_blanks(text: str, done: list[str], rest: str) -> None:
    assert folded(text, 8) == (done, rest)


def test_looks_stay_with_their_text() -> None:
    done, rest = fold([Piece("helper> ", Look.NAME), Piece("one two", Look.WORDS)], 12)
    assert done == [[Piece("helper> ", Look.NAME), Piece("one ", Look.WORDS)]]
    assert rest == [Piece("two", Look.WORDS)]


def test_a_character_wider_than_the_screen_ends_up_somewhere() -> None:
    assert folded("日本", 1) == (["日"], "本")


@pytest.mark.parametrize("width", range(2, 30))
def test_nothing_but_blanks_is_lost_and_nothing_is_too_wide(width: int) -> None:
    text = "Il était une fois 日本語 ☕ a supercalifragilistic day\nand  more "
    done, rest = folded(text, width)
    assert "".join([*done, rest]).replace(" ", "") == text.replace(" ", "").replace("\n", "")
    assert all(cell_len(line) <= width for line in [*done, rest])
