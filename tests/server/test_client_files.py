"""`antiphon.server.client_files`: the browser client is there, installed or not."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from antiphon.errors import ConfigurationError
from antiphon.server import client_files
from antiphon.server.client_files import client_directory

ROOT = Path(__file__).parents[2]


def test_a_checkout_serves_its_own() -> None:
    assert client_directory() == ROOT / "client" / "src"


def test_all_that_a_module_imports_lies_beside_it() -> None:
    directory = client_directory()
    for module in directory.glob("*.js"):
        for name in re.findall(r'(?:from|URL\()\s*"\./([\w./-]+)"', module.read_text()):
            assert (directory / name).is_file(), f"{module.name}: {name}"


def test_the_wheel_carries_it_where_it_is_looked_for() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    (package,) = wheel["packages"]
    (destination,) = (to for of, to in wheel["force-include"].items() if of == "client/src")
    assert client_files._INSTALLED == (ROOT / package).parent / destination


def test_what_is_installed_is_taken_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "index.js").write_text("")
    monkeypatch.setattr(client_files, "_INSTALLED", tmp_path)
    assert client_directory() == tmp_path


def test_without_it_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(client_files, "_INSTALLED", tmp_path)
    monkeypatch.setattr(client_files, "_CHECKOUT", tmp_path)
    with pytest.raises(ConfigurationError, match="install the antiphon wheel again"):
        client_directory()
