"""When something was said, by where in the audio it is."""

from __future__ import annotations

import pytest

from antiphon.runtime.otel.listening import LONGEST, Listened
from antiphon.types import Blob


def heard(seconds: float, rate: int = 16_000) -> Listened:
    listened = Listened()
    listened.sent(1, Blob(data=bytes(int(seconds * rate) * 2), mime_type=f"audio/pcm;rate={rate}"))
    return listened


@pytest.mark.parametrize(
    ("seconds", "offset", "moment"),
    [
        (2.0, "1.5s", 99.5),
        (2.0, "2s", 100.0),
        (2.0, "2.1s", None),
        (LONGEST + 1, "0.5s", None),
        (2.0, None, None),
        (2.0, "soon", None),
    ],
)
def test_the_moment_of_an_offset(seconds: float, offset: str | None, moment: float | None) -> None:
    assert heard(seconds).moment(1, offset, 100.0) == moment


def test_at_any_rate() -> None:
    assert heard(2.0, 48_000).moment(1, "1.5s", 100.0) == 99.5


def test_pictures_take_no_time() -> None:
    listened = heard(2.0)
    listened.sent(1, Blob(data=bytes(9), mime_type="image/jpeg"))
    assert listened.moment(1, "1.5s", 100.0) == 99.5


def test_each_connection_counts_for_itself() -> None:
    listened = heard(2.0)
    assert listened.moment(2, "1.5s", 100.0) is None
    listened.closed(1)
    listened.closed(1)
    assert listened.moment(1, "1.5s", 100.0) is None
