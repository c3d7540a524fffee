"""`InMemorySessionService` under its contract, and what is its own."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import SessionNotFound
from antiphon.events import Event, EventActions
from antiphon.sessions import InMemorySessionService, Session
from antiphon.testing.contracts import SessionServiceContract

if TYPE_CHECKING:
    from collections.abc import Callable

HERE: Any = {"app_name": "app", "user_id": "user", "session_id": "session"}


class TestContract(SessionServiceContract):
    async def make_service(self) -> InMemorySessionService:
        return InMemorySessionService()


def writing(**delta: Any) -> Event:
    return Event(author="agent", actions=EventActions(state_delta=delta))


async def read(service: InMemorySessionService) -> Session:
    session = await service.get_session(**HERE)
    assert session is not None
    return session


async def test_hundred_writers_of_one_session_lose_nothing() -> None:  # contract 4.6
    service = InMemorySessionService()
    await service.create_session(**HERE)

    async def write(number: int) -> None:
        session = await read(service)
        for step in range(10):
            await service.append_event(session, writing(**{f"{number}.{step}": step, "last": number}))
            await asyncio.sleep(0)
        assert len(session.events) >= 10

    await asyncio.gather(*map(write, range(100)))

    stored = await read(service)
    assert len({event.id for event in stored.events}) == len(stored.events) == 1000
    deltas: dict[str, Any] = {}
    for event in stored.events:
        deltas |= event.actions.state_delta
    assert stored.state == deltas
    assert len(deltas) == 1001


@pytest.fixture
def often_interrupted() -> Any:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("often_interrupted")
@pytest.mark.parametrize("share", [True, False], ids=["one session object", "a session object each"])
def test_threads_lose_nothing(share: bool) -> None:  # contract 1.2, 4.6
    service = InMemorySessionService()
    shared = asyncio.run(service.create_session(**HERE))

    async def write(number: int) -> None:
        session = shared if share else await read(service)
        for step in range(50):
            delta = {f"{number}.{step}": 1, f"app:{number}.{step}": 1, "last": None}
            await service.append_event(session, writing(**delta))
            await service.list_sessions(app_name="app")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(asyncio.run, [write(number) for number in range(8)]))

    stored = asyncio.run(read(service))
    assert len({event.id for event in stored.events}) == len(stored.events) == 400
    assert len(stored.state) == 800
    if share:
        assert shared.state == stored.state
        assert {event.id for event in shared.events} == {event.id for event in stored.events}


class Counted:
    """A value that counts how often it is copied."""

    copies = 0

    def __deepcopy__(self, memo: object) -> Counted:
        Counted.copies += 1
        return self


@pytest.mark.parametrize("history", [0, 500])
async def test_appending_costs_the_same_whatever_the_history(history: int) -> None:
    service = InMemorySessionService()
    session = await service.create_session(**HERE, state={"user:held": Counted()})
    for _ in range(history):
        await service.append_event(session, writing(x=Counted()))
    Counted.copies = 0

    await service.append_event(session, writing(x=Counted()))

    assert Counted.copies == 1, "only the new event is copied"


async def test_a_long_session_that_is_read_leaves_others_their_turns() -> None:
    service = InMemorySessionService()
    session = await service.create_session(**HERE)
    await service.append_events(session, [writing(number=number) for number in range(1_000)])
    turns, reading = 0, asyncio.create_task(read(service))

    while not reading.done():
        turns += 1
        if turns == 5:
            await service.append_event(session, writing(number="late"))
        await asyncio.sleep(0)

    assert turns >= 10
    assert [event.actions.state_delta["number"] for event in reading.result().events] == [*range(1_000)]
    assert reading.result().state["number"] == 999, "as it was when reading began"


async def test_temp_values_may_be_what_cannot_be_copied() -> None:  # contract 4.6
    service = InMemorySessionService()
    session = await service.create_session(**HERE)
    running = (number for number in range(3))

    await service.append_event(session, writing(**{"temp:running": running, "a": 1}))

    assert session.state["temp:running"] is running


async def test_state_keeps_its_mapping() -> None:
    """Others, such as `State`, look at the session through it."""
    service = InMemorySessionService()
    session = await service.create_session(**HERE, state={"app:gone": 1})
    seen = session.state
    other = await read(service)

    await service.append_event(session, writing(a=1))
    await service.append_event(other, writing(**{"app:gone": None}))
    await service.append_event(session, writing(b=2))

    assert session.state is seen
    assert seen == {"a": 1, "b": 2}


def by_hand(session: Session) -> Session:
    return Session(id=session.id, app_name=session.app_name, user_id=session.user_id)


def by_wire(session: Session) -> Session:
    return Session.model_validate_json(session.model_dump_json(by_alias=True))


@pytest.mark.parametrize("copied", [by_hand, by_wire, Session.model_copy])
async def test_any_session_object_of_the_session_will_do(copied: Callable[[Session], Session]) -> None:
    service = InMemorySessionService()
    session = copied(await service.create_session(**HERE, state={"a": 1}))

    await service.append_event(session, writing(b=2))

    assert session.state == {"a": 1, "b": 2}


async def test_session_made_anew_does_not_take_the_old_one_for_up_to_date() -> None:
    service = InMemorySessionService()
    old = await service.create_session(**HERE, state={"a": 1})
    await service.delete_session(**HERE)
    await service.create_session(**HERE)

    await service.append_event(old, writing(b=2))

    assert old.state == {"b": 2}


async def test_refused_append_leaves_the_session_as_it_was() -> None:
    session = await InMemorySessionService().create_session(**HERE)
    with pytest.raises(SessionNotFound, match="'session'"):
        await InMemorySessionService().append_event(session, writing(**{"a": 1, "temp:b": 1}))
    assert (session.state, session.events) == ({}, [])


async def test_deleting_leaves_nothing_of_a_user_without_state() -> None:
    service = InMemorySessionService()
    await service.create_session(**HERE)
    await service.delete_session(**HERE)
    assert (service._sessions, service._users) == ({}, {})
