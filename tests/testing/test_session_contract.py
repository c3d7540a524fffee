"""Every test of the contract fails for a service that does what it forbids."""

from __future__ import annotations

import asyncio
import inspect
import logging
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.errors import SessionExists, SessionNotFound, StaleSession, UsageError
from antiphon.events import Event
from antiphon.sessions import (
    BaseSessionService,
    GetSessionConfig,
    ListEventsResponse,
    ListSessionsResponse,
    Session,
)
from antiphon.sessions.paging import position_of, require_limit, token_after
from antiphon.sessions.service import Mark, apply_delta, chosen_id, land, merge_scopes, split_scopes
from antiphon.sessions.storable import stored_form
from antiphon.testing.session_contract import SessionServiceContract

if TYPE_CHECKING:
    from collections.abc import Sequence

Owner = tuple[str, str, str]


class Plain(BaseSessionService):
    """A sound service as simple as can be, cut into methods that are easy to break."""

    def __init__(self) -> None:
        self.kept: dict[Owner, Session] = {}
        self.app: dict[str, dict[str, Any]] = {}
        self.user: dict[Any, dict[str, Any]] = {}

    def owner(self, app_name: str, user_id: str, session_id: str) -> Owner:
        return (app_name, user_id, session_id)

    def form(self, event: Event) -> Event | None:
        return stored_form(event)

    def change(self, session: Session, delta: dict[str, Any]) -> None:
        app, user, own, _ = split_scopes(delta)
        owner = (session.app_name, session.user_id)
        self.app[session.app_name] = apply_delta(self.app.get(session.app_name, {}), app)
        self.user[owner] = apply_delta(self.user.get(owner, {}), user)
        session.state = apply_delta(session.state, own)

    def state(self, session: Session) -> dict[str, Any]:
        owner = (session.app_name, session.user_id)
        return merge_scopes(self.app.get(session.app_name, {}), self.user.get(owner, {}), session.state)

    def shown(self, session: Session, events: list[Event]) -> Session:
        state = self.state(session)
        shown = session.model_copy(update={"state": state, "events": events})
        shown._mark = Mark(state)
        return deepcopy(shown)

    async def create_session(self, **names: Any) -> Session:
        state, session_id = deepcopy(names.pop("state", None) or {}), chosen_id(names.pop("session_id", None))
        if not all(name.strip() for name in names.values()):
            raise UsageError
        owner = self.owner(session_id=session_id, **names)
        if owner in self.kept:
            raise SessionExists
        self.kept[owner] = Session(id=session_id, last_update_time=float(len(self.kept)), **names)
        self.change(self.kept[owner], state)
        return self.shown(self.kept[owner], [])

    async def get_session(self, *, config: GetSessionConfig | None = None, **names: str) -> Session | None:
        session = self.kept.get(self.owner(**names))
        return session and self.shown(session, self.chosen(session.events, config or GetSessionConfig()))

    def chosen(self, events: list[Event], config: GetSessionConfig) -> list[Event]:
        most = len(events) if config.num_recent_events is None else config.num_recent_events
        since = [e for e in events if config.after_timestamp is None or e.timestamp >= config.after_timestamp]
        return since[max(0, len(since) - most) :]

    async def list_sessions(
        self,
        *,
        app_name: str,
        user_id: str | None = None,
        limit: int | None = None,
        page_token: str | None = None,
    ) -> ListSessionsResponse:
        self.check(limit)
        first = (position_of(page_token, int) or (0,))[0]
        found = [s for s in self.kept.values() if s.app_name == app_name and user_id in (None, s.user_id)]
        found.sort(key=lambda session: session.last_update_time)
        end = len(found) if limit is None else first + limit
        response = ListSessionsResponse(next_page_token=token_after(end) if end < len(found) else None)
        response.sessions = [self.shown(session, []) for session in found[first:end]]
        return response

    def check(self, limit: int | None) -> None:
        require_limit(limit)

    async def delete_session(self, **names: str) -> None:
        self.kept.pop(self.owner(**names), None)

    def known(self, kept: Session, event: Event) -> bool:
        return event in kept.events or event.id in [known.id for known in kept.events]

    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        kept = self.kept.get(self.owner(session.app_name, session.user_id, session.id))
        if kept is None and events:
            raise SessionNotFound
        if kept is not None:
            self.settle(session, kept, events, unless_stale)
        return [await self.append_event(session, event) for event in events]

    def settle(self, session: Session, kept: Session, events: Sequence[Event], unless_stale: bool) -> None:
        keys = {key for event in events for key in event.actions.state_delta}
        seen, now = session._mark.revision, self.state(kept)
        if seen is None:
            if unless_stale:
                raise StaleSession
            return
        if changed := sorted(key for key in keys if seen.get(key) != now.get(key)):
            if unless_stale:
                raise StaleSession
            self.name(kept, changed)

    def name(self, kept: Session, changed: list[str]) -> None:
        last = {key: event.id for event in kept.events for key in event.actions.state_delta}
        told = ", ".join(f"{key} (event {last.get(key)})" for key in changed)
        logging.getLogger("antiphon.sessions").warning("%r: %s", kept.id, told)

    async def append_event(self, session: Session, event: Event) -> Event:
        form = self.form(event)
        if form is None:
            return land(session, event, None)
        if not form.id:
            raise UsageError
        kept = self.kept.get(self.owner(session.app_name, session.user_id, session.id))
        if kept is None:
            raise SessionNotFound
        if not self.known(kept, form):
            self.settle(session, kept, [form], False)
            copied = form.model_copy(deep=True)
            kept.events.append(copied)
            kept.last_update_time = max(kept.last_update_time, form.timestamp)
            self.change(kept, copied.actions.state_delta)
        had = any(known.id == form.id for known in session.events)
        return self.landed(session, event, None if had else form, kept)

    def landed(self, session: Session, event: Event, form: Event | None, kept: Session) -> Event:
        land(session, event, form, deepcopy(self.state(kept)))
        session._mark = Mark(deepcopy(self.state(kept)))
        return form or event


class ForgetsState(Plain):
    async def create_session(self, **names: Any) -> Session:
        return await super().create_session(**names | {"state": None})


class OneIdForAll(Plain):
    async def create_session(self, **names: Any) -> Session:
        self.kept.clear()
        return await super().create_session(**{"session_id": "same"} | names)


class Replaces(Plain):
    async def create_session(self, **names: Any) -> Session:
        if "session_id" in names:
            await self.delete_session(**{name: names[name] for name in ("app_name", "user_id", "session_id")})
        return await super().create_session(**names)


class ChangesThenRefuses(Plain):
    async def create_session(self, **names: Any) -> Session:
        session = self.kept.get(self.owner(names["app_name"], names["user_id"], names.get("session_id", "")))
        if session:
            self.change(session, names.get("state") or {})
        return await super().create_session(**names)


class TakesBlanks(Plain):
    async def create_session(self, **names: Any) -> Session:
        return await super().create_session(**{name: value or "x" for name, value in names.items()})


class ForgetsUsers(Plain):
    def owner(self, app_name: str, user_id: str, session_id: str) -> Owner:
        return (app_name, "", session_id)


class DeletesAnyones(Plain):
    async def delete_session(self, **names: str) -> None:
        self.kept = {owner: kept for owner, kept in self.kept.items() if owner[2] != names["session_id"]}


class ListsAll(Plain):
    async def list_sessions(self, **names: Any) -> ListSessionsResponse:
        return await super().list_sessions(app_name=names["app_name"])


class ListsByName(Plain):
    async def list_sessions(self, **names: Any) -> ListSessionsResponse:
        listed = await super().list_sessions(**names)
        listed.sessions = listed.sessions[::-1]
        return listed


class ListsEvents(Plain):
    async def list_sessions(self, **names: Any) -> ListSessionsResponse:
        listed = await super().list_sessions(**names)
        for session in listed.sessions:
            session.events = [Event()]
        return listed


class DeletesNothing(Plain):
    async def delete_session(self, **names: str) -> None: ...


class DeletesWiderState(Plain):
    async def delete_session(self, **names: str) -> None:
        await super().delete_session(**names)
        self.user.clear()


class Revives(Plain):
    async def append_event(self, session: Session, event: Event) -> Event:
        owner = self.owner(session.app_name, session.user_id, session.id)
        self.kept.setdefault(owner, session.model_copy(deep=True))
        return await super().append_event(session, event)


class NewestFirst(Plain):
    def chosen(self, events: list[Event], config: GetSessionConfig) -> list[Event]:
        return super().chosen(events, config)[::-1]


class KeepsTextOnly(Plain):
    def shown(self, session: Session, events: list[Event]) -> Session:
        return super().shown(
            session, [Event(id=e.id, timestamp=e.timestamp, content=e.content) for e in events]
        )


class TimeGoesBack(Plain):
    async def append_event(self, session: Session, event: Event) -> Event:
        appended = await super().append_event(session, event)
        session.last_update_time = event.timestamp
        return appended


class ReadsAll(Plain):
    def chosen(self, events: list[Event], config: GetSessionConfig) -> list[Event]:
        return list(events)


class StoresAll(Plain):
    def form(self, event: Event) -> Event | None:
        return event


class DropsWhatHoldsAudio(Plain):
    def form(self, event: Event) -> Event | None:
        whole = super().form(event)
        return whole if whole is None or whole.content == event.content else None


class ChangesTheCallersEvent(Plain):
    async def append_event(self, session: Session, event: Event) -> Event:
        appended = await super().append_event(session, event)
        delta = event.actions.state_delta
        event.actions.state_delta = {key: delta[key] for key in delta if not key.startswith("temp:")}
        return appended


class OneScope(Plain):
    def state(self, session: Session) -> dict[str, Any]:
        return session.state

    def change(self, session: Session, delta: dict[str, Any]) -> None:
        session.state = apply_delta(session.state, delta)


class UsersOfAllApps(Plain):
    def state(self, session: Session) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (_, user_id), state in self.user.items():
            found |= state if user_id == session.user_id else {}
        return merge_scopes(self.app.get(session.app_name, {}), found, session.state)


class KeepsNone(Plain):
    def change(self, session: Session, delta: dict[str, Any]) -> None:
        super().change(session, delta)
        session.state |= {key: None for key in delta if delta[key] is None and ":" not in key}


class KeepsTemp(Plain):
    def change(self, session: Session, delta: dict[str, Any]) -> None:
        super().change(session, delta)
        session.state |= {key: delta[key] for key in delta if key.startswith("temp:")}


class LosesTemp(Plain):
    def landed(self, session: Session, event: Event, form: Event | None, kept: Session) -> Event:
        session.state = {}
        return super().landed(session, form or event, form, kept)


class SharesEvents(Plain):
    def shown(self, session: Session, events: list[Event]) -> Session:
        shown = super().shown(session, [])
        shown.events = events
        return shown


class SharesState(Plain):
    def shown(self, session: Session, events: list[Event]) -> Session:
        return super().shown(session, events).model_copy(update={"state": self.state(session)})


class LastWriterWins(Plain):
    def landed(self, session: Session, event: Event, form: Event | None, kept: Session) -> Event:
        appended = land(session, event, form)
        kept.state = split_scopes(session.state).session
        return appended


class DoesNotCatchUp(Plain):
    def landed(self, session: Session, event: Event, form: Event | None, kept: Session) -> Event:
        return land(session, event, form)


class StoresTwice(Plain):
    def known(self, kept: Session, event: Event) -> bool:
        return False


class NeedsNoId(Plain):
    async def append_event(self, session: Session, event: Event) -> Event:
        event.id = event.id or "made"
        return await super().append_event(session, event)


class LosesRaces(Plain):
    async def append_event(self, session: Session, event: Event) -> Event:
        kept = self.kept.get(self.owner(session.app_name, session.user_id, session.id))
        before = list(kept.events) if kept else []
        await self.flush()
        if kept:
            kept.events = before
        return await super().append_event(session, event)

    async def flush(self) -> None:
        await asyncio.sleep(0)


class ClosesOnce(Plain):
    async def close(self) -> None:
        del self.kept


class AppendsBackwards(Plain):
    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        return (await super().append_events(session, events[::-1], unless_stale=unless_stale))[::-1]


class DropsBatches(Plain):
    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        return list(events)


class NamesNothing(Plain):
    def name(self, kept: Session, changed: list[str]) -> None: ...


class NamesAll(Plain):
    def settle(self, session: Session, kept: Session, events: Sequence[Event], unless_stale: bool) -> None:
        self.name(kept, [key for event in events for key in event.actions.state_delta])


class NeverRefuses(Plain):
    def settle(self, session: Session, kept: Session, events: Sequence[Event], unless_stale: bool) -> None:
        super().settle(session, kept, events, False)


class AlwaysRefuses(Plain):
    def settle(self, session: Session, kept: Session, events: Sequence[Event], unless_stale: bool) -> None:
        if unless_stale:
            raise StaleSession


class StoresBeforeItRefuses(Plain):
    async def append_events(
        self, session: Session, events: Sequence[Event], *, unless_stale: bool = False
    ) -> list[Event]:
        stored: list[Event] = []
        for event in events:
            stored += await super().append_events(session, [event], unless_stale=unless_stale)
        return stored


class FirstPageOnly(Plain):
    async def list_sessions(self, **names: Any) -> ListSessionsResponse:
        listed = await super().list_sessions(**names)
        listed.next_page_token = None
        return listed

    async def list_events(self, **names: Any) -> ListEventsResponse:
        listed = await super().list_events(**names)
        listed.next_page_token = None
        return listed


class PagesByTime(Plain):
    async def list_events(self, **names: Any) -> ListEventsResponse:
        listed = await super().list_events(**names)
        listed.events.sort(key=lambda event: event.timestamp)
        return listed


class TakesAnyLimit(Plain):
    def check(self, limit: int | None) -> None: ...


BROKEN: dict[str, list[type[Plain]]] = {
    "created_session_is_read_back": [ForgetsState],
    "id_is_made_when_none_is_asked_for": [OneIdForAll],
    "taken_id_is_refused_and_changes_nothing": [Replaces, ChangesThenRefuses],
    "blank_names_are_refused": [TakesBlanks],
    "nobody_reads_or_deletes_another_ones_session": [ForgetsUsers, DeletesAnyones],
    "same_id_of_two_users_is_two_sessions": [ForgetsUsers],
    "sessions_are_listed_by_owner_oldest_first_without_events": [ListsAll, ListsByName, ListsEvents],
    "deleted_session_is_gone_and_wider_state_stays": [DeletesNothing, DeletesWiderState, Revives],
    "events_are_stored_in_order_and_whole": [NewestFirst, KeepsTextOnly],
    "last_update_time_is_that_of_the_latest_event": [TimeGoesBack],
    "recent_events_can_be_asked_for": [ReadsAll, NewestFirst],
    "what_must_not_be_stored_is_not": [StoresAll],
    "words_and_state_beside_audio_are_stored": [StoresAll, DropsWhatHoldsAudio],
    "state_is_shared_as_far_as_its_scope_reaches": [OneScope, UsersOfAllApps],
    "none_deletes": [KeepsNone],
    "temp_state_is_the_callers_only": [StoresAll, KeepsTemp, LosesTemp, ChangesTheCallersEvent],
    "nothing_is_shared_with_the_store": [SharesEvents, SharesState],
    "stale_session_overwrites_nothing": [LastWriterWins, DoesNotCatchUp],
    "change_of_wider_state_reaches_other_sessions": [DoesNotCatchUp, OneScope],
    "event_appended_twice_is_stored_once": [StoresTwice],
    "event_without_id_is_refused": [NeedsNoId],
    "concurrent_writers_lose_nothing": [LosesRaces],
    "batch_lands_as_its_events_would_one_by_one": [AppendsBackwards, DropsBatches, StoresTwice],
    "batch_for_no_session_is_refused": [DropsBatches],
    "what_is_overwritten_of_another_writer_is_named": [NamesNothing, NamesAll],
    "stale_writer_that_asks_for_it_is_refused": [NeverRefuses, AlwaysRefuses, StoresBeforeItRefuses],
    "sessions_are_listed_page_by_page": [FirstPageOnly, ListsByName],
    "events_are_read_page_by_page": [FirstPageOnly, PagesByTime],
    "page_that_cannot_be_is_refused": [TakesAnyLimit],
    "closing_twice_is_fine": [ClosesOnce],
}


def contract(service: type[Plain], name: str) -> Any:
    class Held(SessionServiceContract):
        async def make_service(self) -> Plain:
            return service()

    return getattr(Held(), f"test_{name}")


@pytest.mark.parametrize("name", BROKEN)
async def test_sound_service_passes(name: str) -> None:
    await contract(Plain, name)()


@pytest.mark.parametrize(
    ("name", "service"),
    [(name, service) for name, services in BROKEN.items() for service in services],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_broken_service_fails(name: str, service: type[Plain]) -> None:
    broken = contract(service, name)
    with pytest.raises((AssertionError, AttributeError, SessionExists, StaleSession)):
        await broken()


def test_every_clause_is_seen_to_fail() -> None:
    tests = [name for name, _ in inspect.getmembers(SessionServiceContract) if name.startswith("test_")]
    assert {f"test_{name}" for name in BROKEN} == set(tests)
