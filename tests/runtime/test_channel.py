"""The channel to the application: ordered, bounded, nothing lost but what may be (contract 1.3, 3.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import Event, types
from antiphon.core import drafts
from antiphon.runtime.channel import EventChannel

if TYPE_CHECKING:
    from collections.abc import Callable

CAPACITY = 4


def overloaded() -> Event:
    return drafts.lifecycle("helper", "overloaded", count=1)


def channel(capacity: int = CAPACITY) -> EventChannel:
    return EventChannel(capacity, overloaded)


def audio(name: str = "") -> Event:
    event = drafts.audio("helper", b"\0\0", "audio/pcm;rate=24000")
    event.id = name
    return event


def partial(name: str = "") -> Event:
    event = drafts.text("helper", "la", thought=False, partial=True)
    event.id = name
    return event


def whole(name: str = "") -> Event:
    event = drafts.text("helper", "la la", thought=False, partial=False)
    event.id = name
    return event


def image(name: str = "") -> Event:
    blob = types.Blob(data=b"jpeg", mime_type="image/jpeg")
    event = drafts.content("helper", "model", [types.Part(inline_data=blob)])
    event.id = name
    return event


MAKERS: dict[str, Callable[[str], Event]] = {
    "audio": audio,
    "partial": partial,
    "whole": whole,
    "image": image,
}


def took(line: EventChannel) -> Event:
    """The next event, which is there: so nothing is waited for."""
    event = line.take()
    assert event is not None, "it waits"
    return event


def waiting(line: EventChannel) -> list[str]:
    taken = [took(line) for _ in range(len(line))]
    return [event.lifecycle.kind if event.lifecycle else event.id for event in taken]


# Order and endings.


def test_what_comes_after_the_end_is_left_out_and_no_failure() -> None:
    line = channel(1)
    line.put(whole("a"))
    line.close()
    assert line.put(whole("b"))
    assert line.put(audio("c"))
    assert waiting(line) == ["a"]


class Empty(Exception):
    """An error that is false."""

    def __len__(self) -> int:
        return 0


def test_an_error_that_is_false_is_raised_all_the_same() -> None:
    line = channel()
    line.close(Empty())
    with pytest.raises(Empty):
        line.take()


def test_the_end_is_raised_after_the_events_that_did_arrive() -> None:
    """contract 1.5; and the first ending counts"""
    line = channel()
    line.put(whole("a"))
    assert not line.failed
    line.close(LookupError("first"))
    line.close()
    assert took(line).id == "a"
    for _ in range(2):
        with pytest.raises(LookupError, match="first"):
            line.take()
    assert line.failed
    line = channel()
    assert line.take() is None
    line.close()
    with pytest.raises(StopAsyncIteration):
        line.take()


# What gives way.


def test_the_oldest_audio_gives_way_first_then_the_oldest_partials() -> None:
    """contract 3.11"""
    line = channel(4)
    for put in (partial("p1"), audio("a1"), audio("a2"), whole("w1")):
        assert line.put(put)
    assert line.shed == 0
    for put in (whole("w2"), whole("w3"), whole("w4")):
        assert line.put(put)
    assert waiting(line) == ["w1", "w2", "overloaded", "w3", "w4"]
    assert line.shed == 3


def test_new_audio_gives_way_to_what_must_not_be_lost() -> None:
    line = channel(2)
    line.put(whole("w1"))
    line.put(whole("w2"))
    assert line.put(audio("a1"))
    assert waiting(line) == ["w1", "w2", "overloaded"]


def test_a_line_full_of_what_must_not_be_lost_says_so_and_loses_nothing() -> None:
    line = channel(2)
    assert [line.put(whole(name)) for name in "abc"] == [True, True, False]
    assert waiting(line) == ["a", "b", "c"]
    assert line.shed == 0


def test_an_image_is_not_shed() -> None:
    """Nothing comes later that would tell the same."""
    line = channel(2)
    line.put(image("i1"))
    line.put(image("i2"))
    line.put(audio("a1"))
    assert waiting(line) == ["i1", "i2", "overloaded"]


def test_the_application_is_told_once_per_burst_and_how_many_were_shed() -> None:
    """contract 3.11"""
    line, counts = channel(2), []
    for _ in range(2):
        for _ in range(7):
            line.put(audio())
        while len(line):
            event = took(line)
            if event.lifecycle:
                counts.append(event.lifecycle.count)
    assert counts == [5, 5]
    assert line.shed == 10


def test_without_a_notice_nobody_is_told() -> None:
    """contract 3.11: `lifecycle_events=False`"""
    line = EventChannel(2)
    for name in "abcd":
        line.put(audio(name))
    assert waiting(line) == ["c", "d"]
    assert line.shed == 2


def test_an_hour_of_audio_that_nobody_reads_takes_no_more_room_than_the_capacity() -> None:
    line = channel(16)
    for _ in range(50_000):
        assert line.put(audio())
        assert len(line) <= 17
    assert line.shed == 50_000 - 16


GET = "get"


def without_the_oldest(kind: str, names: list[str]) -> list[str]:
    oldest = [name for name in names if name.endswith(kind)][:1]
    return [name for name in names if name not in oldest]


@given(st.integers(1, 6), st.lists(st.sampled_from([*MAKERS, *MAKERS, GET]), max_size=60))
def test_whatever_was_there_before_it_is_the_oldest_that_gives_way(capacity: int, steps: list[str]) -> None:
    """contract 3.11"""
    line, left = EventChannel(capacity), list[str]()
    for number, step in enumerate(steps):
        if step == GET:
            if left:
                assert took(line).id == left.pop(0)
            continue
        left.append(f"{number} {step}")
        there_is_room = line.put(MAKERS[step](left[-1]))
        for kind in ("audio", "partial"):
            if len(left) > capacity:
                left = without_the_oldest(kind, left)
        assert there_is_room == (len(left) <= capacity)
        if not there_is_room:
            break  # the driver ends the conversation
    assert waiting(line) == left


@given(st.integers(1, 6), st.lists(st.sampled_from([*MAKERS, *MAKERS, GET]), max_size=60))
def test_whatever_happens_order_is_kept_and_every_event_is_accounted_for(
    capacity: int, steps: list[str]
) -> None:
    """contract 3.11: nothing but audio and partials is shed, and it is told how many"""
    line = channel(capacity)
    put: list[str] = []
    got: list[Event] = []
    for number, step in enumerate(steps):
        if step == GET:
            if len(line):
                got.append(took(line))
            continue
        put.append(f"{number} {step}")
        kept = sum(each.split()[1] in ("whole", "image") for each in put)
        kept -= sum(each.id.split()[-1] in ("whole", "image") for each in got if not each.lifecycle)
        if not line.put(MAKERS[step](put[-1])):
            assert kept >= capacity, "there was something to shed"
            break  # the driver ends the conversation
        assert len(line) <= capacity + 1
    got += [took(line) for _ in range(len(line))]
    seen = [event.id for event in got if not event.lifecycle]
    assert seen == [each for each in put if each in seen]  # order, and nothing twice
    lost = [each for each in put if each not in seen]
    assert {each.split()[1] for each in lost} <= {"audio", "partial"}
    assert line.shed == len(lost) == sum(event.lifecycle.count or 0 for event in got if event.lifecycle)
