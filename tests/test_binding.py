"""Names that are bound when first used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from antiphon.binding import late, late_among

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

PACKAGE = "bound_for_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Makes a package of two modules, `birds` and `fish`, with this as its `__getattr__`."""
    folder = tmp_path / PACKAGE
    folder.mkdir()
    (folder / "birds.py").write_text("__all__ = ['wren']\nwren, egg = object(), object()\n")
    (folder / "fish.py").write_text("__all__ = ['trout']\ntrout = object()\n")
    monkeypatch.syspath_prepend(tmp_path)

    def make(getattr_: str) -> ModuleType:
        (folder / "__init__.py").write_text(
            f"from antiphon.binding import late, late_among\n__getattr__ = {getattr_}\n"
        )
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            monkeypatch.delitem(sys.modules, name)
        return __import__(PACKAGE)

    return make


LATE = "late(__name__, {'birds': ('wren',), 'fish': ()})"
AMONG = "late_among(__name__, ('birds', 'fish'))"


@pytest.mark.parametrize("getattr_", [LATE, AMONG])
def test_a_name_is_bound_when_first_used(package: Callable[[str], ModuleType], getattr_: str) -> None:
    made = package(getattr_)
    assert f"{PACKAGE}.birds" not in sys.modules
    assert made.wren is sys.modules[f"{PACKAGE}.birds"].wren
    assert vars(made)["wren"] is made.wren
    assert f"{PACKAGE}.fish" not in sys.modules


def test_a_module_is_a_name(package: Callable[[str], ModuleType]) -> None:
    made = package(LATE)
    assert made.fish is sys.modules[f"{PACKAGE}.fish"]
    assert made.birds.wren is made.wren


def test_modules_are_searched_in_order(package: Callable[[str], ModuleType]) -> None:
    assert package(AMONG).trout is sys.modules[f"{PACKAGE}.fish"].trout


@pytest.mark.parametrize("bind", [late(PACKAGE, {}), late_among(PACKAGE, ())])
def test_an_unknown_name_is_an_attribute_error(bind: Callable[[str], object]) -> None:
    with pytest.raises(AttributeError, match=f"module '{PACKAGE}' has no attribute 'crow'"):
        bind("crow")


def test_what_a_module_keeps_to_itself_is_no_name(package: Callable[[str], ModuleType]) -> None:
    with pytest.raises(AttributeError, match="'egg'"):
        _ = package(AMONG).egg


def test_private_names_load_nothing(package: Callable[[str], ModuleType]) -> None:
    made = package(AMONG)
    assert not hasattr(made, "__wrapped__")
    assert f"{PACKAGE}.birds" not in sys.modules
