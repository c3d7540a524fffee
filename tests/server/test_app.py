"""`create_app` and `live_router` (contract, section 8)."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from antiphon import Agent, InMemoryRunner, RunConfig
from antiphon.server.access import Access
from antiphon.server.app import create_app, live_router
from antiphon.server.limits import ServerLimits
from antiphon.server.rooms import Rooms
from tests.runtime.near_model import NearModel, until
from tests.server.conversing import served

if TYPE_CHECKING:
    from collections.abc import Iterator


def turn_complete(came: Any) -> bool:
    return bool((came.get("event") or {}).get("turnComplete"))


async def test_an_agent_is_enough() -> None:
    agent = Agent(name="assistant", model=NearModel(), instruction="Be brief.")
    app = create_app(agent, run_config=RunConfig(max_llm_calls=3))
    rooms = app.state.rooms
    assert rooms.runner.agent is agent and rooms.config.max_llm_calls == 3
    assert create_app(agent).state.rooms.config.session_resumption is not None


async def test_it_can_be_a_part_of_another_application() -> None:
    runner = InMemoryRunner(Agent(name="assistant", model=NearModel(), instruction=""))
    app = FastAPI()
    app.include_router(live_router(Rooms(runner, ServerLimits(), RunConfig()), Access()), prefix="/voice")
    assert app.url_path_for("converse", user_id="u", session_id="s") == "/voice/ws/u/s"
    assert app.url_path_for("run_live") == "/voice/run_live"


async def test_what_access_refuses_is_refused_everywhere() -> None:
    """contract 8.7: also by routes that do not ask."""
    app = create_app(Agent(name="assistant", model=NearModel(), instruction=""))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/docs", headers={"Origin": "https://evil.example"})).status_code == 403


@pytest.fixture
def ended() -> Iterator[list[int]]:
    """What ended the server before: the signals it was given."""
    calls: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: calls.append(number))
    yield calls
    signal.signal(signal.SIGTERM, before)


async def test_sigterm_drains(ended: list[int]) -> None:
    """contract 8.8: clients are told, nobody new comes in, and what runs has time to end."""
    async with served(ServerLimits(drain_seconds=20)) as app, app.v1() as client:
        await client.greet()
        async with app.v1(user="gone") as absent:
            await absent.greet()
            await absent.break_off()
        assert len(app.rooms) == 2
        signal.raise_signal(signal.SIGTERM)
        (*_, drain) = await client.until(lambda came: came.get("type") == "drain")
        assert drain["seconds"] == 20
        await until(lambda: len(app.rooms) == 1)  # who was away does not come back to this server
        async with app.v1(user="new") as late:
            assert (await late.greet())["code"] == "unavailable"
            assert (await late.closed())[0] == 1001
        await app.says("Goodbye.")
        await client.until(turn_complete)
        assert not ended
        await client.tell("close")
        assert (await client.closed())[0] == 1000
        await until(lambda: ended)
        assert not len(app.rooms)


async def test_who_stays_to_the_end_is_moved() -> None:
    """contract 8.8, protocol 7.2: 1001; what was said is stored."""
    async with served() as app, app.v1() as client:
        await client.greet()
        await client.tell("text", text="Hello")
        await app.says("Hello yourself.")
        await client.until(turn_complete)
        draining = asyncio.create_task(app.rooms.drain(0))
        assert (await client.closed())[0] == 1001
        await draining
        assert not len(app.rooms)
        session = await app.rooms.runner.session_service.get_session(
            app_name="app", user_id="ada", session_id="s1"
        )
        assert session is not None and "Hello yourself." in str(session.events)


async def test_the_end_of_the_application_ends_conversations() -> None:
    async with served() as app, app.v1() as client:
        await client.greet()
        connection = await app.connection()
        app.server.should_exit = True
        await client.closed()
    assert connection.closed is not None
