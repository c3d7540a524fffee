"""What a model can do, as data."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields

import pytest

from antiphon.capabilities import Capabilities


def test_a_record_is_plain_data() -> None:
    # contract 6.2
    assert Capabilities() == Capabilities()
    assert Capabilities(video_input=False) != Capabilities()
    assert len({Capabilities(), Capabilities()}) == 1
    assert {type(getattr(Capabilities(), field.name)) for field in fields(Capabilities)} == {bool, int}


def test_what_is_declared_does_not_change() -> None:
    # contract 6.2
    with pytest.raises(FrozenInstanceError):
        Capabilities().video_input = False  # type: ignore[misc]


def test_what_not_every_model_can_is_declared_by_those_that_can() -> None:
    # contract 6.2
    plain = Capabilities()
    assert not (
        plain.affective_dialog or plain.proactive_audio or plain.non_blocking_tools or plain.tool_scheduling
    )
    assert (plain.input_rate, plain.output_rate) == (16_000, 24_000)
