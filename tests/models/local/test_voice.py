"""A local voice is a live model like any other; its parts are real."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

import antiphon
from antiphon import Agent, InMemoryRunner, LiveRequestQueue, RunConfig
from antiphon.core.messages import Turn
from antiphon.core.signals import ModelAudio, ModelError, TurnComplete
from antiphon.errors import ConfigurationError, InvalidSetup, MissingExtra, ModelConnectionError
from antiphon.models import Setup, resolve, resolve_chat
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.manner import Manner
from antiphon.models.local.synthesizer import Synthesizer
from antiphon.models.local.voice import LocalVoice
from antiphon.testing import LiveModelContract
from antiphon.testing.live_speech import silence
from antiphon.types import Blob, Content, FunctionCall, GenerateContentConfig, Part
from tests.models.listening import Ears
from tests.models.local.parts import Brain, Prompted, said_in, spoken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from antiphon import Event
    from antiphon.models import LiveModel
    from antiphon.models.local.recognizer import Vocabulary
    from tests.models.local.parts import Answer

pytestmark = pytest.mark.virtual_clock


def as_the_contract_wants(last: Content) -> Answer:
    text = said_in(last)
    if "lookup paris" in text:
        return "Let me see. ", FunctionCall(name="lookup", args={"city": "paris"})
    if "count to 50" in text:
        return " ".join(f"And {number}." for number in range(1, 51))
    return "Hello there, how are you?"


def get_weather(city: str) -> dict[str, str]:
    """Tells the weather of a city."""
    return {"city": city, "sky": "sunny"}


class Conversation:
    """A whole one, by voice: the recogniser, the brain and the synthesiser are the default ones."""

    def __init__(self, model: LiveModel, **config: Any) -> None:
        agent = Agent(name="guide", model=model, tools=[get_weather], instruction="You tell the weather.")
        self.runner = InMemoryRunner(agent, app_name="test")
        self.config = RunConfig(**config)
        self.queue = LiveRequestQueue()
        self.events: list[Event] = []
        self.news = asyncio.Event()

    async def says(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), 1_280):
            self.queue.send_realtime(Blob(data=pcm[at : at + 1_280], mime_type="audio/pcm;rate=16000"))
            await asyncio.sleep(0.04)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():
                self.news.clear()
                await self.news.wait()

    async def listen(self, session_id: str) -> None:
        async for event in self.runner.run_live(
            user_id="u", session_id=session_id, live_request_queue=self.queue, run_config=self.config
        ):
            self.events.append(event)
            self.news.set()

    def turns(self) -> int:
        return sum(bool(event.turn_complete) for event in self.events)

    async def run(self, user: Callable[[Conversation], Awaitable[None]]) -> list[Event]:
        """What is stored of it."""
        service = self.runner.session_service
        session = await service.create_session(app_name="test", user_id="u")
        async with asyncio.TaskGroup() as group:
            group.create_task(self.listen(session.id))
            await user(self)
            self.queue.close()
        kept = await service.get_session(app_name="test", user_id="u", session_id=session.id)
        assert kept is not None
        return kept.events


async def test_a_spoken_question_is_answered_by_a_tool() -> None:  # contract 5.2
    async def user(talk: Conversation) -> None:
        await talk.says(silence(0.4) + spoken("what is the weather in paris") + silence(1.0))
        await talk.until(lambda: talk.turns() == 1)

    stored = await Conversation(LocalVoice()).run(user)
    heard = [each.input_transcription.text for each in stored if each.input_transcription]
    calls = [call for each in stored for call in each.get_function_calls()]
    said = "".join(each.output_transcription.text or "" for each in stored if each.output_transcription)
    assert heard == ["What is the weather in Paris?"]
    assert [(call.name, str((call.args or {})["city"]).lower()) for call in calls] == [
        ("get_weather", "paris")
    ]
    assert "sunny" in said


async def test_what_is_stored_ends_where_the_sound_ended() -> None:  # contract 3.6
    brain = Brain(lambda last: " ".join(f"This is number {number}." for number in range(90)))

    async def user(talk: Conversation) -> None:
        talk.queue.send_content("tell me everything")
        await asyncio.sleep(4.0)
        await talk.says(spoken("stop it please") + silence(1.0))
        await talk.until(lambda: talk.turns() == 1)

    talk = Conversation(LocalVoice(brain=brain))
    stored = await talk.run(user)
    cut = next(each for each in stored if each.interrupted and each.output_transcription)
    assert cut.output_transcription and cut.output_transcription.text
    sound = b"".join(
        part.inline_data.data or b""
        for event in talk.events[: talk.events.index(cut)]
        for part in (event.content.parts or [] if event.content else [])
        if part.inline_data
    )
    seconds = len(sound) / 2 / 24_000
    sentences = re.findall(r"This[^.]*\.?", cut.output_transcription.text)
    takes = sum(len(spoken(sentence)) / 2 / 16_000 for sentence in sentences)
    assert len(sentences) > 2 and 4.0 < seconds < 4.6
    assert seconds == pytest.approx(takes, abs=0.6)  # the last word may have been broken off


def test_it_is_known_by_name() -> None:
    assert isinstance(resolve("local"), LocalVoice)
    named = resolve("local/openai/llama3")
    assert isinstance(named, LocalVoice) and named.brain.name == "llama3"
    assert resolve_chat(named) is named.brain
    assert isinstance(resolve_chat("local"), KeywordBrain)
    assert antiphon.LocalVoice is LocalVoice and "KeywordBrain" in repr(LocalVoice())


async def test_what_is_missing_is_named_before_a_conversation() -> None:
    class Missing(Prompted):
        def prepare(self, vocabulary: Vocabulary) -> None:
            raise MissingExtra("It needs ears: pip install 'antiphon[voice]'.")

    model = LocalVoice(recognizer=Missing())
    with pytest.raises(MissingExtra, match="ears"):
        await model.prepare()
    with pytest.raises(ModelConnectionError, match="ears"):
        talk = Conversation(model)
        await talk.runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
        await talk.listen("s")


class TestLocalVoice(LiveModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        yield LocalVoice(brain=Brain(as_the_contract_wants))


class TestLocalVoiceInText(TestLocalVoice):
    modality: Literal["AUDIO", "TEXT"] | None = "TEXT"


def speech(voice: str | None = None, language: str | None = None) -> Any:
    return {"voice_config": {"prebuilt_voice_config": {"voice_name": voice}}, "language_code": language}


class Choir(Espeak):
    """Writes down who is to speak."""

    def __init__(self, chosen: list[Manner]) -> None:
        super().__init__()
        self.chosen = chosen

    def speaking(self, manner: Manner) -> Espeak:
        self.chosen.append(manner)
        return super().speaking(manner)


async def test_the_run_chooses_the_voice_and_an_agent_its_own() -> None:  # contract 6.6
    chosen: list[Manner] = []
    model = LocalVoice(brain=Brain(lambda last: "Guten Tag."), synthesizer=Choir(chosen))
    for generation in (None, GenerateContentConfig(speech_config="f3")):
        ears, run = Ears(), RunConfig(speech_config=speech("m1", "de-DE"))
        model.check(run)
        connection = await model.connect(run, ears)
        chosen.clear()
        connection.begin(Setup(run, generation=generation))
        await ears.ready()
        connection.send(Turn(Content(role="user", parts=[Part(text="hello")])))
        await ears.until(lambda: any(isinstance(each, TurnComplete) for each in ears.said))  # noqa: B023
        assert any(isinstance(each, ModelAudio) for each in ears.said)
        assert not any(isinstance(each, ModelError) for each in ears.said)
        assert chosen == [Manner("m1", "de-DE") if generation is None else Manner("f3")]
        await connection.close()


async def test_a_voice_there_is_none_of_is_refused_beforehand() -> None:  # contract 6.6
    talk = Conversation(LocalVoice(), speech_config=speech("Puck"))
    await talk.runner.session_service.create_session(app_name="test", user_id="u", session_id="s")
    with pytest.raises(ModelConnectionError, match=r"no voice 'Puck'.*en-gb"):
        await talk.listen("s")
    two: Any = {"multi_speaker_voice_config": {"speaker_voice_configs": []}}
    with pytest.raises(ConfigurationError, match="multi_speaker_voice_config"):
        LocalVoice().check(RunConfig(speech_config=two))
    LocalVoice().check(RunConfig(speech_config=two, response_modalities=["TEXT"]))

    class Single(Espeak):
        def speaking(self, manner: Manner) -> Any:
            return Synthesizer.speaking(self, manner)

    with pytest.raises(ConfigurationError, match="leave speech_config out"):
        LocalVoice(synthesizer=Single()).check(RunConfig(speech_config=speech("f3")))


async def test_what_an_agent_may_not_choose_ends_the_connection() -> None:  # contract 6.6
    ears, run = Ears(), RunConfig()
    connection = await LocalVoice().connect(run, ears)
    two: Any = {"multi_speaker_voice_config": {"speaker_voice_configs": []}}
    connection.begin(Setup(run, generation=GenerateContentConfig(speech_config=two)))
    lost = await ears.lost_with()
    assert isinstance(lost, InvalidSetup) and "multi_speaker" in str(lost)
    await connection.close()
    assert len(ears.losses) == 1
