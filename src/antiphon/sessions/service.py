"""`Session`, the interface of what stores it, and the rules every store shares (contract 4.2, 4.6).

Rule 1  State is kept in three scopes: `app:` keys by application, `user:` keys by application and user, keys
        without prefix by session. A reader sees all three in one mapping, prefixes included.
Rule 2  `temp:` keys reach the caller's session only, and are never stored.
Rule 3  A delta changes the keys it names and no others; the value `None` deletes. Deltas land in the order of
        their events.
Rule 4  History is append-only. What `stored_form` takes out of an event is never stored.
Rule 5  An event is stored once, however often it is appended: its `id` tells.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple
from uuid import uuid4

from pydantic import ConfigDict, Field, PrivateAttr

from antiphon.errors import UsageError
from antiphon.events import Event
from antiphon.sessions.paging import position_of, require_limit, token_after
from antiphon.sessions.storable import may_be_stored, stored_form
from antiphon.state import APP_PREFIX, TEMP_PREFIX, USER_PREFIX
from antiphon.types.model import Model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


__all__ = [
    "BaseSessionService",
    "GetSessionConfig",
    "ListEventsResponse",
    "ListSessionsResponse",
    "Mark",
    "Scopes",
    "Session",
    "apply_delta",
    "catch_up",
    "chosen_id",
    "land",
    "merge_scopes",
    "recent",
    "require_names",
    "split_scopes",
]


# What is stored.


@dataclass(frozen=True, slots=True)
class Mark:
    """A store's own note of which revision a session object shows; it makes no difference to equality.

    It is replaced, never changed, so that copies of a session do not share it.
    """

    revision: Any = field(default=None, compare=False)


class Session(Model):
    """One conversation of one user with an application, as it stood when it was read.

    The object is the caller's: a service never changes it but in `append_event(session, …)`, and changing it
    changes nothing that is stored. State is changed through `EventActions.state_delta`; what is written into
    `state` directly is lost when the session is next brought up to date.
    """

    # Written-out sessions are read by later and earlier versions, so what is not known is left aside.
    model_config = ConfigDict(extra="ignore")

    id: str
    """Unique within the application and user."""
    app_name: str
    user_id: str
    state: dict[str, Any] = Field(default_factory=dict)
    """All scopes in one, by prefix (contract 4.6)."""
    events: list[Event] = Field(default_factory=list)
    """The history, oldest first."""
    last_update_time: float = 0.0
    """Seconds since the epoch: when the session was created, or the time of its latest event."""

    _mark: Mark = PrivateAttr(default_factory=Mark)


class GetSessionConfig(Model):
    """Which events to read: both conditions hold, and the most recent events win. Unset means all."""

    num_recent_events: int | None = Field(default=None, ge=0)
    """At most this many; 0 reads none."""
    after_timestamp: float | None = None
    """Seconds since the epoch: events of that moment or later."""


class ListSessionsResponse(Model):
    """Sessions with their state and without their events, the least recently updated first."""

    model_config = ConfigDict(extra="ignore")

    sessions: list[Session] = Field(default_factory=list)
    next_page_token: str | None = None
    """Where the next page begins; `None` on the last."""


class ListEventsResponse(Model):
    """Events of one session, the oldest first."""

    model_config = ConfigDict(extra="ignore")

    events: list[Event] = Field(default_factory=list)
    next_page_token: str | None = None
    """Where the next page begins; `None` on the last, and then what is appended later is not told."""


# The rules, for every store.


class Scopes(NamedTuple):
    """State or a delta by scope; the keys of `app`, `user` and `temp` are without their prefix."""

    app: dict[str, Any]
    user: dict[str, Any]
    session: dict[str, Any]
    temp: dict[str, Any]


def split_scopes(state: Mapping[str, Any]) -> Scopes:
    """Parts a delta, or the state of a session, by the prefixes of its keys (contract 4.6)."""
    scopes = Scopes({}, {}, {}, {})
    for key, value in state.items():
        if key.startswith(APP_PREFIX):
            scopes.app[key.removeprefix(APP_PREFIX)] = value
        elif key.startswith(USER_PREFIX):
            scopes.user[key.removeprefix(USER_PREFIX)] = value
        elif key.startswith(TEMP_PREFIX):
            scopes.temp[key.removeprefix(TEMP_PREFIX)] = value
        else:
            scopes.session[key] = value
    return scopes


def merge_scopes(
    app: Mapping[str, Any],
    user: Mapping[str, Any],
    session: Mapping[str, Any],
    temp: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What a reader sees of the scopes: `split_scopes` backwards. Values are shared, not copied."""
    merged = dict(session)
    merged.update((APP_PREFIX + key, value) for key, value in app.items())
    merged.update((USER_PREFIX + key, value) for key, value in user.items())
    merged.update((TEMP_PREFIX + key, value) for key, value in (temp or {}).items())
    return merged


def apply_delta(values: Mapping[str, Any], delta: Mapping[str, Any]) -> dict[str, Any]:
    """`values` after `delta`, as a new mapping: named keys replaced, `None` deleted, all others kept."""
    changed = {**values, **delta}
    return {key: value for key, value in changed.items() if value is not None or key not in delta}


def land(
    session: Session, event: Event, stored: Event | None, state: Mapping[str, Any] | None = None
) -> Event:
    """Bring the caller's `session` up to date with an `event` that was stored as `stored` (`stored_form`).

    `state` is what a reader would now be given, a copy: the session's state becomes that. Without it the
    event's delta is applied to what the session has. `temp:` keys of the session stay, and those of the event
    are added. Returns the event as stored, or `event` when it is not.
    """
    if not may_be_stored(event):
        return event
    delta = event.actions.state_delta
    if state is not None or delta:
        _show(session, apply_delta(session.state, delta), state)
    if stored is None:
        return event
    session.events.append(stored)
    session.last_update_time = max(session.last_update_time, stored.timestamp)
    return stored


def _show(session: Session, changed: dict[str, Any], state: Mapping[str, Any] | None) -> None:
    if state is not None:
        changed = merge_scopes({}, {}, state, split_scopes(changed).temp)
    for key in session.state.keys() - changed.keys():
        del session.state[key]
    session.state.update(changed)  # in place: others look at the session through this very mapping


def catch_up(session: Session, state: Mapping[str, Any]) -> None:
    """Show in the caller's `session` what a reader would now be given, a copy; its `temp:` keys stay."""
    _show(session, session.state, state)


def recent(events: Sequence[Event], config: GetSessionConfig | None) -> list[Event]:
    """The events that `config` asks for, in their order."""
    if config is None:
        return list(events)
    earliest, most = config.after_timestamp, config.num_recent_events
    chosen = [event for event in events if earliest is None or event.timestamp >= earliest]
    return chosen if most is None else chosen[max(len(chosen) - most, 0) :]


def require_names(**names: str) -> None:
    """Refuses the blank ones by name.

    Raises:
        UsageError: one of them is empty or white space.
    """
    for name, value in names.items():
        if not value.strip():
            raise UsageError(f"{name} is blank ({value!r}): pass a name that is not.")


def chosen_id(session_id: str | None) -> str:
    """The id of a new session: the one asked for, to the letter, else a new UUID.

    Raises:
        UsageError: the id asked for is blank.
    """
    if session_id is None:
        return str(uuid4())
    if not session_id.strip():
        raise UsageError(f"session_id is blank ({session_id!r}): pass another, or None to have one made.")
    return session_id


# The interface.


class BaseSessionService(ABC):
    """What keeps sessions. One service is shared by all conversations of an application (contract 1.2).

    Whoever writes one of their own runs `antiphon.testing.contracts.SessionServiceContract` over it.
    """

    max_batch: ClassVar[int] = 1
    """How many events `append_events` is to be given at once, at most; more than 1 where that costs less."""

    @abstractmethod
    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        """Make a new session, with no events.

        `state` lands like a delta: `app:` and `user:` keys in their scopes, `temp:` keys nowhere. Without
        `session_id` a UUID is made.

        Raises:
            SessionExists: the user has a session of this id; nothing was changed.
            UsageError: a name or the id is blank.
        """

    @abstractmethod
    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        """Read a session with all events, or with those that `config` asks for; `None` if there is none.

        The session of another user or application is not found (contract 1.4).
        """

    @abstractmethod
    async def list_sessions(
        self,
        *,
        app_name: str,
        user_id: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> ListSessionsResponse:
        """The sessions of a user, or of all users of the application; with their state, without events.

        With `limit`, at most that many; `page_token`, the `next_page_token` of one page, gives the next. A
        session that is updated meanwhile moves to the end: it may be listed twice, and none is missed.

        Raises:
            UsageError: the limit is less than 1, or the token is none.
        """

    @abstractmethod
    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        """Delete a session and its events. `app:` and `user:` state stay. No such session is no error."""

    @abstractmethod
    async def append_event(self, session: Session, event: Event) -> Event:
        """Store an event, and let its state delta land (contract 4.1, 4.2, 4.6).

        What of the event may be stored is said at `stored_form`; when nothing may, this does nothing but pass
        `temp:` state to `session` (that of partial and lifecycle events is not), and returns `event`.
        Otherwise the event as stored comes back.

        `session` may be stale: history is append-only and deltas name single keys, so nothing that others
        wrote meanwhile is overwritten but the keys of this delta. Afterwards `session.events` has the event,
        and `session.state` is what `get_session` would return now, others' changes included, with the
        `temp:` keys the session has. Others' events are not added to `session.events`.

        Appending an event again, e.g. because it is not known whether the first try got through, stores
        it once. To cost the same whatever the length of the history is the duty of the service.

        For those who write a service: store first, then call this very method by `super()` to bring
        `session` up to date with the event, or `land` with the state to go by.

        Raises:
            SessionNotFound: there is no such session, or not any more.
            UsageError: the event has no id.
        """
        return land(session, event, stored_form(event))

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        """Store events in this order, as `append_event` does each; a database does so in one transaction.

        With `unless_stale`, for what is computed from the state as it was read, all of them are stored or
        none: none when another writer has changed a key of their deltas since `session` was last brought up
        to date. Without it the later value stands, and the log names what it overwrote (contract 4.6).

        Raises:
            SessionNotFound: there is no such session, or not any more.
            StaleSession: with `unless_stale`; the message names the keys, and the events that wrote them.
            UsageError: an event has no id; or the service cannot tell what is stale.
        """
        if unless_stale:
            raise UsageError(f"{type(self).__name__} cannot tell what is stale: leave unless_stale out.")
        return [await self.append_event(session, event) for event in events]

    async def list_events(
        self, *, app_name: str, user_id: str, session_id: str, limit: int = 100, page_token: str | None = None
    ) -> ListEventsResponse:
        """The events of a session page by page, the oldest first; no such session has none.

        A page has at most `limit` events; `page_token`, the `next_page_token` of one page, gives the next.

        Raises:
            UsageError: the limit is less than 1, or the token is none.
        """
        require_limit(limit)
        first = (position_of(page_token, int) or (0,))[0]
        session = await self.get_session(app_name=app_name, user_id=user_id, session_id=session_id)
        events = session.events if session else []
        more = first + limit < len(events)
        return ListEventsResponse(
            events=events[first : first + limit], next_page_token=token_after(first + limit) if more else None
        )

    async def flush(self) -> None:
        """Return when all that was appended is stored. Services that do not buffer have nothing to do."""
        return None

    async def close(self) -> None:
        """Flush, and let go of connections and threads. The service is not used afterwards; twice is fine."""
        return None
