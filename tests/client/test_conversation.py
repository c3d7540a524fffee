"""What an application may call, and what of it reaches the server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.client import Conversation, connect
from antiphon.server import messages
from antiphon.server.messages import JPEG, PCM, PNG, Limits, Media, Up
from tests.client.peer import Line, Peer

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.virtual_clock


async def sent_by(act: Callable[[Conversation], object], limits: Limits | None = None) -> list[Up]:
    """What the server hears of what is done in a conversation, up to its end."""
    heard: list[Up] = []

    async def script(line: Line) -> None:
        await line.welcome(limits=limits or Limits())
        while not isinstance(message := await line.heard(), messages.Close):
            heard.append(message)
        await line.until_closed()

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        act(conversation)
    return heard


async def test_control_is_numbered() -> None:
    """protocol 3.1, 3.2"""

    def act(conversation: Conversation) -> None:
        numbers = [
            conversation.send_text("Grüße"),
            conversation.send_activity_start(),
            conversation.send_activity_end(),
            conversation.send_audio_end(),
            conversation.stop(3, played=250),
            conversation.take_floor(),
        ]
        assert numbers == [1, 2, 3, 4, 5, 6]

    assert await sent_by(act) == [
        messages.Text(1, "Grüße"),
        messages.ActivityStart(2),
        messages.ActivityEnd(3),
        messages.AudioEnd(4),
        messages.Stop(5, 3, 250),
        messages.Take(6),
    ]


async def test_close_is_said_once() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        assert await line.heard() == messages.Close(1)
        await line.say(messages.Closed(1, "the user has left"))
        await line.close(1000)

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        assert conversation.close() == 1
        assert len([item async for item in conversation]) == 2


async def test_playback_is_reported() -> None:
    """protocol 3.3"""
    assert await sent_by(lambda conversation: conversation.report_playback(1, 250)) == [
        messages.Playback(1, 250)
    ]


async def test_sound_goes_in_pieces_of_a_tenth_of_a_second() -> None:
    """protocol 2.3"""
    pcm = bytes(range(200)) * 40  # 0.25 s
    heard = await sent_by(lambda conversation: conversation.send_audio(pcm, 16000))
    assert [
        (each.kind, each.rate, each.number, len(each.data)) for each in heard if isinstance(each, Media)
    ] == [
        (PCM, 16000, 0, 3200),
        (PCM, 16000, 1, 3200),
        (PCM, 16000, 2, 1600),
    ]
    assert b"".join(bytes(each.data) for each in heard if isinstance(each, Media)) == pcm


async def test_frames_are_as_small_as_the_server_wants_them() -> None:
    heard = await sent_by(
        lambda conversation: conversation.send_audio(bytes(100), 16000), Limits(media_bytes=49)
    )
    assert [len(each.data) for each in heard if isinstance(each, Media)] == [32, 32, 32, 4]


async def test_images_are_sent_by_their_type() -> None:
    def act(conversation: Conversation) -> None:
        conversation.send_image(b"\xff\xd8")
        conversation.send_image(b"\x89PNG", "image/png")

    assert [(each.kind, bytes(each.data)) for each in await sent_by(act) if isinstance(each, Media)] == [
        (JPEG, b"\xff\xd8"),
        (PNG, b"\x89PNG"),
    ]


async def test_what_the_server_would_refuse_is_refused_before() -> None:
    def act(conversation: Conversation) -> None:
        with pytest.raises(ValueError, match="messages of 200 bytes; this one has 2"):
            conversation.send_text("é" * 80)
        with pytest.raises(ValueError, match="surrogates"):
            conversation.send_text("\ud83d")
        for rate in (22050, 7900, 96000):
            with pytest.raises(ValueError, match=f"{rate} Hz: resample it"):
                conversation.send_audio(b"\1\0", rate)
        with pytest.raises(ValueError, match="half a sample"):
            conversation.send_audio(b"\1\0\1", 16000)
        with pytest.raises(ValueError, match=r"image/gif.*image/png"):
            conversation.send_image(b"GIF", "image/gif")
        for image in (b"", bytes(85)):
            with pytest.raises(ValueError, match="send one of at most 84"):
                conversation.send_image(image)

    assert await sent_by(act, Limits(text_bytes=200, media_bytes=100)) == []


async def test_a_session_has_a_name() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        await line.until_closed()

    async with Peer(script, script) as peer:
        async with connect(peer.url, user_id="ada", session_id="s1") as conversation:
            assert conversation.session_id == "s1"
        async with connect(peer.url, user_id="ada") as conversation:
            assert peer.requests[1].path == f"/ws/ada/{conversation.session_id}"


async def test_what_was_shed_is_counted() -> None:
    async def script(line: Line) -> None:
        await line.heard()
        await line.say(messages.Queue(1, 1))
        await line.until_closed()

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        for _ in range(8):
            conversation.send_audio(bytes(2 * 16000), 16000)
        assert conversation.shed == 30


async def test_the_guide_does_what_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text(encoding="utf-8")
    (block,) = (
        each for each in re.findall(r"```python\n(.*?)```", guide, re.DOTALL) if "antiphon.client" in each
    )
    visit: dict[str, Any] = {}
    exec(block, visit)

    async def script(line: Line) -> None:
        await line.welcome()
        assert await line.heard() == messages.Text(1, "Hello")
        pieces = '"content":{"parts":[{"text":"Good day."}]}'
        await line.say(
            Media(PCM, bytes(4800), 24000, stream=1),
            messages.Event(1, '{"author":"clerk","partial":true,' + pieces + "}"),
            messages.Flush(2, 1),
            messages.Event(3, '{"author":"clerk",' + pieces + "}"),
            messages.Event(4, '{"author":"clerk","turnComplete":true}'),
        )
        assert await line.expect(messages.Close) == messages.Close(2)
        await line.say(messages.Closed(5, "done"))
        await line.close(1000)

    async with Peer(script) as peer:
        await visit["visit"](peer.url, "secret")
    assert capsys.readouterr().out == "clerk: Good day.\n"
    assert peer.requests[0].headers["Authorization"] == "Bearer secret"
