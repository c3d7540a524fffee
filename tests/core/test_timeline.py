"""Where each voice lies on the timeline."""

from __future__ import annotations

from antiphon.core.commands import Cut, Place
from antiphon.core.timeline import GAP, Timeline

RATE = 24_000
SECOND = b"\0\0" * RATE
BEGAN = 100.0


def placed(timeline: Timeline, speaker: str, seconds: float, now: float) -> float | None:
    """Where a chunk of that length is laid that comes `now` seconds after the start."""
    data = b"\0\0" * round(seconds * RATE)
    [place] = timeline.add("user" if speaker == "user" else "model", data, RATE, BEGAN + now)
    assert isinstance(place, Place)
    assert (place.data, place.rate, place.speaker) == (data, RATE, speaker)
    return None if place.at is None else round(place.at, 6)


def test_switched_off_it_asks_for_nothing() -> None:
    off = Timeline(False, BEGAN)
    assert off.add("user", SECOND, RATE, BEGAN) == []
    assert off.cut(BEGAN) == []
    assert not off.used


def test_a_voice_begins_when_its_first_chunk_comes() -> None:
    # contract 4.3
    timeline = Timeline(True, BEGAN)
    assert not timeline.used
    assert placed(timeline, "user", 0.1, 0.05) == 0.05
    assert placed(timeline, "model", 0.1, 3.0) == 3.0
    assert timeline.used


def test_what_comes_faster_than_it_is_played_is_laid_back_to_back() -> None:
    # contract 4.3
    timeline = Timeline(True, BEGAN)
    assert placed(timeline, "model", 1.0, 1.0) == 1.0
    assert placed(timeline, "model", 1.0, 1.1) is None
    assert placed(timeline, "model", 1.0, 2.9) is None
    assert placed(timeline, "model", 1.0, 4.0 + GAP - 0.01) is None, "an uneven network is no pause"
    assert placed(timeline, "model", 1.0, 5.5) == 5.5


def test_voices_do_not_move_each_other() -> None:
    timeline = Timeline(True, BEGAN)
    placed(timeline, "model", 60.0, 1.0)
    assert placed(timeline, "user", 0.1, 2.0) == 2.0


def test_a_cut_takes_away_what_was_not_heard_yet() -> None:
    # contract 4.3, 3.6
    timeline = Timeline(True, BEGAN)
    placed(timeline, "user", 60.0, 1.0)
    placed(timeline, "model", 10.0, 1.0)
    assert timeline.cut(BEGAN + 4.0) == [Cut(4.0)]
    assert timeline.cut(BEGAN + 5.0) == []
    assert placed(timeline, "model", 1.0, 4.01) == 4.01, "the next answer does not follow the one cut off"
    assert placed(timeline, "user", 1.0, 4.01) is None, "the user was not cut off"


def test_what_the_client_has_not_played_was_not_heard() -> None:
    # contract 4.3, 4.5: it plays with a delay, or has stopped
    timeline = Timeline(True, BEGAN)
    assert timeline.cut(BEGAN, 9.0) == []
    placed(timeline, "model", 2.0, 1.0)
    assert timeline.cut(BEGAN + 60.0, 0.5) == [Cut(2.5)]
    placed(timeline, "model", 2.0, 61.0)
    assert timeline.cut(BEGAN + 62.0, 0.5) == [Cut(62.0)], "nor what lies after now"
    placed(timeline, "model", 1.0, 70.0)
    assert timeline.cut(BEGAN + 70.5, 99.0) == [Cut(0.0)]


def test_a_cut_after_all_was_heard_takes_nothing() -> None:
    timeline = Timeline(True, BEGAN)
    assert timeline.cut(BEGAN + 1.0) == []
    placed(timeline, "model", 1.0, 1.0)
    assert timeline.cut(BEGAN + 2.5) == []
