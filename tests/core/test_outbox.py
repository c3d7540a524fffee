"""What waits for the model while it is out of reach."""

from __future__ import annotations

import pytest

from antiphon.core.messages import (
    ActivityEnded,
    ActivityStarted,
    Media,
    Message,
    StreamEnded,
    ToolResults,
    Turn,
)
from antiphon.core.outbox import IMAGE_SECONDS, Outbox
from antiphon.testing.script import media
from antiphon.types import Content, FunctionResponse, Part

RESULTS = ToolResults((FunctionResponse(id="c", name="look", response={}),))


def turn(text: str, *, complete: bool = True) -> Turn:
    return Turn(Content(role="user", parts=[Part.from_text(text=text)]), complete)


def chunk(eighths: int) -> Media:
    """So many eighths of a second of audio at 16 kHz."""
    return media(b"\0\0" * 2_000 * eighths)


def outbox(held: float, *messages: Message) -> Outbox:
    filled = Outbox(held)
    for message in messages:
        filled.put(message)
    return filled


def test_messages_wait_in_order_and_leave_together() -> None:
    # contract 7.3
    messages: list[Message] = [turn("a"), chunk(1), ActivityStarted(), turn("b"), ActivityEnded()]
    box = outbox(10.0, *messages)
    assert len(box) == 5
    assert box.take_all() == messages
    assert len(box) == 0


def test_control_waits_however_much_there_is() -> None:
    # contract 7.3
    assert len(outbox(0.0, *[turn("a")] * 1_000)) == 1_000


def test_of_audio_the_newest_is_kept() -> None:
    # contract 7.3
    first, second, third = (media(bytes([number, 0]) * 2_000) for number in range(3))
    box = outbox(0.25, first, turn("a"), second, turn("b"), third)
    assert box.dropped == 1
    assert box.take_all() == [turn("a"), second, turn("b"), third]


def test_control_keeps_its_place_when_audio_before_it_goes() -> None:
    # contract 7.3
    box = outbox(0.125, turn("a"), turn("b"), chunk(1), turn("c"), chunk(1))
    assert box.take_all() == [turn("a"), turn("b"), turn("c"), chunk(1)]


def test_an_image_counts_as_a_second() -> None:
    image = media(b"\xff\xd8", "image/jpeg")
    box = outbox(2 * IMAGE_SECONDS, image, image, image)
    assert box.dropped == 1
    assert len(box) == 2


def test_what_was_not_sent_goes_before_what_came_later() -> None:
    # contract 7.3
    box = outbox(10.0, turn("c"))
    box.put_back((turn("a"), turn("b")))
    assert box.take_all() == [turn("a"), turn("b"), turn("c")]


def test_what_was_not_sent_counts_as_waiting_too() -> None:
    # contract 7.3
    box = outbox(0.25, chunk(2))
    box.put_back((chunk(1), turn("a"), chunk(1)))
    assert box.take_all() == [turn("a"), chunk(2)]
    box.put(chunk(2))
    assert box.take_all() == [chunk(2)], "what left no longer counts"


@pytest.mark.parametrize("held", [0.0, 0.05])
def test_sums_of_floats_leave_no_crumb_that_eats_the_rest(held: float) -> None:
    box = outbox(held, turn("c"))
    first, second, third = (media(b"\0\0" * 1_600 * tenths) for tenths in (1, 2, 3))
    box.put_back((turn("a"), first, second, third, turn("b")))
    assert box.take_all() == [turn("a"), turn("b"), turn("c")]


@pytest.mark.parametrize(
    ("message", "control", "stays"),
    [
        (turn("a"), True, True),
        (turn("a", complete=False), True, True),
        (RESULTS, True, False),
        (ActivityStarted(), True, True),
        (StreamEnded(), True, True),
        (chunk(1), False, True),
    ],
)
def test_a_fresh_session_is_told_results_and_needs_the_rest(
    message: Message, control: bool, stays: bool
) -> None:
    # contract 4.4
    box = outbox(10.0, message)
    assert box.holds_control is control
    assert box.drop_results() is not stays
    assert (len(box) == 1) is stays


@pytest.mark.parametrize("known", [True, False])
def test_a_session_resumed_from_a_snapshot_is_told_the_results_of_calls_that_it_knows(known: bool) -> None:
    # contract 7.6
    heard = ToolResults((FunctionResponse(id="c", name="look", response={"n": 1}),), 1)
    waits = ToolResults((FunctionResponse(id="c", name="look", response={"n": 2}),), 1)
    box = outbox(10.0, turn("a"), waits)
    box.results.called([] if known else ["c"])
    box.results.told(heard)
    assert box.rewind() == ((False, frozenset(), ("c", "c")) if known else (True, frozenset({"c"}), ()))
    assert box.take_all() == ([heard, turn("a"), waits] if known else [turn("a")])


def test_what_the_user_wrote_and_nobody_heard_can_be_told_from_the_rest() -> None:
    # contract 2.2, 4.4: it is left out of what a fresh session is told
    first, second = turn("a"), turn("b", complete=False)
    box = outbox(10.0, first, chunk(1), second, RESULTS)
    held = box.held_parts
    assert [part.text for part in held] == ["a", "b"]
    said = (first.content.parts or []) + (second.content.parts or [])
    assert all(part is each for part, each in zip(held, said, strict=True))


def test_what_comes_back_unsent_is_no_open_question() -> None:
    # contract 7.3
    unheard = turn("a")
    box = outbox(10.0)
    box.questions.sent(unheard)
    box.put_back((unheard,))
    assert not box.questions.resumed()


def test_shedding_is_news_once_until_the_model_is_back() -> None:
    # contract 3.11
    box = outbox(0.125, chunk(1))
    assert not box.newly_shed()
    box.put(chunk(1))
    assert box.newly_shed()
    box.put(chunk(1))
    assert not box.newly_shed()
    box.take_all()
    assert not box.newly_shed()
    box.put(chunk(2))
    assert box.newly_shed()
