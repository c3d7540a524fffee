"""The official, unmodified `google-genai` SDK against the live server, over TLS (wire 1.2, recipe A)."""

from __future__ import annotations

import ssl
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from google import genai
from google.genai import errors, types

from antiphon.testing.live_server import Call, Close, Faults, LiveServer, Timing, silence, tone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from google.genai.live import AsyncSession

INSTANT = Timing.instant()
WEATHER: Any = {
    "name": "get_weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}
TEXT: Any = {"response_modalities": ["TEXT"]}
AUDIO: Any = {
    "response_modalities": ["AUDIO"],
    "input_audio_transcription": {},
    "output_audio_transcription": {},
}


@asynccontextmanager
async def session(
    server: LiveServer, config: Any, model: str = "gemini-x-live", **http: Any
) -> AsyncIterator[AsyncSession]:
    context = ssl.create_default_context(cafile=server.ca_file)
    options: Any = {
        "base_url": server.base_url.replace("localhost", "127.0.0.1"),  # names are looked up in threads
        "async_client_args": {"ssl": context, "proxy": None},
        **http,
    }
    client = genai.Client(api_key="x", http_options=options)
    try:
        async with client.aio.live.connect(model=model, config=config) as connected:
            yield connected
    finally:
        await client.aio.aclose()
        client.close()


async def turn(session: AsyncSession) -> list[types.LiveServerMessage]:
    return [message async for message in session.receive()]


def told(messages: list[types.LiveServerMessage]) -> str:
    """What the model said, as text or as transcript."""
    contents = [message.server_content for message in messages if message.server_content]
    transcripts = [content.output_transcription.text for content in contents if content.output_transcription]
    return "".join([*(message.text or "" for message in messages), *(text or "" for text in transcripts)])


async def test_a_text_conversation() -> None:
    async with LiveServer(tls=True, timing=INSTANT) as server, session(server, TEXT) as live:
        assert live.setup_complete is not None
        await live.send_client_content(turns={"role": "user", "parts": [{"text": "Hello"}]})
        assert told(await turn(live)) == "You said: Hello"
        await live.send_realtime_input(text="What did I say?")
        answer = await turn(live)
        assert told(answer) == "You said: Hello."
        assert answer[-1].server_content is not None
        assert answer[-1].server_content.turn_complete
        assert answer[-1].usage_metadata is not None
        assert answer[-1].usage_metadata.total_token_count
        connection = await server.connected(1)
        assert connection.setup is not None
        assert connection.setup["model"] == "models/gemini-x-live"
        assert connection.api_key == "x"
        assert connection.headers["user-agent"].startswith("google-genai-sdk/")


async def test_an_audio_conversation_with_transcription() -> None:
    async with LiveServer(tls=True, timing=INSTANT) as server, session(server, AUDIO) as live:
        spoken = tone(1.0) + silence(1.3)
        for start in range(0, len(spoken), 3200):
            chunk = types.Blob(data=spoken[start : start + 3200], mime_type="audio/pcm;rate=16000")
            await live.send_realtime_input(audio=chunk)
        answer = await turn(live)
        assert told(answer) == "I heard 1.0 seconds of speech."
        heard = [m.server_content.input_transcription for m in answer if m.server_content]
        assert [one.text for one in heard if one] == ["(1.0 seconds of speech)"]
        kinds = [m.voice_activity.voice_activity_type for m in answer if m.voice_activity]
        assert kinds == [types.VoiceActivityType.ACTIVITY_START, types.VoiceActivityType.ACTIVITY_END]
        sounds = [m.data for m in answer if m.data]
        assert all(len(sound) % 1920 == 0 for sound in sounds)
        assert len(b"".join(sounds)) == pytest.approx(30 * 0.06 * 48_000, rel=0.1)
        assert server.connections[0].audio == spoken


async def test_manual_activity() -> None:
    config = AUDIO | {"realtime_input_config": {"automatic_activity_detection": {"disabled": True}}}
    async with LiveServer(tls=True, timing=INSTANT) as server, session(server, config) as live:
        await live.send_realtime_input(activity_start=types.ActivityStart())
        await live.send_realtime_input(audio=types.Blob(data=tone(0.5), mime_type="audio/pcm;rate=16000"))
        await live.send_realtime_input(activity_end=types.ActivityEnd())
        assert told(await turn(live)) == "I heard 0.5 seconds of speech."


@pytest.mark.parametrize("model", ["gemini-x-live", "gemini-3.8-live", "gemini-2.5-flash-native-audio"])
async def test_a_tool_round_trip(model: str) -> None:
    """Blocking; not blocking, which ends the turn; one thing per frame (wire 1.10)."""
    config = AUDIO | {"tools": [{"function_declarations": [WEATHER]}]}
    async with LiveServer(tls=True, timing=INSTANT) as server, session(server, config, model) as live:
        await live.send_realtime_input(text="weather in Paris")
        answer: list[types.LiveServerMessage] = []
        while not told(answer):
            async for message in live.receive():
                answer.append(message)
                for call in (message.tool_call.function_calls or []) if message.tool_call else []:
                    assert (call.name, call.args) == ("get_weather", {"city": "Paris"})
                    response = types.FunctionResponse(
                        id=call.id, name=call.name, response={"result": "sunny"}
                    )
                    await live.send_tool_response(function_responses=response)
        assert told(answer) == "get weather: sunny."
        assert server.connections[0].function_responses[0]["response"] == {"result": "sunny"}


async def test_an_interruption() -> None:
    """Wire 1.5: `interrupted`, then `turnComplete`, and no `generationComplete`."""
    timing = Timing.instant(playback=1.0, generation_complete=60.0)
    async with LiveServer(tls=True, timing=timing) as server, session(server, AUDIO) as live:
        await live.send_realtime_input(text="Tell me a long story, please")
        contents: list[types.LiveServerContent] = []
        async for message in live.receive():
            if message.data and not contents:
                await live.send_realtime_input(
                    audio=types.Blob(data=tone(0.5), mime_type="audio/pcm;rate=16000")
                )
            if message.server_content:
                contents.append(message.server_content)
        assert [content.interrupted for content in contents[-2:]] == [True, None]
        assert contents[-1].turn_complete
        assert not any(content.generation_complete for content in contents)


async def test_a_resumption() -> None:
    """Wire 1.8: refused while the old socket is open, remembered afterwards."""
    config = TEXT | {"session_resumption": {}}
    async with LiveServer(tls=True, timing=INSTANT) as server:
        async with session(server, config) as live:
            await live.send_client_content(turns={"role": "user", "parts": [{"text": "I am Ann"}]})
            handles = [m.session_resumption_update for m in await turn(live) if m.session_resumption_update]
            [handle] = [update.new_handle for update in handles]
            again = TEXT | {"session_resumption": {"handle": handle}}
            with pytest.raises(errors.APIError, match="Internal error encountered") as refused:
                async with session(server, again):
                    pass
            assert refused.value.code == 1011
        async with session(server, again) as live:
            await live.send_realtime_input(text="What did I say?")
            assert told(await turn(live)) == "You said: I am Ann."
        assert server.connections[2].resumed_from == handle


async def test_a_script_sees_what_the_sdk_sends() -> None:
    async def script(call: Call) -> None:
        assert (await call.setup())["systemInstruction"]["parts"] == [{"text": "be brief"}]
        assert (await call.receive()).kind == "clientContent"
        await call.text("Hel")
        await call.text("lo", with_={"usageMetadata": {"totalTokenCount": 3}})
        await call.turn_complete()

    async with LiveServer(script, tls=True) as server:
        async with session(server, TEXT | {"system_instruction": "be brief"}) as live:
            await live.send_client_content(turns={"role": "user", "parts": [{"text": "Hi"}]})
            assert told(await turn(live)) == "Hello"


async def test_refusals_are_api_errors() -> None:
    """Wire 1.3, 1.9: with the code and the reason of the close."""
    async with LiveServer(tls=True, timing=INSTANT, accept_keys={"other"}) as server:
        with pytest.raises(errors.APIError, match="API key not valid") as refused:
            async with session(server, TEXT):
                pass
        assert refused.value.code == 1007


async def test_a_close_in_mid_turn_is_an_api_error() -> None:
    faults = Faults(at={"model_turn": Close(1011, "Deadline expired before operation could complete.")})
    async with LiveServer(tls=True, timing=INSTANT, faults=faults) as server, session(server, TEXT) as live:
        await live.send_realtime_input(text="Hello")
        with pytest.raises(errors.APIError, match="Deadline expired") as ended:
            await turn(live)
        assert ended.value.code == 1011


async def test_a_prefix_with_a_slash_is_no_obstacle() -> None:
    """Wire 1.2: the SDK makes two of it."""
    async with LiveServer(tls=True, timing=INSTANT) as server:
        url = f"https://127.0.0.1:{server.port}/gateway/"
        async with session(server, TEXT, base_url=url, api_version="v1alpha"):
            connection = await server.connected(1)
        assert connection.path.startswith("/gateway//ws/google.ai.generativelanguage.v1alpha")
