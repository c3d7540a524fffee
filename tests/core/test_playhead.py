"""What was heard of the model's speech."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.core import drafts
from antiphon.core.playhead import KEPT, LONGEST, PATIENCE, Heard, Playhead
from antiphon.types import Transcription

if TYPE_CHECKING:
    from antiphon.events import Event

RATE = "audio/pcm;rate=24000"
SECOND = bytes(48_000)


def whole(text: str) -> Event:
    return drafts.draft("agent", output_transcription=Transcription(text=text, finished=True))


def said(*pieces: str, turn: int = 0, at: float = 0.0, head: Playhead | None = None) -> Playhead:
    """Each piece, and then a second of audio."""
    head = head or Playhead()
    for piece in pieces:
        head.worded(turn, piece, at)
        head.spoke(turn, SECOND, RATE, at)
    return head


@pytest.mark.parametrize(
    ("played_ms", "heard"),
    [
        (0, ""),
        (370, ""),
        (380, "one"),
        (999, "one two"),
        (1_000, "one two"),
        (1_750, "one two three"),
        (2_900, "one two three four five"),
    ],
)
def test_words_are_heard_when_all_of_them_were(played_ms: float, heard: str) -> None:
    # contract 4.5
    head = said("one two ", "three four ", "five six")
    head.reported(None, played_ms, 0.0)
    assert head.playing(0.0)
    assert head.cut(0.0) == Heard(words=heard)


def test_what_was_played_to_its_end_is_left_as_it_is() -> None:
    # contract 4.5
    head = said("one two ", "three")
    head.reported(None, 1_950, 0.0)
    assert not head.playing(0.0)
    assert head.cut(0.0) == Heard()


def test_without_reports_nothing_is_known() -> None:
    # contract 4.5
    head = said("one two")
    assert not head.playing(0.0)
    assert head.cut(0.0) == Heard()
    assert not head.playing(0.0)


def test_a_client_that_reports_no_more_has_what_was_generated_stored() -> None:
    # contract 4.5
    head = said("one two")
    head.reported(0, 1_000, 0.0)
    said("three four", turn=1, at=60.0, head=head)
    assert head.playing(60.0 + PATIENCE), "it may still report"
    assert not head.playing(60.1 + PATIENCE)
    assert head.cut(60.1 + PATIENCE) == Heard()


def test_an_answer_cut_before_the_first_report_was_not_heard() -> None:
    # contract 4.5
    head = said("one two")
    head.reported(0, 1_000, 0.0)
    said("three four", turn=1, at=60.0, head=head)
    assert head.cut(60.5) == Heard(words="")


def test_playing_goes_on_between_reports_and_no_longer() -> None:
    # contract 4.5
    head = said("one two ", "three four")
    head.reported(0, 200, 10.0)
    head.reported(0, 400, 10.2)
    assert head.cut(10.3) == Heard(words="one"), "500 ms: between two reports"
    head = said("one two ", "three four")
    head.reported(0, 200, 10.0)
    head.reported(0, 600, 10.4)
    assert head.cut(60.0) == Heard(words="one two"), "1,000 ms: as long as reports lay apart"


def test_playing_goes_on_after_the_first_report_as_long_as_it_came_after_the_beginning() -> None:
    # contract 4.5
    head = said("one two ", "three four", at=10.0)
    head.reported(0, 250, 10.3)
    assert head.cut(10.5) == Heard(words="one"), "450 ms"
    head = said("one two ", "three four", at=10.0)
    head.reported(0, 250, 10.3)
    assert head.cut(60.0) == Heard(words="one"), "500 ms: no longer than what was heard by then"


def test_playing_goes_on_for_a_while_at_most_however_late_a_report_was() -> None:
    # contract 4.5
    head = said("one two ", "three four ", "five six", at=10.0)
    head.reported(0, 1_000, 11.0)
    assert head.cut(60.0) == Heard(words="one two three"), f"{1_000 + LONGEST} ms"


def test_a_player_that_stands_still_is_not_moved_on() -> None:
    # contract 4.5
    head = said("one two ", "three four")
    head.reported(0, 500, 10.0)
    head.reported(0, 500, 10.5)
    assert head.cut(11.0) == Heard(words="one")


def test_a_transcript_told_as_whole_is_amended() -> None:
    # contract 4.5
    head = said("one two ", "three four")
    told = whole("one two three four")
    head.told(told)
    head.reported(0, 1_600, 1.0)
    assert head.cut(1.0) == Heard(amended=((told, "one two three"),))
    assert head.cut(1.0) == Heard(), "once"


def test_of_several_transcripts_those_that_were_heard_stay() -> None:
    # contract 4.5: a tool call ends a transcript in mid-turn
    head = said("one two")
    first, second = whole("one two"), whole("three four")
    head.told(first)
    said("three four", head=head)
    head.told(second)
    said("five six", head=head)
    head.reported(0, 1_500, 1.0)
    assert head.cut(1.0) == Heard(words="", amended=((second, "three"),))


def test_what_was_not_heard_is_known_in_seconds() -> None:
    # contract 4.3
    head = said("one", "two", "three")
    assert head.unheard(0.0) == 0.0, "the client does not say"
    head.reported(None, 1_000, 0.0)
    assert head.unheard(0.0) == 2.0
    said("four", turn=1, head=head, at=PATIENCE * 9)
    assert head.unheard(PATIENCE * 9) == 3.0
    head.reported(1, 1_000, PATIENCE * 9)
    assert head.unheard(PATIENCE * 9) == 0.0
    said("five", turn=2, head=head, at=100.0)
    assert head.unheard(101.0 + PATIENCE) == 0.0, "it has not reported this one at all"


def test_words_that_come_after_their_audio_are_spread_over_it() -> None:
    # contract 4.5
    head = Playhead()
    head.spoke(0, SECOND, RATE, 0.0)
    head.spoke(0, SECOND, RATE, 0.0)
    head.worded(0, "one two ", 0.0)
    head.worded(0, "three four", 0.0)
    told = whole("one two three four")
    head.told(told)
    head.reported(0, 1_000, 1.0)
    assert head.cut(1.0) == Heard(amended=((told, "one two"),))


def test_words_before_any_audio_were_not_heard() -> None:
    # contract 4.5
    head = said("one")
    head.reported(0, 1_000, 0.0)
    head.worded(1, "two three", 1.0)
    head.spoke(1, SECOND, RATE, 1.0)
    head.told(whole("two three"))
    head.worded(1, "four", 1.0)
    head.reported(1, 100, 1.1)
    assert head.cut(1.1).words == ""


def test_a_report_of_a_later_answer_says_that_those_before_were_heard() -> None:
    # contract 4.5
    head = said("one two")
    first, second = whole("one two"), whole("three four")
    head.told(first)
    said("three four", turn=1, head=head)
    head.told(second)
    head.reported(0, 500, 1.0)
    assert head.playing(1.0)
    head.reported(1, 500, 2.0)
    assert head.cut(2.0) == Heard(amended=((second, "three"),))


def test_a_report_of_an_earlier_answer_leaves_the_later_unheard() -> None:
    # contract 4.5
    head = said("one two")
    first, second = whole("one two"), whole("three four")
    head.told(first)
    said("three four", turn=1, head=head)
    head.told(second)
    head.reported(0, 500, 1.0)
    assert head.cut(1.0) == Heard(amended=((first, "one"), (second, "")))


def test_what_is_told_without_audio_is_nobodys_words() -> None:
    head = Playhead()
    head.told(whole("one"))
    head.reported(None, 10, 0.0)
    assert head.cut(0.0) == Heard()


def test_of_old_answers_nothing_is_kept() -> None:
    head = Playhead()
    for turn in range(KEPT + 1):
        said("one two", turn=turn, head=head)
        head.told(whole("one two"))
    head.reported(0, 100, 0.0)
    assert len(head.cut(0.0).amended) == KEPT


def test_the_length_of_a_chunk_is_by_its_rate() -> None:
    # contract 3.7
    head = Playhead()
    head.worded(0, "one two", 0.0)
    head.spoke(0, bytes(16_000), "audio/pcm;rate=8000", 0.0)
    head.reported(0, 500, 0.0)
    assert head.cut(0.0) == Heard(words="one")
    head = Playhead()
    head.worded(0, "one two", 0.0)
    head.spoke(0, SECOND, "audio/ogg", 0.0)
    head.reported(0, 500, 0.0)
    assert head.cut(0.0) == Heard(words="one"), "as 24 kHz PCM, for want of better"
