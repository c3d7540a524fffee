"""`antiphon demo`: the browser, unless the terminal is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli import demo_command, webpage
from antiphon.cli.commands import run
from antiphon.cli.webpage import Visit

if TYPE_CHECKING:
    import pytest


def test_the_demo_is_a_page_unless_the_terminal_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[Visit] = []

    def served(visit: Visit, *_: object) -> int:
        asked.append(visit)
        return 0

    monkeypatch.setattr(webpage, "serve_page", served)
    assert run(["demo"]) == 0
    command = ["demo", "--host", "::1", "--port", "9", "--no-open", "--llm", "http://x/v1", "--model", "m"]
    assert run(command) == 0
    assert asked == [Visit(), Visit("::1", 9, False, "http://x/v1", "m")]
    monkeypatch.setattr(demo_command, "find_spec", lambda module: None if module == "uvicorn" else module)
    assert run(["demo"]) == 2
    assert "antiphon[server]" in capsys.readouterr().err
    assert len(asked) == 2
