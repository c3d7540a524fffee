"""What waits to be listened to, and what is left out when that takes too long."""

from __future__ import annotations

import pytest

from antiphon.core.messages import ActivityEnded, ActivityStarted
from antiphon.models.local.backlog import KEPT, LATE, MOST, Backlog, Piece, Speaking
from antiphon.testing.live_speech import silence, tone

RATE = 16_000


def heard(backlog: Backlog) -> bytes:
    return b"".join(bytes(item.pcm) for item in backlog.take(1e9) if isinstance(item, Piece))


def test_it_comes_out_in_its_order_with_what_was_marked() -> None:  # rule 1
    backlog = Backlog()
    backlog.mark(ActivityStarted())
    backlog.add(tone(0.25), RATE, 0.0)
    backlog.mark(Speaking(True))
    backlog.add(tone(0.1), 8_000, 0.1)
    backlog.mark(ActivityEnded())
    assert backlog and backlog.seconds == pytest.approx(0.45)
    kinds = [item.rate if isinstance(item, Piece) else type(item) for item in backlog.take(9.0)]
    assert kinds == [ActivityStarted, RATE, RATE, RATE, Speaking, 8_000, 8_000, ActivityEnded]
    assert not backlog and backlog.seconds == pytest.approx(0.0)


def test_only_so_much_is_taken_at_a_time() -> None:
    backlog = Backlog()
    backlog.add(tone(10.0), RATE, 0.0)
    assert len(backlog.take(0.5)) == 5 and backlog.seconds == pytest.approx(9.5)


def test_single_bytes_make_pieces() -> None:
    backlog = Backlog()
    pcm = tone(0.5)
    for byte in pcm:
        backlog.add(bytes([byte]), RATE, 0.0)
    assert len(backlog.take(0.5)) == 5
    for byte in pcm:
        backlog.add(bytes([byte]), RATE, 0.0)
    assert heard(backlog) == pcm


def test_a_burst_is_not_late() -> None:  # rule 2
    backlog = Backlog()
    pcm = tone(20.0)
    assert backlog.add(pcm, RATE, 0.0) == 0.0
    taken = [backlog.take(10.0) for _ in range(1)]
    assert backlog.add(b"", RATE, 9.0) == 0.0  # half of it heard in half of its time: in time
    assert sum(item.seconds for item in taken[0] if isinstance(item, Piece)) == pytest.approx(10.0)
    assert heard(backlog) == pcm[len(pcm) // 2 :]


def test_silence_is_left_out_first_and_then_the_oldest() -> None:  # rule 3
    backlog = Backlog()
    gone = 0.0
    for step in range(int((LATE + 0.2) * 10)):  # nobody listens
        loud = step % 2
        gone += backlog.add(tone(0.1) if loud else silence(0.1), RATE, step / 10)
        backlog.mark(Speaking(bool(loud)))
    assert gone == pytest.approx(LATE + 0.2 - KEPT, abs=0.11)
    left = backlog.take(9.0)
    pieces = [item for item in left if isinstance(item, Piece)]
    assert [piece.quiet for piece in pieces] == [False] * len(pieces)
    assert [piece.due for piece in pieces] == sorted(piece.due for piece in pieces)
    assert pieces[-1].due > LATE and backlog.seconds == pytest.approx(0.0)
    assert sum(isinstance(item, Speaking) for item in left) == int((LATE + 0.2) * 10)  # marks stay


def test_more_than_the_most_is_not_kept() -> None:  # rule 4
    backlog = Backlog()
    pcm = silence(MOST) + tone(5.0)
    assert backlog.add(pcm, RATE, 0.0) == pytest.approx(5.0)
    assert backlog.seconds == pytest.approx(MOST) and heard(backlog) == pcm[-int(MOST * RATE) * 2 :]


def test_half_a_sample_is_quiet() -> None:
    assert Piece(bytearray(b"\x7f"), RATE, 0.0, 0.0).quiet
    assert not Piece(bytearray(b"\x00\x80"), RATE, 0.0, 0.0).quiet


def test_what_is_left_out_is_whole_samples() -> None:  # what follows would be noise
    backlog = Backlog()
    sound = bytes(range(1, 251)) * 160
    backlog.add(sound[:1_501], RATE, 0.0)
    backlog.mark(Speaking(True))  # what follows begins in the middle of a sample
    backlog.add(sound[1_501:], RATE, 0.0)
    assert backlog.add(b"", RATE, 60.0) > 0.5
    rest = heard(backlog)
    assert rest[0] == sound[1_500] and len(rest) % 2 == 0 and sound.endswith(rest[1:])
