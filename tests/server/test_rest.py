"""Sessions and artifacts over HTTP (contract 8.7, 8.9)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from antiphon import Agent, Event, Runner
from antiphon.events import EventActions
from antiphon.server.access import Access, BearerTokens
from antiphon.server.bodies import BodyLimits
from antiphon.server.rest import rest_router
from antiphon.sessions import InMemorySessionService, Session
from antiphon.types import Part
from tests.server.birds import Parrot, calling, parrots

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from antiphon import InMemoryRunner

ANN = "/apps/birds/users/ann/sessions"
WAV = b"RIFF" + bytes(range(100))


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[tuple[httpx.AsyncClient, InMemoryRunner]]:
    runner = parrots()
    async with calling(rest_router(runner, Access(), **options)) as client:
        yield client, runner


async def saved(runner: Runner, filename: str, part: Part, user_id: str = "ann") -> None:
    assert runner.artifact_service is not None
    await runner.artifact_service.save_artifact(
        app_name="birds", user_id=user_id, session_id="s1", filename=filename, artifact=part
    )


# --- sessions ---------------------------------------------------------------------------------------------


async def test_a_session_is_made_read_changed_and_deleted() -> None:
    async with served() as (client, _):
        made = await client.post(ANN, json={"sessionId": "s1", "state": {"a": 1, "user:b": 2}})
        assert made.status_code == 200
        assert Session.model_validate(made.json()).state == {"a": 1, "user:b": 2}
        changed = await client.patch(f"{ANN}/s1", json={"stateDelta": {"a": None, "c": 3}})
        assert changed.json()["state"] == {"c": 3, "user:b": 2}
        read = await client.get(f"{ANN}/s1")
        assert read.json() == changed.json() and read.headers["cache-control"] == "no-store"
        assert [event["author"] for event in read.json()["events"]] == ["user"]
        assert (await client.delete(f"{ANN}/s1")).status_code == 204
        assert (await client.get(f"{ANN}/s1")).status_code == 404
        assert (await client.delete(f"{ANN}/s1")).status_code == 204, "deleted twice is deleted"


async def test_shapes_of_adk() -> None:
    async with served() as (client, _):
        assert (await client.get("/list-apps")).json() == ["birds"]
        with_id = await client.post(f"{ANN}/s1", json={"a": 1})
        assert with_id.json()["id"] == "s1" and with_id.json()["state"] == {"a": 1}
        assert with_id.json().keys() == {"id", "appName", "userId", "state", "events", "lastUpdateTime"}
        assert (await client.post(f"{ANN}/s2")).json()["state"] == {}
        assert (await client.post(ANN, json={"session_id": "s3"})).json()["id"] == "s3"
        assert len((await client.post(ANN)).json()["id"]) == 36
        assert len((await client.get(ANN)).json()) == 4


async def test_a_session_that_is_there_is_not_made_again() -> None:
    async with served() as (client, _):
        await client.post(ANN, json={"session_id": "s1", "state": {"a": 1}})
        again = await client.post(ANN, json={"session_id": "s1"})
        assert again.status_code == 409 and "take another" in again.json()["detail"]
        assert (await client.get(f"{ANN}/s1")).json()["state"] == {"a": 1}
        assert (await client.post(ANN, json={"session_id": " "})).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", ANN, {"sessionId": "s2", "state": {"app:price": 0}}),
        ("POST", f"{ANN}/s2", {"app:price": 0}),
        ("PATCH", f"{ANN}/s1", {"stateDelta": {"fine": 1, "app:price": 0}}),
    ],
)
async def test_clients_cannot_write_the_applications_state(method: str, path: str, body: Any) -> None:
    async with served() as (client, _):
        await client.post(ANN, json={"sessionId": "s1"})
        refused = await client.request(method, path, json=body)
        assert refused.status_code == 403 and "app:price" in refused.json()["detail"]
        assert [session["state"] for session in (await client.get(ANN)).json()] == [{}]


async def test_clients_cannot_write_history() -> None:
    async with served() as (client, _):
        forged = {"sessionId": "s1", "events": [{"author": "parrot"}]}
        assert (await client.post(ANN, json=forged)).status_code == 422


async def test_sessions_and_events_come_page_by_page() -> None:
    async with served() as (client, runner):
        for number in range(5):
            await client.post(ANN, json={"sessionId": f"s{number}"})
        listed, token = [], None
        for _ in range(3):
            page = await client.get(ANN, params={"limit": 2} | ({"page_token": token} if token else {}))
            listed += [session["id"] for session in page.json()]
            token = page.headers.get("Next-Page-Token")
        assert listed == [f"s{number}" for number in range(5)] and token is None

        session = await runner.session_service.get_session(app_name="birds", user_id="ann", session_id="s0")
        assert session is not None
        for number in range(3):
            delta = EventActions(state_delta={"n": number})
            await runner.session_service.append_event(session, Event(author="parrot", actions=delta))
        first = (await client.get(f"{ANN}/s0/events", params={"limit": 2})).json()
        rest = await client.get(f"{ANN}/s0/events", params={"limit": 2, "page_token": first["nextPageToken"]})
        numbers = [event["actions"]["stateDelta"]["n"] for event in first["events"] + rest.json()["events"]]
        assert numbers == [0, 1, 2] and "nextPageToken" not in rest.json()
        recent = await client.get(f"{ANN}/s0", params={"num_recent_events": 1})
        assert [event["actions"]["stateDelta"]["n"] for event in recent.json()["events"]] == [2]

        for path in (ANN, f"{ANN}/s0/events"):
            assert (await client.get(path, params={"page_token": "none"})).status_code == 400
            assert (await client.get(path, params={"limit": 0})).status_code == 422
        assert (await client.get(f"{ANN}/other/events")).status_code == 404


async def test_deleting_a_session_deletes_its_recordings() -> None:
    async with served() as (client, runner):
        await client.post(ANN, json={"sessionId": "s1"})
        await saved(runner, "call.wav", Part.from_bytes(data=WAV, mime_type="audio/wav"))
        await saved(runner, "user:portrait.png", Part.from_bytes(data=b"png", mime_type="image/png"))
        await client.delete(f"{ANN}/s1")
        assert (await client.get(f"{ANN}/s1/artifacts")).json() == ["user:portrait.png"]


async def test_another_application_is_not_there() -> None:
    async with served() as (client, _):
        assert (await client.get("/apps/cats/users/ann/sessions")).status_code == 404


# --- whose it is ------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", ""),
    ("POST", ""),
    ("GET", "/s1"),
    ("POST", "/s1"),
    ("PATCH", "/s1"),
    ("DELETE", "/s1"),
    ("GET", "/s1/events"),
    ("GET", "/s1/artifacts"),
    ("GET", "/s1/artifacts/user:a.txt"),
    ("DELETE", "/s1/artifacts/user:a.txt"),
    ("GET", "/s1/artifacts/user:a.txt/content"),
    ("GET", "/s1/artifacts/user:a.txt/versions"),
    ("GET", "/s1/artifacts/user:a.txt/versions/0"),
    ("GET", "/s1/artifacts/user:a.txt/versions/0/content"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_user_reaches_what_is_anothers(method: str, path: str) -> None:
    """Contract 8.7: also not by guessing names, and without being told whether they are there."""
    runner = parrots()
    await saved(runner, "user:a.txt", Part.from_text(text="ann's"))
    await runner.session_service.create_session(app_name="birds", user_id="ann", session_id="s1")
    access = Access(authenticator=BearerTokens({"of-ann": "ann", "of-ben": "ben"}))
    async with calling(rest_router(runner, access)) as client:
        for token, status in ((None, 401), ("wrong", 401), ("of-ben", 403)):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for user in ("ann", "nobody"):
                asked = f"/apps/birds/users/{user}/sessions{path}"
                answer = await client.request(method, asked, headers=headers, json={"stateDelta": {"a": 1}})
                assert answer.status_code == status, answer.text
                assert answer.json().keys() == {"detail"}
        kept = await client.get(f"{ANN}/s1/artifacts", headers={"Authorization": "Bearer of-ann"})
        assert kept.json() == ["user:a.txt"]


def test_every_route_is_looked_at() -> None:
    app = FastAPI()
    app.include_router(rest_router(parrots(), Access()))
    routes = [
        (method, path)
        for path, item in app.openapi()["paths"].items()
        for method in item
        if "{user_id}" in path
    ]
    assert len(routes) == len(ROUTES)


# --- artifacts --------------------------------------------------------------------------------------------


async def test_an_artifact_is_listed_read_and_deleted() -> None:
    async with served() as (client, runner):
        for text in ("one", "two"):
            await saved(runner, "notes/day.txt", Part.from_text(text=text))
        base = f"{ANN}/s1/artifacts/notes/day.txt"
        assert (await client.get(f"{ANN}/s1/artifacts")).json() == ["notes/day.txt"]
        assert (await client.get(f"{base}/versions")).json() == [0, 1]
        assert (await client.get(base)).json() == {"text": "two"}
        assert (await client.get(base, params={"version": 0})).json() == {"text": "one"}
        assert (await client.get(f"{base}/versions/0")).json() == {"text": "one"}
        assert (await client.get(f"{base}/versions/0/content")).text == "one"
        assert (await client.get(f"{base}/versions/7")).status_code == 404
        assert (await client.get(f"{base}/content", params={"version": 7})).status_code == 404
        assert (await client.delete(base)).status_code == 204
        assert (await client.get(f"{ANN}/s1/artifacts")).json() == []


async def test_a_recording_plays_from_the_middle() -> None:
    async with served() as (client, runner):
        await saved(runner, "call.wav", Part.from_bytes(data=WAV, mime_type="audio/wav"))
        path = f"{ANN}/s1/artifacts/call.wav/content"
        whole = await client.get(path)
        assert whole.content == WAV and whole.headers["content-type"] == "audio/wav"
        assert whole.headers["accept-ranges"] == "bytes"
        part = await client.get(path, headers={"Range": "bytes=44-47"})
        assert part.status_code == 206 and part.content == WAV[44:48]
        assert part.headers["content-range"] == "bytes 44-47/104"
        head = await client.head(path)
        assert head.headers["content-length"] == "104"
        read = await client.get(f"{ANN}/s1/artifacts/call.wav")
        assert Part.model_validate(read.json()).inline_data.data == WAV  # type: ignore[union-attr]


async def test_what_is_too_long_for_json_is_downloaded() -> None:
    async with served() as (client, runner):
        await saved(runner, "call.wav", Part.from_bytes(data=bytes(9 * 1024 * 1024), mime_type="audio/wav"))
        refused = await client.get(f"{ANN}/s1/artifacts/call.wav")
        assert refused.status_code == 413 and "/content" in refused.json()["detail"]
        part = await client.get(f"{ANN}/s1/artifacts/call.wav/content", headers={"Range": "bytes=-5"})
        assert part.content == bytes(5)
    await asyncio.get_running_loop().shutdown_default_executor()


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e%2fsecret",
        "a%2f..%2fb",
        "a%2f%2fb",
        "%2fetc%2fpasswd",
        "a%5c..%5cb",
        "a%00b",
        "a%09b",
        "%20",
        "user:..%2fx",
        "user:",
        ".%2fx",
        "x" * 513,
    ],
)
async def test_path_tricks_in_names_are_refused(name: str) -> None:
    async with served() as (client, _):
        for path in (name, f"{name}/versions", f"{name}/versions/0", f"{name}/content"):
            answer = await client.get(f"{ANN}/s1/artifacts/{path}")
            assert answer.status_code == 400 and "no name" in answer.json()["detail"]
        assert (await client.delete(f"{ANN}/s1/artifacts/{name}")).status_code == 400


async def test_without_an_artifact_service_there_are_none() -> None:
    runner = Runner(
        app_name="birds",
        agent=Agent(name="parrot", model=Parrot()),
        session_service=InMemorySessionService(),
    )
    async with calling(rest_router(runner, Access())) as client:
        for path in ("", "/a", "/a/content", "/a/versions"):
            answer = await client.get(f"{ANN}/s1/artifacts{path}")
            assert answer.status_code == 404 and "artifact_service" in answer.json()["detail"]
        assert (await client.delete(f"{ANN}/s1")).status_code == 204


async def test_an_artifact_that_is_elsewhere_tells_where() -> None:
    async with served() as (client, runner):
        part = Part(file_data={"file_uri": "https://files.example/a", "mime_type": "audio/wav"})
        await saved(runner, "a.wav", part)
        assert (await client.get(f"{ANN}/s1/artifacts/a.wav/content")).status_code == 409
        read = (await client.get(f"{ANN}/s1/artifacts/a.wav")).json()
        assert read["fileData"]["fileUri"] == "https://files.example/a"


async def test_bodies_keep_to_the_limits() -> None:
    async with served(bodies=BodyLimits(bytes=100)) as (client, _):
        assert (await client.post(ANN, json={"state": {"a": "x" * 100}})).status_code == 413
