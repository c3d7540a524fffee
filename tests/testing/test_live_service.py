"""What connections have in common: keys, models, scripts, and sessions that go on (wire 1.1, 1.8, 1.9)."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon.testing.live_server import Call, Close, Faults, HandlePolicy, LiveServer, Timing
from tests.testing.live_client import Client, dial, steps, words

TEXT: Any = {"generationConfig": {"responseModalities": ["TEXT"]}}
BUSY = (1011, "Internal error encountered.")
INSTANT = Timing.instant()


async def test_one_script_per_connection_the_last_for_the_rest() -> None:
    async def first(call: Call) -> None:
        await call.setup()
        await call.close(1011)

    async def later(call: Call) -> None:
        await call.setup()
        await call.text("later")

    async with LiveServer([first, later]) as server:
        async with dial(server) as client:
            await client.setup()
            assert (await client.closed())[0] == 1011
        for _ in range(2):
            async with dial(server) as client:
                await client.setup()
                assert words(await client.until("model_turn")) == "later"
        assert [connection.number for connection in server.connections] == [1, 2, 3]


async def test_a_script_may_be_followed_by_the_model() -> None:
    async def first(call: Call) -> None:
        await call.setup()
        await call.abort()

    async with LiveServer([first, None], timing=INSTANT) as server:
        async with dial(server) as client:
            await client.setup()
            assert (await client.closed())[0] == 1006
        async with dial(server) as client:
            await client.setup(**TEXT)
            await client.text("hi")
            assert words(await client.turn()) == "You said: hi"


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        ("", {"x-goog-api-key": "good"}),
        ("?key=good", {}),
        ("?access_token=good", {}),
        ("", {"Authorization": "Bearer good"}),
        ("", {"Authorization": "Token good", "x-goog-api-key": "good"}),
    ],
)
async def test_keys_are_accepted_in_every_form(query: str, headers: dict[str, str]) -> None:
    """Wire 1.1."""
    async with LiveServer(accept_keys={"good"}, timing=INSTANT) as server:
        path = "//ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained"
        async with dial(server, path + query, additional_headers=headers) as client:
            assert await client.setup() == {"setupComplete": {}}
        assert server.connections[0].api_key == "good"


@pytest.mark.parametrize("query", ["?key=bad", ""])
async def test_other_keys_are_not(query: str) -> None:
    """Wire 1.9: verbatim."""
    async with LiveServer(accept_keys={"good"}, timing=INSTANT) as server:
        path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"
        async with dial(server, path + query) as client:
            await client.send(setup={"model": "m"})
            assert await client.closed() == (1007, "API key not valid. Please pass a valid API key.")


async def test_models_that_do_not_exist() -> None:
    """Wire 1.9: cut at 123 bytes, as the service does."""
    async with LiveServer(models=["gemini-3.8-live"], timing=INSTANT) as server:
        async with dial(server) as client:
            await client.send(setup={"model": "models/M"})
            code, reason = await client.closed()
            assert code == 1008
            expected = (
                "models/M is not found for API version v1beta, or is not supported for bidiGenerateContent. "
                "Call ModelService."
            )
            assert reason.startswith(expected)
            assert len(reason) == 123
        async with dial(server) as client:
            assert await client.setup("models/gemini-3.8-live") == {"setupComplete": {}}


@pytest.mark.parametrize("profile", ["3.8-live", None])
async def test_the_profile_is_given_or_follows_the_model(profile: str | None) -> None:
    """Wire 1.10."""
    async with LiveServer(profile=profile, timing=INSTANT) as server, dial(server) as client:
        await client.send(setup={"model": "models/gemini-3.8-live", **TEXT})
        assert (await client.closed())[0] == 1007


# --- resumption ---


async def handle_of(client: Client, **setup: Any) -> str:
    await client.setup(**TEXT, sessionResumption=setup)
    [update] = await client.until("handle")
    handle: str = update["sessionResumptionUpdate"]["newHandle"]
    return handle


async def left(server: LiveServer) -> str:
    """A session that was told "one" and was left; its handle."""
    async with dial(server) as client:
        handle = await handle_of(client)
        await client.text("one")
        await client.turn()
    await server.connections[-1].closed()
    return handle


async def resumed(server: LiveServer, handle: str) -> str:
    """What the resumed session answers, or how it was refused."""
    async with dial(server) as client:
        await client.send(setup={"model": "m", **TEXT, "sessionResumption": {"handle": handle}})
        try:
            await client.until("handle")
            await client.text("What did I say?")
            return words(await client.turn())
        except Exception:
            return str(await client.closed())


async def test_a_session_goes_on_after_a_resume() -> None:
    """Wire 1.8."""
    async with LiveServer(timing=INSTANT) as server:
        handle = await left(server)
        assert await resumed(server, handle) == "You said: one."
        assert server.connections[1].resumed_from == handle


async def test_a_handle_per_turn_is_of_its_moment() -> None:
    """Wire 1.8: the handle before the first turn knows nothing of it."""
    async with LiveServer(timing=INSTANT, handle_policy=HandlePolicy.PER_TURN) as server:
        handle = await left(server)
        assert await resumed(server, handle) == "You said nothing yet."
        assert steps([*server.connections[0].sent])[-1] == "handle", "a new one after the turn"


async def test_an_open_socket_holds_the_session() -> None:
    """Wire 1.8: until it is closed."""
    async with LiveServer(timing=INSTANT) as server:
        async with dial(server) as client:
            handle = await handle_of(client)
            assert await resumed(server, handle) == str(BUSY)
        assert await resumed(server, handle) == "You said nothing yet."


async def test_faults_of_resumption() -> None:
    async with LiveServer(timing=INSTANT) as server:
        handle = await left(server)
        server.faults.early_resume = 60.0
        assert await resumed(server, handle) == str(BUSY)
        server.faults.early_resume = 0.0
        server.faults.hold_session = 60.0
        assert await resumed(server, handle) == str(BUSY)
        server.faults.hold_session = 0.0
        server.faults.handle_expired = True
        assert await resumed(server, handle) == str((1008, "Requested entity was not found."))
        server.faults.on(5, Faults())
        assert await resumed(server, handle) == "You said: one."


async def test_handles_grow_old_by_the_clock_given() -> None:
    now = 0.0
    async with LiveServer(timing=INSTANT, clock=lambda: now, handle_lifetime=7200.0) as server:
        handle = await left(server)
        now = 7201.0
        assert await resumed(server, handle) == str((1008, "Requested entity was not found."))


@pytest.mark.parametrize("lost", [False, True])
async def test_a_pending_call_survives_or_is_lost(lost: bool) -> None:
    """Wire 1.8: a switch."""
    faults = Faults(lose_tool_calls=lost, late_response=Close(1008, "gone"), at={"tool_call": Close()})
    tools = [{"functionDeclarations": [{"name": "get_weather"}]}]
    async with LiveServer(timing=INSTANT, faults=faults) as server:
        async with dial(server) as client:
            await client.setup(**TEXT, tools=tools, sessionResumption={})
            await client.text("weather")
            frames = await client.until("tool_call")
            await client.closed()
        handle = frames[0]["sessionResumptionUpdate"]["newHandle"]
        async with dial(server) as client:
            await client.setup(**TEXT, tools=tools, sessionResumption={"handle": handle})
            await client.until("handle")
            await client.answer(frames[-1], response={"result": "sunny"})
            if lost:
                assert await client.closed() == (1008, "gone")
            else:
                assert words(await client.turn()) == "get weather: sunny."
