"""Turn taking, told as transcripts: what is heard, frame by frame, and what is to be done about it."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.errors import UsageError
from antiphon.models.local.attention import Attention
from antiphon.models.local.endpointing import Adaptive, Fixed, Pacing
from antiphon.models.local.listening import (
    _TABLE,
    Ask,
    Beat,
    Ear,
    End,
    Hold,
    Interrupt,
    Listening,
    Notice,
    Onset,
    Resume,
    Sound,
    Weigh,
)
from antiphon.models.local.vad import FRAME_SECONDS

USUAL = Attention()
VOICE, CERTAIN, SILENCE = 0.85, 0.95, 0.02


class Heard:
    """A conversation's ear, fed by the second; says what it noticed in a word each."""

    def __init__(self, attention: Attention = USUAL, endpointing: Adaptive | Fixed | None = None) -> None:
        self.listening = Listening(attention, (endpointing or Adaptive()).speaker())
        self.noticed: list[Notice] = []
        self.count = 0

    def feed(self, *probabilities: float) -> str:
        said = []
        for probability in probabilities:
            self.count += 1
            pcm = self.count.to_bytes(4, "little")
            said += self.listening.frame(pcm, probability, self.count * FRAME_SECONDS)
        return self.told(said)

    def voice(self, seconds: float) -> str:
        return self.feed(*[VOICE] * frames(seconds))

    def silence(self, seconds: float) -> str:
        return self.feed(*[SILENCE] * frames(seconds))

    def told(self, notices: list[Notice]) -> str:
        self.noticed += notices
        silent = (Sound, Ask, Weigh)
        return " ".join(type(each).__name__.lower() for each in notices if not isinstance(each, silent))

    def words(self, words: str) -> str:
        return self.told(self.listening.words(words))

    def weighed(self, nod: float) -> str:
        return self.told(self.listening.weighed(nod))

    def speaking(self, speaking: bool) -> str:
        return self.told(self.listening.speaking(speaking))

    def last(self, kind: type[Notice]) -> Notice:
        return next(each for each in reversed(self.noticed) if isinstance(each, kind))

    @property
    def questions(self) -> int:
        return sum(isinstance(each, Ask) for each in self.noticed)

    @property
    def weighings(self) -> int:
        return sum(isinstance(each, Weigh) for each in self.noticed)

    @property
    def onset(self) -> Onset:
        found = self.last(Onset)
        assert isinstance(found, Onset)
        return found


def frames(seconds: float) -> int:
    return math.ceil(seconds / FRAME_SECONDS - 1e-9)


def numbers(pcm: bytes) -> list[int]:
    return [int.from_bytes(pcm[at : at + 4], "little") for at in range(0, len(pcm), 4)]


def agent_speaking(attention: Attention = USUAL) -> Heard:
    heard = Heard(attention)
    assert heard.silence(1) == ""
    assert heard.speaking(True) == ""
    return heard


EXPECTED = {
    Ear.QUIET: ["OPEN onset", "HELD hold onset", "QUIET", "QUIET", "QUIET", "QUIET"],
    Ear.HELD: ["HELD", "HELD", "OPEN interrupt", "QUIET resume", "QUIET resume", "OPEN"],
    Ear.OPEN: ["OPEN", "OPEN", "OPEN", "OPEN", "QUIET end", "OPEN"],
}


@pytest.mark.parametrize(("ear", "beat"), list(product(Ear, Beat)), ids=lambda each: each.name.lower())
def test_every_beat_finds_every_ear_prepared(ear: Ear, beat: Beat) -> None:
    after, kinds = _TABLE[ear, beat]
    assert (
        " ".join([after.name, *(kind.__name__.lower() for kind in kinds)])
        == EXPECTED[ear][list(Beat).index(beat)]
    )


# --- rules 1 and 4: speech begins and ends -----------------------------------------------------------------


def test_an_utterance_begins_and_ends() -> None:
    heard = Heard()
    assert heard.silence(2) == ""
    assert heard.voice(1) == "onset"
    assert heard.words("what time is it?") == ""
    assert heard.silence(0.1) == ""
    assert heard.silence(0.15) == "end"
    assert heard.silence(5) == ""


def test_what_was_said_is_asked_for_once_in_each_pause() -> None:
    heard = Heard()
    heard.voice(1)
    assert heard.questions == 0
    heard.silence(0.15)
    assert heard.questions == 1
    heard.words("book a table for")
    heard.silence(0.4)
    assert heard.questions == 1
    heard.voice(0.5)
    heard.silence(0.15)
    assert heard.questions == 2


def test_while_the_agent_is_held_it_is_asked_now_and_then() -> None:
    heard = agent_speaking(replace(USUAL, insists=2.0))
    assert heard.voice(0.736) == "hold onset"
    assert heard.questions == 0  # recognisers guess in the middle of a word
    heard.voice(0.064)
    assert heard.questions == 1
    assert heard.words("mhm") == ""
    heard.silence(0.1)
    assert heard.questions == 2
    assert heard.words("mhm wait") == "interrupt"


def test_the_beginning_of_speech_is_weighed_six_times_and_its_words_are_not_asked_for() -> None:
    heard = agent_speaking()
    assert heard.voice(0.128) == "hold onset"
    weighed = []
    for frame in range(5, 24):
        before = heard.weighings
        heard.voice(0.032)
        weighed += [frame] * (heard.weighings - before)
    assert weighed == [5, 7, 9, 12, 15, 17]
    assert heard.questions == 0
    heard.voice(0.032)
    assert (heard.weighings, heard.questions) == (6, 1)


def test_silence_is_not_weighed() -> None:
    heard = agent_speaking()
    assert heard.voice(0.192) + heard.silence(0.3) == "hold onset"
    assert heard.weighings == 1


def test_what_cannot_be_a_nod_interrupts_before_there_are_words() -> None:
    heard = agent_speaking()
    assert heard.voice(0.192) == "hold onset"
    assert heard.weighed(USUAL.nod) == ""
    heard.voice(0.032)
    assert heard.weighed(USUAL.nod / 2) == "interrupt"
    assert heard.weighed(0.0) == ""
    assert heard.voice(0.5) + heard.silence(0.55) == "end"


def test_what_may_be_a_nod_is_waited_for_and_so_is_all_where_none_is_sure() -> None:
    for attention, nod in ((USUAL, 0.9), (replace(USUAL, nod=0.0), 0.0)):
        heard = agent_speaking(attention)
        assert heard.voice(0.3) == "hold onset"
        assert heard.weighings == (3 if attention.nod else 0)
        assert heard.weighed(nod) == ""
        assert heard.silence(0.45) == "resume"
        assert heard.weighed(0.0) == ""


def test_nothing_is_weighed_of_what_does_not_hold_the_agent() -> None:
    heard = Heard()
    assert heard.voice(1) == "onset"
    assert heard.weighings == 0
    assert heard.weighed(0.0) == ""


@pytest.mark.parametrize("words", ["Mm-h.", "All right.", "So?", "A.", "Oh, well…", "I see.", "You"])
def test_what_recognisers_make_of_a_hum_or_a_nod_does_not_interrupt(words: str) -> None:
    heard = agent_speaking()
    assert heard.voice(0.3) == "hold onset"
    assert heard.words(words) == ""
    assert heard.silence(0.45) == "resume"


def test_speech_is_told_from_the_silence_within_it() -> None:
    heard = Heard()
    heard.voice(0.5)
    heard.silence(0.1)
    sounds = [each.speech for each in heard.noticed if isinstance(each, Sound)]
    assert sounds[:3] == [True] * 3 and sounds[-3:] == [False] * 3


def test_what_is_too_short_is_no_speech() -> None:
    heard = Heard()
    assert heard.feed(VOICE, VOICE, SILENCE, VOICE, VOICE, SILENCE, 0.49, 0.49, 0.49, 0.49) == ""
    assert heard.feed(VOICE, VOICE, VOICE) == "onset"


def test_once_it_is_speech_less_will_do() -> None:
    heard = Heard()
    assert heard.feed(0.6, 0.4, 0.4) == "onset"


def test_what_came_before_the_onset_belongs_to_it_and_nothing_is_heard_twice_or_left_out() -> None:
    heard = Heard()
    heard.silence(1)
    heard.voice(0.5)
    heard.words("stop.")
    heard.silence(0.25)
    heard.voice(0.5)
    pieces = [each.pcm for each in heard.noticed if isinstance(each, (Onset, Sound))]
    sound = [number for piece in pieces for number in numbers(piece)]
    began = 1 + frames(1) - frames(0.32)
    assert sound == list(range(began, heard.count + 1))


def test_it_tells_when_speech_began_and_ended() -> None:
    heard = Heard(endpointing=Fixed(0.5))
    heard.feed(*[SILENCE] * 100, *[VOICE] * 50, *[SILENCE] * 50)
    end = heard.last(End)
    assert isinstance(end, End)
    assert heard.onset.at == pytest.approx(100 * FRAME_SECONDS)
    assert end.at == pytest.approx(150 * FRAME_SECONDS)
    assert end.silence == pytest.approx(0.5, abs=FRAME_SECONDS / 2)


def test_a_click_does_not_end_a_silence() -> None:
    heard = Heard(endpointing=Fixed(0.5))
    heard.voice(0.5)
    assert heard.feed(*[SILENCE] * 8, VOICE, *[SILENCE] * 6) == ""
    assert heard.feed(SILENCE) == "end"


def test_a_pause_does_not_end_an_utterance() -> None:
    heard = Heard(endpointing=Fixed(0.5))
    assert heard.voice(0.5) == "onset"
    assert heard.silence(0.4) + heard.voice(0.3) + heard.silence(0.4) == ""
    assert heard.silence(0.1) == "end"


def test_after_a_hesitation_it_waits_longer() -> None:
    heard = Heard()
    heard.voice(1)
    heard.words("book a table for")
    assert heard.silence(0.75) == ""
    heard.words("book a table for two")
    assert heard.silence(0.03) == "end"


def test_patience_stretches_every_wait() -> None:
    heard = Heard(replace(USUAL, patience=2.0), Fixed(0.5))
    heard.voice(0.5)
    assert heard.silence(0.95) == ""
    assert heard.silence(0.1) == "end"


# --- rules 2 and 3: over the agent's speech ----------------------------------------------------------------


def test_speech_holds_the_agent_at_once() -> None:
    heard = agent_speaking()
    assert heard.voice(0.064) == "hold onset"


def test_speech_that_is_certain_holds_it_by_its_first_frame_but_not_after_a_false_start() -> None:
    heard = agent_speaking()
    assert heard.feed(CERTAIN) == "hold onset"
    assert heard.silence(0.45) == "resume"
    assert heard.feed(CERTAIN, CERTAIN, CERTAIN) == ""
    assert heard.feed(CERTAIN) == "hold onset"
    assert Heard().feed(CERTAIN, CERTAIN) == ""  # the agent is silent
    assert agent_speaking(replace(USUAL, certain=1.0)).feed(1.0) == ""


def test_over_speech_it_takes_higher_probability() -> None:
    heard = agent_speaking()
    assert heard.feed(*[0.7] * 50) == ""
    assert heard.feed(VOICE, 0.7, 0.7, VOICE, 0.7) == ""
    assert heard.feed(VOICE, VOICE) == "hold onset"


def test_words_interrupt() -> None:
    heard = agent_speaking()
    heard.voice(0.2)
    assert heard.words("") == ""
    assert heard.words("stop") == "interrupt"
    assert heard.words("stop it") == ""
    assert heard.silence(0.25) == "end"


def test_lasting_speech_interrupts_without_words() -> None:
    heard = agent_speaking()
    assert heard.voice(0.064) == "hold onset"
    assert heard.voice(0.7) == ""
    assert heard.voice(0.1) == "interrupt"


def test_a_cough_is_a_false_start() -> None:
    heard = agent_speaking()
    assert heard.voice(0.25) == "hold onset"
    assert heard.silence(0.35) == ""
    assert heard.silence(0.1) == "resume"
    assert heard.silence(3) == ""


@pytest.mark.parametrize("words", ["mm-hm", "Mm-hm.", "uh-huh", "okay", "Yeah, right…", "um"])
def test_saying_that_one_listens_is_no_interruption(words: str) -> None:
    heard = agent_speaking()
    heard.voice(0.3)
    assert heard.words(words) == ""
    assert heard.silence(0.45) == "resume"


@pytest.mark.parametrize("words", ["no", "yes", "wait", "okay stop", "yeah but", "但是", "3"])
def test_other_words_are(words: str) -> None:
    heard = agent_speaking()
    heard.voice(0.3)
    assert heard.words(words) == "interrupt"


def test_the_agent_is_not_held_for_ever() -> None:
    heard = agent_speaking()
    said = [heard.feed(VOICE, VOICE, *[SILENCE] * 6) for _ in range(9)]
    assert " ".join(said).split() == ["hold", "onset", "interrupt"]


def test_after_a_false_start_speech_holds_again() -> None:
    heard = agent_speaking()
    assert heard.voice(0.1) + " " + heard.silence(0.5) == "hold onset resume"
    assert heard.voice(0.2) + " " + heard.silence(0.5) == "hold onset resume"
    assert not set(numbers(heard.onset.pcm)) & set(range(1, frames(1) + frames(0.5) - 3))


def test_after_false_starts_it_takes_more_speech_to_hold_again() -> None:
    heard = agent_speaking()
    for speech in (0.064, 0.128, 0.256, 0.512):
        assert heard.voice(speech - 0.04) + heard.silence(0.5) == ""
        assert heard.voice(speech) + " " + heard.silence(0.5) == "hold onset resume"
    assert heard.voice(0.7) + heard.silence(0.5) == ""
    assert heard.voice(0.8) == "hold onset"
    assert heard.voice(0.032) == "interrupt"
    heard.silence(0.6)
    assert heard.voice(0.064) == "hold onset"


def test_false_starts_are_forgotten_when_the_agent_has_finished() -> None:
    heard = agent_speaking()
    assert heard.voice(0.1) + " " + heard.silence(0.5) == "hold onset resume"
    heard.speaking(False)
    heard.speaking(True)
    assert heard.voice(0.064) == "hold onset"


def test_when_the_agent_has_finished_there_is_nothing_to_hold() -> None:
    heard = agent_speaking()
    heard.voice(0.1)
    assert heard.speaking(False) == ""
    assert heard.silence(0.45) == ""
    assert heard.silence(0.1) == "end"


def test_an_open_utterance_does_not_hold_an_agent_that_begins_to_speak() -> None:
    heard = Heard()
    heard.voice(0.3)
    heard.speaking(True)
    heard.words("and then")
    assert heard.voice(1) + heard.silence(1) == "end"


def test_late_words_are_left_out() -> None:
    heard = agent_speaking()
    assert heard.words("stop") == ""


# --- rules 5 to 9 -------------------------------------------------------------------------------------------


def test_who_goes_on_after_an_end_is_said_to_and_is_waited_for_longer() -> None:
    heard = Heard()
    heard.voice(1)
    heard.words("set a timer")
    assert heard.silence(0.4) == "end"
    assert heard.voice(1) == "onset"
    assert heard.onset.goes_on
    heard.words("ten minutes")
    assert heard.silence(0.22) == ""
    assert heard.silence(0.3) == "end"


def test_who_speaks_later_begins_something_new() -> None:
    heard = Heard()
    heard.voice(1)
    assert not heard.onset.goes_on
    heard.silence(2.5)
    heard.voice(1)
    assert not heard.onset.goes_on


def test_the_longest_utterance_goes_on_in_another() -> None:
    heard = Heard(replace(USUAL, longest=2.0))
    assert heard.voice(4.3) == "onset end onset end onset"
    assert heard.onset.goes_on


def test_when_no_more_audio_comes_what_is_open_ends() -> None:
    heard = Heard()
    assert heard.listening.deadline() is None
    heard.voice(1)
    at = heard.count * FRAME_SECONDS
    assert heard.listening.deadline() == pytest.approx(at + 1)
    assert heard.told(heard.listening.late(at + 0.9)) == ""
    assert heard.told(heard.listening.late(at + 1.1)) == "end"
    assert heard.listening.deadline() is None
    assert heard.told(heard.listening.late(at + 9)) == ""


def test_a_held_agent_goes_on_when_no_more_audio_comes() -> None:
    heard = agent_speaking()
    heard.voice(0.1)
    assert heard.told(heard.listening.late(heard.count * FRAME_SECONDS + 1)) == "resume"


def test_the_end_of_the_stream_ends_at_once_and_is_fine_twice() -> None:
    heard = Heard()
    heard.voice(1)
    assert heard.told(heard.listening.stream_ended()) == "end"
    assert heard.told(heard.listening.stream_ended()) == ""
    assert heard.feed(VOICE, VOICE) == ""


def test_what_was_before_the_end_of_the_stream_does_not_belong_to_what_comes_after() -> None:
    heard = Heard()
    heard.silence(1)
    heard.told(heard.listening.stream_ended())
    assert heard.voice(0.1) == "onset"
    assert min(numbers(heard.onset.pcm)) > frames(1)


class Watched(Pacing):
    """Notes what it is told, in milliseconds."""

    def __init__(self) -> None:
        self.told: list[int] = []

    def wait(self, words: str) -> float:
        return 0.5

    def went_on(self, pause: float) -> None:
        self.told.append(round(pause * 1000))

    def ended(self) -> None:
        self.told.append(0)


def test_the_speaker_s_pauses_are_learnt_and_not_the_agent_s() -> None:
    heard = Heard()
    watched = Watched()
    heard.listening = Listening(USUAL, watched)
    heard.feed(
        *[VOICE] * 10, *[SILENCE] * 10, *[VOICE] * 10, *[SILENCE] * 16
    )  # one frame of speech ends nothing
    assert watched.told == [11 * 32, 0]
    heard.feed(*[SILENCE] * 4, *[VOICE] * 10, *[SILENCE] * 16)
    assert watched.told == [11 * 32, 0, 20 * 32, 0]
    heard.speaking(True)
    heard.feed(*[VOICE] * 10)
    heard.words("stop")
    heard.feed(*[SILENCE] * 16)
    assert watched.told == [11 * 32, 0, 20 * 32, 0, 0]


def test_marks_begin_and_end_speech_whatever_is_heard() -> None:
    heard = Heard(replace(USUAL, manual=True))
    assert heard.voice(2) == ""
    assert heard.told(heard.listening.mark_start()) == "onset"
    assert heard.told(heard.listening.mark_start()) == ""
    assert heard.onset.pcm == b""
    assert heard.silence(3) == ""
    assert heard.listening.deadline() is None
    assert sum(isinstance(each, Sound) for each in heard.noticed) == frames(3)
    assert heard.told(heard.listening.mark_end()) == "end"
    assert heard.told(heard.listening.mark_end()) == ""
    assert heard.told(heard.listening.mark_start()) == "onset"
    assert not heard.onset.goes_on


def test_a_mark_interrupts() -> None:
    heard = Heard(replace(USUAL, manual=True))
    heard.speaking(True)
    assert heard.told(heard.listening.mark_start()) == "interrupt onset"


def test_a_marked_utterance_that_is_too_long_goes_on_in_another() -> None:
    heard = Heard(replace(USUAL, manual=True, longest=2.0))
    heard.told(heard.listening.mark_start())
    assert heard.silence(4.3) == "end onset end onset"
    assert heard.onset.goes_on
    pieces = [each.pcm for each in heard.noticed if isinstance(each, (Onset, Sound))]
    assert [number for piece in pieces for number in numbers(piece)] == list(range(1, heard.count + 1))


def test_marks_are_refused_where_speech_is_detected() -> None:
    listening = Heard().listening
    with pytest.raises(UsageError, match="disabled=True"):
        listening.mark_start()
    with pytest.raises(UsageError, match="leave activity marks out"):
        listening.mark_end()


def test_who_is_not_to_be_interrupted_is_not_held() -> None:
    heard = agent_speaking(replace(USUAL, interruptible=False))
    assert heard.voice(2) == "onset"
    heard.words("stop")
    assert heard.silence(0.3) == "end"


# --- whatever comes -----------------------------------------------------------------------------------------

probability = st.one_of(st.floats(0, 1), st.sampled_from([VOICE, SILENCE]), st.floats(allow_nan=True))
deed = st.one_of(
    st.tuples(st.just("frames"), st.lists(probability, min_size=1, max_size=40)),
    st.tuples(st.just("frames"), st.integers(1, 60).map(lambda count: [VOICE] * count)),
    st.tuples(st.just("frames"), st.integers(1, 60).map(lambda count: [SILENCE] * count)),
    st.tuples(st.just("words"), st.sampled_from(["", "mm-hm", "stop", "book a table for"])),
    st.tuples(st.just("weighed"), st.floats(0, 1)),
    st.tuples(st.just("speaking"), st.booleans()),
    st.tuples(st.just("stream_ended"), st.none()),
    st.tuples(st.just("late"), st.floats(0, 9)),
    st.tuples(st.just("mark_start"), st.none()),
    st.tuples(st.just("mark_end"), st.none()),
)


@given(st.lists(deed, max_size=40), st.booleans(), st.booleans())
def test_whatever_comes_every_onset_has_one_end(
    deeds: list[tuple[str, object]], manual: bool, interruptible: bool
) -> None:
    heard = Heard(replace(USUAL, manual=manual, interruptible=interruptible, longest=3.0))
    listening = heard.listening
    for kind, value in deeds:
        match kind, value:
            case "frames", list(probabilities):
                heard.feed(*probabilities)
            case "words", str(words):
                heard.words(words)
            case "weighed", float(nod):
                heard.weighed(nod)
            case "speaking", bool(speaking):
                heard.speaking(speaking)
            case "late", float(later):
                heard.told(listening.late(heard.count * FRAME_SECONDS + later))
            case "stream_ended", _:
                heard.told(listening.stream_ended())
            case "mark_start" | "mark_end", _ if manual:
                heard.told(getattr(listening, kind)())
    opened = held = False
    sound: list[int] = []
    ends = 0.0
    for notice in heard.noticed:
        match notice:
            case Onset(at, pcm):
                assert not opened
                assert at >= ends - 1e-6
                opened = True
                sound += numbers(pcm)
            case Sound(pcm):
                assert opened
                sound += numbers(pcm)
            case Hold():
                assert not opened and not held and interruptible and not manual
                held = True
            case Resume():
                assert opened and held
                opened = held = False
            case Interrupt():
                assert held or manual
                held = False
            case End(at, silence):
                assert opened
                assert silence <= 0.8 + 2 * FRAME_SECONDS or manual
                ends = at
                opened = held = False
    assert sound == sorted(set(sound))
    assert opened is (listening.ear is not Ear.QUIET)
