"""The build is what it says, and whole: nothing of it is compiled, or all that is meant to be."""

from __future__ import annotations

import tomllib
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec
from pathlib import Path

import pytest

from antiphon import compilation
from antiphon.compilation import build, is_compiled

ROOT = Path(__file__).parent.parent


def meant() -> list[str]:
    """The modules that `pyproject.toml` says are compiled."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    patterns = tools["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["compiled"]
    found = {path for pattern in patterns for path in (ROOT / "src/antiphon").glob(f"{pattern}.py")}
    names = (path.relative_to(ROOT / "src").with_suffix("") for path in found if path.stem != "__init__")
    return sorted(".".join(name.parts) for name in names)


@pytest.mark.parametrize("name", meant())
def test_every_module_is_as_the_build_says(name: str) -> None:
    spec = find_spec(name)
    assert spec is not None
    assert isinstance(spec.loader, ExtensionFileLoader) == is_compiled()


def test_the_module_that_tells_is_compiled_in_every_build() -> None:
    assert compilation._ALWAYS in meant()


@pytest.mark.parametrize(("found", "words"), [(True, "compiled"), (False, "pure Python")])
def test_it_is_said_in_words(found: bool, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "is_compiled", lambda: found)
    assert build() == words
