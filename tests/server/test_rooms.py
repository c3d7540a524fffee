"""All conversations of a server (contract 8.4, 8.6, 8.8)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, InMemoryRunner, RunConfig
from antiphon.errors import QuotaExceeded, UnsupportedByModel
from antiphon.server import messages
from antiphon.server.admission import AdmissionClosed, LineFull
from antiphon.server.attachments import PlainSeat, V1Seat
from antiphon.server.limits import ServerLimits
from antiphon.server.room import Place
from antiphon.server.rooms import Rooms, TurnedAway
from antiphon.server.wishes import Wishes
from tests.runtime.near_model import NearModel, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.server.room import Room

ADA = Place("ada", "s")
BOB = Place("bob", "s")


@asynccontextmanager
async def opened(model: NearModel | None = None, **limits: Any) -> AsyncIterator[Rooms]:
    runner = InMemoryRunner(
        Agent(name="assistant", model=model or NearModel(), instruction=""), app_name="app"
    )
    rooms = Rooms(runner, ServerLimits(**limits), RunConfig())
    try:
        yield rooms
    finally:
        await rooms.aclose()
        assert not (len(rooms) or rooms._open or rooms._opening or rooms._seats)


async def enter(rooms: Rooms, place: Place = ADA, **options: Any) -> tuple[Room, V1Seat]:
    return await rooms.enter(place, Wishes(), V1Seat, **options)


async def test_a_session_has_one_conversation_at_a_time() -> None:
    async with opened() as rooms:
        (one, first), (two, second) = await asyncio.gather(enter(rooms), enter(rooms))
        other, _ = await enter(rooms, BOB)
        assert one is two and one is not other and len(rooms) == 2
        assert [first.speaks, second.speaks].count(True) == 1
        assert rooms.admission.held == 2


async def test_the_session_is_created_or_taken_up() -> None:
    async with opened() as rooms:
        sessions = rooms.runner.session_service
        await sessions.create_session(app_name="app", user_id="ada", session_id="s", state={"a": 1})
        await enter(rooms)
        await enter(rooms, BOB)
        ada = await sessions.get_session(app_name="app", user_id="ada", session_id="s")
        bob = await sessions.get_session(app_name="app", user_id="bob", session_id="s")
        assert ada is not None and ada.state == {"a": 1} and bob is not None


async def test_the_next_conversation_waits_for_the_last_to_end() -> None:
    end = asyncio.Event()
    model = NearModel(closing=end.wait)
    async with opened(model) as rooms:
        room, seat = await enter(rooms)
        room.remove(seat)
        entering = asyncio.create_task(enter(rooms))
        await until(lambda: model.connections[0].closed)
        assert not entering.done() and len(model.connections) == 1
        end.set()
        assert (await entering)[0] is not room
        assert len(rooms) == 1


async def test_so_many_clients_of_one_conversation() -> None:
    async with opened(clients=2) as rooms:
        await enter(rooms)
        await enter(rooms, watch=True)
        with pytest.raises(TurnedAway) as refused:
            await enter(rooms)
        assert (refused.value.code, refused.value.close) == ("queue_full", 1013)


async def test_who_leaves_the_line_is_forgotten() -> None:
    """contract 8.6"""
    positions: list[Any] = []
    async with opened(places=1, line=1) as rooms:
        room, seat = await enter(rooms)
        waiting = asyncio.create_task(enter(rooms, BOB, waits=positions.append))
        await until(lambda: positions)
        with pytest.raises(LineFull):
            await enter(rooms, Place("eve", "s"))
        waiting.cancel()
        await asyncio.wait([waiting])
        assert rooms.admission.waiting == 0
        room.remove(seat)
        await enter(rooms, BOB)
        assert positions == [(1, 1)]


async def test_two_clients_of_one_session_in_line() -> None:
    """contract 8.6: one place is enough for both; if the first leaves the line, the other stands in it."""
    told: list[Any] = []
    async with opened(places=1) as rooms:
        room, seat = await enter(rooms)
        gone, *waiting = [asyncio.create_task(enter(rooms, BOB, waits=told.append)) for _ in range(3)]
        await until(lambda: len(told) == 3)
        gone.cancel()
        await until(lambda: len(told) == 5)
        assert set(told) == {(1, 1)} and rooms.admission.waiting == 1
        room.remove(seat)
        (one, _), (two, _) = await asyncio.gather(*waiting)
        assert one is two and rooms.admission.held == 1 and not rooms.admission.waiting


@pytest.mark.virtual_clock
async def test_a_quota_is_waited_for() -> None:
    """contract 8.6: by the one who opened, and by who came after; nothing of the refused try is left."""
    model = NearModel()
    model.connect_error = refusal = QuotaExceeded("no more")
    refusal.retry_after = 20.0
    async with opened(model) as rooms:
        entering = [asyncio.create_task(enter(rooms)) for _ in range(2)]
        await asyncio.sleep(10)
        assert not any(each.done() for each in entering) and not len(rooms) and not rooms._seats
        model.connect_error = None
        (one, _), (two, _) = await asyncio.gather(*entering)
        assert one is two and asyncio.get_running_loop().time() >= 20
        assert len(model.connections) == 1 and len(rooms._seats) == 2


async def test_who_leaves_while_the_model_is_dialled_leaves_nothing() -> None:
    model = NearModel(connecting=asyncio.Event().wait)
    async with opened(model) as rooms:
        entering = asyncio.create_task(enter(rooms))
        await until(lambda: len(rooms))
        entering.cancel()
        await asyncio.wait([entering])
        await until(lambda: not len(rooms))
        assert not rooms.admission.held and not rooms._seats


async def test_a_store_that_fails_gives_the_place_back() -> None:
    async with opened() as rooms:

        async def fails(**names: Any) -> None:
            raise OSError("the disk")

        rooms.runner.session_service.get_session = fails  # type: ignore[method-assign]
        with pytest.raises(OSError, match="the disk"):
            await enter(rooms)
        assert not rooms.admission.held


async def test_wishes_that_cannot_be_granted_take_no_place() -> None:
    async with opened() as rooms:
        with pytest.raises(UnsupportedByModel):
            await rooms.enter(ADA, Wishes(proactivity=True), PlainSeat)
        assert not rooms.admission.held


async def test_a_token_is_of_one_client() -> None:
    """protocol 6.3"""
    async with opened() as rooms:
        room, seat = await enter(rooms)
        assert rooms.come_back(ADA, messages.ClientHello(resume=seat.token)) == (room, seat)
        for place, token in ((BOB, seat.token), (Place("ada", "t"), seat.token), (ADA, "x"), (ADA, None)):
            with pytest.raises(TurnedAway) as refused:
                rooms.come_back(place, messages.ClientHello(resume=token))
            assert refused.value.close == 4004
        room.remove(seat)
        with pytest.raises(TurnedAway):
            rooms.come_back(ADA, messages.ClientHello(resume=seat.token))


@pytest.mark.virtual_clock
async def test_draining_gives_time_and_then_ends() -> None:
    """contract 8.8"""
    async with opened(drain_seconds=30, places=1) as rooms:
        _, seat = await enter(rooms)
        seat.socket = _Line()
        waiting = asyncio.create_task(enter(rooms, BOB))
        await until(lambda: rooms.admission.waiting)
        draining = asyncio.create_task(rooms.drain())
        with pytest.raises(AdmissionClosed):
            await waiting
        assert rooms.draining and len(rooms) == 1
        with pytest.raises(AdmissionClosed):
            await enter(rooms, BOB)
        _, watcher = await enter(rooms, watch=True)  # of a conversation that is still there
        assert not watcher.speaks
        await draining
        assert asyncio.get_running_loop().time() == pytest.approx(30, abs=1)
        assert seat.ending is not None and seat.ending[0] == 1001 and not len(rooms)
        seat.socket = None


@pytest.mark.virtual_clock
async def test_a_conversation_that_does_not_end_is_cancelled() -> None:
    model = NearModel(closing=asyncio.Event().wait)
    async with opened(model, closing_seconds=2) as rooms:
        await enter(rooms)
        await rooms.drain(0)
        await asyncio.sleep(10)
        assert not len(rooms)


class _Line:
    def rouse(self) -> None:
        pass

    def give(self, frame: object) -> bool:
        return False

    def cut(self, code: int, reason: str) -> None:
        pass
