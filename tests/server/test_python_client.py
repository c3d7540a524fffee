"""`antiphon.client` and the server, each by its own reading of the protocol (contract 8.13)."""

from __future__ import annotations

import asyncio

from antiphon.client import Audio, Connected, Event, Flush, connect
from antiphon.core.signals import ModelInterrupted, TurnComplete
from tests.runtime.near_model import until
from tests.server.conversing import CHUNK, served

PATIENCE = 10.0


async def test_a_conversation_goes_on_through_a_broken_socket() -> None:
    """protocol 6.2, 3.1"""
    heard: list[str] = []
    sounds: list[tuple[int, int]] = []
    comings = 0
    async with served() as app, asyncio.timeout(PATIENCE):
        async with connect(f"ws://127.0.0.1:{app.port}", user_id="ada", session_id="s1") as conversation:
            conversation.send_text("One")
            connection = await app.connection()
            await until(lambda: connection.heard)
            await app.says(CHUNK, CHUNK)
            async for item in conversation:
                match item:
                    case Connected(resumed=resumed):
                        comings += 1
                        assert resumed is (comings > 1)
                    case Audio(stream=stream, number=number):
                        sounds.append((stream, number))
                        if len(sounds) == 2:
                            (room,) = app.rooms
                            (seat,) = room.clients.seats.values()
                            assert seat.socket is not None
                            seat.socket.cut(1011, "a fault")
                            conversation.send_text("Two")
                            await app.says(
                                "First.", CHUNK, ModelInterrupted(), TurnComplete(), CHUNK, "Second."
                            )
                    case Event(content=content, partial=False) if content and content.parts:
                        heard.append(content.parts[0].text or "")
                    case Flush(stream=stream):
                        assert stream == 2
                if heard == ["First.", "Second."] and len(sounds) == 3:
                    await until(lambda: len(connection.heard) == 2)
                    conversation.close()
                    break
        await until(lambda: not len(app.rooms))

    assert comings == 2 and sounds == [(1, 0), (1, 1), (3, 0)]
    assert [message.content.parts[0].text for message in connection.heard] == ["One", "Two"]  # type: ignore[union-attr, index]
