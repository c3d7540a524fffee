"""Chunks, and no faster than they are heard."""

from __future__ import annotations

import pytest

from antiphon.models.local.playout import CHUNK_SECONDS, SPOKEN_RATE, Playout

SECOND = SPOKEN_RATE * 2
CHUNK = int(CHUNK_SECONDS * SECOND)


def play(playout: Playout, *, more: bool = False, until: float = 60.0) -> list[tuple[float, str, int]]:
    """What goes out when, from 0 on."""
    now, sent = 0.0, []
    while now <= until:
        sent += [(round(now, 3), chunk.words, len(chunk.pcm)) for chunk in playout.take(now, more=more)]
        at = playout.next(more=more)
        if at is None:
            break
        now = max(at, now)
    return sent


def test_it_is_ahead_of_what_is_heard_by_so_much_and_no_more() -> None:  # rule 1
    playout = Playout(ahead=0.12)
    playout.add("Hello.", bytes(SECOND))
    sent = play(playout)
    assert [at for at, _, _ in sent[:4]] == [0.0, 0.0, 0.0, 0.04]
    for count, (at, _, _) in enumerate(sent, 1):
        assert count * CHUNK_SECONDS - at <= 0.12 + 1e-6
    assert sum(size for _, _, size in sent) == SECOND and playout.until == pytest.approx(1.0)


def test_a_word_goes_out_with_the_chunk_in_which_it_begins() -> None:  # rule 2
    playout = Playout(ahead=0.04)
    for word, chunks in (("One ", 2.5), ("two ", 0.2), ("three", 1.0)):
        playout.add(word, bytes(int(CHUNK * chunks)))
    assert [words for _, words, _ in play(playout)] == ["One ", "", "two three", ""]


def test_words_without_sound_go_out_in_their_place_and_at_the_end() -> None:  # rule 2
    playout = Playout(ahead=0.12)
    for words, pcm in ((":-) ", b""), ("Hi. ", bytes(CHUNK)), (":-)", b"")):
        playout.add(words, pcm)
    assert [chunk.words for chunk in playout.take(0.0, more=True)] == [":-) Hi. "]
    assert not playout.empty and playout.take(0.0, more=True) == []
    assert [(chunk.words, chunk.pcm) for chunk in playout.take(0.0, more=False)] == [(":-)", b"")]
    assert playout.empty


def test_a_chunk_that_is_not_full_waits_until_the_sound_runs_out() -> None:  # rule 3
    playout = Playout(ahead=0.12)
    playout.add("a", bytes(CHUNK + 100))
    assert [len(chunk.pcm) for chunk in playout.take(0.0, more=True)] == [CHUNK]
    assert playout.take(0.01, more=True) == [] and playout.next(more=True) == pytest.approx(0.02)
    playout.add("", bytes(50))
    assert [len(chunk.pcm) for chunk in playout.take(0.02, more=True)] == [150]


def test_what_is_held_goes_on_where_it_stopped() -> None:  # rule 4
    playout = Playout(ahead=0.04)
    playout.add("One.", bytes(3 * CHUNK))
    assert len(playout.take(0.0, more=False)) == 1
    playout.held = True
    assert playout.take(9.0, more=False) == [] and playout.next(more=False) is None
    playout.held = False
    assert len(playout.take(9.0, more=False)) == 1 and playout.until == pytest.approx(9.04)


def test_what_is_cut_is_gone_and_not_heard_either() -> None:  # rule 4
    playout = Playout(ahead=0.12)
    playout.add("One.", bytes(9 * CHUNK))
    playout.take(0.0, more=False)
    playout.held = True
    playout.cut(0.05)
    assert playout.empty and not playout.held and playout.until == 0.05 and playout.seconds == 0.0
    playout.add("Two.", bytes(CHUNK))
    assert [chunk.words for chunk in playout.take(0.06, more=False)] == ["Two."]


def test_what_is_dropped_leaves_what_was_sent() -> None:
    playout = Playout(ahead=0.12)
    playout.add("One.", bytes(9 * CHUNK))
    playout.take(0.0, more=False)
    playout.drop()
    assert playout.empty and playout.until == pytest.approx(0.12)


def test_what_was_added_after_a_mark_is_dropped() -> None:
    playout = Playout(0.1)
    playout.add("one ", bytes(4_800))
    playout.take(0.0, more=True)
    mark = playout.mark()
    playout.add("two ", bytes(4_800))
    playout.add("three", b"")
    playout.drop(mark)
    rest = playout.take(9.0, more=False)
    assert sum(len(chunk.pcm) for chunk in rest) < 4_800 and not any(chunk.words for chunk in rest)
    playout.add("four", bytes(4_800))
    playout.take(20.0, more=False)
    playout.drop(mark)  # some of it is gone: the rest goes
    assert playout.empty
