"""The verbs of a script."""

from __future__ import annotations

import pytest

from antiphon.testing.live_server import Call, CallEnded, Close, Freeze, LiveServer, Say, Timing, frames
from tests.testing.live_client import dial, steps, words


async def test_a_script_is_a_conversation() -> None:
    """The example of the documentation."""

    async def script(call: Call) -> None:
        setup = await call.setup()
        assert setup["model"] == "models/x"
        assert await call.receive_text() == "weather in Paris?"
        id = await call.tool_call("get_weather", {"city": "Paris"})
        [response] = await call.receive_tool_response()
        assert response == {"id": id, "name": "get_weather", "response": {"result": "sunny"}}
        await call.turn("It is sunny.", usage={"totalTokenCount": 7})

    async with LiveServer(script) as server, dial(server) as client:
        await client.setup(outputAudioTranscription={})
        await client.audio(b"\0\0")  # the microphone is open all the while
        await client.text("weather in Paris?")
        [call] = await client.until("tool_call")
        await client.audio(b"\0\0")
        await client.answer(call, response={"result": "sunny"})
        got = await client.turn()
        assert words(got) == "It is sunny."
        assert got[-1]["usageMetadata"] == {"totalTokenCount": 7}


async def test_everything_the_wire_knows_can_be_said() -> None:
    async def script(call: Call) -> None:
        await call.setup(session_id="s1")
        await call.handle("h1")
        await call.handle("h2", resumable=False)
        await call.handle(None)
        await call.voice_activity("ACTIVITY_START", 0.16)
        await call.input_transcription("Hello", finished=True)
        await call.text("hm", thought=True)
        await call.audio(0.08, with_=frames.output_transcription("Hi"))
        await call.audio(b"\1\0")
        await call.output_transcription("Hi", finished=True)
        id = await call.tool_call("f", id="mine", with_=frames.generation_complete())
        await call.cancel_tool_calls(id)
        await call.interrupted(with_=frames.turn_complete())
        await call.send(frames.text("a"), frames.text("b"), {"usageMetadata": {"totalTokenCount": 1}})
        await call.send_all([frames.text("c"), {}])
        await call.send_bytes(b"raw")
        await call.go_away(9.5)
        await call.turn_complete(status="IDLE")

    async with LiveServer(script) as server, dial(server) as client:
        await client.send(setup={"model": "m"})
        async for frame in client.socket:
            if b"IDLE" in frame:
                break
        sent = server.connections[0].sent
    taken = (
        "setup_complete handle voice_start input_transcription model_turn output_transcription model_turn "
        "output_transcription tool_call generation_complete tool_call_cancellation interrupted turn_complete "
        "model_turn go_away turn_complete"
    )
    assert steps([*sent]) == taken.split()
    assert sent[0] == {"setupComplete": {"sessionId": "s1"}}
    assert sent[2]["sessionResumptionUpdate"] == {"newHandle": "h2", "resumable": False}
    assert sent[7]["serverContent"]["outputTranscription"] == {"text": "Hi"}
    several = next(frame for frame in sent if "usageMetadata" in frame)
    assert several["serverContent"]["modelTurn"]["parts"] == [{"text": "a"}, {"text": "b"}]
    assert b"raw" in [frame.raw for frame in sent]


async def test_a_setup_that_the_service_refuses_is_refused() -> None:
    reached = False

    async def script(call: Call) -> None:
        nonlocal reached
        await call.setup()
        reached = True

    async with LiveServer(script) as server, dial(server) as client:
        await client.send(setup={"model": "m", "modell": "m"})
        assert (await client.closed())[0] == 1007
    assert not reached


async def test_a_setup_need_not_be_answered() -> None:
    async def script(call: Call) -> None:
        await call.setup(answer=False)
        await call.text("early")

    async with LiveServer(script) as server, dial(server) as client:
        assert "serverContent" in await client.setup()


async def test_media_are_received_or_skipped() -> None:
    async def script(call: Call) -> None:
        await call.setup()
        assert await call.receive_audio() == b"\1\0"
        assert (await call.receive(skip_media=True)).text == "after the sound"
        assert (await call.receive()).audio == b"\2\0"
        await call.text("ok")

    async with LiveServer(script) as server, dial(server) as client:
        await client.setup()
        await client.audio(b"\1\0")
        await client.audio(b"\1\0")
        await client.text("after the sound")
        await client.audio(b"\2\0")
        await client.until("model_turn")


@pytest.mark.parametrize("verb", ["receive_text", "receive_audio", "receive_tool_response"])
async def test_a_script_that_is_wrong_fails_the_test(verb: str) -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await getattr(call, verb)()

    with pytest.raises(AssertionError, match=r"expected .*, the client sent {'contextUpdate': {}}"):
        async with LiveServer(script) as server, dial(server) as client:
            await client.setup()
            await client.send(contextUpdate={})
            code, reason = await client.closed()
            assert code == 1011
            assert reason.startswith("AssertionError")


async def test_who_waits_learns_that_a_script_failed() -> None:
    async def script(call: Call) -> None:
        raise ValueError("a mistake")

    with pytest.raises(ValueError, match="a mistake"):
        async with LiveServer(script) as server, dial(server):
            await server.connected(1)


async def test_a_script_may_end_the_call() -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.close(1000, "Goodbye")

    async with LiveServer(script) as server, dial(server) as client:
        await client.setup()
        assert await client.closed() == (1000, "Goodbye")


@pytest.mark.parametrize("awaited", [True, False])
async def test_or_abort_it(awaited: bool) -> None:
    async def script(call: Call) -> None:
        await call.setup()
        if awaited:
            await call.abort()
        else:
            call.abort()

    async with LiveServer(script) as server, dial(server) as client:
        await client.setup()
        assert (await client.closed())[0] == 1006


async def test_a_script_ends_with_its_connection() -> None:
    ended: list[str] = []

    async def script(call: Call) -> None:
        await call.setup()
        try:
            await call.receive()
        except CallEnded:
            ended.append("receive")
        try:
            await call.text("too late")
        except CallEnded:
            ended.append("send")
        assert await call.closed() == 1000
        ended.append("closed")

    async with LiveServer(script) as server:
        async with dial(server) as client:
            await client.setup()
        await server.connections[0].closed()
    assert ended == ["receive", "send", "closed"]


async def test_freezing_lasts_until_the_client_leaves() -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.freeze()
        raise AssertionError("a frozen script ends")

    async with LiveServer(script) as server:
        async with dial(server) as client:
            await client.setup()
            await client.text("hello?")
        assert await server.connections[0].closed() == 1000


async def test_a_script_may_leave_the_rest_to_the_model() -> None:
    async def script(call: Call) -> None:
        await call.setup()
        await call.text("First me. ")
        await call.converse(lambda prompt: [Say("Then me.")])

    async with LiveServer(script, timing=Timing.instant()) as server, dial(server) as client:
        await client.setup(generationConfig={"responseModalities": ["TEXT"]})
        await client.text("go on")
        got = await client.turn()
        assert words(got) == "First me. Then me."


async def test_a_test_may_speak_and_hang_up_at_any_time() -> None:
    async with LiveServer(timing=Timing.instant()) as server, dial(server) as client:
        await client.setup()
        call = server.calls[1]
        await call.text("psst")
        await call.suffer(Freeze())
        await call.text("unheard")
        await call.pause(0)
        await call.close(1011, "enough")
        assert steps(await client.until("model_turn")) == ["model_turn"]
        assert await client.closed() == (1011, "enough")
        with pytest.raises(CallEnded):
            await call.suffer(Close())
