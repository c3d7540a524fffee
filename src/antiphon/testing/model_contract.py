"""What a live model is held to (contract sections 2, 3, 6 and 7; `antiphon.models.base`)."""

from __future__ import annotations

import asyncio
from base64 import b64decode
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final, Literal
from unittest import SkipTest

from antiphon.config import RunConfig
from antiphon.core.messages import ActivityEnded, ActivityStarted, StreamEnded
from antiphon.core.signals import (
    GenerationComplete,
    InputTranscript,
    ModelAudio,
    ModelInterrupted,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
)
from antiphon.errors import UnsupportedByModel
from antiphon.models.base import Setup
from antiphon.testing.live_speech import silence, tone
from antiphon.testing.model_talk import LOOKUP, Talk, count, is_content, names, words
from antiphon.testing.service_contract import refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.models.base import LiveModel

__all__ = ["LiveModelContract"]

HELLO: Final = "hello"
LOOK_UP: Final = "lookup paris"
COUNT: Final = "count to 50"

MANUAL: Final[Any] = {"automatic_activity_detection": {"disabled": True}}
IMAGE: Final = b64decode(  # one pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
FLOOD: Final = 500
"""Chunks of 100 ms: more than a socket takes at once."""


class LiveModelContract:
    """Inherit, and say how to open the model, with its peer if it needs one.

        class TestMyModel(LiveModelContract):
            @asynccontextmanager
            async def open(self) -> AsyncIterator[LiveModel]:
                async with MyPeer() as peer:
                    yield MyModel(peer.address)

    The model behind it behaves like this:

    - to any turn of text it answers in words, and with manual activity to a spoken turn too;
    - text that contains "lookup paris" makes it call the declared tool `lookup(city: str)` with the city
      "paris", and speak of the result once it has it;
    - text that contains "count to 50" makes it talk until further text, or the start of an activity,
      interrupts it.

    What the model's `Capabilities` do not declare is not asked of it: such tests are skipped.
    """

    modality: Literal["AUDIO", "TEXT"] | None = None
    """How it answers where a test does not say; `None`: in speech, if it can."""
    patience: float = 20.0
    """Seconds of the loop's clock after which something is taken not to come."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        """A model and what it talks to, as long as the block lasts."""
        raise NotImplementedError
        yield

    @asynccontextmanager
    async def connection(self, model: LiveModel, **settings: Any) -> AsyncIterator[Talk]:
        """An open connection on which nothing was said; closed at the end."""
        speaks = "AUDIO" if model.capabilities.audio_output else "TEXT"
        config = RunConfig(**{"response_modalities": [self.modality or speaks], **settings})
        model.check(config)
        talk = Talk(config, self.patience)
        talk.connection = await model.connect(config, talk)
        try:
            yield talk
        finally:
            async with asyncio.timeout(self.patience):
                await talk.connection.close()

    @asynccontextmanager
    async def conversation(self, needs: str = "", **settings: Any) -> AsyncIterator[Talk]:
        """A connection that is ready. Skips the test where the model has not what it `needs`."""
        async with self.open() as model:
            if needs and not getattr(model.capabilities, needs):
                raise SkipTest(f"{model.name} declares no {needs}")
            async with self.connection(model, **settings) as talk:
                await talk.begin()
                yield talk

    # --- the beginning ---

    async def test_what_is_not_declared_is_refused(self) -> None:  # contract 6.2, models/base: check
        async with self.open() as model:
            can = model.capabilities
            for declared, settings in (
                (can.audio_output, {"response_modalities": ["AUDIO"]}),
                (can.text_output, {"response_modalities": ["TEXT"]}),
                (can.manual_activity, {"realtime_input_config": MANUAL}),
            ):
                spoken: dict[str, Any] = {} if can.audio_output else {"response_modalities": ["TEXT"]}
                config = RunConfig(**(spoken | settings))
                if declared:
                    model.check(config)
                else:
                    with refused(UnsupportedByModel):
                        model.check(config)

    async def test_ready_comes_first_and_once(self) -> None:  # contract 3.11, models/base: connect, begin
        async with self.open() as model, self.connection(model) as talk:
            await talk.settle()
            assert not talk.said, f"said before the set-up: {names(talk.said)}"
            await talk.begin()
            await talk.turn(talk.say(HELLO))
            assert isinstance(talk.said[0], ModelReady), f"ready is not the first; {talk}"
            assert count(ModelReady, talk.said) == 1, f"ready is not said once; {talk}"
            assert not talk.strays, talk.strays

    async def test_history_is_not_answered(self) -> None:  # contract 4.4, models/base: Setup.history
        async with self.open() as model, self.connection(model) as talk:
            await talk.begin(history=[words("I am Ann."), words("Hello Ann.", "model")])
            talk.say(LOOK_UP)
            await talk.call(0)

    async def test_what_is_pending_is_answered(self) -> None:  # contract 7.3, models/base: Setup.pending
        for history in ([], [words("I am Ann."), words("Hello Ann.", "model")]):
            async with self.open() as model, self.connection(model) as talk:
                await talk.begin(history=history, pending=words(LOOK_UP))
                await talk.call(0)

    # --- answers ---

    async def test_answer_ends_with_one_turn_complete(self) -> None:  # contract 3.4, 3.5
        async with self.conversation() as talk:
            start = talk.say(HELLO)
            await talk.turn(start)
            await talk.turn(talk.say(HELLO))
            await talk.settle()
            turns: list[list[ModelSignal]] = [[]]
            for signal in talk.said[start:]:
                turns[-1].append(signal)
                if isinstance(signal, TurnComplete):
                    turns.append([])
            *ended, rest = turns
            assert len(ended) == 2 and not any(map(is_content, rest)), f"two answers were due; {talk}"
            for turn in ended:
                assert any(map(is_content, turn)), f"a turn without content ended; {talk}"
                assert not count(ModelInterrupted, turn), f"nobody interrupted; {talk}"
                assert count(GenerationComplete, turn) <= 1, f"an answer was produced twice; {talk}"

    async def test_speech_is_whole_samples_of_its_rate(self) -> None:  # contract 3.7
        async with self.conversation("audio_output", response_modalities=["AUDIO"]) as talk:
            turn = await talk.turn(talk.say(HELLO))
            chunks = [signal for signal in turn if isinstance(signal, ModelAudio)]
            assert chunks, f"nothing was spoken; {talk}"
        async with self.open() as model:
            expected = f"audio/pcm;rate={model.capabilities.output_rate}"
        assert {chunk.mime_type for chunk in chunks} == {expected}
        sizes = [len(chunk.data) for chunk in chunks]
        assert all(size and size % 2 == 0 for size in sizes), f"chunks of {sizes} bytes"

    async def test_speech_is_transcribed_when_asked(self) -> None:  # contract 3.8, 6.1
        asked: list[dict[str, Any] | None] = [{}, None]
        for wanted in asked:
            async with self.conversation(
                "output_transcription", response_modalities=["AUDIO"], output_audio_transcription=wanted
            ) as talk:
                turn = await talk.turn(talk.say(HELLO))
                written = "".join(signal.text for signal in turn if isinstance(signal, OutputTranscript))
                assert count(ModelAudio, turn), f"nothing was spoken; {talk}"
                assert bool(written.strip()) == (wanted is not None), f"transcribed as {written!r}"

    async def test_text_is_answered_in_text_when_asked(self) -> None:  # contract 3.4, 6.1
        async with self.conversation("text_output", response_modalities=["TEXT"]) as talk:
            turn = await talk.turn(talk.say(HELLO))
            written = "".join(each.text for each in turn if isinstance(each, ModelText) and not each.thought)
            assert written.strip(), f"nothing was written; {talk}"
            assert not count(ModelAudio, turn), f"there is speech; {talk}"

    async def test_tool_is_called_and_its_result_spoken_of(self) -> None:  # contract 5.2
        ids: list[str | None] = []
        async with self.conversation() as talk:
            for _ in range(2):
                call = await talk.call(talk.say(LOOK_UP))
                assert (call.name, call.args) == ("lookup", {"city": "paris"})
                await talk.turn(talk.answer(call))
                ids.append(call.id)
        assert "" not in ids and (ids == [None, None] or ids[0] != ids[1]), f"the calls have the ids {ids}"

    async def test_interruption_ends_the_turn_and_is_answered(self) -> None:  # contract 3.6
        async with self.conversation() as talk:
            await talk.content(talk.say(COUNT))
            since = talk.say(HELLO)
            await talk.until("ModelInterrupted", lambda: count(ModelInterrupted, talk.said[since:]) > 0)
            await talk.until("TurnComplete", lambda: count(TurnComplete, talk.said[since:]) > 0)
            heard = talk.said[since:]
            cut, over = (
                next(at for at, signal in enumerate(heard) if isinstance(signal, kind))
                for kind in (ModelInterrupted, TurnComplete)
            )
            assert cut < over, f"the turn ended before it was interrupted; {talk}"
            await talk.turn(since + over + 1)
            await talk.settle()
            kinds = (ModelInterrupted, TurnComplete)
            assert [count(kind, talk.said[since:]) for kind in kinds] == [1, 2], str(talk)

    # --- what is sent ---

    async def test_pieces_of_a_turn_are_answered_together(self) -> None:  # contract 2.6, core/messages: Turn
        async with self.conversation() as talk:
            since = talk.say("Listen to me.", complete=False)
            await talk.settle()
            talk.say(LOOK_UP)
            await talk.call(since)

    async def test_it_is_spoken_to_while_it_speaks(self) -> None:  # contract 5.2, 5.3, models/base: Listener
        async with self.open() as model, self.connection(model) as talk:

            def react(signal: ModelSignal) -> None:
                if isinstance(signal, ModelReady):
                    talk.say(LOOK_UP)
                elif isinstance(signal, ToolCalls):
                    since.append(talk.answer(signal.calls[0]))

            since: list[int] = []
            talk.reaction = react
            await talk.begin()
            await talk.call(0)
            await talk.turn(since[0])

    async def test_media_is_taken_at_any_time(self) -> None:  # contract 2.7, core/messages: Media
        async with self.open() as model, self.connection(model) as talk:
            can = model.capabilities

            def show() -> None:
                talk.show(silence(0.1, rate=can.input_rate), f"audio/pcm;rate={can.input_rate}")
                if can.video_input:
                    talk.show(IMAGE, "image/png")

            await talk.begin()
            show()
            since = talk.say(LOOK_UP)
            show()
            call = await talk.call(since)
            show()
            since = talk.answer(call)
            await talk.content(since)
            show()
            await talk.turn(since)
            show()
            turn = await talk.turn(talk.say(HELLO))
            assert not count(ModelInterrupted, turn), f"silence interrupted; {talk}"

    async def test_odd_sound_breaks_nothing(self) -> None:  # contract 2.7, 8.3
        async with self.open() as model, self.connection(model) as talk:
            mime_type = f"audio/pcm;rate={model.capabilities.input_rate}"
            await talk.begin()
            for data in (b"", b"\0", b"\0\0\0", b""):
                talk.show(data, mime_type)
            talk.connection.send(StreamEnded())
            await talk.turn(talk.say(HELLO))

    async def test_more_than_it_takes_at_once_is_held(self) -> None:  # contract 2.2, models/base: send
        async with self.open() as model, self.connection(model) as talk:
            await talk.begin()
            chunk = silence(0.1, rate=model.capabilities.input_rate)
            for _ in range(FLOOD):
                talk.show(chunk, f"audio/pcm;rate={model.capabilities.input_rate}")
            if not talk.connection.writable:
                await talk.until("writable()", lambda: talk.times_writable > 0)
            since = talk.say(HELLO)
            await talk.turn(since)
            await talk.until("a connection that is writable", lambda: talk.connection.writable)

    async def test_activity_of_ones_own_is_answered(self) -> None:  # contract 6.4
        async with self.conversation("manual_activity", realtime_input_config=MANUAL) as talk:
            since = len(talk.said)
            talk.connection.send(ActivityStarted())
            for _ in range(5):
                talk.show(tone(0.1), "audio/pcm;rate=16000")
            await talk.settle()
            assert not any(map(is_content, talk.said[since:])), f"answered before the end; {talk}"
            talk.connection.send(ActivityEnded())
            await talk.turn(since)

    async def test_activity_of_ones_own_interrupts(self) -> None:  # contract 3.6, 6.4
        settings: dict[str, Any] = {"response_modalities": ["AUDIO"], "realtime_input_config": MANUAL}
        async with self.open() as model:
            if not (model.capabilities.audio_output and model.capabilities.manual_activity):
                raise SkipTest(f"{model.name} declares no audio_output, or no manual_activity")
            async with self.connection(model, **settings) as talk:
                await talk.begin()
                await talk.content(talk.say(COUNT))
                since = len(talk.said)
                talk.connection.send(ActivityStarted())
                talk.show(tone(0.5), "audio/pcm;rate=16000")
                await talk.until("ModelInterrupted", lambda: count(ModelInterrupted, talk.said[since:]) > 0)
                await talk.until("TurnComplete", lambda: count(TurnComplete, talk.said[since:]) > 0)
                since = len(talk.said)
                talk.connection.send(ActivityEnded())
                await talk.turn(since)

    async def test_activity_out_of_order_breaks_nothing(self) -> None:  # contract 6.4
        async with self.conversation("manual_activity", realtime_input_config=MANUAL) as talk:
            for message in (ActivityEnded(), ActivityStarted(), ActivityStarted()):
                talk.connection.send(message)
            since = len(talk.said)
            talk.show(tone(0.5), "audio/pcm;rate=16000")
            talk.connection.send(ActivityEnded())
            talk.connection.send(ActivityEnded())
            await talk.turn(since)
            await talk.turn(talk.say(HELLO))

    async def test_the_user_is_not_transcribed_unless_asked(self) -> None:  # contract 3.8, 6.1
        async with self.conversation(
            "manual_activity", realtime_input_config=MANUAL, input_audio_transcription=None
        ) as talk:
            since = len(talk.said)
            talk.connection.send(ActivityStarted())
            talk.show(tone(0.5), "audio/pcm;rate=16000")
            talk.connection.send(ActivityEnded())
            await talk.turn(since)
            assert not count(InputTranscript, talk.said), f"transcribed, though nobody asked; {talk}"

    # --- the end ---

    async def test_close_is_orderly(self) -> None:  # contract 1.5, 1.6, models/base: close
        async with self.conversation() as talk:
            await talk.content(talk.say(COUNT))
            talk.show(silence(0.1), "audio/pcm;rate=16000")
            heard = len(talk.said)
            await talk.close()
            await talk.settle()
            assert len(talk.said) == heard, f"said after the close: {names(talk.said[heard:])}"
            assert talk.losses == [(None, ())] and not talk.strays, (talk.losses, talk.strays)

    async def test_closing_twice_is_fine(self) -> None:  # contract 1.6, models/base: close
        async with self.conversation() as talk:
            await asyncio.gather(talk.close(), talk.close())
            await talk.close()
            await talk.settle()
            assert len(talk.losses) == 1 and not talk.strays, (talk.losses, talk.strays)

    async def test_send_after_close_is_in_vain(self) -> None:  # models/base: send
        async with self.conversation() as talk:
            heard = len(talk.said)
            await talk.close()
            talk.say(HELLO)
            talk.show(silence(0.1), "audio/pcm;rate=16000")
            await talk.settle()
            assert len(talk.said) == heard, f"said after the close: {names(talk.said[heard:])}"
            assert len(talk.losses) == 1 and not talk.strays, (talk.losses, talk.strays)

    async def test_close_before_it_is_ready(self) -> None:  # contract 1.5, 1.6, models/base: close
        async with self.open() as model:
            for begun in (False, True):
                async with self.connection(model) as talk:
                    if begun:
                        talk.connection.begin(Setup(talk.config, tools=[LOOKUP], pending=words(HELLO)))
                    heard = len(talk.said)
                    await talk.close()
                    await talk.settle()
                    assert len(talk.said) == heard, f"said after the close: {names(talk.said[heard:])}"
                    assert talk.losses == [(None, ())] and not talk.strays, (talk.losses, talk.strays)

    # --- several ---

    async def test_connections_do_not_mix(self) -> None:  # contract 1.2, 8.7
        async with self.open() as model, self.connection(model) as one, self.connection(model) as two:
            await asyncio.gather(one.begin(), two.begin())
            await one.content(one.say(COUNT))
            call = await two.call(two.say(LOOK_UP))
            await two.turn(two.answer(call))
            assert count(ModelInterrupted, one.said) == count(ToolCalls, one.said) == 0, str(one)
            await two.close()
            assert not one.losses, "closing one connection ended another"
            async with self.connection(model) as three:
                await three.begin()
                await three.turn(three.say(HELLO))
            await one.turn(one.say(HELLO))
            assert count(ModelReady, one.said) == count(ModelReady, two.said) == 1, f"{one}; {two}"
