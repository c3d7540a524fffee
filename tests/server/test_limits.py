"""The server's bounds (protocol 7.3)."""

from __future__ import annotations

from base64 import b64encode

import pytest
from pydantic import ValidationError

from antiphon.server import messages
from antiphon.server.limits import ServerLimits


def test_the_defaults_are_those_of_the_protocol() -> None:
    assert ServerLimits().told() == messages.Limits()


def test_what_is_set_is_told() -> None:
    told = ServerLimits(text_bytes=2048, media_bytes=4096, frames_per_second=10, images_per_second=1).told()
    assert told == messages.Limits(2048, 4096, 10, 1)
    assert ServerLimits(idle_seconds=1, audio_buffer=2, grace=0).told() == messages.Limits(
        idle_seconds=1, audio_buffer=2, grace=0
    )


@pytest.mark.parametrize("wrong", [{"places": 0}, {"grace": -1}, {"text_bytes": 10}, {"rooms": 3}])
def test_what_makes_no_sense_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        ServerLimits(**wrong)


def test_media_fits_into_json() -> None:
    """contract 8.1"""
    limits = ServerLimits()
    assert limits.longest_text > len(b64encode(bytes(limits.media_bytes))) + 100


def test_every_bound_is_described() -> None:
    assert all(field.description for field in ServerLimits.model_fields.values())
