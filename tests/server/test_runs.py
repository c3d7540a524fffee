"""`POST /run` and `/run_sse` (contract 8.1, 8.7, 8.9)."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import httpx
import pytest
from fastapi import FastAPI

from antiphon import Agent, Event, InMemoryRunner
from antiphon.errors import (
    AuthenticationRefused,
    ModelUnavailable,
    QuotaExceeded,
)
from antiphon.server import runs
from antiphon.server.access import Access, BearerTokens
from antiphon.server.bodies import BodyLimits
from antiphon.server.runs import run_router
from tests.runtime.chat_models import texts
from tests.runtime.near_model import NearModel
from tests.server.birds import Parrot, calling, parrots, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def asked(text: str = "hello", **more: Any) -> dict[str, Any]:
    message = {"role": "user", "parts": [{"text": text}]}
    return {"appName": "birds", "userId": "ann", "sessionId": "s1", "newMessage": message} | more


@asynccontextmanager
async def served(
    runner: InMemoryRunner | None = None, access: Access | None = None, **options: Any
) -> AsyncIterator[tuple[httpx.AsyncClient, InMemoryRunner]]:
    runner = runner or parrots()
    await runner.session_service.create_session(app_name="birds", user_id="ann", session_id="s1")
    async with calling(run_router(runner, access or Access(), **options)) as client:
        yield client, runner


def model_of(runner: InMemoryRunner) -> Parrot:
    return cast("Parrot", cast("Agent", runner.agent).model)


async def stored(runner: InMemoryRunner) -> Any:
    found = await runner.session_service.get_session(app_name="birds", user_id="ann", session_id="s1")
    assert found is not None
    return found


def events_in(stream: str) -> list[Event]:
    data = [chunk.removeprefix("data: ") for chunk in stream.split("\n\n") if chunk.startswith("data: ")]
    return [Event.model_validate_json(each) for each in data]


async def test_run_gives_all_events_of_a_turn() -> None:
    async with served() as (client, runner):
        answer = await client.post("/run", json=asked(stateDelta={"user:mood": "fine"}))
        assert answer.status_code == 200 and answer.headers["content-type"] == "application/json"
        events = [Event.model_validate(each) for each in answer.json()]
        assert texts(events) == ["You said hello"] and events[-1].turn_complete
        assert (await stored(runner)).state == {"user:mood": "fine"}


async def test_names_may_be_in_snake_case() -> None:
    body = {
        "app_name": "birds",
        "user_id": "ann",
        "session_id": "s1",
        "new_message": {"role": "user", "parts": [{"text": "hello"}]},
        "function_call_event_id": None,
    }
    async with served() as (client, _):
        assert (await client.post("/run", json=body)).status_code == 200


@pytest.mark.parametrize(("streaming", "pieces"), [(True, ["You said ", "hello"]), (False, [])])
async def test_run_sse_gives_events_one_by_one(streaming: bool, pieces: list[str]) -> None:
    async with served() as (client, _):
        answer = await client.post("/run_sse", json=asked(streaming=streaming))
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = events_in(answer.text)
        assert texts(events, partial=True) == pieces
        assert texts(events) == ["You said hello"]


ERRORS: list[tuple[Exception, int]] = [
    (ModelUnavailable("key sk-1234 is overloaded"), 503),
    (QuotaExceeded("sk-1234 is over its quota"), 503),
    (AuthenticationRefused("sk-1234 is not known"), 502),
]


@pytest.mark.virtual_clock
@pytest.mark.parametrize("path", ["/run", "/run_sse"])
@pytest.mark.parametrize(("error", "status"), ERRORS)
async def test_what_fails_before_it_begins_has_a_status(path: str, error: Exception, status: int) -> None:
    async with served() as (client, runner):
        model_of(runner).error = error
        answer = await client.post(path, json=asked("fail"))
        assert answer.status_code == status
        assert answer.json().keys() == {"detail"} and "sk-1234" not in answer.text


async def test_what_fails_later_is_told_in_the_stream() -> None:
    async with served() as (client, _):
        answer = await client.post("/run_sse", json=asked("fail", streaming=True))
        *_, last, _ = answer.text.split("\n\n")
        assert json.loads(last.removeprefix("data: ")).keys() == {"error"}
        assert answer.status_code == 200 and "sk-1234" not in answer.text


@pytest.mark.parametrize("path", ["/run", "/run_sse"])
@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"sessionId": "s2"}, 404),
        ({"userId": "ben"}, 404),
        ({"appName": "cats"}, 404),
        ({"stateDelta": {"app:price": 0}}, 403),
        ({"newMessage": {"role": "user", "parts": [{"functionCall": {"name": "x"}}]}}, 400),
        ({"newMessage": None}, 422),
        ({"userId": ""}, 400),
    ],
)
async def test_what_cannot_be_asked_is_refused(path: str, more: dict[str, Any], status: int) -> None:
    async with served() as (client, runner):
        answer = await client.post(path, json=asked(**more))
        assert answer.status_code == status, answer.text
        assert (await stored(runner)).state == {}


@pytest.mark.parametrize("path", ["/run", "/run_sse"])
async def test_another_users_session_is_not_run(path: str) -> None:
    access = Access(authenticator=BearerTokens({"of-ann": "ann", "of-ben": "ben"}))
    async with served(access=access) as (client, _):
        for token, status in (("of-ben", 403), ("wrong", 401), ("of-ann", 200)):
            headers = {"Authorization": f"Bearer {token}"}
            assert (await client.post(path, json=asked(), headers=headers)).status_code == status


async def test_an_application_that_is_wrong_is_told_to_its_log(caplog: pytest.LogCaptureFixture) -> None:
    agent = Agent(name="parrot", model=Parrot(), instruction="Speak {language}.")
    async with served(InMemoryRunner(agent, app_name="birds")) as (client, _):
        answer = await client.post("/run", json=asked())
        assert answer.status_code == 500 and "language" not in answer.text
        assert "language" in caplog.text


async def test_a_model_that_is_only_live_cannot_be_asked() -> None:
    runner = InMemoryRunner(Agent(name="live", model=NearModel()), app_name="birds")
    async with served(runner) as (client, _):
        answer = await client.post("/run", json=asked())
        assert answer.status_code == 400 and "live" in answer.json()["detail"]


async def test_a_server_that_ends_begins_no_runs() -> None:
    class Ending:
        draining = True
        full = False

    async with served(occupancy=Ending()) as (client, _):
        answer = await client.post("/run", json=asked())
        assert answer.status_code == 503 and answer.headers["retry-after"] == "1"


async def test_runs_are_bounded() -> None:
    async with served(at_once=0) as (client, _):
        assert (await client.post("/run", json=asked())).status_code == 503
    async with served(bodies=BodyLimits(bytes=10)) as (client, _):
        assert (await client.post("/run", json=asked())).status_code == 413


@pytest.mark.parametrize("path", ["/run", "/run_sse"])
async def test_a_client_that_hangs_up_ends_its_run(path: str) -> None:
    runner = parrots()
    await runner.session_service.create_session(app_name="birds", user_id="ann", session_id="s1")
    app = FastAPI()
    app.include_router(run_router(runner, Access(), at_once=1))
    async with serving(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        asking = asyncio.create_task(client.post(path, json=asked("wait", streaming=True)))
        await model_of(runner).waiting.wait()
        assert (await client.post(path, json=asked())).status_code == 503, "one at a time"
        asking.cancel()
        await model_of(runner).closed.wait()
        while (answer := await client.post(path, json=asked())).status_code == 503:
            continue
        assert answer.status_code == 200, "its place is free"


@pytest.mark.virtual_clock
async def test_a_stream_in_which_nothing_happens_says_that_it_goes_on() -> None:
    sent: list[bytes] = []
    runner = parrots()
    await runner.session_service.create_session(app_name="birds", user_id="ann", session_id="s1")
    app = FastAPI()
    app.include_router(run_router(runner, Access()))
    body = json.dumps(asked("wait", streaming=True)).encode()
    incoming = [{"type": "http.request", "body": body}]

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await asyncio.sleep(3.5 * runs.BEAT)
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/run_sse", "headers": headers, "query_string": b""}
    await app(scope, receive, send)
    assert sent.count(b": still at it\n\n") == 3
    assert model_of(runner).closed.is_set()
