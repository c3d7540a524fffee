"""Events apart from their sound (protocol 2, 4.2, 4.3)."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest

from antiphon import Event
from antiphon.core import drafts
from antiphon.events import EventActions
from antiphon.server.answers import STREAMS_KNOWN, Answers, Sound, Told
from antiphon.server.messages import Media
from antiphon.server.wire import decode_down
from antiphon.types import Blob, Content, Part

PCM = bytes(4_800)  # 100 ms at 24 kHz


def chunk(data: bytes = PCM, mime_type: str = "audio/pcm;rate=24000") -> Event:
    return drafts.audio("agent", data, mime_type)


def end(**fields: Any) -> Event:
    return Event(author="agent", turn_complete=True, **fields)


def cut() -> Event:
    return Event(author="agent", interrupted=True)


def told(*events: Event, seconds: float = 60.0) -> tuple[Answers, list[Told]]:
    answers = Answers(seconds)
    return answers, [answers.tell(event, float(number)) for number, event in enumerate(events)]


def places(sounds: list[Sound] | tuple[Sound, ...]) -> list[tuple[int, int]]:
    return [(sound.stream, sound.number) for sound in sounds]


def test_sound_goes_as_media() -> None:
    """protocol 2.1, 4.2"""
    _, (one, two) = told(chunk(), chunk(b"\1\2" * 80, "audio/pcm;rate=8000"))
    assert one.bare is None
    assert places(one.sounds + two.sounds) == [(1, 0), (1, 1)]
    media = decode_down(two.sounds[0].frame)
    assert isinstance(media, Media)
    assert (media.rate, media.stream, media.number, media.at) == (8000, 1, 1, 1000)
    assert bytes(media.data) == b"\1\2" * 80
    assert [sound.seconds for sound in one.sounds + two.sounds] == [0.1, 0.01]
    assert two.sounds[0].begins == 0.1


def test_speech_that_is_no_event_goes_the_same_way() -> None:
    """protocol 2.1, 4.2: the same frames, in the same answers."""
    steps = [chunk(), chunk(b"\1\2" * 80, "audio/pcm;rate=8000"), end(), chunk(), cut(), chunk()]
    _, by_event = told(*steps)
    answers, spoken = Answers(60.0), []
    for number, event in enumerate(steps):
        if event.content is None:
            answers.tell(event, float(number))
            continue
        blob = event.content.parts[0].inline_data  # type: ignore[index]
        assert blob is not None and blob.data is not None
        spoken.append(answers.speak(blob.data, blob.mime_type or "", float(number)))
    assert spoken == [sound for each in by_event for sound in each.sounds]
    assert answers.left() == spoken[-1:]
    for data, mime_type in ((b"", "audio/pcm"), (PCM, "audio/opus"), (PCM, "audio/pcm;rate=11025")):
        assert answers.speak(data, mime_type, 9.0) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"turn_complete": True},
        {"interrupted": True},
        {"actions": EventActions(state_delta={"a": 1})},
        {"error_code": "X"},
    ],
)
def test_what_comes_with_sound_is_told(fields: dict[str, Any]) -> None:
    """protocol 4.2: an event of nothing else is not sent; one of more is, without the sound."""
    event = chunk().model_copy(update=fields)
    _, (one,) = told(event)
    assert one.bare is not None and "inlineData" not in one.bare
    assert len(one.sounds) == 1 and event.content is not None


def test_parts_beside_the_sound_are_kept() -> None:
    picture = Blob(data=b"jpeg", mime_type="image/jpeg")
    strange = Blob(data=PCM, mime_type="audio/opus")
    odd = Blob(data=PCM, mime_type="audio/pcm;rate=11025")
    wrong = Blob(data=PCM, mime_type="audio/pcm;rate=x")
    parts = [Part(text="see"), Part(inline_data=Blob(data=PCM, mime_type="audio/pcm"))]
    parts += [Part(inline_data=blob) for blob in (picture, strange, odd, wrong)]
    _, (one,) = told(Event(author="agent", content=Content(role="model", parts=parts)))
    left = json.loads(one.bare or "")["content"]["parts"]
    kinds = [part.get("inlineData", {}).get("mimeType", part.get("text")) for part in left]
    assert kinds == ["see", "image/jpeg", "audio/opus", "audio/pcm;rate=11025", "audio/pcm;rate=x"]
    assert len(one.sounds) == 1
    assert json.loads(one.whole)["content"]["parts"][1]["inlineData"]["mimeType"] == "audio/pcm"


def test_an_event_is_written_once() -> None:
    """However many clients there are."""
    _, (one, two) = told(end(), chunk().model_copy(update={"turn_complete": True}))
    assert one.whole is one.whole is one.bare
    assert two.bare is two.bare and two.whole is two.whole and two.bare is not two.whole


def test_answers_are_streams() -> None:
    """protocol 2.1: from 1, rising; numbers from 0, without gaps."""
    _, all_of_them = told(chunk(), chunk(), end(), end(), chunk(), cut(), chunk(), end())
    sounds = [sound for each in all_of_them for sound in each.sounds]
    assert places(sounds) == [(1, 0), (1, 1), (2, 0), (3, 0)]


def test_the_first_word_of_an_interruption_flushes() -> None:
    """protocol 4.3: once; and what was never heard needs no flush."""
    _, all_of_them = told(
        cut(), end(), chunk(), cut(), cut(), end(interrupted=True), end(), chunk(), end(), cut()
    )
    assert [each.flush for each in all_of_them] == [None, None, None, 1, None, None, None, None, None, 2]


def test_playback_is_of_a_turn() -> None:
    """contract 4.5"""
    answers, _ = told(chunk(), end(), end(), chunk())
    assert [answers.turn(stream) for stream in (0, 1, 2, 3)] == [None, 0, 2, None]
    for _ in range(STREAMS_KNOWN):
        answers.tell(end(), 0)
        answers.tell(chunk(), 0)
    assert answers.turn(1) is None and answers.turn(2) is None and answers.turn(3) == 3


def test_what_is_left_of_an_answer() -> None:
    """protocol 6.2"""
    answers, _ = told(*[chunk()] * 4)
    assert places(answers.left()) == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert places(answers.left(1, 2)) == [(1, 3)]
    assert places(answers.left(7, 2)) == places(answers.left())
    answers.played(1, 0.25)
    assert places(answers.left()) == [(1, 2), (1, 3)]
    answers.played(2, 9.0)
    assert len(answers.left()) == 2
    answers.tell(end(), 0)
    assert len(answers.left()) == 2
    answers.tell(chunk(), 0)
    assert places(answers.left(1, 3)) == [(2, 0)]
    answers.tell(cut(), 0)
    assert not answers.left()


def test_what_is_left_is_what_was_told() -> None:
    answers = Answers(60.0)
    spoken = [answers.speak(PCM * length, "audio/pcm;rate=24000", 0.5) for length in (1, 3, 2)]
    answers.played(1, 0.1)
    for kept, sound in zip(answers.left(), spoken[1:], strict=True):
        assert sound is not None
        assert (kept.stream, kept.number, kept.frame) == (sound.stream, sound.number, sound.frame)
        assert (kept.begins, kept.seconds) == pytest.approx((sound.begins, sound.seconds))


def test_what_is_kept_is_no_work_for_the_garbage_collector() -> None:
    """There are thousands of frames in a server, and each look at them holds up all conversations."""

    def looked_at() -> int:
        return sum(type(each) is Sound for each in gc.get_objects())

    answers, before = Answers(60.0), looked_at()
    for _ in range(50):
        answers.speak(PCM, "audio/pcm;rate=24000", 0.0)
    assert len(answers.left()) == 50
    assert looked_at() <= before


def test_so_much_of_an_answer_is_kept() -> None:
    answers, _ = told(*[chunk()] * 20, seconds=1.05)
    assert places(answers.left()) == [(1, number) for number in range(10, 20)]


def test_the_user_stops_an_answer() -> None:
    """protocol 3.2"""
    answers, _ = told(chunk(), end(), chunk())
    assert answers.stop(1) is None and answers.stop(3) is None
    assert answers.stop(2) == 2 and answers.stop(2) is None and not answers.left()
    assert answers.tell(cut(), 0).flush is None
    assert places(answers.tell(chunk(), 0).sounds) == [(3, 0)]
