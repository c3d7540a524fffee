"""Gemini keeps the contract of live models, and every test of it fails for a model that breaks it."""

from __future__ import annotations

import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

import pytest

from antiphon.capabilities import Capabilities
from antiphon.models.gemini import Gemini
from antiphon.testing.live_server import Hold, Item, LiveServer, Prompt, Say, Timing, ToolCall
from antiphon.testing.model_contract import LiveModelContract
from tests.testing import broken_models as broken
from tests.testing.plain_model import Plain, Plains

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from antiphon.models import LiveModel

# --- Gemini -------------------------------------------------------------------------------------------


def reply(prompt: Prompt) -> Iterable[Item]:
    if prompt.responses:
        yield Say(f"Paris is {prompt.responses[0].output}.")
    elif "lookup paris" in (prompt.text or ""):
        yield ToolCall("lookup", {"city": "paris"})
    elif "count to 50" in (prompt.text or ""):
        yield Say("1 2 3")
        yield Hold()
    else:
        yield Say("Hello yourself.")


class Behind(LiveModelContract):
    name: str

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        async with LiveServer(reply=reply, timing=Timing.instant()) as server:
            yield Gemini(self.name, vertexai=False, api_key="any", base_url=server.base_url)


class TestGemini38(Behind):
    name = "gemini-3.8-live"


class TestGemini31(Behind):
    name = "gemini-3.1-flash-live-preview"


class TestNativeAudio(Behind):
    name = "gemini-2.5-flash-native-audio"


class TestText(Behind):
    name = "gemini-live-2.5-flash"
    modality = "TEXT"


# --- models that break it -------------------------------------------------------------------


BROKEN: dict[str, list[type[Plain]]] = {
    "what_is_not_declared_is_refused": [broken.TextOnlyUnchecked],
    "ready_comes_first_and_once": [
        broken.SpeaksUnasked,
        broken.GreetsEarly,
        broken.ReadyTwice,
        broken.ReportsFromAThread,
    ],
    "history_is_not_answered": [broken.AnswersHistory, broken.CutsHistoryOff],
    "what_is_pending_is_answered": [broken.ForgetsWhatIsPending, broken.AnswersHistory],
    "answer_ends_with_one_turn_complete": [
        broken.NeverCompletes,
        broken.CompletesTwice,
        broken.CompletesFirst,
    ],
    "speech_is_whole_samples_of_its_rate": [broken.HalfSamples, broken.OtherRate],
    "speech_is_transcribed_when_asked": [broken.NeverTranscribes, broken.AlwaysTranscribes],
    "text_is_answered_in_text_when_asked": [broken.NeverTranscribes, broken.OnlySpeaks, broken.OnlyThinks],
    "tool_is_called_and_its_result_spoken_of": [
        broken.CallsAnother,
        broken.CallsWithoutArguments,
        broken.OneIdForAll,
        broken.IgnoresResults,
    ],
    "interruption_ends_the_turn_and_is_answered": [
        broken.SilentlyInterrupted,
        broken.InterruptedForGood,
        broken.InterruptedLate,
        broken.NothingAfterTheCut,
    ],
    "pieces_of_a_turn_are_answered_together": [broken.AnswersPieces],
    "it_is_spoken_to_while_it_speaks": [broken.DeafWhileSpeaking],
    "media_is_taken_at_any_time": [broken.HatesMedia, broken.InterruptedBySilence],
    "odd_sound_breaks_nothing": [broken.HatesOddSound, broken.HatesMedia],
    "more_than_it_takes_at_once_is_held": [broken.FullAfterHundred, broken.NeverWritable],
    "activity_of_ones_own_is_answered": [broken.AnswersActivityEarly, broken.IgnoresActivity],
    "activity_of_ones_own_interrupts": [broken.TalksOverActivity, broken.IgnoresActivity],
    "activity_out_of_order_breaks_nothing": [broken.HatesDisorder, broken.IgnoresActivity],
    "the_user_is_not_transcribed_unless_asked": [broken.TranscribesUnasked],
    "close_is_orderly": [
        broken.SpeaksAfterClose,
        broken.ClosesWithAnError,
        broken.NeverLost,
        broken.LostTwice,
    ],
    "closing_twice_is_fine": [broken.LostTwice, broken.LostWithEachClose],
    "send_after_close_is_in_vain": [
        broken.RaisesOnceClosed,
        broken.LostAgainBySending,
        broken.SpeaksAfterClose,
    ],
    "close_before_it_is_ready": [
        broken.ReadyOnceClosed,
        broken.ClosesOnlyWhenReady,
        broken.ClosesWithAnError,
    ],
    "connections_do_not_mix": [broken.OneAtATime],
}


def contract(connection: type[Plain], name: str) -> Any:
    class Held(LiveModelContract):
        @asynccontextmanager
        async def open(self) -> AsyncIterator[LiveModel]:
            kind = broken.Checks if connection is broken.TextOnlyUnchecked else Plains
            yield kind(connection)

    return getattr(Held(), f"test_{name}")


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.virtual_clock
async def test_sound_model_passes(name: str) -> None:
    await contract(Plain, name)()


@pytest.mark.parametrize(
    ("name", "connection"),
    [(name, connection) for name, connections in BROKEN.items() for connection in connections],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
@pytest.mark.virtual_clock
async def test_broken_model_fails(name: str, connection: type[Plain]) -> None:
    held = contract(connection, name)
    with pytest.raises((AssertionError, BufferError, RuntimeError, ValueError)):
        await held()


def test_every_clause_is_seen_to_fail() -> None:
    tests = [name for name, _ in inspect.getmembers(LiveModelContract) if name.startswith("test_")]
    assert {f"test_{name}" for name in BROKEN} == set(tests)


class Mute(Plain):
    can = Capabilities(audio_output=False, output_transcription=False, manual_activity=False)


@pytest.mark.parametrize(
    "name",
    [
        "speech_is_whole_samples_of_its_rate",
        "speech_is_transcribed_when_asked",
        "activity_of_ones_own_is_answered",
        "activity_of_ones_own_interrupts",
        "activity_out_of_order_breaks_nothing",
        "the_user_is_not_transcribed_unless_asked",
    ],
)
async def test_what_is_not_declared_is_skipped(name: str) -> None:
    with pytest.raises(SkipTest, match="plain declares no "):
        await contract(Mute, name)()


async def test_model_has_to_be_said() -> None:
    with pytest.raises(NotImplementedError):
        await LiveModelContract().test_close_is_orderly()
