"""Names of a package that are bound when first used, so that importing it costs no more than is needed."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["late", "late_among"]


def late(package: str, homes: Mapping[str, Iterable[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package: `homes` has the names of each of its modules, by the module's name.

    The modules themselves are names as well, so none of them may be called as one of its names.
    """
    home_of = {name: home for home, names in homes.items() for name in names}

    def bind(name: str) -> Any:
        if name in homes:
            return import_module(f"{package}.{name}")
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home_of[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return bind


def late_among(package: str, modules: Sequence[str]) -> Callable[[str], Any]:
    """As `late`, for names too many to list: a name is looked for in these modules, in this order."""

    def bind(name: str) -> Any:
        for module in modules if not name.startswith("_") else ():
            home = import_module(f"{package}.{module}")
            if name in home.__all__:
                value = getattr(home, name)
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return bind
