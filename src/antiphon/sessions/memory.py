"""`InMemorySessionService`: sessions that last as long as the process.

What is kept is never changed in place: a change puts a new value where the old one was. So a reader holds
the lock only to take hold of what there is, and copies it afterwards.
"""

from __future__ import annotations

import asyncio
import threading
import time
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from antiphon.errors import SessionExists, SessionNotFound
from antiphon.events import new_id
from antiphon.sessions.batch import Batch
from antiphon.sessions.conflicts import Conflict, Written, conflicts, settle
from antiphon.sessions.paging import position_of, require_limit, token_after
from antiphon.sessions.service import (
    BaseSessionService,
    GetSessionConfig,
    ListEventsResponse,
    ListSessionsResponse,
    Mark,
    Session,
    apply_delta,
    chosen_id,
    merge_scopes,
    recent,
    require_names,
    split_scopes,
)
from antiphon.state import APP_PREFIX, USER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from antiphon.events import Event

__all__ = ["InMemorySessionService"]

COPIED_AT_ONCE: Final = 100
"""Events of a session that is read, which takes some milliseconds; then others have their turn."""

_revisions = count(1)  # of all services in the process: what one has shown is stale to every other


@dataclass(slots=True)
class _Scope:
    """One scope of state."""

    values: Mapping[str, Any] = field(default_factory=dict)
    revision: int = field(default_factory=lambda: next(_revisions))
    written: dict[str, Written] = field(default_factory=dict)
    """Of each key in `values`."""

    def change(self, delta: Mapping[str, Any], event_id: str | None) -> None:
        if delta:
            self.values = apply_delta(self.values, delta)
            self.revision = next(_revisions)
            for key in delta:
                if key in self.values:
                    self.written[key] = Written(self.revision, event_id)
                else:
                    self.written.pop(key, None)


@dataclass(slots=True)
class _Kept:
    """A session as it is stored."""

    id: str
    app_name: str
    user_id: str
    scopes: tuple[_Scope, _Scope, _Scope]
    """Of the application, the user and the session; the first two are shared with other sessions."""
    token: str = field(default_factory=new_id)
    """Tells it from a session of the same names, made anew or elsewhere."""
    last_update_time: float = field(default_factory=time.time)
    events: list[Event] = field(default_factory=list)
    event_ids: set[str] = field(default_factory=set)

    def change(self, delta: Mapping[str, Any], event_id: str | None = None) -> None:
        for scope, part in zip(self.scopes, split_scopes(delta), strict=False):
            scope.change(part, event_id)

    def conflicts(self, session: Session, delta: Mapping[str, Any]) -> list[Conflict] | None:
        """What of the delta others have written since the caller's session showed it (contract 4.6)."""
        seen = session._mark.revision
        if seen is None or seen[0] != self.token:
            return None
        return [
            conflict
            for prefix, scope, part, since in zip(
                (APP_PREFIX, USER_PREFIX, ""), self.scopes, split_scopes(delta), seen[1:], strict=False
            )
            for conflict in conflicts(session, prefix, part, since, scope.written)
        ]

    def append(self, event: Event) -> None:
        self.events.append(event)
        self.event_ids.add(event.id)
        self.last_update_time = max(self.last_update_time, event.timestamp)
        self.change(event.actions.state_delta, event.id)

    def state(self) -> dict[str, Any]:
        app, user, session = self.scopes
        return merge_scopes(app.values, user.values, session.values)

    def mark(self) -> Mark:
        return Mark((self.token, *(scope.revision for scope in self.scopes)))

    def place(self) -> tuple[float, str, str]:
        """Where it stands in a listing."""
        return (self.last_update_time, self.user_id, self.id)

    def shown(self, events: list[Event]) -> Session:
        """As a reader sees it, sharing all values: to be copied."""
        session = Session(
            id=self.id, app_name=self.app_name, user_id=self.user_id, last_update_time=self.last_update_time
        )
        session.state, session.events, session._mark = self.state(), events, self.mark()
        return session


class InMemorySessionService(BaseSessionService):
    """Keeps sessions in this process: for development, tests, and servers that may forget.

    Safe for any number of conversations in one event loop, and from several threads. Whatever goes in or
    comes out is copied (contract 4.6), so values in state must be ones that `copy.deepcopy` takes; `temp:`
    values may be anything. What it keeps grows until sessions are deleted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._apps: dict[str, _Scope] = {}
        self._users: dict[tuple[str, str], _Scope] = {}
        self._sessions: dict[tuple[str, str], dict[str, _Kept]] = {}

    async def create_session(
        self,
        *,
        app_name: str,
        user_id: str,
        state: dict[str, Any] | None = None,
        session_id: str | None = None,
    ) -> Session:
        require_names(app_name=app_name, user_id=user_id)
        session_id, owner = chosen_id(session_id), (app_name, user_id)
        delta = deepcopy(split_scopes(state or {})._replace(temp={}))
        with self._lock:
            if session_id in self._sessions.get(owner, {}):
                raise SessionExists(
                    f"User {user_id!r} of {app_name!r} already has a session {session_id!r}: read it with "
                    "get_session(), or leave session_id out to have a new one made."
                )
            app = self._apps.setdefault(app_name, _Scope())
            user = self._users.setdefault(owner, _Scope())
            kept = _Kept(session_id, app_name, user_id, (app, user, _Scope()))
            kept.change(merge_scopes(*delta))
            self._sessions.setdefault(owner, {})[session_id] = kept
            shown = kept.shown([])
        return deepcopy(shown)

    async def get_session(
        self, *, app_name: str, user_id: str, session_id: str, config: GetSessionConfig | None = None
    ) -> Session | None:
        with self._lock:
            kept = self._sessions.get((app_name, user_id), {}).get(session_id)
            if kept is None:
                return None
            shown, events = kept.shown([]), recent(kept.events, config)
        session = deepcopy(shown)
        for number, event in enumerate(events, 1):
            session.events.append(deepcopy(event))
            if number % COPIED_AT_ONCE == 0:
                await asyncio.sleep(0)
        return session

    async def list_sessions(
        self,
        *,
        app_name: str,
        user_id: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> ListSessionsResponse:
        require_limit(limit)
        after = position_of(page_token, float, str, str)
        with self._lock:
            owners = [o for o in self._sessions if o[0] == app_name and user_id in (None, o[1])]
            found = [kept for owner in owners for kept in self._sessions[owner].values()]
            found = sorted((kept for kept in found if after is None or kept.place() > after), key=_Kept.place)
            shown = [kept.shown([]) for kept in found[:limit]]
            more = len(shown) < len(found)
            token = token_after(*found[len(shown) - 1].place()) if more else None
        response = ListSessionsResponse(next_page_token=token)
        response.sessions = deepcopy(shown)
        return response

    async def list_events(
        self, *, app_name: str, user_id: str, session_id: str, limit: int = 100, page_token: str | None = None
    ) -> ListEventsResponse:
        require_limit(limit)
        (first,) = position_of(page_token, int) or (0,)
        with self._lock:
            kept = self._sessions.get((app_name, user_id), {}).get(session_id)
            events = kept.events[first : first + limit] if kept else []
            more = kept is not None and first + limit < len(kept.events)
        response = ListEventsResponse(next_page_token=token_after(first + limit) if more else None)
        response.events = deepcopy(events)
        return response

    async def delete_session(self, *, app_name: str, user_id: str, session_id: str) -> None:
        owner = (app_name, user_id)
        with self._lock:
            sessions = self._sessions.get(owner, {})
            sessions.pop(session_id, None)
            if not sessions:
                self._sessions.pop(owner, None)
                if owner in self._users and not self._users[owner].values:
                    del self._users[owner]

    async def append_event(self, session: Session, event: Event) -> Event:
        return self._append(session, [event], unless_stale=False)[0]

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        return self._append(session, events, unless_stale=unless_stale)

    def _append(self, session: Session, events: Sequence[Event], *, unless_stale: bool) -> list[Event]:
        batch = Batch(events)
        if not batch.stored:
            return batch.land(session)
        copies = {name: event.model_copy(deep=True) for name, event in batch.stored.items()}
        with self._lock:
            kept = self._sessions.get((session.app_name, session.user_id), {}).get(session.id)
            if kept is None:
                raise SessionNotFound(
                    f"User {session.user_id!r} of {session.app_name!r} has no session {session.id!r}, or not "
                    "any more: append to one that create_session() or get_session() returned."
                )
            new = copies.keys() - kept.event_ids
            settle(session, kept.conflicts(session, batch.delta(new)), unless_stale=unless_stale)
            up_to_date = batch.all_new(new) and session._mark.revision == kept.mark().revision
            for name, copy in copies.items():
                if name in new:
                    kept.append(copy)
            appended = batch.land(session, new, None if up_to_date else deepcopy(kept.state()))
            session._mark = kept.mark()
        return appended
