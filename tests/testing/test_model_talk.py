from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from antiphon.config import RunConfig
from antiphon.core.signals import (
    ModelAudio,
    ModelInterrupted,
    ModelPart,
    ModelReady,
    ModelSignal,
    ModelText,
    OutputTranscript,
    ToolCalls,
    TurnComplete,
)
from antiphon.errors import ConnectionLost
from antiphon.testing.model_talk import Talk, count, is_content, names
from antiphon.types import FunctionCall, Part
from tests.testing.broken_models import NeverLost
from tests.testing.plain_model import Plain, Plains

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.virtual_clock

CALL = ToolCalls((FunctionCall(name="lookup"),))


def test_content_is_what_the_user_is_to_see_or_hear() -> None:
    content: Sequence[ModelSignal] = (
        ModelText("a"),
        ModelAudio(b"aa", "audio/pcm"),
        OutputTranscript("a"),
        ModelPart(Part(text="a")),
    )
    others: Sequence[ModelSignal] = (
        ModelText("a", thought=True),
        ModelText(""),
        ModelAudio(b"", "audio/pcm"),
        TurnComplete(),
        CALL,
    )
    assert all(map(is_content, content)) and not any(map(is_content, others))


def test_what_was_said_is_counted_and_named() -> None:
    assert count(TurnComplete, [TurnComplete(), ModelReady(), TurnComplete()]) == 2
    assert (names([ModelReady(), TurnComplete()]), names([])) == ("ModelReady, TurnComplete", "nothing")


async def test_waiting_ends_with_patience_or_with_the_connection() -> None:
    talk = Talk(RunConfig(), 5.0)
    talk.received([ModelReady()])
    with pytest.raises(AssertionError, match="no content within 5 s; heard ModelReady"):
        await talk.content(0)
    talk.lost(ConnectionLost("gone"), ())
    with pytest.raises(AssertionError, match=r"lost with ConnectionLost\('gone'.*\) before content"):
        await talk.content(0)


async def test_what_nobody_may_report_is_noted() -> None:
    talk = Talk(RunConfig(), 5.0)
    await asyncio.to_thread(talk.writable)
    talk.lost(None, ())
    talk.received([ModelReady()])
    talk.lost(None, ())
    assert talk.strays == ["writable in another thread", "ModelReady after the loss", "lost after the loss"]


async def test_turn_ends_behind_its_content() -> None:
    talk = Talk(RunConfig(), 5.0)
    said: list[ModelSignal] = [
        ModelText("before"),
        TurnComplete(),
        ModelText("a"),
        TurnComplete(),
        TurnComplete(),
    ]
    talk.received(said)
    assert await talk.turn(1) == said[1:4]


@pytest.mark.parametrize(
    ("before", "told"), [(TurnComplete(), "answered before"), (ModelInterrupted(), "cut off")]
)
async def test_call_is_the_first_answer(before: ModelSignal, told: str) -> None:
    talk = Talk(RunConfig(), 5.0)
    talk.received([before, ModelText("Let me see."), CALL])
    assert await talk.call(1) == CALL.calls[0]
    with pytest.raises(AssertionError, match=told):
        await talk.call(0)


async def test_close_is_waited_for() -> None:
    for kind, losses in ((Plain, 1), (NeverLost, 0)):
        talk = Talk(RunConfig(), 5.0)
        talk.connection = await Plains(kind).connect(talk.config, talk)
        if losses:
            await talk.close()
        else:
            with pytest.raises(AssertionError, match="no lost within 5 s"):
                await talk.close()
        assert len(talk.losses) == losses
