"""How long a silence has to last."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import ConfigurationError
from antiphon.models.local.endpointing import Adaptive, Fixed, wants_more

WAITS = Adaptive()


@pytest.mark.parametrize(
    "words",
    [
        *(
            "um",
            "So, um",
            "book a table for",
            "what is the",
            "i want to",
            "it was cold and",
            "because",
            "Well,",
        ),
        *("I think that…", "I would like...", "let me see -", "what's the", "my name is", "I'M"),
        *("what would you do with", "I know what they", "What is", "how long do we"),
    ],
)
def test_words_that_want_more(words: str) -> None:
    assert wants_more(words)


@pytest.mark.parametrize(
    "words",
    [
        *(
            "what is the weather in paris",
            "stop",
            "Turn it on.",
            "turn it on",
            "yes I do",
            "that's all",
            "yes.",
        ),
        *("How are you", "二つ。", "ten minutes", "go on", "book a table for two at seven", "3"),
        *("What can you do?", "where could it be", "Tell me what time it is."),
    ],
)
def test_words_that_make_a_whole(words: str) -> None:
    assert not wants_more(words)


def test_it_waits_by_what_was_said() -> None:
    speaker = WAITS.speaker()
    assert speaker.wait("stop") == WAITS.finished == 0.2
    assert speaker.wait(" ") == WAITS.unknown == 0.5
    assert speaker.wait("book a table for") == WAITS.hesitant == 0.8


def test_who_pauses_long_is_waited_for_longer() -> None:
    speaker = WAITS.speaker()
    for _ in range(3):
        speaker.went_on(0.4)
    assert 0.4 < speaker.wait("stop") < 0.5
    assert speaker.wait("book a table for") == 0.8


def test_a_short_pause_hardly_shortens_the_wait() -> None:
    speaker = WAITS.speaker()
    for _ in range(5):
        speaker.went_on(0.6)
    learnt = speaker.wait("stop")
    speaker.went_on(0.15)
    assert learnt > speaker.wait("stop") > 0.8 * learnt


def test_what_was_learnt_fades() -> None:
    speaker = WAITS.speaker()
    speaker.went_on(0.6)
    speaker.ended()  # this one had a pause
    learnt = speaker.wait("stop")
    waits = []
    for _ in range(6):
        speaker.ended()
        waits.append(speaker.wait("stop"))
    assert learnt > waits[0] > waits[1]
    assert waits[-1] == WAITS.finished


def test_the_gaps_between_words_are_no_pauses() -> None:
    speaker = WAITS.speaker()
    for _ in range(50):
        speaker.went_on(0.064)
    assert speaker.wait("stop") == WAITS.finished


def test_speakers_are_not_mixed_up() -> None:
    one, other = WAITS.speaker(), WAITS.speaker()
    one.went_on(0.7)
    assert one.wait("stop") > other.wait("stop")


def test_a_fixed_wait_is_fixed() -> None:
    speaker = Fixed(0.7).speaker()
    speaker.went_on(2.0)
    speaker.ended()
    assert speaker.wait("um") == speaker.wait("") == 0.7


@pytest.mark.parametrize(
    "make", [lambda: Adaptive(0), lambda: Adaptive(0.6), lambda: Adaptive(hesitant=0.3), lambda: Fixed(0)]
)
def test_waits_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(ConfigurationError, match="above 0"):
        make()  # type: ignore[operator]


@given(st.lists(st.one_of(st.floats(0, 60), st.none()), max_size=30), st.text(max_size=30))
def test_whatever_is_learnt_the_wait_keeps_its_bounds(pauses: list[float | None], words: str) -> None:
    speaker = WAITS.speaker()
    for pause in pauses:
        if pause is None:
            speaker.ended()
        else:
            speaker.went_on(pause)
    assert WAITS.finished <= speaker.wait(words) <= WAITS.hesitant
