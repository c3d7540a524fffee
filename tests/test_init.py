"""The public names: all there, and bound only when used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import antiphon


@pytest.mark.parametrize("name", antiphon.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(antiphon, name) is not None


def test_all_is_complete_and_in_order() -> None:
    assert list(antiphon.__all__) == sorted(antiphon.__all__)
    assert dir(antiphon) == antiphon.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = antiphon.Nothing


def loaded(program: str) -> set[str]:
    """The modules that a fresh interpreter has after it."""
    program = f"import sys; {program}; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_importing_loads_nothing_that_costs() -> None:
    found = {name for name in loaded("import antiphon") if name.startswith(("pydantic", "antiphon."))}
    assert found == {"antiphon.binding"}


def test_what_only_a_conversation_needs_is_not_loaded_before() -> None:
    found = loaded("from antiphon import Agent, Gemini, LiveRequestQueue, RunConfig, Runner")
    assert "antiphon.runtime.runner" in found
    assert not found & {
        "antiphon.core.conversation",
        "antiphon.runtime.driver",
        "antiphon.sessions.database.service",
        "antiphon.tools.function",
        "antiphon.types.tools",
        "importlib.metadata",
        "picows",
        "urllib.request",
    }
