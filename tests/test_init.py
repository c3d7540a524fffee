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


def test_importing_loads_nothing_that_costs() -> None:
    costly = "m.startswith(('pydantic', 'picows', 'antiphon.'))"
    program = f"import sys, antiphon; print(sum({costly} for m in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "0"
