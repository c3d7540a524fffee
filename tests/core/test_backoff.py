"""How long to wait before trying again."""

from __future__ import annotations

import pytest

from antiphon.config import Retry
from antiphon.core.backoff import Backoff


def test_waits_double_up_to_the_longest() -> None:
    # contract 7.1
    backoff = Backoff(Retry(attempts=6, first_delay=0.5, max_delay=3.0), lambda: 0.0)
    assert [backoff.failed(0.0) for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    assert backoff.attempt == 5


def test_after_the_last_attempt_there_is_no_other() -> None:
    # contract 7.1
    backoff = Backoff(Retry(attempts=1), lambda: 0.0)
    assert backoff.failed(0.0) is not None
    assert backoff.failed(0.0) is None
    assert Backoff(Retry(attempts=0), lambda: 0.0).failed(0.0) is None


def test_failures_are_forgotten_when_the_window_has_passed() -> None:
    # contract 7.1: an accept-then-drop server is not hammered, a drop every ten minutes is
    backoff = Backoff(Retry(attempts=2, window=60.0, first_delay=1.0), lambda: 0.0)
    assert backoff.failed(0.0) == 1.0
    assert backoff.failed(30.0) == 2.0
    assert backoff.failed(60.0) == 2.0, "the first is as old as the window"
    assert backoff.failed(61.0) is None


@pytest.mark.parametrize(("chance", "wait"), [(0.0, 4.0), (0.5, 3.0), (1.0, 2.0)])
def test_chance_shortens_the_wait_by_the_jitter(chance: float, wait: float) -> None:
    # contract 3.10
    assert Backoff(Retry(first_delay=4.0, jitter=0.5), lambda: chance).failed(0.0) == wait


def test_a_great_many_failures_wait_as_long_as_the_longest() -> None:
    backoff = Backoff(Retry(attempts=10_000, max_delay=8.0), lambda: 0.0)
    assert {backoff.failed(0.0) for _ in range(2_000)} >= {0.25, 8.0}


def test_a_handle_is_given_up_after_so_many_failures_in_a_row() -> None:
    # contract 7.1
    backoff = Backoff(Retry(resume_attempts=2), lambda: 0.0)
    assert not backoff.resume_failed()
    backoff.resumed()
    assert not backoff.resume_failed()
    assert backoff.resume_failed()
