"""What is played, and how far it was heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.cli import loudspeaker as module
from antiphon.cli.loudspeaker import Loudspeaker

if TYPE_CHECKING:
    import pytest

SECOND = 48_000


def test_what_comes_is_played_in_order_and_then_there_is_silence() -> None:
    speaker = Loudspeaker()
    speaker.speaks(0, b"ab" * 2)
    speaker.speaks(0, b"cd")
    assert speaker.playing
    assert speaker.take(2) == b"ab" and speaker.take(6) == b"abcd\0\0"
    assert not speaker.playing


def test_a_flush_drops_what_was_not_taken() -> None:
    speaker = Loudspeaker()
    speaker.speaks(0, b"ab" * 10)
    speaker.take(2)
    speaker.flush()
    assert speaker.take(4) == bytes(4)


def test_what_is_under_way_to_the_ear_is_not_played_yet() -> None:
    """contract 4.5"""
    speaker = Loudspeaker()
    speaker.latency = 0.1
    speaker.speaks(2, bytes(SECOND))
    assert speaker.played is None
    for _ in range(10):
        speaker.take(SECOND // 50)
    assert speaker.played == (2, 100.0)
    speaker.flush()
    assert speaker.playing  # what is under way cannot be taken back
    for _ in range(5):
        speaker.take(SECOND // 50)
    assert speaker.played == (2, 200.0) and not speaker.playing


def test_each_answer_is_counted_from_its_own_beginning() -> None:
    speaker = Loudspeaker()
    speaker.speaks(0, bytes(SECOND))
    speaker.speaks(1, bytes(SECOND // 2))
    speaker.take(SECOND + SECOND // 4)
    assert speaker.played == (1, 250.0)


def test_it_holds_so_much_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1.0)
    speaker = Loudspeaker()
    for _ in range(5):
        speaker.speaks(0, b"\1" * (SECOND // 2))
    assert speaker.take(5 * SECOND).count(1) == SECOND
