"""`antiphon db`, as a shell runs it, but in this process."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from antiphon.cli.commands import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/sessions.db"


@pytest.mark.parametrize(
    "command", [["db"], ["db", "--help"], ["db", "upgrade", "-h"], ["db", "current", "-h"]]
)
def test_help_has_the_exit_codes(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command) == 0
    shown = capsys.readouterr().out
    assert "130" in shown
    if len(command) == 3:
        assert "Examples" in shown
        assert "ANTIPHON_DATABASE_URL" in shown


def test_database_is_set_up_and_told(url: str, capsys: pytest.CaptureFixture[str]) -> None:  # contract 4.8
    told = []
    for command, code in (("current", 1), ("upgrade", 0), ("upgrade", 0), ("current", 0)):
        assert run(["db", command, url]) == code
        told.append(capsys.readouterr().out)
    assert told == [
        "No schema; the newest is 0001.\n",
        "Schema 0001, set up.\n",
        "Schema 0001, the newest: nothing to do.\n",
        "Schema 0001, the newest.\n",
    ]


def test_url_may_come_from_the_environment(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANTIPHON_DATABASE_URL", url)
    assert run(["db", "upgrade"]) == 0
    assert run(["db", "current"]) == 0
    monkeypatch.delenv("ANTIPHON_DATABASE_URL")
    assert run(["db", "current"]) == 2
    assert "Missing argument 'URL'" in capsys.readouterr().err


def test_schema_of_a_newer_version(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["db", "upgrade", url]) == 0
    with sqlite3.connect(tmp_path / "sessions.db") as connection:
        connection.execute("UPDATE antiphon_version SET version_num = '9999'")
    connection.close()
    assert run(["db", "current", url]) == 1
    assert capsys.readouterr().out.endswith("Schema 9999; this version needs 0001.\n")
    assert run(["db", "upgrade", url]) == 2
    assert "9999" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("nonsense", 2, "antiphon: This is no database URL: write sqlite:///file.db or "),
        ("postgresql://ann:secret@127.0.0.1:1/talks", 1, "postgresql://ann:***@127.0.0.1:1/talks failed: "),
    ],
)
def test_errors_are_one_sentence(url: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("upgrade", "current"):
        assert run(["db", command, url]) == code
        told = capsys.readouterr().err
        assert said in told
        assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["current", "upgrade"])
@pytest.mark.parametrize("missing", ["sqlalchemy", "aiosqlite"])
def test_missing_package_is_named_with_what_to_install(command: str, missing: str) -> None:
    code = (
        f"import sys; sys.modules[{missing!r}] = None\n"
        "from antiphon.cli.commands import run\n"
        f"sys.exit(run(['db', {command!r}, 'sqlite://']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert f"need {missing}: pip install 'antiphon[database]'" in ran.stderr
    assert ran.returncode == 2
