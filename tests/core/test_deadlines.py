"""The first of several deadlines."""

from __future__ import annotations

import pytest

from antiphon.core.deadlines import soonest


@pytest.mark.parametrize(
    ("times", "first"),
    [((), None), ((None, None), None), ((3.0,), 3.0), ((None, 3.0, 2.0, None, 4.0), 2.0), ((0.0, 1.0), 0.0)],
)
def test_the_first_to_come_counts(times: tuple[float | None, ...], first: float | None) -> None:
    assert soonest(*times) == first
