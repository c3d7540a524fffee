"""The timetable, and words as frames (wire 1.5, 1.6)."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from antiphon.testing import live_frames as frames
from antiphon.testing.live_profiles import Timing, profile_named
from antiphon.testing.live_reply import Prompt
from antiphon.testing.live_setup import Setup
from antiphon.testing.live_turn import Effect, Schedule, Send, Turn, is_of_tools, pieces, plain, reworded
from antiphon.testing.live_wire import Route

WORDS = "one two three four"


def setup(profile: str = "any", modality: str = "AUDIO", **fields: Any) -> Setup:
    body = {"model": "m", "generationConfig": {"responseModalities": [modality]}, **fields}
    return Setup(body, profile_named(profile), Route("developer"))


def contents(profile: str = "any", modality: str = "AUDIO", per_frame: int = 1, **fields: Any) -> list[Any]:
    made = pieces(WORDS, setup(profile, modality, **fields), per_frame=per_frame)
    assert "".join(piece.words for piece in made) == WORDS
    return [piece.frame["serverContent"] for piece in made]


def test_what_is_due_is_done_in_order() -> None:
    schedule = Schedule()
    schedule.send(2.0, {"n": 3})
    schedule.send(1.0, {"n": 1})
    schedule.send(1.0, {"n": 2})
    assert schedule.next() == 1.0
    assert list(schedule.due(0.9)) == []
    assert list(schedule.due(1.0)) == [Send({"n": 1}), Send({"n": 2})]
    assert list(schedule.due(9.0)) == [Send({"n": 3})]
    assert schedule.next() is None


def test_what_is_planned_meanwhile_is_done_too() -> None:
    schedule = Schedule()

    def more(now: float) -> list[Effect]:
        schedule.send(now, {"n": 2})
        return [Send({"n": 1})]

    schedule.plan(1.0, more)
    assert list(schedule.due(1.0)) == [Send({"n": 1}), Send({"n": 2})]


def test_a_turn_is_dropped_alone_or_with_everything() -> None:
    schedule = Schedule()
    for turn in (1, 2, None):
        schedule.send(1.0, {"turn": turn}, turn=turn)
    schedule.drop(1)
    assert list(schedule.due(1.0)) == [Send({"turn": 2}), Send({"turn": None})]
    schedule.send(1.0, {})
    schedule.drop()
    assert schedule.next() is None


def test_a_transcript_rides_with_its_sound() -> None:
    """Wire 1.6: fragments of a few words, the first with the first chunk."""
    made = contents(outputAudioTranscription={})
    assert made[0]["outputTranscription"] == {"text": "one two three "}
    assert [len(content["modelTurn"]["parts"]) for content in made] == [1] * len(made)


def test_2_5_sends_one_thing_per_frame() -> None:
    """Wire 1.5."""
    made = contents("2.5-native-audio", outputAudioTranscription={})
    assert [len(content) for content in made] == [1] * len(made)
    assert "outputTranscription" in made[1]


def test_no_transcript_unless_asked_for() -> None:
    assert all("outputTranscription" not in content for content in contents())


def test_several_parts_in_one_frame() -> None:
    """Wire 1.11."""
    [content, *rest] = contents(per_frame=9, outputAudioTranscription={})
    assert len(content["modelTurn"]["parts"]) > 1
    assert content["outputTranscription"] == {"text": WORDS}
    assert rest == []


def test_text_is_sent_as_the_session_has_it() -> None:
    texts = [{"modelTurn": {"role": "model", "parts": [{"text": t}]}} for t in ("one two three ", "four")]
    assert contents(modality="TEXT") == texts
    robot = [{"outputTranscription": {"text": text}} for text in ("one two three ", "four")]
    assert contents("robotics-er-2-streaming", "TEXT") == robot


def test_speech_is_sent_faster_than_it_plays() -> None:
    """Wire 1.6: 4.74 s of audio in 1.11 s."""
    turn = Turn(1, Prompt("?"), asked=10.0, cursor=10.0)
    turn.lead(0.5)
    turn.lead(99.0)  # not the first item any more
    made = pieces("a rather long sentence " * 5, setup())
    dues = [turn.take(piece, Timing()) for piece in made]
    sound = sum(piece.seconds for piece in made)
    assert dues[0] == 10.5
    assert turn.cursor == pytest.approx(10.5 + sound / 4.3)
    assert turn.plays_until == pytest.approx(dues[0] + sound, rel=0.05)


def test_a_turn_knows_what_was_cut_off() -> None:
    """Wire 1.8: part of the cut sentence is spoken again."""
    turn = Turn(1, Prompt("?"), asked=0.0, cursor=0.0)
    made = pieces("a b c d e f g", setup(modality="TEXT"))
    for piece in made:
        turn.take(piece, Timing())
    for piece in made[:2]:
        assert turn.sent(piece, 1.0) == [Send(piece.frame)]
    assert turn.words == "a b c d e f "
    assert turn.cut_off == "d e f g"
    turn.sent(made[2], 2.0)
    assert turn.cut_off == ""
    assert turn.usage(written=8, heard=2.0) == frames.usage({"TEXT": 3, "AUDIO": 50}, {"TEXT": 4})


def test_asking_again_starts_a_new_reply() -> None:
    turn = Turn(1, Prompt("?"), asked=0.0, cursor=5.0, started=True, called=True, replied=True)
    turn.asks_again(3.0)
    assert (turn.asked, turn.cursor, turn.started, turn.called, turn.replied) == (
        3.0,
        5.0,
        False,
        False,
        False,
    )


def test_small_words() -> None:
    assert reworded({"slot": "tomorrow 3pm", "n": 1}) == {"slot": "tomorrow at 3pm", "n": 1}
    assert plain({"parts": [{"text": "a"}, {"inlineData": {}}, {"text": "b"}]}) == "ab"
    assert is_of_tools({"parts": [{"functionCall": {}}]})
    assert not is_of_tools({"parts": [{"text": "functionCall"}]})
    assert list(map(partial(plain), [{}])) == [""]
