"""The session writer: everything is stored, once, in order, and can be read at once (contract 4.1, 4.6)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

import pytest

from antiphon import Event, EventActions, InMemorySessionService, Session
from antiphon.errors import SessionNotFound, StoreFailed
from antiphon.runtime import storage
from antiphon.runtime.storage import PATIENCE, RETRIES, WITHIN, SessionWriter
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

pytestmark = pytest.mark.virtual_clock

OWNER: Any = {"app_name": "app", "user_id": "ann"}


class Store(InMemorySessionService):
    """The real one, in which every append takes `takes` seconds and the next ones in `trouble` fail."""

    def __init__(self) -> None:
        super().__init__()
        self.takes = 0.0
        self.trouble: list[BaseException] = []
        self.after: list[BaseException] = []
        """As `trouble`, but the event is stored all the same."""
        self.tries = 0

    async def append_event(self, session: Session, event: Event) -> Event:
        self.tries += 1
        await asyncio.sleep(self.takes)
        if self.trouble:
            raise self.trouble.pop(0)
        stored = await super().append_event(session, event)
        if self.after:
            raise self.after.pop(0)
        return stored


class Bench:
    """A writer on a real store."""

    def __init__(self, store: Store, session: Session) -> None:
        self.store = store
        self.failures: list[StoreFailed] = []
        self.crashes: list[BaseException] = []
        self.tasks = TaskOwner(self.crashes.append)
        self.service_session = session
        self.writer = SessionWriter(store, session, self.tasks, self.failures.append)
        self.added = 0

    def add(self, **delta: Any) -> Event:
        self.added += 1
        actions = EventActions(state_delta={key.replace("__", ":"): delta[key] for key in delta})
        event = Event(author="ann", error_code=f"number {self.added}", actions=actions)
        self.writer.add(event)
        return event

    async def session(self) -> Session:
        found = await self.store.get_session(**OWNER, session_id="s1")
        assert found is not None
        return found

    async def stored(self) -> list[str | None]:
        return [event.error_code for event in (await self.session()).events]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    store = Store()
    await store.create_session(**OWNER, session_id="s1", state={"kept": 1, "user:name": "Ann"})
    session = await store.get_session(**OWNER, session_id="s1")
    assert session is not None
    bench = Bench(store, session)
    yield bench
    await bench.tasks.cancel_all(1.0)
    assert bench.crashes == []


def now() -> float:
    return asyncio.get_running_loop().time()


# Storing: contract 4.1.


async def test_events_are_stored_as_they_happen_and_in_order(bench: Bench) -> None:
    """contract 4.1: not at the end"""
    bench.store.takes = 0.1
    for _ in range(3):
        bench.add()
    await asyncio.sleep(0.25)
    assert await bench.stored() == ["number 1", "number 2"]
    bench.add()
    await bench.writer.flush()
    assert await bench.stored() == ["number 1", "number 2", "number 3", "number 4"]
    assert bench.writer.lost() is None


async def test_taking_an_event_over_does_not_wait_for_the_store(bench: Bench) -> None:
    bench.store.takes = 60.0
    bench.add()
    assert now() == 0.0


async def test_flush_with_nothing_to_store_returns_at_once(bench: Bench) -> None:
    await bench.writer.flush()
    assert (now(), bench.store.tries) == (0.0, 0)


async def test_a_store_that_recovers_has_everything_once_and_in_order(bench: Bench) -> None:
    """contract 4.1: and the conversation is not told"""
    bench.store.trouble = [OSError("down"), OSError("still down")]
    for _ in range(3):
        bench.add()
    await bench.writer.flush()
    assert await bench.stored() == ["number 1", "number 2", "number 3"]
    assert now() == pytest.approx(sum(RETRIES[:2]))
    assert (bench.failures, bench.writer.lost()) == ([], None)


async def test_an_event_that_got_through_although_the_store_failed_is_stored_once(bench: Bench) -> None:
    bench.store.after = [OSError("the answer was lost")]
    bench.add(seen=1)
    bench.add(seen=2)
    await bench.writer.flush()
    assert await bench.stored() == ["number 1", "number 2"]
    assert (await bench.session()).state["seen"] == 2


async def test_a_store_that_hangs_is_tried_again(bench: Bench) -> None:
    """contract 1.6: a hang is a failure like any other"""
    bench.store.takes = 1e9
    bench.add()
    await asyncio.sleep(PATIENCE - 1)
    bench.store.takes = 0.0
    await bench.writer.flush()
    assert await bench.stored() == ["number 1"]
    assert now() == pytest.approx(PATIENCE + RETRIES[0])


async def test_a_store_that_fails_for_good_is_told_once_with_its_cause(bench: Bench) -> None:
    """contract 4.1: nothing is lost silently"""
    bench.store.trouble = [OSError(f"down {n}") for n in range(100)]
    for _ in range(3):
        bench.add()
    await bench.writer.flush()
    [failed] = bench.failures
    assert "after 4 tries: OSError: down 3. Events not stored: 3." in str(failed)
    assert isinstance(failed.__cause__, OSError)
    assert now() == pytest.approx(sum(RETRIES))
    assert bench.store.tries == 1 + len(RETRIES)

    bench.add()  # such as the last events of the conversation that ends by it
    await bench.writer.flush()
    assert bench.store.tries == 1 + len(RETRIES), "it was tried again"
    assert bench.writer.lost() is failed
    assert len(bench.failures) == 1


async def test_a_session_deleted_meanwhile_is_not_tried_again(bench: Bench) -> None:
    """contract 1.4: a refusal is one, however often it is asked for"""
    await bench.store.delete_session(**OWNER, session_id="s1")
    bench.add()
    await bench.writer.flush()
    [failed] = bench.failures
    assert isinstance(failed.__cause__, SessionNotFound)
    assert (now(), bench.store.tries) == (0.0, 1)


async def test_a_store_that_does_not_keep_up_ends_the_conversation_and_still_gets_everything(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every buffer has a bound; what is in it is not thrown away."""
    monkeypatch.setattr(storage, "UNSTORED", 10)
    bench.store.takes = 0.1
    for _ in range(12):
        bench.add()
    [failed] = bench.failures
    assert "does not keep up" in str(failed)
    assert bench.writer.lost() is failed
    await bench.writer.flush()
    assert len(await bench.stored()) == 12
    assert bench.writer.lost() is None


async def test_what_was_not_stored_in_time_is_named(bench: Bench) -> None:
    """contract 1.6: bounded time, and nothing is lost silently"""
    bench.store.takes = 10.0
    bench.add()
    bench.add()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(12.0):
            await bench.writer.flush()
    lost = bench.writer.lost()
    assert "not stored in time: 1." in str(lost)
    assert "shutdown_timeout" in str(lost)


async def test_a_worker_that_somebody_cancelled_is_replaced(bench: Bench) -> None:
    """A loop that goes down cancels every task before the generators are closed."""
    bench.store.takes = 0.1
    bench.add()
    bench.add()
    for moment in (0.0, 0.05):  # before it began, and in the middle of an append
        await asyncio.sleep(moment)
        for task in asyncio.all_tasks():
            if task.get_name() == "antiphon-store":
                task.cancel()
    await asyncio.sleep(0)
    await bench.writer.flush()
    assert await bench.stored() == ["number 1", "number 2"]


# Batches, lateness and barriers: contract 4.7.


class Batching(Store):
    """Takes up to three at once."""

    max_batch = 3

    def __init__(self) -> None:
        super().__init__()
        self.batches: list[list[str]] = []

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        await asyncio.sleep(self.takes)
        if self.trouble:
            raise self.trouble.pop(0)
        self.batches.append([str(event.error_code) for event in events])
        return await super().append_events(session, events, unless_stale=unless_stale)


async def test_what_waits_is_stored_together_and_in_order(bench: Bench) -> None:
    """contract 4.7"""
    bench.store.__class__ = Batching
    store = cast("Batching", bench.store)
    store.batches = []
    store.takes = 0.5
    for _ in range(8):
        bench.add(seen=bench.added, **{f"key{bench.added}": bench.added})
    assert bench.writer.session.state["seen"] == 7
    store.trouble = [OSError("down")]
    await bench.writer.flush()
    assert store.batches == [
        ["number 1", "number 2", "number 3"],
        ["number 4", "number 5", "number 6"],
        ["number 7", "number 8"],
    ]
    assert await bench.stored() == [f"number {number}" for number in range(1, 9)]
    assert bench.writer.session.state == (await bench.session()).state
    assert now() == pytest.approx(3 * 0.5 + 0.5 + RETRIES[0])
    assert bench.writer.lost() is None


async def test_a_store_that_is_late_is_named_once_until_it_keeps_up(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 4.7"""
    bench.store.takes = WITHIN * 0.9
    bench.add()
    await bench.writer.flush()
    assert caplog.messages == []
    for _ in range(4):
        bench.add()
    await bench.writer.flush()
    [told] = caplog.messages
    assert "does not keep up: an event was stored 1.8 s after it happened, and 2 wait" in told
    bench.add()
    await bench.writer.flush()  # it has kept up again
    bench.store.takes = 2 * WITHIN
    bench.add()
    await bench.writer.flush()
    assert len(caplog.messages) == 2


async def test_barrier_waits_for_what_was_there_and_not_for_more(bench: Bench) -> None:
    """contract 4.7"""
    await bench.writer.barrier()
    bench.store.takes = 1.0
    bench.add()
    bench.add()
    waiting = [asyncio.ensure_future(bench.writer.barrier()) for _ in range(2)]
    await asyncio.sleep(0)
    bench.add()
    await asyncio.gather(*waiting)
    assert now() == pytest.approx(2.0)
    assert await bench.stored() == ["number 1", "number 2"]
    await bench.writer.barrier()
    assert now() == pytest.approx(3.0)


async def test_barrier_says_what_will_not_be_stored(bench: Bench) -> None:
    """contract 4.7"""
    bench.store.trouble = [OSError("down") for _ in range(100)]
    bench.add()
    left = asyncio.ensure_future(bench.writer.barrier())
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(StoreFailed, match="OSError: down"):
        await bench.writer.barrier()
    with pytest.raises(StoreFailed, match="OSError: down"):
        await bench.writer.barrier()


async def test_barrier_does_not_outlive_the_conversation(bench: Bench) -> None:
    """contract 1.6"""
    bench.store.takes = 1e9
    bench.add()
    waiting = asyncio.ensure_future(bench.writer.barrier())
    await asyncio.sleep(1.0)
    lost = bench.writer.lost()
    with pytest.raises(StoreFailed, match="not stored in time: 1"):
        await waiting
    assert lost is not None


# Reading: contract 4.6.


async def test_state_can_be_read_at_once_however_slow_the_store(bench: Bench) -> None:
    """contract 4.6"""
    bench.store.takes = 10.0
    state = bench.writer.session.state
    bench.add(kept=None, user__name="Bea", new=[1], temp__scratch=2)
    assert state == {"user:name": "Bea", "new": [1], "temp:scratch": 2}
    assert bench.service_session.state == {"kept": 1, "user:name": "Ann"}
    bench.add(new=[1, 2])
    assert state["new"] == [1, 2]
    await asyncio.sleep(15.0)  # the first is stored, the second not
    assert state == {"user:name": "Bea", "new": [1, 2], "temp:scratch": 2}
    await bench.writer.flush()
    assert state == {"user:name": "Bea", "new": [1, 2], "temp:scratch": 2}
    assert (await bench.session()).state == {"user:name": "Bea", "new": [1, 2]}


async def test_what_others_wrote_is_read_after_the_next_event_and_does_not_hide_our_own(bench: Bench) -> None:
    """contract 4.6: two writers of one session"""
    bench.store.takes = 1.0
    bench.add()
    bench.add(user__name="Bea")
    other = await bench.session()
    bench.store.takes = 0.0
    delta = {"user:name": "Cora", "user:age": 7, "kept": None}
    await bench.store.append_event(
        other, Event(author="x", error_code="x", actions=EventActions(state_delta=delta))
    )
    bench.store.takes = 1.0
    await asyncio.sleep(1.5)  # the first event is stored, and brought the others' changes along
    assert bench.writer.session.state == {"user:name": "Bea", "user:age": 7}
    await bench.writer.flush()
    assert bench.writer.session.state == {"user:name": "Bea", "user:age": 7}


async def test_the_history_has_what_is_on_its_way(bench: Bench) -> None:
    """contract 4.4, 5.8: a model that is told the conversation is told all of it"""
    bench.store.takes = 10.0
    first = bench.add()
    assert bench.writer.session.events == [first]
    assert bench.writer.session.last_update_time >= first.timestamp
    assert (bench.writer.session.id, bench.writer.session.user_id) == ("s1", "ann")
