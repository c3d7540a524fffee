from __future__ import annotations

import io
import logging
import os
import sys
from typing import TYPE_CHECKING

from antiphon.cli import shell
from antiphon.cli.terminal import PlainTerminal

if TYPE_CHECKING:
    import pytest


def test_a_pipe_gets_the_plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read) as piped:
        monkeypatch.setattr(sys, "stdin", piped)
        assert isinstance(shell.terminal(), PlainTerminal)
        assert not shell.nobody_types()


def test_nobody_types_at_the_null_device_or_without_a_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as null:
        monkeypatch.setattr(sys, "stdin", null)
        assert shell.nobody_types()
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    assert shell.nobody_types()


def test_the_log_is_quiet_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    levels: list[int] = []
    monkeypatch.setattr(logging, "basicConfig", lambda level: levels.append(level))
    monkeypatch.delenv("ANTIPHON_DEBUG", raising=False)
    shell.quiet()
    monkeypatch.setenv("ANTIPHON_DEBUG", "1")
    shell.quiet()
    assert levels == [logging.CRITICAL, logging.DEBUG]


def test_the_console_colours_only_what_it_is_told_to() -> None:
    assert shell.console()._highlight is False
