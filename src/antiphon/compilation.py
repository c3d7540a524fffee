"""Whether this is the compiled build, or the sources as they are (docs: architecture, compiled modules)."""

from __future__ import annotations

from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec

__all__ = ["build", "is_compiled"]

_ALWAYS = "antiphon.core.conversation"
"""A build compiles all it is meant to, or fails; so one module, which is compiled in each, tells of all."""


def is_compiled() -> bool:
    """Whether what Python loads as the core is machine code."""
    spec = find_spec(_ALWAYS)
    return spec is not None and isinstance(spec.loader, ExtensionFileLoader)


def build() -> str:
    """The same in words: `compiled` or `pure Python`."""
    return "compiled" if is_compiled() else "pure Python"
