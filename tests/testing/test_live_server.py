"""The server as a whole, by a bare WebSocket client."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidMessage, InvalidStatus

from antiphon.testing import live_server
from antiphon.testing.live_certificate import certified
from antiphon.testing.live_server import Faults, LiveServer, Timing, silence, tone
from tests.testing.live_client import dial, steps, words

INSTANT = Timing.instant()


def is_there(file: str) -> bool:
    return Path(file).exists()


async def test_a_conversation_over_plain_websockets() -> None:
    """Wire 1.11: voice, transcripts, tools and an interruption, with a script-less server."""
    async with LiveServer(timing=INSTANT) as server, dial(server) as client:
        tools = [
            {"functionDeclarations": [{"name": "get_weather", "parameters": {"properties": {"city": {}}}}]}
        ]
        await client.setup(tools=tools, inputAudioTranscription={}, outputAudioTranscription={})
        await client.audio(tone(1.0) + silence(1.3))
        got = await client.turn()
        assert steps(got)[:4] == ["voice_start", "input_transcription", "voice_end", "model_turn"]
        assert words(got) == "I heard 1.0 seconds of speech."
        await client.text("weather in Paris")
        [call] = await client.until("tool_call")
        assert call["toolCall"]["functionCalls"][0]["args"] == {"city": "Paris"}
        await client.answer(call, response={"result": "sunny"})
        assert words(await client.turn()) == "get weather: sunny."
        connection = await server.connected(1)
        assert connection.status == 101
        assert connection.audio == tone(1.0) + silence(1.3)


@pytest.mark.parametrize(
    "path",
    [
        "//ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent",
        "/prefix/ws/google.ai.generativelanguage.v1alpha.GenerativeService.BidiGenerateContentConstrained?key=1",
        "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent",
    ],
)
async def test_every_path_of_the_service_is_served(path: str) -> None:
    """Wire 1.1, 1.2."""
    async with LiveServer(timing=INSTANT) as server, dial(server, path) as client:
        assert "setupComplete" in await client.setup()
        assert server.connections[0].path == path


async def test_other_paths_are_not_found_unless_verbatim() -> None:
    """Wire 1.1: Vertex mode with a custom base URL appends no path."""
    async with LiveServer(timing=INSTANT) as server:
        with pytest.raises(InvalidStatus) as refused:
            await connect("ws" + server.base_url.removeprefix("http") + "/other", proxy=None)
        assert refused.value.response.status_code == 404
    async with LiveServer(timing=INSTANT, vertex_verbatim=True) as server, dial(server, "/other") as client:
        assert "setupComplete" in await client.setup()


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_the_upgrade_may_be_refused(status: int) -> None:
    """Wire 1.11; the next connection is not."""
    async with LiveServer(timing=INSTANT, faults={1: Faults(http_status=status)}) as server:
        with pytest.raises(InvalidStatus) as refused:
            async with dial(server):
                pass
        assert refused.value.response.status_code == status
        async with dial(server) as client:
            await client.setup()
        assert [connection.status for connection in server.connections] == [status, 101]
        assert (await server.connected(1)).number == 2, "the first that sent a setup"


async def test_the_socket_may_be_refused() -> None:
    async with LiveServer(timing=INSTANT, faults=Faults().on(1, refuse_tcp=True)) as server:
        with pytest.raises((InvalidMessage, OSError)):
            async with dial(server):
                pass
        async with server.unreachable():
            with pytest.raises(OSError, match=r"refused|failed"):
                async with dial(server):
                    pass
        async with dial(server) as client:
            await client.setup()
        assert [connection.close_code for connection in server.connections][:1] == [1006]
        assert len(server.connections) == 2


async def test_tls_with_a_certificate_of_its_own() -> None:
    async with LiveServer(timing=INSTANT, tls=True) as server:
        assert server.base_url == f"https://localhost:{server.port}"
        assert server.ca_file is not None
        file = server.ca_file
        context = ssl.create_default_context(cafile=server.ca_file)
        async with dial(server, ssl=context) as client:
            assert await client.setup() == {"setupComplete": {}}
    assert server.ca_file is None
    assert not is_there(file)


async def test_or_with_yours() -> None:
    with certified() as (context, file):
        async with LiveServer(timing=INSTANT, tls=context) as server:
            assert server.ca_file is None
            async with dial(server, ssl=ssl.create_default_context(cafile=file)) as client:
                assert await client.setup() == {"setupComplete": {}}


async def test_what_is_no_websocket_is_no_connection() -> None:
    async with LiveServer() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 426 " in await reader.readline()
        await reader.read()
        writer.close()
        assert server.connections == []


async def test_waiting_in_vain_says_for_what() -> None:
    async with LiveServer(timing=INSTANT) as server, dial(server):
        with pytest.raises(TimeoutError, match=r"setup number 1; \[<Connection 1 open"):
            await server.connected(1, within=0.001)


async def test_any_condition_can_be_awaited() -> None:
    async with LiveServer(timing=INSTANT) as server:
        waiting = asyncio.gather(server.until(lambda server: server.connections), server.connected(1))
        async with dial(server) as client:
            await client.setup()
            connections, first = await waiting
        assert connections == [first]


async def test_leaving_does_not_wait_for_scripts() -> None:
    async with LiveServer(lambda call: asyncio.Event().wait()) as server:  # type: ignore[arg-type, return-value]
        async with dial(server) as client:
            await client.send(setup={"model": "m"})
            await server.connected()


async def test_an_error_in_the_block_comes_first() -> None:
    async def script(call: live_server.Call) -> None:
        raise AssertionError("in the script")

    with pytest.raises(KeyError, match="in the block"):
        async with LiveServer(script) as server, dial(server) as client:
            await client.closed()
            raise KeyError("in the block")


async def test_a_port_that_is_taken_is_an_error() -> None:
    async with LiveServer() as server:
        with pytest.raises(OSError, match=r"address|in use"):
            async with LiveServer(port=server.port, tls=True):
                pass


def test_a_profile_that_is_unknown_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"3\.8-live"):
        LiveServer(profile="9")
    with pytest.raises(ValueError, match="monthly"):
        LiveServer(handle_policy="monthly")


@pytest.mark.parametrize("tls", [[], ["--tls"]])
def test_it_runs_from_the_command_line(tls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Until it is interrupted."""

    async def interrupted() -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_server, "forever", interrupted)
        live_server.main(["--port", "0", *tls])
    written = capsys.readouterr().out
    assert written.startswith("Gemini Live, emulated, at http")
    assert ("SSL_CERT_FILE" in written) == bool(tls)


def test_a_port_that_is_taken_is_told_in_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        live_server.main(["--port", str(taken.getsockname()[1])])
    assert ended.value.code == 1
    assert "choose another --port" in capsys.readouterr().err


def test_its_help_says_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        live_server.main(["--help"])
    assert "Any API key will do" in capsys.readouterr().out
