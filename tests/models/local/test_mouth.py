"""An answer becomes speech while it is written; what was told of it ends where its sound ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.core.signals import GenerationComplete, ModelAudio, ModelError, ModelSignal, OutputTranscript
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.mouth import AHEAD, Mouth, Outlet
from antiphon.models.local.playout import SPOKEN_RATE
from antiphon.models.local.synthesizer import Speech, Synthesizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.virtual_clock

ANSWER = "Well, it is *sunny* in Paris. :-) It is 22 degrees.\n\n- Bring a hat!"


@dataclass
class Room:
    """Who hears it."""

    said: list[tuple[float, ModelSignal]] = field(default_factory=list)
    speaking: list[tuple[float, bool]] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def outlet(self) -> Outlet:
        now = asyncio.get_running_loop().time

        def said(signals: Sequence[ModelSignal]) -> None:
            self.said += [(now(), signal) for signal in signals]

        return Outlet(said, lambda speaks: self.speaking.append((now(), speaks)), self.over.set)

    @property
    def words(self) -> str:
        return "".join(signal.text for _, signal in self.said if isinstance(signal, OutputTranscript))

    @property
    def seconds(self) -> float:
        return sum(len(each.data) for _, each in self.said if isinstance(each, ModelAudio)) / 2 / SPOKEN_RATE


def mouth_in(room: Room, synthesizer: Synthesizer | None = None, *, transcribes: bool = True) -> Mouth:
    return Mouth(synthesizer or Espeak(), room.outlet(), ahead=0.12, transcribes=transcribes)


async def test_all_that_is_written_is_told_and_heard() -> None:
    room = Room()
    mouth = mouth_in(room)
    for word in ANSWER.split(" "):
        mouth.write(word if word == "hat!" else word + " ")
    mouth.finish()
    assert mouth.busy and mouth.finishing
    await room.over.wait()
    assert room.words == ANSWER and not mouth.busy and not mouth.finishing
    (at, last), ended = room.said[-1], asyncio.get_running_loop().time()
    assert isinstance(last, GenerationComplete) and at <= ended
    assert ended == pytest.approx(room.seconds, abs=0.05) and 3 < room.seconds < 9  # it was over when heard
    assert [speaking for _, speaking in room.speaking] == [True, False]
    await mouth.close()


async def test_it_speaks_while_the_answer_is_written() -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.write("This is the first. And ")
    await asyncio.sleep(0.5)
    assert room.words.startswith("This is ") and room.seconds > 0.5
    assert mouth.begun
    mouth.write("this the second.")
    mouth.finish()
    await room.over.wait()
    assert room.words == "This is the first. And this the second."
    await mouth.close()


async def test_what_is_cut_was_told_as_far_as_it_was_heard() -> None:  # contract 3.6
    room = Room()
    mouth = mouth_in(room)
    text = " ".join(f"This is number {number}." for number in range(40))
    mouth.write(text)
    mouth.finish()
    await asyncio.sleep(3.0)
    unheard = mouth.cut()
    assert text == room.words + text[-unheard:] and 20 < len(room.words) < 100
    assert room.seconds <= 3.0 + 0.12 + 1e-6
    heard = len(room.said)
    await asyncio.sleep(5.0)
    assert len(room.said) == heard and not room.over.is_set() and not mouth.busy
    assert room.speaking[-1][1] is False
    mouth.write("Yes?")
    mouth.finish()
    await room.over.wait()
    assert room.words.endswith("Yes?")
    await mouth.close()


async def test_what_is_held_goes_on_where_it_stopped() -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.write("One two three four five six seven eight nine ten.")
    mouth.finish()
    await asyncio.sleep(1.0)
    mouth.hold()
    words, seconds = room.words, room.seconds
    await asyncio.sleep(10.0)
    assert (room.words, room.seconds) == (words, seconds)
    assert [speaking for _, speaking in room.speaking] == [True]  # it would be heard
    mouth.resume()
    mouth.resume()
    await room.over.wait()
    assert room.words == "One two three four five six seven eight nine ten."
    assert asyncio.get_running_loop().time() == pytest.approx(10.0 + room.seconds, abs=0.2)
    await mouth.close()


async def test_a_void_response_is_not_said_further() -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.write("The first attempt at an answer. " * 9)
    await asyncio.sleep(1.0)
    mouth.void()
    told = room.words
    mouth.write("The second.")
    mouth.finish()
    await room.over.wait()
    assert room.words == told + "The second." and len(told) < 40
    await mouth.close()


async def test_nothing_is_over_at_once() -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.finish()
    await room.over.wait()
    assert not room.said and not room.speaking and not mouth.busy
    await mouth.close()


async def test_words_are_not_told_where_nobody_asked() -> None:
    room = Room()
    mouth = mouth_in(room, transcribes=False)
    mouth.write("Hello.")
    mouth.finish()
    await room.over.wait()
    assert room.words == "" and room.seconds > 0.3
    await mouth.close()


class _Slow(Synthesizer):
    """A tone of a second for each word; counts, and fails when it is told to."""

    rate = SPOKEN_RATE

    def __init__(self) -> None:
        self.said: list[str] = []
        self.closed = 0

    def say(self, sentence: str) -> Iterator[Speech]:
        self.said.append(sentence)
        try:
            for word in sentence.split():
                if word == "fail":
                    raise OSError("no more breath")
                yield Speech(word + " ", bytes(SPOKEN_RATE * 2))
        finally:
            self.closed += 1


async def test_speech_is_made_only_so_far_ahead() -> None:  # rule 2
    room, synthesizer = Room(), _Slow()
    mouth = mouth_in(room, synthesizer)
    mouth.write("One two three. " * 20)
    mouth.finish()
    await asyncio.sleep(0.1)
    assert 3 * len(synthesizer.said) <= AHEAD + 4
    await room.over.wait()
    assert len(synthesizer.said) == 20 and room.seconds == pytest.approx(60.0)
    await mouth.close()


async def test_what_cannot_be_said_is_told_all_the_same() -> None:  # rule 3
    room, synthesizer = Room(), _Slow()
    mouth = mouth_in(room, synthesizer)
    mouth.write("One. Two fail three. Four.")
    mouth.finish()
    await room.over.wait()
    assert room.words == "One. Two fail three. Four."
    assert [signal.message for _, signal in room.said if isinstance(signal, ModelError)] == [
        "This could not be said: OSError: no more breath"
    ]
    await mouth.close()


async def test_it_closes_in_the_middle() -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.write("One two three four five six seven eight nine ten. " * 20)
    await asyncio.sleep(0.3)
    heard = len(room.said)
    await mouth.close()
    await mouth.close()
    mouth.resume()
    await asyncio.sleep(1.0)
    assert len(room.said) == heard


async def test_what_is_void_leaves_the_response_before_it_alone() -> None:
    room, synthesizer = Room(), _Slow()
    mouth = mouth_in(room, synthesizer)
    mouth.write("One two three.")
    mouth.end_response()
    mouth.write("Four five. Six seven. Eight")
    await asyncio.sleep(1.5)
    mouth.void()
    mouth.write("Nine.")
    mouth.finish()
    await room.over.wait()
    assert room.words == "One two three. Nine." and room.seconds == pytest.approx(4.0)
    assert synthesizer.closed == len(synthesizer.said)
    await mouth.close()


async def test_of_what_is_void_only_what_was_said_stays() -> None:  # contract 3.6
    room = Room()
    mouth = mouth_in(room, _Slow())
    mouth.write("One.")
    mouth.end_response()
    mouth.write(" Two three four five. And")
    await asyncio.sleep(2.5)
    mouth.void()
    assert room.words == "One. Two three "
    mouth.write("Six seven eight. And")
    await asyncio.sleep(2.0)
    unheard = mouth.cut()
    assert room.words == "One. Two three Six seven " and unheard == len("eight. And")
    await mouth.close()


async def test_what_was_made_before_it_failed_is_heard() -> None:  # rule 3
    class Hoarse(Synthesizer):
        rate = SPOKEN_RATE

        def say(self, sentence: str) -> Iterator[Speech]:
            for word in sentence.split():
                if word == "fail":
                    raise OSError("no more breath")
                yield Speech(word + " ", bytes(480))  # 10 ms: several in one step

    room = Room()
    mouth = mouth_in(room, Hoarse())
    mouth.write("One two fail three. " * 5)
    mouth.finish()
    await room.over.wait()
    assert room.words == "One two fail three. " * 5 and room.seconds == pytest.approx(0.1)
    errors = [signal for _, signal in room.said if isinstance(signal, ModelError)]
    assert len(errors) == 1  # told once in a turn
    await mouth.close()


@pytest.mark.parametrize("end", ["cut", "leave"])
async def test_a_sentence_that_is_not_said_to_its_end_is_closed(end: str) -> None:
    room, synthesizer = Room(), _Slow()
    mouth = mouth_in(room, synthesizer)
    mouth.write("One two three four five six seven eight nine ten. And")
    await asyncio.sleep(0.5)
    assert synthesizer.closed == 0
    getattr(mouth, end)()
    assert synthesizer.closed == 1
    await mouth.close()


async def test_whoever_hears_it_may_speak_to_it() -> None:
    room = Room()
    outlet = room.outlet()

    def said(signals: Sequence[ModelSignal]) -> None:
        outlet.said(signals)
        mouth.hold()
        mouth.resume()

    mouth = Mouth(_Slow(), Outlet(said, outlet.speaking, outlet.over), ahead=0.12, transcribes=True)
    mouth.write("One two.")
    await asyncio.sleep(0.5)
    await mouth.close()
    loop: Any = asyncio.get_running_loop()
    assert [each for each in loop._scheduled if not each.cancelled()] == []


@pytest.mark.parametrize(
    ("first", "second", "read"),
    [
        ("I have started that.", "London is rainy.", "I have started that. London is rainy."),
        ("Wait. ", "Here it is.", "Wait. Here it is."),
        ("One.", " Two.", "One. Two."),
    ],
)
async def test_responses_are_read_a_space_apart(first: str, second: str, read: str) -> None:
    room = Room()
    mouth = mouth_in(room)
    mouth.end_response()  # one that only calls a tool
    for response in (first, second):
        mouth.write(response)
        mouth.end_response()
    mouth.finish()
    await room.over.wait()
    assert room.words == read
    await mouth.close()


async def test_the_space_between_responses_is_not_counted_as_told() -> None:  # contract 3.6
    room = Room()
    mouth = mouth_in(room)
    mouth.write("Yes.")
    mouth.end_response()
    mouth.write("This is a sentence of more than a second.")
    mouth.end_response()
    await asyncio.sleep(1.2)
    unheard = mouth.cut()
    written = "Yes.This is a sentence of more than a second."
    assert room.words.startswith("Yes. This") and room.words.replace(". ", ".") == written[:-unheard]
    await mouth.close()
