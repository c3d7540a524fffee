"""`/run_live` as the ADK API server has it (contract 8.1)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from antiphon.core.messages import Turn
from antiphon.errors import ModelNotFound
from antiphon.server.adk_live import decode
from antiphon.server.wire import Malformed
from tests.runtime.near_model import NearModel, until
from tests.server.conversing import Served, served

HELLO = {"content": {"role": "user", "parts": [{"text": "Hello"}]}}


def query(session: str = "s1", app: str = "app", **more: str) -> str:
    fields = {"app_name": app, "user_id": "ada", "session_id": session, **more}
    return "&".join(f"{name}={value}" for name, value in fields.items())


async def create(app: Served, session: str = "s1") -> None:
    await app.rooms.runner.session_service.create_session(app_name="app", user_id="ada", session_id=session)


def test_what_clients_say() -> None:
    assert decode(json.dumps(HELLO)).content
    assert decode('{"blob":{"data":"AAAA","mime_type":"audio/pcm"}}').blob
    assert decode('{"close":true}').close
    assert decode(json.dumps({**HELLO, "state_delta": {"user:tone": "warm", "topic": "tea"}})).state_delta


@pytest.mark.parametrize(
    "frame",
    [
        *("", "[]", "{}", '{"close":false}', '{"dance":1}', '{"content":{"parts":[]}}', b"{}"),
        '{"content":{"parts":[{"functionCall":{"name":"f"}}]}}',
        '{"blob":{"data":"AAAA","mimeType":"video/mp4"}}',
        json.dumps({**HELLO, "stateDelta": {"app:price": 0}}),
        json.dumps({**HELLO, "state_delta": {"app:price": 0}}),
    ],
)
def test_what_is_refused(frame: str | bytes) -> None:
    """contract 8.3, 8.7: also to write the application's state."""
    with pytest.raises(Malformed):
        decode(frame)


async def test_a_conversation() -> None:
    async with served() as app:
        await create(app)
        async with app.plain(path="/run_live", query=query(modalities="TEXT")) as client:
            await client.say(**HELLO)
            connection = await app.connection()
            await until(lambda: connection.heard)
            await app.says("Hello yourself.")
            await client.until(lambda event: event.get("turnComplete"))
            (room,) = app.rooms
            assert room.config.modality == "TEXT"
            connection.listener.lost(None, ())  # the model ends the run
            assert (await client.closed())[0] == 1000
    assert isinstance(connection.heard[0], Turn)


@pytest.mark.parametrize("asked", [query(session="none"), query(app="other")])
async def test_an_unknown_session_is_1002(asked: str) -> None:
    async with served() as app:
        await create(app)
        async with app.plain(path="/run_live", query=asked) as client:
            assert (await client.closed())[0] == 1002
        assert not app.model.connections


async def test_a_failure_is_1011_with_the_reason() -> None:
    model = NearModel()
    model.connect_error = ModelNotFound("There is no such model.", code=1008)
    async with served(model=model) as app:
        await create(app)
        async with app.plain(path="/run_live", query=query()) as client:
            code, reason = await client.closed()
        async with app.plain(path="/run_live", query=query(proactive_audio="true")) as client:
            unsupported, why = await client.closed()
    assert code == unsupported == 1011
    assert "There is no such model." in (reason or "") and "proactivity" in (why or "")


async def test_the_query_configures() -> None:
    async with served() as app:
        await create(app)
        asked = query(
            enable_session_resumption="false", save_live_blob="true", enable_affective_dialog="false"
        )
        async with app.plain(path="/run_live", query=asked) as client:
            await client.next()
            (room,) = app.rooms
            config: Any = room.config
    assert config.session_resumption is None and config.save_live_blob and not config.enable_affective_dialog
