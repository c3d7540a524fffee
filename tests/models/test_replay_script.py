"""A tape cut into halves: what each model said after what, and what the user did after that."""

from __future__ import annotations

import pytest

from antiphon.core.messages import Media, ToolResults, Turn
from antiphon.core.signals import (
    AppLeft,
    LinkDialled,
    LinkLost,
    ModelText,
    Received,
    Tick,
    UserLeaving,
    UserLeft,
    UserStreamEnd,
)
from antiphon.errors import ConnectionLost, TapeUnusable
from antiphon.models.replay_script import Amount, script_of
from antiphon.models.tape import Begun, Dialled, Drawn, Fed, Finished, HungUp, Record, Started, Told
from antiphon.types import Blob, Content, Part
from tests.models.test_replay import tape_of

TURN = Turn(Content(role="user", parts=[Part(text="a")]))
SOUND = Media(Blob(data=bytes(3200), mime_type="audio/pcm;rate=16000"))
LOST = LinkLost(1, ConnectionLost("gone"))
SAID = Received(1, (ModelText("A"),))
OPEN: list[Record] = [Started(0.0), Dialled(1.0, 1, "a"), Fed(1.5, LinkDialled(1)), Begun(2.0, 1)]


def test_each_link_has_what_was_said_on_it_and_what_that_followed_on() -> None:
    """contract 9.4"""
    script = script_of(
        tape_of(
            *OPEN,
            Told(3.0, 1, TURN),
            Told(3.0, 1, SOUND),
            Fed(3.5, SAID),
            Told(4.0, 1, ToolResults(())),
            Dialled(4.5, 2, "b"),
            Fed(5.0, LOST),
            Drawn(0.5),
            Fed(6.0, Tick()),
            Finished(7.0),
        )
    )
    one, two = script.links
    assert (one.agent, one.opened, two.agent, two.opened) == ("a", (2, 0.5), "b", None)
    assert [(cue.signal, cue.gap, cue.line) for cue in one.cues] == [(SAID, 0.5, 8), (LOST, 1.0, 11)]
    assert one.cues[0].needs == Amount(begun=1, control=1, audio=0.1)
    assert one.cues[1].needs == Amount(begun=1, control=1, results=1, audio=0.1)
    assert one.loss == LOST and two.loss is None
    assert [expected.line for expected in one.control] == [6]
    assert [expected.line for expected in one.results] == [9]


def test_what_comes_after_hanging_up_is_not_played() -> None:
    """contract 9.4"""
    link = script_of(tape_of(*OPEN, HungUp(3.0, 1), Fed(3.1, SAID), Fed(3.5, LOST))).links[0]
    assert link.cues == [] and link.hung_up
    assert link.closing == (0.5, LOST) and link.loss == LOST


def test_the_user_does_things_after_what_came_before() -> None:
    """contract 9.4"""
    script = script_of(
        tape_of(
            *OPEN,
            Fed(2.5, UserStreamEnd()),
            Fed(4.0, SAID),
            Fed(4.5, UserLeaving()),
            Fed(5.0, UserLeft()),
            Fed(6.0, AppLeft()),
        )
    )
    assert [(deed.signal, deed.gap) for deed in script.user] == [
        (UserStreamEnd(), 0.5),
        (UserLeft(), 1.0),
        (AppLeft(), 1.0),
    ]
    assert [deed.place for deed in script.user] == [4, 7, 8]
    assert script.milestones == [2, 3, 5]


@pytest.mark.parametrize(
    "record",
    [
        Begun(0.0, 9),
        Told(0.0, 9, TURN),
        HungUp(0.0, 9),
        Fed(0.0, LinkDialled(9)),
        Fed(0.0, LinkLost(9, None)),
    ],
)
def test_a_link_that_was_never_dialled_is_refused_by_its_line(record: Record) -> None:
    with pytest.raises(TapeUnusable, match=r"by-hand\.jsonl, line 6: link 9 was not dialled before"):
        script_of(tape_of(*OPEN, record))


@pytest.mark.parametrize(
    ("had", "needed", "said"),
    [
        (Amount(), Amount(), ""),
        (Amount(begun=1, control=2), Amount(begun=1, control=1), ""),
        (Amount(), Amount(begun=1), "the set-up"),
        (Amount(), Amount(control=1, images=2), "1 turn or activity signal, 2 images"),
        (Amount(results=1), Amount(control=2, results=3), "2 turns or activity signals, 2 tool results"),
        (Amount(images=1), Amount(images=2, results=1), "1 tool result, 1 image"),
        (Amount(audio=0.9995), Amount(audio=1.0), ""),
        (Amount(audio=0.5), Amount(audio=1.0), "0.50 s of audio"),
    ],
)
def test_what_is_missing_is_said_in_words(had: Amount, needed: Amount, said: str) -> None:
    assert had.missing(needed) == said
