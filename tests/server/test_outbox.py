"""What waits for one socket (protocol 5)."""

from __future__ import annotations

from antiphon.server.answers import Sound
from antiphon.server.outbox import MOST, STALLED, Outbox


def sound(number: int, stream: int = 1, seconds: float = 1.0) -> Sound:
    return Sound(stream, number, number * seconds, seconds, f"{stream}.{number}")


def taken(outbox: Outbox[str]) -> list[str]:
    """All that waits, in the order it leaves."""
    left = []
    while (item := outbox.take()) is not None:
        left.append(str(item.frame) if isinstance(item, Sound) else item)
    return left


def test_everything_leaves_in_the_order_it_came() -> None:
    outbox: Outbox[str] = Outbox(5)
    outbox.put_sound(sound(0), 0)
    outbox.put("a")
    outbox.put("b")
    outbox.put_sound(sound(1), 0)
    outbox.put("c")
    assert outbox.controls == 3
    assert taken(outbox) == ["1.0", "a", "b", "1.1", "c"]
    assert outbox.take() is None and outbox.controls == 0


def test_a_socket_that_takes_nothing_has_so_much_sound_waiting() -> None:
    """protocol 5.3: the older is shed, control never."""
    outbox: Outbox[str] = Outbox(5)
    outbox.sending(10.0)
    for number in range(8):
        outbox.put_sound(sound(number), 10.0 + STALLED)
        outbox.put(f"c{number}")
    assert outbox.shed == 3 and outbox.take_missing() == (1, 0, 3) and outbox.take_missing() is None
    left = taken(outbox)
    assert [each for each in left if each[0] == "c"] == [f"c{number}" for number in range(8)]
    assert [each for each in left if each[0] != "c"] == [f"1.{number}" for number in range(3, 8)]


def test_a_slow_socket_loses_nothing() -> None:
    """protocol 5.3: a burst is no reason to shed, as long as the socket takes it."""
    outbox: Outbox[str] = Outbox(5)
    for number in range(100):
        outbox.sending(float(number))
        outbox.put_sound(sound(number), number + STALLED - 0.1)
        outbox.sending(None)
    assert not outbox.shed and len(taken(outbox)) == 100


def test_there_is_an_end_to_slowness() -> None:
    outbox: Outbox[str] = Outbox(5)
    for number in range(int(MOST) + 10):
        outbox.put_sound(sound(number), 0.0)
    assert outbox.shed == 10


def test_what_is_missing_is_told_stream_by_stream() -> None:
    """protocol 5.4"""
    outbox: Outbox[str] = Outbox(1)
    outbox.sending(0.0)
    for stream in (1, 2, 3):
        for number in range(3):
            outbox.put_sound(sound(number, stream), STALLED)
    assert [outbox.take_missing() for _ in range(4)] == [(1, 0, 3), (2, 0, 3), (3, 0, 2), None]


def test_a_flush_takes_sound_of_that_answer_and_before() -> None:
    """protocol 4.3: and nobody is told of what is missing of them."""
    outbox: Outbox[str] = Outbox(1)
    outbox.sending(0.0)
    for stream in (1, 2, 3):
        outbox.put_sound(sound(0, stream), STALLED)
        outbox.put("c")
    outbox.put_sound(sound(1, 3, 0.1), STALLED)
    outbox.flush(2)
    assert outbox.take_missing() == (3, 0, 1)
    assert taken(outbox) == ["c", "c", "c", "3.1"]
    outbox.sending(None)
    outbox.put_sound(sound(2, 3), 0)
    assert outbox.shed == 3 and taken(outbox) == ["3.2"]


def test_what_was_missed_may_be_more() -> None:
    """protocol 6.2: but who takes none of it does not have it all waiting for ever."""
    outbox: Outbox[str] = Outbox(2)
    outbox.put_again(sound(number) for number in range(10))
    outbox.sending(0.0)
    outbox.put_sound(sound(10), STALLED)
    outbox.put_sound(sound(11), STALLED)
    assert not outbox.shed
    outbox.put_sound(sound(12), STALLED)
    assert taken(outbox) == ["1.11", "1.12"]


def test_a_socket_that_is_gone_needs_no_sound() -> None:
    outbox: Outbox[str] = Outbox(1)
    outbox.sending(0.0)
    outbox.put("c")
    outbox.put_sound(sound(0), STALLED)
    outbox.put_sound(sound(1), STALLED)
    outbox.drop_sounds()
    assert outbox.take_missing() is None and taken(outbox) == ["c"]
    outbox.miss(1, 4, 2)
    assert outbox.take_missing() == (1, 4, 2)
