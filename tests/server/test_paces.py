"""How many of something may come in a second (protocol 7.3)."""

from __future__ import annotations

from antiphon.server.paces import Pace


def test_so_many_a_second() -> None:
    pace = Pace(2)
    assert [pace.exceeded(0.0) for _ in range(3)] == [False, False, True]
    assert not pace.exceeded(0.5)
    assert pace.exceeded(0.6)
    assert [pace.exceeded(9.0) for _ in range(3)] == [False, False, True]


def test_a_burst_is_borne_as_long_as_it_is_short() -> None:
    pace = Pace(200, 10)
    assert not any(pace.exceeded(n / 200) for n in range(20_000))
    faster = [pace.exceeded(100 + n / 400) for n in range(5_000)]
    assert not any(faster[:3_990]) and any(faster[4_010:])


def test_less_than_one_a_second() -> None:
    pace = Pace(0.1)
    assert [pace.exceeded(now) for now in (0.0, 5.0, 11.0)] == [False, True, False]
