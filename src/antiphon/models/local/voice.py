"""`LocalVoice`: a live model made of parts, all of them on this machine unless you choose others."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from antiphon.errors import ConfigurationError
from antiphon.models.base import LiveModel, Setup
from antiphon.models.chat_link import ChatConnection, ChatLive
from antiphon.models.local.attention import Attention, endpointing_for
from antiphon.models.local.connection import BrainListener, VoiceConnection
from antiphon.models.local.endpointing import Adaptive
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.keyword_brain import KeywordBrain
from antiphon.models.local.lanes import work
from antiphon.models.local.manner import manner_of
from antiphon.models.local.microphone import Microphone
from antiphon.models.local.moonshine import Moonshine
from antiphon.models.local.mouth import Mouth
from antiphon.models.local.playout import CHUNK_SECONDS, SPOKEN_RATE
from antiphon.models.local.recognizer import Vocabulary
from antiphon.models.local.silero import Silero
from antiphon.models.local.vad import RATE
from antiphon.models.local.vocabulary import vocabulary_of
from antiphon.models.refusals import refuse_unsupported
from antiphon.types import Modality

if TYPE_CHECKING:
    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.models.base import Listener, ModelConnection
    from antiphon.models.chat import ChatModel
    from antiphon.models.local.endpointing import Endpointing
    from antiphon.models.local.mouth import Outlet
    from antiphon.models.local.recognizer import Recognizer
    from antiphon.models.local.synthesizer import Synthesizer
    from antiphon.models.local.vad import VoiceActivity
    from antiphon.types import GenerateContentConfig

__all__ = ["LocalVoice"]

_PROBE: Final = Vocabulary()
"""Enough to see whether a recogniser can be had at all."""


class LocalVoice(LiveModel):
    """A voice for any chat model; by itself it needs no key and no network. `pip install 'antiphon[voice]'`.

    What the user says is recognised and given to the `brain` as a turn; what that writes is spoken, sentence
    by sentence, at 24 kHz. Calls, results, callbacks and errors are those of the brain. The user may cut in;
    the brain is then told how much of its answer was said. There is no resumption: an application that lost
    its conversation begins another with the stored one as its history.

    Its parts may be shared by several instances; what they load is loaded once in a process, by the first
    conversation or by `prepare`. All computing is done on a few threads that the whole process shares
    (`antiphon.models.local.lanes`). A part that is not named is the default one.

    Args:
        brain: any `ChatModel`; by default `KeywordBrain`, which finds the tool that was meant, and no more.
            `default_brain()` finds a language model, if there is one.
        recognizer: by default Moonshine: any English, what its agent is about best.
        synthesizer: by default eSpeak NG.
        voice_activity: by default Silero.
        endpointing: when an utterance is over; a `silence_duration_ms` in the `RunConfig` goes before it.
        attention: what counts as speech and as an interruption; what a `RunConfig` says goes before it.
        ahead: seconds of speech that are sent before they are heard, at least 0.04: more rides out a slow
            network, less is silent sooner when the user cuts in.
        name: what it is called in errors and logs.

    Raises:
        ConfigurationError: `ahead` is out of range.
    """

    def __init__(
        self,
        *,
        brain: ChatModel | None = None,
        recognizer: Recognizer | None = None,
        synthesizer: Synthesizer | None = None,
        voice_activity: VoiceActivity | None = None,
        endpointing: Endpointing | None = None,
        attention: Attention | None = None,
        ahead: float = 0.06,
        name: str = "local",
    ) -> None:
        if not CHUNK_SECONDS <= ahead <= 5:
            raise ConfigurationError(f"ahead={ahead}: name seconds between {CHUNK_SECONDS} and 5.")
        self.name = name
        self.brain = brain or KeywordBrain()
        self.provider = self.brain.provider
        self.recognizer = recognizer or Moonshine()
        self.synthesizer = synthesizer or Espeak()
        self.voice_activity = voice_activity or Silero()
        self.endpointing = endpointing or Adaptive()
        self.attention = attention or Attention()
        self.ahead = ahead

    def __repr__(self) -> str:
        return f"LocalVoice(brain={self.brain!r})"

    @property
    def chat(self) -> ChatModel:
        return self.brain

    @property
    def capabilities(self) -> Capabilities:
        return replace(
            ChatLive(self.brain).capabilities,
            audio_output=True,
            audio_input=True,
            manual_activity=True,
            input_transcription=True,
            output_transcription=True,
            input_rate=RATE,
            output_rate=SPOKEN_RATE,
        )

    def check(self, config: RunConfig) -> None:
        refuse_unsupported(self.name, self.capabilities, config)
        self.attention.configured(config.realtime_input_config)
        endpointing_for(config.realtime_input_config, self.endpointing)
        if config.modality == "AUDIO":
            self._voice(config)
        written = {"response_modalities": [Modality.TEXT], "realtime_input_config": None}
        self.brain.check(config.model_copy(update=written))

    async def prepare(self) -> None:
        """Loads what takes time, so that the first conversation need not wait.

        Raises `ConfigurationError` when a package or a model is missing, saying where to get it.
        """
        await work(partial(self._load, self.synthesizer))

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        speaks = config.modality == "AUDIO"
        await work(partial(self._load, self._voice(config) if speaks else None))
        ears = BrainListener()
        brain = await ChatLive(self.brain).connect(config, ears)
        assert isinstance(brain, ChatConnection)
        transcribes = config.output_audio_transcription is not None

        def mouth(outlet: Outlet, setup: Setup) -> Mouth:
            voice = self._voice(setup.config, setup.generation)
            return Mouth(voice, outlet, ahead=self.ahead, transcribes=transcribes)

        sees = self.brain.capabilities.video_input
        return VoiceConnection(brain, ears, listener, self._microphone, mouth if speaks else None, sees=sees)

    def _voice(self, config: RunConfig, agent: GenerateContentConfig | None = None) -> Synthesizer:
        """Who speaks, as the agent wants it, or else the run (contract 6.6)."""
        wanted = manner_of((agent and agent.speech_config) or config.speech_config)
        return self.synthesizer if wanted is None else self.synthesizer.speaking(wanted)

    def _load(self, synthesizer: Synthesizer | None) -> None:
        self.voice_activity.detector()
        self.recognizer.prepare(_PROBE)
        if synthesizer is not None:
            synthesizer.prepare()

    def _microphone(self, setup: Setup) -> Microphone:
        """An ear for one conversation; made off the event loop."""
        realtime = setup.config.realtime_input_config
        vocabulary = vocabulary_of(setup.instruction, setup.tools)
        self.recognizer.prepare(vocabulary)
        return Microphone(
            self.attention.configured(realtime),
            endpointing_for(realtime, self.endpointing),
            self.voice_activity,
            partial(self.recognizer.hear, vocabulary),
            eager=self.recognizer.eager,
        )
