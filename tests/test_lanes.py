"""Where what the user sends waits: two lanes in one order."""

from __future__ import annotations

import threading

import pytest

from antiphon.errors import QueueClosed, QueueInUse
from antiphon.lanes import Lanes, MediaLane
from antiphon.requests import LiveRequest, Playback
from antiphon.types import Blob, Content, Part

CLOSE = LiveRequest(close=True)


def lanes(*, max_frames: int = 100, told: list[int] | None = None) -> Lanes:
    reports: list[int] = [] if told is None else told
    return Lanes(MediaLane(30.0, max_frames, 32, reports.append))


def media(number: int) -> Blob:
    """A tiny chunk that can be told from others."""
    return Blob(data=bytes([number, 0]), mime_type="audio/pcm;rate=16000")


def text(said: str) -> LiveRequest:
    return LiveRequest(content=Content(role="user", parts=[Part(text=said)]))


def test_what_waits_comes_out_in_the_order_it_came() -> None:
    # contract 2.2
    both = lanes()
    both.put_media(media(0), 1.0)
    both.put_control(text("a"))
    both.put_control(text("b"))
    both.put_media(media(1), 1.0)
    both.close(CLOSE)
    both.close(CLOSE)
    assert both.depth == 5
    assert [both.take() for _ in range(6)] == [media(0), text("a"), text("b"), media(1), CLOSE, None]
    assert both.depth == 0


def test_a_burst_is_told_once_with_what_was_shed_so_far() -> None:
    # contract 2.2
    told: list[int] = []
    both = lanes(max_frames=1, told=told)
    for number in range(3):
        both.put_media(media(number), 1.0)
    assert (told, both.dropped, both.take(), both.take()) == ([1], 2, media(2), None)
    both.put_media(media(3), 1.0)
    both.put_media(media(4), 1.0)
    assert (told, both.dropped) == ([1, 3], 3)


def test_what_is_shed_is_kept_for_whoever_asked_for_it() -> None:
    # contract 2.2, 4.3: to be recorded; as much of it as may wait, the newest
    both = lanes(max_frames=2)
    both.put_media(media(0), 1.0)
    both.attach(lambda: None, keep_shed=True)
    assert both.take_shed() is None
    for number in range(1, 5):
        both.put_media(media(number), 1.0)
    assert [both.take_shed() for _ in range(3)] == [media(1), media(2), None]
    both.put_media(media(5), 1.0)
    both.detach()
    assert both.take_shed() is None
    assert both.dropped == 4


def test_what_is_shed_is_gone_unless_somebody_asked_for_it() -> None:
    # contract 2.2: memory
    both = lanes(max_frames=1)
    both.attach(lambda: None)
    for number in range(3):
        both.put_media(media(number), 1.0)
    assert both.take_shed() is None


def test_one_holds_it_at_a_time() -> None:
    # contract 1.4
    both = lanes()
    both.attach(lambda: None)
    with pytest.raises(QueueInUse):
        both.attach(lambda: None)
    both.detach()
    both.attach(lambda: None)


def test_what_has_served_its_conversation_serves_no_other() -> None:
    # contract 1.4: it would never end, nor could anything be sent
    both = lanes()
    both.close(CLOSE)
    both.attach(lambda: None)  # its close still waits: what was sent before is delivered (2.4)
    both.take()
    both.detach()
    with pytest.raises(QueueClosed, match="make one for each"):
        both.attach(lambda: None)


def test_whoever_holds_it_is_woken_by_everything() -> None:
    # contract 1.3
    woken: list[int] = []
    both = lanes()
    both.put_control(text("before"))
    both.attach(lambda: woken.append(both.depth))
    both.put_control(text("a"))
    both.put_media(media(0), 1.0)
    both.put_playback(Playback(played_ms=1))
    both.close(CLOSE)
    both.close(CLOSE)
    assert woken == [2, 3, 3, 4]


def test_media_for_which_nothing_waits_goes_past() -> None:
    # contract 1.4, 2.3: in order with all else
    both, taken, willing = lanes(), [], True

    def at_once(blob: Blob) -> bool:
        if willing:
            taken.append(blob)
        return willing

    both.attach(lambda: None, at_once=at_once)
    both.put_media(media(0), 1.0)
    assert (taken, both.depth) == ([media(0)], 0)
    both.put_control(text("a"))
    both.put_media(media(1), 1.0)
    assert (taken, both.depth) == ([media(0)], 2)
    assert (both.take(), both.take()) == (text("a"), media(1))
    willing = False
    both.put_media(media(2), 1.0)
    willing = True
    both.put_media(media(3), 1.0)
    assert (taken, both.take(), both.take()) == ([media(0)], media(2), media(3))
    both.close(CLOSE)
    with pytest.raises(QueueClosed):
        both.put_media(media(0), 1.0)
    assert taken == [media(0)]


def test_of_reports_of_playback_the_newest_counts() -> None:
    # contract 4.5
    both = lanes()
    both.put_control(text("a"))
    both.put_playback(Playback(played_ms=1))
    both.put_playback(Playback(played_ms=2))
    assert (both.take_playback(), both.take_playback(), both.depth) == (Playback(played_ms=2), None, 1)
    both.close(CLOSE)
    with pytest.raises(QueueClosed):
        both.put_playback(Playback(played_ms=3))


def test_threads_may_put_at_once() -> None:
    # contract 2.3
    both = lanes(max_frames=10_000)

    def put(name: str) -> None:
        for number in range(200):
            both.put_control(text(f"{name}{number}"))
            both.put_media(media(0), 0.001)

    threads = [threading.Thread(target=put, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = [both.take() for _ in range(both.depth)]
    assert taken.count(media(0)) == 800
    said = [each for each in taken if isinstance(each, LiveRequest)]
    for name in "abcd":
        assert [each for each in said if each in [text(f"{name}{n}") for n in range(200)]] == [
            text(f"{name}{n}") for n in range(200)
        ]
