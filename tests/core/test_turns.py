"""The floor, as a table, and the text of a turn."""

from __future__ import annotations

from itertools import product

import pytest

from antiphon.core.turns import _TABLE, MUTE_SETTLE, RESUME_SETTLE, SETTLE, Act, Beat, Floor, Segment, Turns

QUIET, SPEAKING, GENERATED, CUT, HUSHED, SUSPENDED, MUTED, BARRED = Floor
CONTENT, DONE, INTERRUPTED, COMPLETE, LOST, SETTLED, VETOED = Beat
PASS, DROP, CUTS, CLOSE, CLOSE_CUT = Act

# for each floor: content, generated, interrupted, complete, lost, settled, vetoed
EXPECTED = {
    QUIET: (
        *((SPEAKING, PASS), (QUIET, DROP), (HUSHED, CUTS), (QUIET, CLOSE), (QUIET, DROP), (QUIET, DROP)),
        (BARRED, CLOSE),
    ),
    SPEAKING: (
        *((SPEAKING, PASS), (GENERATED, PASS), (CUT, CUTS)),
        *((QUIET, CLOSE), (SUSPENDED, PASS), (SPEAKING, DROP), (MUTED, CLOSE_CUT)),
    ),
    GENERATED: (
        *((SPEAKING, PASS), (GENERATED, DROP), (CUT, CUTS)),
        *((QUIET, CLOSE), (SUSPENDED, PASS), (GENERATED, DROP), (MUTED, CLOSE_CUT)),
    ),
    CUT: (
        *((CUT, DROP), (CUT, DROP), (CUT, DROP)),
        *((QUIET, CLOSE_CUT), (QUIET, CLOSE_CUT), (QUIET, CLOSE_CUT), (MUTED, CLOSE_CUT)),
    ),
    HUSHED: (
        *((SPEAKING, PASS), (HUSHED, DROP), (HUSHED, DROP)),
        *((QUIET, CLOSE_CUT), (QUIET, DROP), (QUIET, DROP), (MUTED, CLOSE_CUT)),
    ),
    SUSPENDED: (
        *((SPEAKING, PASS), (GENERATED, PASS), (CUT, CUTS)),
        *((QUIET, CLOSE), (SUSPENDED, DROP), (QUIET, CLOSE_CUT), (MUTED, CLOSE_CUT)),
    ),
    MUTED: (
        *((MUTED, DROP), (MUTED, DROP), (MUTED, DROP)),
        *((QUIET, DROP), (MUTED, DROP), (QUIET, DROP), (MUTED, CLOSE)),
    ),
    BARRED: (
        *((MUTED, DROP), (BARRED, DROP), (BARRED, CUTS)),
        *((QUIET, DROP), (BARRED, DROP), (BARRED, DROP), (BARRED, CLOSE)),
    ),
}


def turns(floor: Floor) -> Turns:
    found = Turns()
    found.floor = floor
    return found


@pytest.mark.parametrize(("floor", "beat"), list(product(Floor, Beat)), ids=lambda each: each.name.lower())
def test_every_beat_finds_every_floor_prepared(floor: Floor, beat: Beat) -> None:
    # contract 3.5, 3.6
    assert _TABLE[floor, beat] == EXPECTED[floor][list(Beat).index(beat)]


def test_the_table_has_nothing_else() -> None:
    assert set(_TABLE) == set(product(Floor, Beat))


def test_a_second_end_of_one_turn_is_left_out() -> None:
    # contract 3.5
    spoken = turns(SPEAKING)
    assert spoken.beat(COMPLETE, 0.0) is CLOSE
    assert spoken.beat(COMPLETE, 0.0) is DROP
    assert spoken.completed == 1


def test_a_turn_without_content_ends_once_for_each_question() -> None:
    # contract 3.5
    silent = turns(QUIET)
    silent.asked()
    assert silent.beat(COMPLETE, 0.0) is CLOSE
    assert silent.beat(COMPLETE, 0.0) is DROP


@pytest.mark.parametrize("floor", [QUIET, HUSHED, SUSPENDED])
def test_the_first_content_is_the_answer_that_was_owed(floor: Floor) -> None:
    asked = turns(floor)
    asked.asked()
    asked.beat(CONTENT, 0.0)
    assert not asked.owed


@pytest.mark.parametrize("floor", [SPEAKING, GENERATED])
def test_what_is_asked_during_an_answer_stays_owed(floor: Floor) -> None:
    asked = turns(floor)
    asked.asked()
    asked.beat(CONTENT, 0.0)
    asked.beat(COMPLETE, 0.0)
    assert asked.owed


@pytest.mark.parametrize("floor", list(Floor))
def test_words_transcribed_during_an_answer_are_no_new_question(floor: Floor) -> None:
    late = turns(floor)
    late.heard()
    assert late.owed is (floor not in (SPEAKING, GENERATED))


@pytest.mark.parametrize("floor", [SPEAKING, QUIET])
def test_a_cut_turn_that_never_ends_is_over_after_a_while(floor: Floor) -> None:
    # contract 3.6
    cut = turns(floor)
    cut.beat(INTERRUPTED, 10.0)
    assert cut.deadline() == 10.0 + SETTLE
    assert not cut.due(11.9)
    assert cut.due(12.0)
    cut.beat(SETTLED, 12.0)
    assert cut.quiet
    assert cut.deadline() is None


def test_a_suspended_turn_waits_for_the_new_link_and_then_a_while() -> None:
    # contract 7.1
    lost = turns(SPEAKING)
    lost.beat(LOST, 1.0)
    assert lost.deadline() is None
    lost.resumed(4.0, asked=False)
    assert lost.deadline() == 4.0 + RESUME_SETTLE
    lost.beat(LOST, 5.0)
    assert lost.deadline() is None, "the next link is waited for"


def test_a_link_that_comes_back_while_nothing_was_said_starts_no_clock() -> None:
    idle = turns(QUIET)
    idle.resumed(4.0, asked=False)
    assert idle.deadline() is None


def test_text_grows_by_kind_and_ends_where_the_other_kind_comes() -> None:
    # contract 3.4
    said = Turns()
    assert said.text("let me ", thought=True) is None
    assert said.text("see", thought=True) is None
    ended = said.text("Yes", thought=False)
    assert ended is not None
    assert (ended.thought, ended.merged()) == (True, "let me see")
    last = said.end_segment()
    assert last is not None
    assert (last.thought, last.merged()) == (False, "Yes")
    assert said.end_segment() is None


def test_a_segment_is_all_of_its_pieces() -> None:
    segment = Segment(thought=False)
    assert segment.merged() == ""
    segment.add("a")
    segment.add("b")
    assert segment.merged() == "ab"


def test_only_a_muted_turn_that_was_begun_is_waited_for() -> None:
    # contract 5.13
    barred = turns(QUIET)
    barred.asked()
    assert barred.bar(0.0) is CLOSE
    assert barred.deadline() is None
    barred.beat(CONTENT, 1.0)
    assert barred.deadline() == 1.0 + MUTE_SETTLE
    barred.beat(LOST, 2.0)
    assert barred.deadline() is None, "the next link is waited for"
    barred.resumed(3.0, asked=False)
    assert barred.deadline() == 3.0 + RESUME_SETTLE


@pytest.mark.parametrize("floor", [MUTED, BARRED, SPEAKING])
def test_a_fresh_session_is_not_muted(floor: Floor) -> None:
    fresh = turns(floor)
    fresh.begin_anew()
    assert fresh.floor is (SPEAKING if floor is SPEAKING else QUIET)
