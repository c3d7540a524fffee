from __future__ import annotations

from antiphon.cli.screen import Look, Piece, plain


def test_plain_pieces_are_their_text() -> None:
    assert plain([Piece("helper> ", Look.NAME), Piece("Hello.\n", Look.WORDS)]) == "helper> Hello.\n"
    assert plain([]) == ""
