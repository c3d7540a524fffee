"""An ear, from audio to utterances: the detector is real, and so is the voice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded
from antiphon.models.local.attention import Attention
from antiphon.models.local.backlog import Item, Late, Piece, Speaking
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.listening import Hold, Interrupt, Resume
from antiphon.models.local.microphone import Began, Deaf, Microphone, News, Said
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.recognizer import Heard, Hearing, Vocabulary
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import RATE, Detector, VoiceActivity
from tests.models.local.parts import Prompted, spoken

if TYPE_CHECKING:
    from antiphon.models.local.recognizer import Recognizer

QUESTION = "what is the weather in paris"
VOCABULARY = Vocabulary(phrases=(QUESTION, "tell me a joke", "what time is it", "hello there"))


def microphone(recognizer: Recognizer, attention: Attention | None = None) -> Microphone:
    return Microphone(
        attention or Attention(),
        Adaptive(),
        Silero(),
        lambda: recognizer.hear(VOCABULARY),
        eager=recognizer.eager,
    )


def audio(pcm: bytes, rate: int = RATE, came: float = 0.0) -> list[Item]:
    size = rate // 10 * 2
    return [Piece(bytearray(pcm[at : at + size]), rate, came, came) for at in range(0, len(pcm), size)]


def quiet(seconds: float, rate: int = RATE) -> list[Item]:
    return audio(bytes(int(seconds * rate) * 2), rate)


def heard(mic: Microphone, *items: list[Item]) -> list[News]:
    return [news for some in items for item in some for news in mic.take([item]).news]


@pytest.mark.parametrize("rate", [16_000, 8_000, 48_000])
def test_it_hears_what_is_said_at_any_rate(rate: int) -> None:
    mic = microphone(Moonshine())
    news = heard(mic, quiet(0.5, rate), audio(spoken(QUESTION, rate), rate), quiet(1.5, rate))
    assert [type(each) for each in news] == [Began, Said]
    began, said = news
    assert isinstance(began, Began) and isinstance(said, Said)
    assert said.text.endswith("weather in Paris?") and 0.3 < began.at < 0.9 and 1.5 < said.at < 2.6


def test_nothing_is_heard_in_silence() -> None:
    assert heard(microphone(Prompted()), quiet(30.0)) == []


def test_words_over_the_agent_hold_and_interrupt_it() -> None:
    mic = microphone(Prompted("wait a moment"))
    news = heard(mic, quiet(0.3), [Speaking(True)], audio(spoken(QUESTION)), quiet(1.0))
    assert [type(each) for each in news] == [Hold, Began, Interrupt, Said]


def test_a_listening_noise_lets_the_agent_go_on() -> None:
    mic = microphone(Prompted("mhm", "yes please"))
    news = heard(mic, quiet(0.3), [Speaking(True)], audio(spoken("mhm")), quiet(1.0))
    assert [type(each) for each in news] == [Hold, Began, Resume]


def test_marks_of_the_client_begin_and_end_an_utterance() -> None:  # contract 6.4
    ears = Prompted("hello")
    mic = microphone(ears, Attention(manual=True))
    voice = spoken("hello there")
    assert heard(mic, audio(voice)) == []
    news = heard(mic, [ActivityStarted()], audio(voice), [ActivityEnded()], quiet(1.0))
    assert [type(each) for each in news] == [Began, Said]
    assert len(ears.sounds) == 1 and len(ears.sounds[0]) >= len(voice)  # the last frame too


def test_marks_are_nothing_where_speech_is_detected() -> None:
    assert heard(microphone(Prompted()), [ActivityStarted()], quiet(0.1), [ActivityEnded()]) == []


def test_the_end_of_the_stream_ends_what_is_open() -> None:
    mic = microphone(Prompted("hello"))
    news = heard(mic, quiet(0.3), audio(spoken(QUESTION)), [StreamEnded()])
    assert [type(each) for each in news] == [Began, Said]


def test_audio_that_stops_ends_what_is_open() -> None:
    mic = microphone(Prompted("hello"))
    report = mic.take([*quiet(0.3), *audio(spoken(QUESTION), came=5.0)])
    assert report.deadline == pytest.approx(6.0)
    assert mic.take([Late(5.5)]).news == []
    late = mic.take([Late(6.0)])
    assert [type(each) for each in late.news] == [Said] and late.deadline is None


class Counting(Prompted):
    """Counts how often it is asked."""

    asked = 0

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        owner, hearing = self, super().hear(vocabulary)

        class Counted(Hearing):
            def feed(self, pcm: bytes) -> None:
                hearing.feed(pcm)

            def heard(self) -> Heard:
                owner.asked += 1
                return hearing.heard()

        return Counted()


class _Dropping(Prompted):
    def hear(self, vocabulary: Vocabulary) -> None:  # type: ignore[override]
        raise OSError("the service is gone")


def test_a_recogniser_that_fails_costs_an_utterance() -> None:
    mic = microphone(Prompted(OSError("broken"), "hello"))
    once = [audio(spoken(QUESTION)), quiet(1.5)]
    news = heard(mic, quiet(0.3), *once)
    assert [type(each) for each in news] == [Began, Deaf, Said]
    assert [type(each) for each in heard(mic, *once)] == [Began, Said]
    news = heard(microphone(_Dropping()), quiet(0.3), *once)
    assert [type(each) for each in news] == [Began, Deaf, Said]


def test_words_are_asked_for_at_a_pause_and_not_again_at_the_end() -> None:
    ears = Counting("wait", "wait a moment")
    heard(microphone(ears), quiet(0.3), audio(spoken("hello there")), quiet(1.5))
    assert ears.asked == 1


def test_a_recogniser_that_is_not_eager_is_asked_at_the_end_alone() -> None:
    ears = Counting("hello")
    ears.eager = False
    news = heard(
        microphone(ears), quiet(0.3), audio(spoken("hello")), quiet(0.3), audio(spoken("there")), quiet(1.5)
    )
    assert ears.asked == 1 and [each.text for each in news if isinstance(each, Said)] == ["hello"]


def test_what_is_said_after_a_pause_is_heard_as_well() -> None:
    mic = microphone(Moonshine())
    news = heard(
        mic,
        quiet(0.3),
        audio(spoken("I want to go to")),
        quiet(0.4),
        audio(spoken("London please")),
        quiet(1.5),
    )
    assert [each.text for each in news if isinstance(each, Said)] == ["I want to go to London, please."]


class _Weighing(Prompted):
    """Takes whatever it hears for a nod, so sure is it; errors are raised."""

    def __init__(self, nod: float | Exception, *heard: str) -> None:
        super().__init__(*heard)
        self.nod = nod
        self.asked: list[tuple[frozenset[str], float]] = []

    def hear(self, vocabulary: Vocabulary) -> Hearing:
        owner, hearing = self, super().hear(vocabulary)

        class Weighed(Hearing):
            def feed(self, pcm: bytes) -> None:
                hearing.feed(pcm)

            def heard(self) -> Heard:
                return hearing.heard()

            def nod(self, words: frozenset[str], sure: float) -> float:
                owner.asked.append((words, sure))
                if isinstance(owner.nod, Exception):
                    raise owner.nod
                return owner.nod

        return Weighed()


def cut_in() -> list[list[Item]]:
    """Half a second of speech over the agent's."""
    return [quiet(0.3), [Speaking(True)], audio(spoken("hello there"))[:5], quiet(1.0)]


def test_what_cannot_be_a_nod_interrupts_the_agent_before_its_words_are_known() -> None:
    nodding, talking = _Weighing(0.5, "mhm"), _Weighing(0.01, "hello")
    attention = Attention(backchannels=frozenset({"mhm"}))
    news = heard(microphone(nodding, attention), *cut_in())
    assert [type(each) for each in news] == [Hold, Began, Resume]
    assert set(nodding.asked) == {(frozenset({"mhm"}), attention.nod)}
    news = heard(microphone(talking, attention), *cut_in())
    assert [type(each) for each in news] == [Hold, Began, Interrupt, Said]
    assert len(talking.asked) == 1


def test_a_recogniser_that_cannot_tell_nods_is_waited_for() -> None:
    unsure = _Weighing(0.0, "mhm")
    unsure.eager = False
    assert Interrupt not in [type(each) for each in heard(microphone(unsure), *cut_in())]
    assert unsure.asked == []
    assert Prompted().hear(VOCABULARY).nod(frozenset(), 0.5) == 1.0
    news = heard(microphone(_Weighing(OSError("broken"))), *cut_in())
    assert [type(each) for each in news] == [Hold, Began, Deaf, Resume]


class _Fading(VoiceActivity, Detector):
    """One ear, which hears speech in whatever is not silence, and counts how often it is to fade."""

    faded = 0

    def detector(self) -> Detector:
        return self

    def probability(self, frame: bytes) -> float:
        return float(any(frame))

    def reset(self) -> None: ...

    def fade(self) -> None:
        self.faded += 1


def test_what_was_heard_fades_in_silence_while_the_agent_speaks() -> None:
    ear = _Fading()
    mic = Microphone(Attention(), Adaptive(), ear, lambda: Prompted().hear(VOCABULARY), eager=True)
    heard(mic, quiet(0.32))
    assert ear.faded == 0
    heard(mic, [Speaking(True)], quiet(0.32))
    assert ear.faded == 10
    heard(mic, audio(b"\x01" * (RATE // 100 * 64)))
    assert ear.faded == 10
    heard(mic, [Speaking(False)], quiet(0.32))
    assert ear.faded == 10
