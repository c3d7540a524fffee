from __future__ import annotations

import subprocess
import sys

import pytest

from antiphon import cli


def test_the_process_ends_with_the_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["antiphon", "nothing"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "No such command 'nothing'" in capsys.readouterr().err


def test_help_imports_nothing_heavy() -> None:
    """`antiphon --help` answers at once."""
    heavy = {"pydantic", "prompt_toolkit", "picows", "asyncio", "antiphon.runtime", "antiphon.types"}
    loaded = f"print(*({heavy!r} & set(sys.modules)))"
    code = f"import sys; from antiphon.cli.commands import run; run(['--help']); {loaded}"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert ran.stdout.splitlines()[-1] == ""
