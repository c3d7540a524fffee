"""A conversation is held until it ends, and its clients are told by what (protocol 7.2)."""

from __future__ import annotations

import asyncio

import pytest

from antiphon import RunConfig
from antiphon.core.signals import ModelText
from antiphon.errors import ModelNotFound, QuotaExceeded
from antiphon.server.conversation import BEGINNING
from tests.runtime.near_model import NearModel
from tests.server.talking import Line, errors, talking


async def test_a_failure_is_told() -> None:
    """protocol 7.2: 1011"""
    model = NearModel()
    model.connect_error = ModelNotFound("There is no such model.", code=1008)
    async with talking(model=model) as talk:
        seat = talk.join()
        await talk.room.over
        assert seat.ending == (1011, "There is no such model.")
        assert errors(seat) == ["unavailable"]
        assert talk.room.closing and not talk.room.refused


class Broken(Line):
    """It fails once."""

    broken = True

    def rouse(self) -> None:
        if self.broken:
            self.broken = False
            raise TypeError("a mistake")


async def test_a_mistake_of_ours_is_logged_and_told(caplog: pytest.LogCaptureFixture) -> None:
    async with talking() as talk:
        seat = talk.join()
        await talk.room.begun
        seat.socket = Broken()
        talk.said(ModelText("x"))
        await talk.room.over
        assert seat.ending is not None and seat.ending[0] == 1011
    assert "TypeError" in caplog.text


async def test_a_quota_is_told_apart() -> None:
    """contract 8.6"""
    model = NearModel()
    model.connect_error = QuotaExceeded("no more")
    async with talking(model=model) as talk:
        with pytest.raises(QuotaExceeded):
            await talk.room.begun
        assert talk.room.refused


@pytest.mark.virtual_clock
async def test_a_model_that_takes_long_is_not_waited_for() -> None:
    model = NearModel(connecting=lambda: asyncio.sleep(BEGINNING * 2))
    async with talking(model=model, config=RunConfig(connect_timeout=60)) as talk:
        began = asyncio.get_running_loop().time()
        await talk.room.begun
        assert asyncio.get_running_loop().time() - began == pytest.approx(BEGINNING)


async def test_without_lifecycle_events_nothing_tells_that_the_model_is_there() -> None:
    model = NearModel(connecting=asyncio.Event().wait)
    async with talking(model=model, config=RunConfig(lifecycle_events=False)) as talk:
        talk.join()
        await talk.room.begun
        assert not model.connections
