"""Handles and what is behind them (wire 1.8)."""

from __future__ import annotations

from antiphon.testing.live_memory import Memory, PendingCall, Store
from antiphon.testing.live_setup import Refusal

BUSY = Refusal(1011, "Internal error encountered.")
UNKNOWN = Refusal(1008, "Requested entity was not found.")


def session(store: Store, *, left_at: float | None = 0.0) -> tuple[Memory, str]:
    """A session that connection 1 held until `left_at`, and its handle."""
    memory = Memory(history=[{"role": "user"}])
    store.enter(memory, 1)
    handle = store.issue(memory)
    if left_at is not None:
        store.leave(memory, 1, left_at)
    return memory, handle


def test_a_handle_denotes_its_session() -> None:
    store = Store()
    memory, handle = session(store)
    memory.history.append({"role": "model"})
    assert store.resume(handle, 1.0, open_connections=set()) is memory
    assert len(memory.history) == 2
    assert len(handle) == 36


def test_or_a_moment_of_it() -> None:
    """Wire 1.8: Gemini 2.5 gives a handle for each turn."""
    store = Store()
    memory, _ = session(store)
    memory.calls["1"] = PendingCall("1", "f", {}, True)
    handle = store.issue(memory, moment=True)
    memory.history.append({"role": "model"})
    del memory.calls["1"]
    resumed = store.resume(handle, 1.0, open_connections=set())
    assert isinstance(resumed, Memory)
    assert len(resumed.history) == 1
    assert list(resumed.calls) == ["1"]


def test_handles_expire() -> None:
    store = Store(lifetime=10.0)
    _, handle = session(store, left_at=5.0)
    assert isinstance(store.resume(handle, 15.0, open_connections=set()), Memory)
    assert store.resume(handle, 15.1, open_connections=set()) == UNKNOWN
    assert store.resume("never issued", 0.0, open_connections=set()) == UNKNOWN


def test_an_open_socket_holds_its_session() -> None:
    """Wire 1.8: refused until the old socket is closed."""
    store = Store()
    _, handle = session(store, left_at=None)
    assert store.resume(handle, 9.0, open_connections={1}) == BUSY
    assert isinstance(store.resume(handle, 9.0, open_connections=set()), Memory)


def test_an_idle_session_must_settle() -> None:
    """Wire 1.8: at once 1011, a second later it works; after a drop during speech the first try works."""
    store = Store()
    memory, handle = session(store)
    assert store.resume(handle, 0.5, open_connections=set(), settle=1.0) == BUSY
    assert isinstance(store.resume(handle, 1.0, open_connections=set(), settle=1.0), Memory)
    memory.busy = True
    assert isinstance(store.resume(handle, 0.1, open_connections=set(), settle=1.0), Memory)


def test_a_lost_socket_may_be_held_for_long() -> None:
    store = Store()
    memory, handle = session(store)
    memory.busy = True
    assert store.resume(handle, 133.0, open_connections=set(), hold=900.0) == BUSY


def test_calls_survive_unless_they_are_lost() -> None:
    """Wire 1.8: reports conflict, so it is a switch."""
    store = Store()
    memory, handle = session(store)
    memory.calls["1"] = PendingCall("1", "f", {}, True)
    resumed = store.resume(handle, 1.0, open_connections=set())
    assert isinstance(resumed, Memory)
    assert resumed.calls
    resumed = store.resume(handle, 1.0, open_connections=set(), keep_calls=False)
    assert isinstance(resumed, Memory)
    assert not resumed.calls


def test_only_the_last_holder_leaves() -> None:
    store = Store()
    memory, _ = session(store, left_at=None)
    store.enter(memory, 2)
    store.leave(memory, 1, 5.0)
    assert memory.left is None
    store.leave(memory, 2, 6.0)
    assert memory.left == 6.0


def test_numbers_are_never_given_twice() -> None:
    store = Store()
    assert len({store.number() for _ in range(5)}) == 5
