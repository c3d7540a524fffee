from __future__ import annotations

from antiphon.cli.manual import paragraphs


def test_a_paragraph_is_one_line() -> None:
    assert paragraphs("\n  One\n  paragraph.\n\n  Another.\n") == "One paragraph.\n\nAnother."
