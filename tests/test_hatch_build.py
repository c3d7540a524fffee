"""How a compiled wheel is asked for, and what is refused before anything is compiled."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from types import ModuleType

pytest.importorskip("hatchling", reason="made for builds, where hatchling is: pip install hatchling")

ROOT = Path(__file__).parent.parent
CONFIG = {"compiled": ["core/*"], "toolchain": ["mypy"]}


@pytest.fixture
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(hook: ModuleType, **config: Any) -> Any:
    from hatchling.metadata.core import ProjectMetadata
    from hatchling.plugin.manager import PluginManager

    metadata = ProjectMetadata(str(ROOT), PluginManager())
    return hook.CompilingHook(str(ROOT), CONFIG | config, None, metadata, "dist", "wheel")


def test_a_wheel_is_pure_unless_asked(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(hook.SWITCH, raising=False)
    data: dict[str, Any] = {}
    pure = made(hook)
    pure.initialize("standard", data)
    pure.finalize("standard", data, "a.whl")
    assert data == {}
    assert pure.dependencies() == []


def test_compiling_needs_its_tools_and_what_the_package_needs(
    hook: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(hook.SWITCH, "1")
    needed = made(hook).dependencies()
    assert needed[0] == "mypy"
    assert any(name.startswith("pydantic") for name in needed)


def test_an_editable_install_is_never_compiled(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.SWITCH, "1")
    with pytest.raises(ValueError, match="editable installs run the sources"):
        made(hook).initialize("editable", {})


def test_a_wish_that_cannot_be_told_is_refused(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.SWITCH, "yes")
    with pytest.raises(ValueError, match="set it to 1 to compile"):
        made(hook).dependencies()


def test_a_pattern_of_no_module_is_refused(hook: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hook.SWITCH, "1")
    with pytest.raises(ValueError, match=r"nothing to compile is called core/nothing\.py"):
        made(hook, compiled=["core/nothing"]).initialize("standard", {})


def test_packages_themselves_stay_python(hook: ModuleType) -> None:
    found = hook.sources_of(ROOT / "src" / "antiphon", ["core/*", "core/turns"])
    assert [path.stem for path in found if path.stem in ("__init__", "turns")] == ["turns"]
