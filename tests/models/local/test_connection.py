"""A conversation by voice: the user is heard, the brain asked, its answer spoken, and cut off in time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.config import RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, Media, StreamEnded, ToolResults, Turn
from antiphon.core.signals import (
    GenerationComplete,
    InputTranscript,
    ModelAudio,
    ModelError,
    ModelInterrupted,
    ModelReady,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
    Usage,
    VoiceActivityChanged,
)
from antiphon.errors import ConfigurationError, ConnectionLost, InvalidSetup
from antiphon.events import LlmResponse
from antiphon.models import Setup
from antiphon.models.chat import TEXT_ONLY
from antiphon.models.local.connection import INAUDIBLE
from antiphon.models.local.playout import SPOKEN_RATE
from antiphon.models.local.voice import LocalVoice
from antiphon.testing.live_speech import silence, tone
from antiphon.types import Blob, Content, FunctionCall, FunctionResponse, Part
from tests.models.listening import Ears
from tests.models.local.parts import Answer, Brain, Prompted, said_in, spoken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.core.signals import ModelSignal
    from antiphon.models import ModelConnection

pytestmark = pytest.mark.virtual_clock

PCM = "audio/pcm;rate=16000"
LONG = " ".join(f"This is sentence number {number}." for number in range(1, 40))
NO_INTERRUPTION: Any = {"activity_handling": "NO_INTERRUPTION"}
MANUAL: Any = {"automatic_activity_detection": {"disabled": True}}


class Room:
    """A user, a local voice, and what was heard of it."""

    def __init__(self, connection: ModelConnection, ears: Ears) -> None:
        self.connection = connection
        self.ears = ears
        self.loop = asyncio.get_running_loop()

    async def plays(self, pcm: bytes, kind: str = PCM, *, size: int = 1_280, pace: float = 0.04) -> None:
        """Into the microphone, as it is spoken."""
        for at in range(0, len(pcm), size):
            self.connection.send(Media(Blob(data=pcm[at : at + size], mime_type=kind)))
            await asyncio.sleep(pace)

    async def says(self, text: str, pause: float = 1.5) -> None:
        await self.plays(silence(0.4) + spoken(text) + silence(pause))

    def writes(self, text: str) -> None:
        self.connection.send(Turn(Content(role="user", parts=[Part(text=text)])))

    async def until(self, kind: type[ModelSignal], count: int = 1) -> None:
        await self.ears.until(lambda: len(self.all(kind)) >= count)

    def all(self, kind: type[Any]) -> list[Any]:
        return [signal for signal in self.ears.said if isinstance(signal, kind)]

    @property
    def words(self) -> str:
        return "".join(signal.text for signal in self.all(OutputTranscript))

    @property
    def kinds(self) -> list[str]:
        """What happened, in order, without sound and words."""
        left_out = ModelAudio | OutputTranscript | VoiceActivityChanged | ModelReady | Usage
        return [type(signal).__name__ for signal in self.ears.said if not isinstance(signal, left_out)]


@asynccontextmanager
async def room(
    brain: Brain, *heard: str | Exception, setup: dict[str, Any] | None = None, **config: Any
) -> AsyncIterator[Room]:
    ears, run = Ears(), RunConfig(**config)
    model = LocalVoice(brain=brain, recognizer=Prompted(*heard))
    model.check(run)
    connection = await model.connect(run, ears)
    connection.begin(Setup(run, **(setup or {})))
    try:
        await ears.ready()
        yield Room(connection, ears)
    finally:
        await connection.close()
    assert len(ears.losses) == 1


async def test_what_is_said_is_answered_in_speech() -> None:
    brain = Brain(lambda last: f"You said {said_in(last)}.")
    async with room(brain, "hello there") as here:
        await here.says("hello there")
        await here.until(TurnComplete)
        assert here.kinds == ["InputTranscript", "GenerationComplete", "TurnComplete"]
        assert here.all(InputTranscript) == [InputTranscript("hello there", finished=True)]
        assert here.words == "You said hello there."
        assert [each.activity.voice_activity_type for each in here.all(VoiceActivityChanged)] == [
            "ACTIVITY_START",
            "ACTIVITY_END",
        ]
        assert {each.mime_type for each in here.all(ModelAudio)} == {f"audio/pcm;rate={SPOKEN_RATE}"}


async def test_it_is_cut_off_by_words_and_the_brain_knows_how_far_it_came() -> None:  # contract 3.6
    brain = Brain(lambda last: "Yes?" if "stop" in said_in(last) else LONG)
    async with room(brain, "stop please") as here:
        here.writes("tell me everything")
        await asyncio.sleep(4.0)
        await here.says("stop please now")
        await here.until(TurnComplete, 2)
        cut = here.ears.said.index(ModelInterrupted())
        told = "".join(s.text for s in here.ears.said[:cut] if isinstance(s, OutputTranscript))
        sound = sum(len(s.data) for s in here.ears.said[:cut] if isinstance(s, ModelAudio)) / 2 / SPOKEN_RATE
        assert LONG.startswith(told) and 30 < len(told) < 200
        assert sound < 5.5  # what was not to be heard was not sent
        assert brain.told() == [("user", "tell me everything"), ("model", told), ("user", "stop please")]
        assert here.ears.said[cut + 1] == TurnComplete() and here.words == told + "Yes?"


async def test_silence_comes_soon_when_the_user_cuts_in() -> None:  # 200 ms from the onset
    brain = Brain(lambda last: LONG)
    async with room(brain, "stop please") as here:
        here.writes("go on")
        await asyncio.sleep(2.0)
        onset = here.loop.time()
        talking = asyncio.ensure_future(here.plays(spoken("stop please now") + silence(1.0)))
        sent, last = 0, onset
        while not here.all(InputTranscript):
            if (count := len(here.all(ModelAudio))) > sent and not here.all(ModelInterrupted):
                sent, last = count, here.loop.time()
            await asyncio.sleep(0.01)
        await talking
        assert last - onset < 0.3


async def test_a_listening_noise_only_makes_it_pause() -> None:
    brain = Brain(lambda last: "One two three four five six seven eight nine ten eleven twelve.")
    async with room(brain, "mhm") as here:
        here.writes("count")
        await asyncio.sleep(1.0)
        await here.plays(spoken("mhm") + silence(1.0))
        await here.until(TurnComplete)
        assert here.kinds == ["GenerationComplete", "TurnComplete"] and len(brain.requests) == 1
        assert here.words.endswith("twelve.")


async def test_nothing_interrupts_where_nothing_may() -> None:  # contract 6.1
    brain = Brain(lambda last: f"Well: {said_in(last)}. " + "Word by word. " * 5)
    async with room(brain, "stop please", realtime_input_config=NO_INTERRUPTION) as here:
        here.writes("first")
        await asyncio.sleep(1.0)
        await here.says("stop please")
        here.writes("third")
        await here.until(TurnComplete, 3)
        assert not here.all(ModelInterrupted)
        assert [here.words.index(each) for each in ("first", "stop please", "third")] == sorted(
            here.words.index(each) for each in ("first", "stop please", "third")
        )


async def test_a_written_turn_cuts_speech_off() -> None:  # contract 2.6, 3.6
    brain = Brain(lambda last: LONG if said_in(last) == "go on" else "Good.")
    async with room(brain) as here:
        here.writes("go on")
        await asyncio.sleep(2.0)
        here.writes("thanks")
        await here.until(TurnComplete, 2)
        assert here.kinds == ["ModelInterrupted", "TurnComplete", "GenerationComplete", "TurnComplete"]
        assert LONG.startswith(brain.told()[1][1]) and len(brain.told()[1][1]) < 120


async def test_calls_run_while_it_speaks_and_results_are_spoken_of() -> None:  # contract 5.2
    def think(last: Content) -> Answer:
        if last.parts and last.parts[-1].function_response:
            return "It is sunny."
        return "Let me have a look at that. ", FunctionCall(name="look", args={})

    async with room(Brain(think), "how is it") as here:
        await here.says("how is it", pause=1.0)
        await here.until(ToolCalls)
        (call,) = here.all(ToolCalls)[0].calls
        here.connection.send(
            ToolResults((FunctionResponse(id=call.id, name="look", response={"sky": "sunny"}),))
        )
        await here.until(TurnComplete)
        assert here.words == "Let me have a look at that. It is sunny."
        assert here.kinds == ["InputTranscript", "ToolCalls", "GenerationComplete", "TurnComplete"]
        assert len(here.all(Usage)) == 2


async def test_speech_while_the_brain_thinks_is_a_new_turn() -> None:
    brain = Brain(lambda last: f"You said {said_in(last)}.", pause=lambda: asyncio.sleep(1.0))
    async with room(brain, "first", "second") as here:
        await here.says("hello there", pause=0.6)
        await here.says("hello again")
        await here.until(GenerationComplete)
        assert here.words == "You said second."  # it did not begin while the user spoke
        assert brain.broken_off == 1


async def test_marks_of_the_client_are_answered_even_if_nothing_was_understood() -> None:  # contract 6.4
    brain = Brain(lambda last: f"Pardon? {said_in(last)}")
    async with room(brain, "", realtime_input_config=MANUAL) as here:
        here.connection.send(ActivityStarted())
        await here.plays(tone(0.5))
        here.connection.send(ActivityEnded())
        await here.until(TurnComplete)
        assert brain.told() == [("user", INAUDIBLE)] and not here.all(InputTranscript)


async def test_it_answers_in_text_when_asked_to() -> None:  # contract 6.1
    brain = Brain(lambda last: ("Look: ", FunctionCall(name="look", args={})))
    async with room(brain, "hello", response_modalities=["TEXT"]) as here:
        await here.says("hello there")
        await here.until(ToolCalls)
        assert [each.text for each in here.all(ModelText)] == ["Look: "] and not here.all(ModelAudio)


async def test_whole_answers_are_spoken_as_well() -> None:
    brain = Brain(lambda last: "All at once.")
    async with room(brain, streaming_mode="none") as here:
        here.writes("hello")
        await here.until(TurnComplete)
        assert here.words == "All at once."


async def test_transcripts_are_left_out_where_nobody_asked() -> None:  # contract 6.1
    brain = Brain(lambda last: "Fine.")
    without: Any = {"input_audio_transcription": None, "output_audio_transcription": None}
    async with room(brain, "hello", **without) as here:
        await here.says("hello there")
        await here.until(TurnComplete)
        assert here.words == "" and not here.all(InputTranscript) and here.all(ModelAudio)


async def test_history_and_what_is_pending_are_the_brains() -> None:  # contract 4.4, 7.3
    brain = Brain(lambda last: "Ann.")
    said = [
        Content(role="user", parts=[Part(text="I am Ann.")]),
        Content(role="model", parts=[Part(text="Hi.")]),
    ]
    pending = Content(role="user", parts=[Part(text="Who am I?")])
    async with room(brain, setup={"history": said, "pending": pending}) as here:
        await here.until(TurnComplete)
        assert [text for _, text in brain.told()] == ["I am Ann.", "Hi.", "Who am I?"]


class _Sighted(Brain):
    @property
    def capabilities(self) -> Any:
        from dataclasses import replace

        return replace(TEXT_ONLY, video_input=False)


async def test_images_are_left_out_where_the_brain_sees_none() -> None:
    picture = Media(Blob(data=b"png", mime_type="image/png"))
    async with room(_Sighted(lambda last: "Yes.")) as here:
        here.connection.send(picture)
        here.connection.send(picture)
        assert [each.code for each in here.all(ModelError)] == ["INVALID_REQUEST"]
    brain = Brain(lambda last: "Yes.")
    async with room(brain) as here:
        here.connection.send(picture)
        here.writes("What is it?")
        await here.until(TurnComplete)
        assert brain.requests[0][0].parts and brain.requests[0][0].parts[0].inline_data


async def test_errors_of_the_ear_and_of_the_brain_are_told() -> None:  # contract 3.10, 7.4
    class Refusing(Brain):
        async def generate(self, request: Any, *, stream: bool) -> Any:
            raise InvalidSetup("no such thing")
            yield

    async with room(Brain(lambda last: "Yes."), OSError("gone"), "hello") as here:
        await here.says("hello there")
        assert [each.code for each in here.all(ModelError)] == ["UNAVAILABLE"]
        await here.says("hello there")
        await here.until(TurnComplete)
    async with room(Refusing(str)) as here:
        here.writes("hello")
        assert isinstance(await here.ears.lost_with(), InvalidSetup)
        here.writes("are you there?")


@pytest.mark.parametrize("size", [1, 333, 320_000])
async def test_odd_sound_breaks_nothing(size: int) -> None:  # contract 2.7
    noise = tone(0.5, amplitude=1.0) * 2 + b"\x7f" + bytes(range(256)) * 20
    brain = Brain(lambda last: "Still here.")
    async with room(brain) as here:
        for kind in (PCM, "audio/pcm;rate=44100", "audio/pcm", "audio/pcm;rate=8000;channels=2"):
            await here.plays(noise, kind, size=size, pace=0.0)
        here.connection.send(StreamEnded())
        await asyncio.sleep(1.0)
        here.writes("are you there?")
        await here.ears.until(lambda: here.words.endswith("here."))
        assert [each.code for each in here.all(ModelError)] == ["INVALID_REQUEST"]  # the two channels


async def test_minutes_of_silence_are_nothing() -> None:
    nothing = silence(10.0)
    async with room(Brain(lambda last: "Yes.")) as here:
        for _ in range(60):
            await here.plays(nothing, size=len(nothing), pace=10.0)
        assert here.kinds == []


async def test_what_is_not_possible_is_refused_beforehand() -> None:  # contract 6.2
    with pytest.raises(ConfigurationError, match="ahead"):
        LocalVoice(ahead=9)
    with pytest.raises(ConfigurationError, match="prefix_padding_ms"):
        detection: Any = {"automatic_activity_detection": {"prefix_padding_ms": -1}}
        LocalVoice().check(RunConfig(realtime_input_config=detection))
    with pytest.raises(ConfigurationError, match="proactivity"):
        LocalVoice().check(RunConfig(proactivity={"proactive_audio": True}))


class _Withdrawing(Brain):
    """What it wrote in pieces is not in the whole."""

    async def generate(self, request: Any, *, stream: bool) -> Any:
        async for response in super().generate(request, stream=stream):
            if not response.partial and "rude" in said_in(request.contents[-1]):
                response = LlmResponse(finish_reason="SAFETY", error_code="SAFETY", error_message="No.")
            yield response


async def test_what_the_brain_withdrew_costs_no_other_answer() -> None:  # contract 3.6
    brain = _Withdrawing(lambda last: LONG if "rude" in said_in(last) else "It is fine.")
    async with room(brain) as here:
        here.writes("how is it")
        await here.until(TurnComplete)
        here.writes("say something rude")
        await asyncio.sleep(2.0)
        here.writes("stop")
        await here.until(TurnComplete, 3)
        assert brain.told()[1] == ("model", "It is fine.")


class _Failing(Brain):
    """Breaks off in the middle of the second of its answers, and once more."""

    async def generate(self, request: Any, *, stream: bool) -> Any:
        count = 0
        async for response in super().generate(request, stream=stream):
            yield response
            count += 1
            if count == 20 and len(self.requests) in (2, 3):
                raise ConnectionLost("gone")


async def test_what_was_void_before_it_was_spoken_costs_no_other_answer() -> None:  # contract 3.6
    def think(last: Content) -> Answer:
        if last.parts and last.parts[-1].function_response:
            return LONG
        if said_in(last) == "look":
            return "Let me have a look at that for you. ", FunctionCall(name="look", args={})
        return "Fine." if said_in(last) == "stop" else LONG

    brain = _Failing(think)
    async with room(brain) as here:
        here.writes("look")
        await here.until(ToolCalls)
        (call,) = here.all(ToolCalls)[0].calls
        here.connection.send(ToolResults((FunctionResponse(id=call.id, name="look", response=None),)))
        result = FunctionResponse(id=call.id, name="look", response={"result": "sunny"})
        await asyncio.sleep(0.5)
        here.connection.send(ToolResults((result,)))
        await asyncio.sleep(0.3)
        here.writes("stop")
        await asyncio.sleep(0.1)
        cut = here.ears.said.index(ModelInterrupted())
        told = "".join(s.text for s in here.ears.said[:cut] if isinstance(s, OutputTranscript))
        assert len(told) > 5 and "".join(text for role, text in brain.told() if role == "model") == told


async def test_who_cuts_in_when_told_of_something_hears_no_more_of_it() -> None:  # models/base: Listener
    brain = Brain(lambda last: LONG if said_in(last) == "go on" else "Good.")

    class Quick(Ears):
        def received(self, said: Any) -> None:
            super().received(said)
            if any(isinstance(each, ModelText) for each in said) and len(self.said) < 5:
                connection.send(Turn(Content(role="user", parts=[Part(text="stop")])))

    class Pieces(Brain):
        async def generate(self, request: Any, *, stream: bool) -> Any:
            parts = [Part(text=word) for word in ("One ", "two ", "three.")]
            if said_in(request.contents[-1]) == "go on":
                yield LlmResponse(content=Content(role="model", parts=parts), partial=True)
                await asyncio.sleep(9.0)
            async for response in super().generate(request, stream=False):
                yield response

    ears, run = Quick(), RunConfig(response_modalities=["TEXT"])
    brain = Pieces(lambda last: "Good.")
    connection = await LocalVoice(brain=brain, recognizer=Prompted()).connect(run, ears)
    connection.begin(Setup(run))
    await ears.ready()
    connection.send(Turn(Content(role="user", parts=[Part(text="go on")])))
    await ears.until(lambda: sum(isinstance(each, TurnComplete) for each in ears.said) == 2)
    texts = [each.text for each in ears.said if isinstance(each, ModelText)]
    assert texts == ["One ", "Good."]
    await connection.close()


async def test_a_close_that_is_cancelled_is_a_close() -> None:  # contract 1.6, models/base: close
    class Stubborn(Brain):
        async def generate(self, request: Any, *, stream: bool) -> Any:
            try:
                await asyncio.sleep(900.0)
            finally:
                await asyncio.sleep(1.0)
            yield

    ears, run = Ears(), RunConfig()
    connection = await LocalVoice(brain=Stubborn(str), recognizer=Prompted()).connect(run, ears)
    connection.begin(Setup(run))
    await ears.ready()
    connection.send(Turn(Content(role="user", parts=[Part(text="hello")])))
    await asyncio.sleep(0.5)
    closing = asyncio.ensure_future(connection.close())
    await asyncio.sleep(0.5)
    closing.cancel()
    await asyncio.wait([closing])
    assert ears.losses == [(None, ())]
    await connection.close()
    assert len(ears.losses) == 1


async def test_kinds_of_images_are_written_in_any_case() -> None:  # contract 2.7
    brain = Brain(lambda last: "A cat.")
    async with room(brain) as here:
        here.connection.send(Media(Blob(data=b"png", mime_type="Image/PNG")))
        here.writes("What is it?")
        await here.until(TurnComplete)
        assert not here.all(ModelError) and brain.requests[0][0].parts[0].inline_data  # type: ignore[index]
