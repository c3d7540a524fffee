"""Every hint that a compiled class forgets is written down, and as the class has it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

import pytest

from antiphon.compilation import is_compiled
from antiphon.core.signals import LinkLost
from antiphon.models.tape import Header, Record
from antiphon.models.tape_hints import _SAID, hints_of

if TYPE_CHECKING:
    from collections.abc import Sequence


def kinds(hint: Any, found: dict[Any, None]) -> None:
    """All dataclasses that the hint leads to."""
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        if hint not in found:
            found[hint] = None
            for within in hints_of(hint).values():
                kinds(within, found)
    for part in get_args(hint):
        kinds(part, found)


def on_tape() -> Sequence[Any]:
    found: dict[Any, None] = {}
    kinds(Header, found)
    kinds(Record, found)
    return [kind for kind in found if kind.__module__.startswith("antiphon.core.")]


@pytest.mark.skipif(is_compiled(), reason="compiled classes have forgotten their hints")
@pytest.mark.parametrize("kind", on_tape(), ids=lambda kind: kind.__name__)
def test_what_a_compiled_class_forgets_is_written_down(kind: Any) -> None:
    forgotten = {name: hint for name, hint in get_type_hints(kind).items() if not isinstance(hint, type)}
    assert _SAID.get(kind, {}) == forgotten, "write it down in models/tape_hints.py"


def test_nothing_else_is_written_down() -> None:
    assert set(_SAID) <= set(on_tape())


def test_hints_are_those_of_the_fields() -> None:
    hints = hints_of(LinkLost)
    assert list(hints) == [field.name for field in dataclasses.fields(LinkLost)]
    assert hints["link"] is int
