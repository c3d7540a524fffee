"""A thousand conversations, each with its own mishaps: nothing is lost, doubled or out of order.

One that fails says its seed; `python -m tests.faults.schedule SEED` holds it again, alone.
"""

from __future__ import annotations

import pytest

from tests.faults.schedule import drawn, run

SCHEDULES = 1000
AT_ONCE = 25  # in one test, so that they can be shared out among processes


@pytest.mark.timeout(180)
@pytest.mark.parametrize("first", range(0, SCHEDULES, AT_ONCE))
def test_nothing_is_lost_and_nothing_is_doubled(first: int) -> None:  # contract 7.1, 7.2, 7.3, 7.6
    for seed in range(first, first + AT_ONCE):
        run(drawn(seed))
