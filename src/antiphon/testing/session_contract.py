"""What a session service is held to (contract 1.4, section 4)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from antiphon.errors import SessionExists, SessionNotFound, StaleSession, UsageError
from antiphon.events import Event, EventActions, Lifecycle
from antiphon.sessions import BaseSessionService, GetSessionConfig, Session
from antiphon.testing.service_contract import HERE, WHO, ServiceContract, refused
from antiphon.types import Blob, Content, FileData, Part, SessionResumptionUpdate, Transcription

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

__all__ = ["SessionServiceContract"]

WRITERS = 20


def _said(text: str, **fields: Any) -> Event:
    return Event(author="agent", content=Content(role="model", parts=[Part(text=text)]), **fields)


def _writing(**delta: Any) -> Event:
    """State keys with an underscore for the colon: `app_x` is `app:x`."""
    state = {key.replace("_", ":"): value for key, value in delta.items()}
    return Event(author="agent", actions=EventActions(state_delta=state))


def _texts(session: Session) -> list[str | None]:
    return [event.content.parts[0].text for event in session.events if event.content and event.content.parts]


@contextmanager
def _named_in_the_log() -> Iterator[list[str]]:
    """What services say about overwritten state in this block."""
    named: list[str] = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: named.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("antiphon.sessions")
    log.addHandler(handler)
    try:
        yield named
    finally:
        log.removeHandler(handler)


def _wire(event: Event) -> str:
    return event.model_dump_json(exclude_none=True, by_alias=True)


class SessionServiceContract(ServiceContract[BaseSessionService]):
    """Inherit, and say how to make the service (see `antiphon.testing.contracts`)."""

    @asynccontextmanager
    async def session(self, **state: Any) -> AsyncIterator[tuple[BaseSessionService, Session]]:
        async with self.service() as service:
            yield service, await service.create_session(**HERE, state=state)

    async def stored(self, service: BaseSessionService, config: GetSessionConfig | None = None) -> Session:
        session = await service.get_session(**HERE, config=config)
        assert session is not None, "the session is gone"
        return session

    async def test_created_session_is_read_back(self) -> None:  # contract 1.1
        async with self.service() as service:
            made = await service.create_session(
                **HERE, state={"a": {"deep": [1, None, 2.5, "x"]}, "none": None}
            )
            assert (made.id, made.app_name, made.user_id, made.events) == ("session", "app", "user", [])
            assert made.state == {"a": {"deep": [1, None, 2.5, "x"]}}
            assert await self.stored(service) == made

    async def test_id_is_made_when_none_is_asked_for(self) -> None:  # contract 1.1
        async with self.service() as service:
            made = [await service.create_session(**WHO) for _ in range(3)]
            assert len({session.id for session in made}) == 3

    async def test_taken_id_is_refused_and_changes_nothing(self) -> None:  # contract 1.4
        async with self.session(a=1) as (service, _):
            with refused(SessionExists):
                await service.create_session(**HERE, state={"a": 2, "app:a": 2, "user:a": 2})
            assert (await self.stored(service)).state == {"a": 1}

    async def test_blank_names_are_refused(self) -> None:  # contract 1.4
        async with self.service() as service:
            for name in HERE:
                for blank in ("", "  "):
                    with refused(UsageError):
                        await service.create_session(**{**HERE, name: blank})

    async def test_nobody_reads_or_deletes_another_ones_session(self) -> None:  # contract 1.4, 8.7
        async with self.session() as (service, _):
            for name in HERE:
                assert await service.get_session(**{**HERE, name: "other"}) is None
                await service.delete_session(**{**HERE, name: "other"})
            await self.stored(service)

    async def test_same_id_of_two_users_is_two_sessions(self) -> None:  # contract 8.7
        async with self.session(a=1) as (service, _):
            await service.create_session(**{**HERE, "user_id": "other"}, state={"a": 2})
            assert (await self.stored(service)).state == {"a": 1}

    async def test_sessions_are_listed_by_owner_oldest_first_without_events(self) -> None:  # contract 1.1
        async with self.session(a=1) as (service, session):
            await service.create_session(**WHO, session_id="second")
            await service.create_session(app_name="app", user_id="other", session_id="theirs")
            await service.create_session(app_name="other", user_id="user", session_id="elsewhere")
            await service.append_event(session, _said("hi", timestamp=session.last_update_time + 1000))
            mine = (await service.list_sessions(**WHO)).sessions
            assert [(each.id, each.state, each.events) for each in mine] == [
                ("second", {}, []),
                ("session", {"a": 1}, []),
            ]
            everyones = (await service.list_sessions(app_name="app")).sessions
            assert {each.id for each in everyones} == {"session", "second", "theirs"}
            assert (await service.list_sessions(app_name="app", user_id="nobody")).sessions == []

    async def test_deleted_session_is_gone_and_wider_state_stays(self) -> None:  # contract 4.6
        async with self.session(**{"a": 1, "user:b": 2, "app:c": 3}) as (service, session):
            await service.append_event(session, _said("hi"))
            await service.delete_session(**HERE)
            await service.delete_session(**HERE)
            assert await service.get_session(**HERE) is None
            with refused(SessionNotFound):
                await service.append_event(session, _said("late"))
            again = await service.create_session(**HERE)
            assert (again.events, again.state) == ([], {"user:b": 2, "app:c": 3})

    async def test_events_are_stored_in_order_and_whole(self) -> None:  # contract 4.1
        async with self.session() as (service, session):
            part = Part.from_function_call(name="f", args={"x": [1, {"y": None}]})
            events = [
                Event(author="user", input_transcription=Transcription(text="hi", finished=True)),
                Event(
                    author="agent", content=Content(role="model", parts=[part]), long_running_tool_ids={"1"}
                ),
                Event(
                    author="agent", content=Content(parts=[Part(file_data=FileData(file_uri="artifact://a"))])
                ),
                Event(
                    author="agent",
                    content=Content(parts=[Part.from_bytes(data=b"\xff", mime_type="image/png")]),
                ),
                Event(author="agent", turn_complete=True, interrupted=True, custom_metadata={"a": 1}),
            ]
            for event in events:
                assert await service.append_event(session, event) is event
            assert [_wire(event) for event in (await self.stored(service)).events] == list(map(_wire, events))
            assert session.events == events

    async def test_last_update_time_is_that_of_the_latest_event(self) -> None:  # contract 4.1
        async with self.session() as (service, session):
            late = session.last_update_time + 1000.0
            for timestamp in (late, late - 1):
                await service.append_event(session, _said("hi", timestamp=timestamp))
            assert session.last_update_time == (await self.stored(service)).last_update_time == late

    async def test_recent_events_can_be_asked_for(self) -> None:  # contract 1.1
        async with self.session() as (service, session):
            for moment in range(5):
                await service.append_event(session, _said(str(moment), timestamp=float(moment)))
            for most, since, expected in (
                (2, None, ["3", "4"]),
                (0, None, []),
                (9, None, ["0", "1", "2", "3", "4"]),
                (None, 3.0, ["3", "4"]),
                (1, 2.0, ["4"]),
                (2, 4.0, ["4"]),
            ):
                config = GetSessionConfig(num_recent_events=most, after_timestamp=since)
                assert _texts(await self.stored(service, config)) == expected, config

    async def test_what_must_not_be_stored_is_not(self) -> None:  # contract 3.11, 4.2
        async with self.session() as (service, session):
            audio = Part.from_bytes(data=b"\0\0", mime_type="audio/pcm;rate=24000")
            video = Part.from_bytes(data=b"\0\0", mime_type="Video/mp4")
            for event in (
                _said("hel", partial=True, actions=EventActions(state_delta={"a": 1})),
                Event(author="agent", content=Content(role="model", parts=[audio, video])),
                Event(author="user", partial=True, input_transcription=Transcription(text="h")),
                Event(author="user", input_transcription=Transcription(text="h", finished=False)),
                Event(live_session_resumption_update=SessionResumptionUpdate(new_handle="secret")),
                Event(author="agent", lifecycle=Lifecycle(kind="ready")),
            ):
                assert await service.append_event(session, event) is event
            for seen in (session, await self.stored(service)):
                assert (seen.events, seen.state) == ([], {})

    async def test_words_and_state_beside_audio_are_stored(self) -> None:  # contract 4.1, 4.2
        async with self.session() as (service, session):
            event = _said("hello", actions=EventActions(state_delta={"a": 1}))
            assert event.content and event.content.parts
            event.content.parts.append(Part(inline_data=Blob(data=b"\0\0", mime_type="audio/wav")))
            await service.append_event(session, event)
            assert len(event.content.parts) == 2, "the caller's event was changed"
            for seen in (session, await self.stored(service)):
                assert [len(each.content.parts or ()) for each in seen.events if each.content] == [1]
                assert (_texts(seen), seen.state) == (["hello"], {"a": 1})

    async def test_state_is_shared_as_far_as_its_scope_reaches(self) -> None:  # contract 4.6
        async with self.session(**{"a": 0, "user:b": 0}) as (service, session):
            await service.append_event(session, _writing(a=1, user_b=2, app_c=3))
            same_user = await service.create_session(**WHO)
            same_app = await service.create_session(app_name="app", user_id="other")
            elsewhere = await service.create_session(app_name="other", user_id="user")
            assert session.state == (await self.stored(service)).state == {"a": 1, "user:b": 2, "app:c": 3}
            assert same_user.state == {"user:b": 2, "app:c": 3}
            assert (same_app.state, elsewhere.state) == ({"app:c": 3}, {})

    async def test_none_deletes(self) -> None:  # contract 4.6
        async with self.session(**{"a": 1, "user:b": 2, "app:c": 3, "keep": 0}) as (service, session):
            await service.append_event(session, _writing(a=None, user_b=None, app_c=None, unknown=None))
            assert session.state == (await self.stored(service)).state == {"keep": 0}

    async def test_temp_state_is_the_callers_only(self) -> None:  # contract 4.6
        async with self.session(**{"temp:no": 1}) as (service, session):
            assert session.state == {}
            event = _writing(a=1, temp_x=2)
            await service.append_event(session, event)
            await service.append_event(session, _writing(a=2))
            stored = await self.stored(service)
            assert event.actions.state_delta == {"a": 1, "temp:x": 2}, "the caller's event was changed"
            assert session.state == {"a": 2, "temp:x": 2}
            assert stored.state == {"a": 2}
            assert [each.actions.state_delta for each in stored.events] == [{"a": 1}, {"a": 2}]

    async def test_nothing_is_shared_with_the_store(self) -> None:  # contract 4.6
        async with self.service() as service:
            value: dict[str, list[int]] = {"deep": [1]}
            made = await service.create_session(**HERE, state={"a": value, "user:a": value, "app:a": value})
            event = _said("hi", actions=EventActions(state_delta={"b": value}))
            await service.append_event(made, event)
            before = (await self.stored(service)).model_dump_json()
            read, (listed,) = await self.stored(service), (await service.list_sessions(**WHO)).sessions
            value["deep"].append(2)
            for session in (made, read, listed):
                for held in session.state.values():
                    held["deep"].append(3)
                for each in session.events:
                    each.author, each.content = "changed", None
                    each.actions.state_delta["c"] = 4
                session.events.clear()
                session.state.clear()
            assert (await self.stored(service)).model_dump_json() == before

    async def test_stale_session_overwrites_nothing(self) -> None:  # contract 4.6
        async with self.session(**{"a": 0, "gone": 0, "app:gone": 0}) as (service, mine):
            theirs = await self.stored(service)
            await service.append_event(
                theirs, _writing(a=1, b=1, user_c=1, app_d=1, gone=None, app_gone=None)
            )
            await service.append_event(mine, _writing(a=2, temp_x=1))
            expected = {"a": 2, "b": 1, "user:c": 1, "app:d": 1}
            assert (await self.stored(service)).state == expected
            assert mine.state == {**expected, "temp:x": 1}, "the caller does not see what others wrote"
            assert len((await self.stored(service)).events) == 2

    async def test_change_of_wider_state_reaches_other_sessions(self) -> None:  # contract 4.6
        async with self.session() as (service, mine):
            theirs = await service.create_session(app_name="app", user_id="other")
            await service.append_event(theirs, _writing(app_x=1, user_y=1))
            await service.append_event(mine, _said("hi"))
            assert mine.state == {"app:x": 1}

    async def test_event_appended_twice_is_stored_once(self) -> None:  # contract 3.2, 4.1
        async with self.session() as (service, session):
            event, other = _writing(a=1), await self.stored(service)
            await service.append_event(session, event)
            await service.append_event(session, _writing(a=2))
            for again in (session, other):
                await service.append_event(again, event)
                assert [each.id for each in again.events].count(event.id) == 1
                assert again.state == {"a": 2}
            assert len((await self.stored(service)).events) == 2

    async def test_event_without_id_is_refused(self) -> None:  # contract 3.2
        async with self.session() as (service, session):
            with refused(UsageError):
                await service.append_event(session, _said("hi", id=""))
            assert session.events == (await self.stored(service)).events == []

    async def test_concurrent_writers_lose_nothing(self) -> None:  # contract 4.6
        async with self.session() as (service, shared):

            async def write(number: int) -> None:
                session = shared if number % 2 else await self.stored(service)
                for step in "xy":
                    await service.append_event(session, _writing(**{f"{step}{number}": number}))

            await asyncio.gather(*map(write, range(WRITERS)))
            await service.flush()
            stored = await self.stored(service)
            assert len({event.id for event in stored.events}) == len(stored.events) == 2 * WRITERS
            assert stored.state == {f"{step}{number}": number for step in "xy" for number in range(WRITERS)}

    async def test_batch_lands_as_its_events_would_one_by_one(self) -> None:  # contract 4.1, 4.6
        async with self.session(a=0) as (service, session):
            first, second = _writing(a=1, b=1, temp_x=1), _writing(a=2, b=None, user_c=1, app_d=1)
            events = [first, _said("hel", partial=True), second, first, _said("hello")]
            stored = await service.append_events(session, events)
            assert [each.id for each in stored] == [each.id for each in events]
            await service.append_events(session, [])
            await service.append_events(session, [second, _writing(e=1)])
            expected, seen = {"a": 2, "user:c": 1, "app:d": 1, "e": 1}, await self.stored(service)
            assert seen.state == expected
            assert session.state == {**expected, "temp:x": 1}
            ids = [first.id, second.id, events[-1].id]
            assert [each.id for each in seen.events][:-1] == ids
            assert [each.id for each in session.events] == [each.id for each in seen.events]

    async def test_batch_for_no_session_is_refused(self) -> None:  # contract 1.4
        async with self.session() as (service, session):
            await service.delete_session(**HERE)
            with refused(SessionNotFound):
                await service.append_events(session, [_writing(a=1), _writing(temp_b=1)])
            assert (session.events, session.state) == ([], {})

    async def test_what_is_overwritten_of_another_writer_is_named(self) -> None:  # contract 4.6
        async with self.session(**{"a": 0, "gone": 0, "app:c": 0}) as (service, mine):
            theirs, event = await self.stored(service), _writing(a=1, app_c=1, gone=None, theirs=1)
            with _named_in_the_log() as named:
                await service.append_event(theirs, event)
                assert named == [], "nobody wrote meanwhile"
                await service.append_event(mine, _writing(a=2, app_c=2, gone=2, mine=2))
                assert len(named) == 1, "it was not told, or not in one line"
                await service.append_event(mine, _writing(a=3, app_c=3, gone=3))
                assert len(named) == 1, "it was up to date"
                told = named[0]
            for name in (f"a (event {event.id})", f"app:c (event {event.id})", "gone", "'session'"):
                assert name in told, told
            assert "mine" not in told
            assert "theirs" not in told

    async def test_stale_writer_that_asks_for_it_is_refused(self) -> None:  # contract 4.6
        async with self.session(**{"a": 0, "user:b": 0}) as (service, mine):
            theirs, copied = await self.stored(service), Session(id=mine.id, **WHO)
            event = _writing(a=1)
            await service.append_event(theirs, event)
            await service.append_events(mine, [_writing(c=1), _writing(user_b=1)], unless_stale=True)
            stale = await self.stored(service)
            await service.append_event(theirs, _writing(a=2))
            for session in (stale, copied):
                with refused(StaleSession):
                    await service.append_events(session, [_writing(d=1), _writing(a=9)], unless_stale=True)
            seen = await self.stored(service)
            assert seen.state == {"a": 2, "user:b": 1, "c": 1}
            assert (len(seen.events), len(stale.events)) == (4, 3), "some of a refused batch was stored"
            await service.append_events(seen, [_writing(a=9)], unless_stale=True)
            assert (await self.stored(service)).state["a"] == 9

    async def test_sessions_are_listed_page_by_page(self) -> None:  # contract 4.9
        async with self.service() as service:
            made = [await service.create_session(**WHO, state={"n": number}) for number in range(5)]
            await service.create_session(app_name="app", user_id="other")
            await service.append_event(made[0], _said("hi", timestamp=made[4].last_update_time + 1000))
            for limit, sizes in ((2, [2, 2, 1]), (5, [5]), (4, [4, 1]), (9, [5])):
                pages: list[list[Session]] = []
                token = None
                while token is not None or not pages:
                    page = await service.list_sessions(**WHO, limit=limit, page_token=token)
                    pages, token = [*pages, page.sessions], page.next_page_token
                listed = [session for page in pages for session in page]
                assert list(map(len, pages)) == sizes
                assert [each.id for each in listed] == [each.id for each in (*made[1:], made[0])]
                assert [each.state["n"] for each in listed] == [1, 2, 3, 4, 0]
            page = await service.list_sessions(app_name="app", limit=9)
            assert (len(page.sessions), page.next_page_token) == (6, None)

    async def test_events_are_read_page_by_page(self) -> None:  # contract 4.9
        async with self.session() as (service, session):
            first = await service.list_events(**HERE, limit=1)
            assert (first.events, first.next_page_token) == ([], None)
            for number in range(5):
                await service.append_event(session, _said(str(number), timestamp=float(9 - number)))
            read: list[list[Event]] = []
            token = None
            while token is not None or not read:
                page = await service.list_events(**HERE, limit=2, page_token=token)
                read, token = [*read, page.events], page.next_page_token
            assert list(map(len, read)) == [2, 2, 1]
            assert [event.id for page in read for event in page] == [event.id for event in session.events]
            assert len((await service.list_events(**HERE)).events) == 5
            assert (await service.list_events(**{**HERE, "user_id": "other"})).events == []

    async def test_page_that_cannot_be_is_refused(self) -> None:  # contract 4.9
        async with self.session() as (service, _):
            for wrong in ({"limit": 0}, {"page_token": "?"}, {"page_token": "WyJhIl0"}):
                with refused(UsageError):
                    await service.list_sessions(**WHO, **wrong)
                with refused(UsageError):
                    await service.list_events(**HERE, **wrong)
