from __future__ import annotations

import pytest

from antiphon.client.items import Audio
from antiphon.client.player import Player

RATE = 8000
SECOND = RATE


def audio(stream: int, seconds: float, level: int = 1, rate: int = RATE) -> Audio:
    return Audio(stream, 0, 0, rate, bytes([level, 0]) * round(rate * seconds))


class Ear:
    """A player, and what it reports."""

    def __init__(self, latency: float = 0) -> None:
        self.reports: list[tuple[int, int]] = []
        self.player = Player(RATE, lambda stream, played: self.reports.append((stream, played)), latency)

    def hears(self, seconds: float, step: float = 0.05) -> bytes:
        """What the device plays in that time."""
        return b"".join(self.player.read(round(RATE * step)) for _ in range(round(seconds / step)))


def test_plays_in_order_and_silence_where_there_is_nothing() -> None:
    ear = Ear()
    ear.player.add(audio(1, 0.1, level=1))
    ear.player.add(audio(2, 0.1, level=2))
    assert ear.player.seconds == pytest.approx(0.2)
    assert ear.hears(0.3, step=0.15) == b"\1\0" * 800 + b"\2\0" * 800 + b"\0\0" * 800
    assert ear.player.seconds == 0


def test_reports_after_a_quarter_of_a_second_then_every_half_and_at_the_end() -> None:
    """protocol 3.3"""
    ear = Ear()
    ear.player.add(audio(1, 1.4))
    ear.hears(2)
    assert ear.reports == [(1, 250), (1, 750), (1, 1250), (1, 1400)]


def test_a_flush_is_reported_at_once_and_ends_what_was_playing() -> None:
    """protocol 3.3, 4.3"""
    ear = Ear()
    ear.player.add(audio(1, 1))
    ear.player.add(audio(2, 1, level=2))
    ear.hears(0.4)
    ear.player.flush(1)
    assert ear.reports[-1] == (1, 400)
    assert ear.hears(0.1) == b"\2\0" * 800
    ear.player.add(audio(1, 1))  # too late
    ear.player.flush(2)
    assert ear.reports[-1] == (2, 100)
    assert ear.hears(0.1) == b"\0\0" * 800
    assert len(ear.reports) == len(set(ear.reports))


def test_what_is_on_its_way_to_the_ear_is_not_heard_yet() -> None:
    ear = Ear(latency=0.21)
    ear.player.add(audio(1, 0.5))
    ear.hears(0.4)
    ear.player.flush(1)
    assert ear.reports == [(1, 190)]
    ear.hears(0.5)
    assert ear.reports[-1] == (1, 400)  # it could not be taken back from the device


def test_a_pause_within_an_answer_is_not_heard_of_it() -> None:
    ear = Ear()
    ear.player.add(audio(1, 0.1))
    ear.hears(0.5)
    ear.player.add(audio(1, 0.1))
    ear.hears(0.5)
    assert ear.reports == [(1, 100), (1, 200)]


def test_a_flush_before_anything_was_heard_is_zero() -> None:
    ear = Ear()
    ear.player.add(audio(1, 1))
    ear.player.flush(1)
    assert ear.reports == [(1, 0)]


def test_a_flush_tells_of_all_answers_that_it_ends() -> None:
    ear = Ear()
    ear.player.add(audio(1, 0.2))
    ear.player.add(audio(2, 0.2))
    ear.player.add(audio(3, 0.2, level=3))
    ear.hears(0.1)
    ear.player.flush(2)
    assert ear.reports == [(1, 100), (2, 0)]
    assert ear.hears(0.1) == b"\3\0" * 800


def test_forgets_answers_that_are_over() -> None:
    ear = Ear()
    for stream in range(1, 200):
        ear.player.add(audio(stream, 0.05))
        ear.hears(0.05)
    assert len(ear.player._heard) < 10
    assert [stream for stream, played in ear.reports if played == 50] == list(range(1, 200))


def test_another_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="24000 Hz for a player at 8000 Hz"):
        Ear().player.add(audio(1, 0.1, rate=24000))
