"""Taps: an application is called with what happens, until the end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from antiphon.core import drafts
from antiphon.runtime.taps import EventTap, Tap

if TYPE_CHECKING:
    from antiphon import Event

SAID = drafts.text("helper", "la", thought=False, partial=True)
PCM = "audio/pcm;rate=24000"


async def test_nothing_is_told_after_the_end() -> None:
    told: list[Event] = []
    tap = EventTap(Tap(told.append))
    assert tap.put(SAID) and told == [SAID]
    assert tap.take() is None and not tap.failed
    tap.close(LookupError("first"))
    tap.close()
    assert tap.put(SAID) and told == [SAID]
    assert tap.failed and tap.shed == 0
    with pytest.raises(LookupError, match="first"):
        tap.take()


async def test_an_end_without_an_error() -> None:
    tap = EventTap(Tap(print))
    waiting = asyncio.ensure_future(tap.more())
    tap.close()
    await waiting
    with pytest.raises(StopAsyncIteration):
        tap.take()


async def test_speech_is_offered_as_it_is_while_somebody_listens() -> None:
    taken: list[bytes] = []

    def speech(data: bytes, mime_type: str) -> object:
        """Nobody has to say `False`."""
        taken.append(data)
        return "taken" if len(taken) > 1 else None

    tap = EventTap(Tap(print, speech))
    assert [tap.take_speech(b"1", PCM), tap.take_speech(b"2", PCM)] == [False, True]
    tap.close()
    assert tap.take_speech(b"3", PCM) and taken == [b"1", b"2"]
    assert not EventTap(Tap(print)).take_speech(b"1", PCM)
