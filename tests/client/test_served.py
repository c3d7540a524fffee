"""The client against the real server: both are right, or neither is."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, TypeVar

import pytest

from antiphon.client import (
    Audio,
    Closed,
    Connected,
    Conversation,
    ConversationRefused,
    Disconnected,
    Draining,
    Event,
    Flush,
    Item,
    QueuePosition,
    Refused,
    RoleChanged,
    connect,
)
from antiphon.config import Retry
from antiphon.core.messages import Turn
from antiphon.core.signals import ModelInterrupted, TurnComplete
from antiphon.errors import QuotaExceeded
from antiphon.server.access import Access, BearerTokens
from antiphon.server.limits import ServerLimits
from tests.runtime.near_model import NearModel, until
from tests.server.conversing import CHUNK, Served, served

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

pytestmark = pytest.mark.virtual_clock

K = TypeVar("K")
SOON = Retry(attempts=1000, first_delay=0.01, max_delay=0.02)


def conversation_with(app: Served, **options: object) -> AbstractAsyncContextManager[Conversation]:
    given: dict[str, object] = {"user_id": "ada", "session_id": "s1", "retry": SOON, **options}
    return connect(f"ws://127.0.0.1:{app.port}", **given)  # type: ignore[arg-type]


def words(item: Item) -> str | None:
    """The text of a whole piece that the model said."""
    if isinstance(item, Event) and not item.partial and item.content and item.content.parts:
        return item.content.parts[0].text
    return None


async def until_item(conversation: Conversation, found: Callable[[Item], object]) -> list[Item]:
    seen: list[Item] = []
    async with asyncio.timeout(30):
        async for item in conversation:
            seen.append(item)
            if found(item):
                break
    return seen


def pull_out(conversation: Conversation) -> None:
    """The cable, as far as the client can tell."""
    if (socket := conversation._link._socket) is not None:
        socket.transport.abort()


def text_of_turn(turn: Turn) -> str | None:
    return turn.content.parts[0].text if turn.content.parts else None


async def told_of(conversation: Conversation, kind: type[K]) -> K:
    *_, last = await until_item(conversation, lambda item: isinstance(item, kind))
    assert isinstance(last, kind)
    return last


async def test_a_conversation() -> None:
    async with served() as app, conversation_with(app) as conversation:
        assert await anext(conversation) == Connected(False, "speaker")
        assert conversation.hello is not None
        assert conversation.hello.agent == "assistant"
        conversation.send_text("Hello")
        conversation.send_audio(CHUNK, 16000)
        connection = await app.connection()
        await until(lambda: len(connection.heard) >= 2)
        await app.says(CHUNK, CHUNK, "Good day.")
        seen = await until_item(conversation, words)
        assert [(item.stream, item.number) for item in seen if isinstance(item, Audio)] == [(1, 0), (1, 1)]
        assert b"".join(item.pcm for item in seen if isinstance(item, Audio)) == 2 * CHUNK
        assert words(seen[-1]) == "Good day."
        conversation.close()
        assert isinstance((await until_item(conversation, lambda item: isinstance(item, Closed)))[-1], Closed)
        assert [item async for item in conversation] == []


async def test_an_interruption_flushes() -> None:
    """contract 8.5"""
    async with served() as app, conversation_with(app) as conversation:
        await app.says(CHUNK, CHUNK)
        await until_item(conversation, lambda item: isinstance(item, Audio) and item.number == 1)
        await app.says(ModelInterrupted())
        seen = await until_item(conversation, lambda item: isinstance(item, Event) and item.interrupted)
        assert [item for item in seen if not isinstance(item, Event)] == [Flush(1)]


@pytest.mark.parametrize("seed", range(10))
async def test_the_cable_is_pulled_out_again_and_again(seed: int) -> None:
    """contract 8.4: nothing is lost, and nothing comes twice, in either direction."""
    chance = Random(seed)
    said, heard = [f"word {n}" for n in range(60)], [f"reply {n}" for n in range(60)]
    seen: list[Item] = []
    async with served() as app, conversation_with(app) as conversation:
        for one, other in zip(said, heard, strict=True):
            conversation.send_text(one)
            await app.says(other)
            if chance.random() < 0.3:
                pull_out(conversation)
            if chance.random() < 0.2:
                seen += await until_item(conversation, words)
        seen += await until_item(conversation, lambda item: words(item) == heard[-1])
        connection = await app.connection()
        await until(lambda: len(connection.heard) >= len(said))
        assert len(app.model.connections) == 1
        turns = [each for each in connection.heard if isinstance(each, Turn)]
    assert [text for item in seen if (text := words(item))] == heard
    assert any(isinstance(item, Disconnected) for item in seen)
    assert [text_of_turn(turn) for turn in turns] == said


async def test_of_an_answer_no_sound_is_lost_or_doubled() -> None:
    """contract 8.4; protocol 6.2"""
    async with served() as app, conversation_with(app) as conversation:
        seen: list[Item] = []
        for number in range(20):
            await app.says(bytes([number, 0]) * 2400)
            if number % 4 == 1:
                pull_out(conversation)
            if number % 5 == 2:
                seen += await until_item(conversation, lambda item: isinstance(item, Audio))
        await app.says(TurnComplete(), "Last.")
        seen += await until_item(conversation, lambda item: words(item) == "Last.")
        await asyncio.sleep(1)
    sounds = [item for item in seen if isinstance(item, Audio)]
    assert [(item.number, item.pcm[0]) for item in sounds] == [(number, number) for number in range(20)]


async def test_who_may_not_come_in_is_told_why() -> None:
    """contract 8.7"""
    access = Access(authenticator=BearerTokens({"secret": "ada"}))
    async with served(access=access) as app:
        async with conversation_with(app, token="secret") as conversation:
            assert await anext(conversation) == Connected(False, "speaker")
        for wrong in ({"token": "guess"}, {"token": None}, {"token": "secret", "user_id": "bob"}):
            with pytest.raises(ConversationRefused) as refused:
                async with conversation_with(app, **wrong):
                    raise AssertionError
            assert refused.value.code == 1008


async def test_a_quota_is_waited_for() -> None:
    """contract 8.6"""
    model = NearModel()
    model.connect_error = QuotaExceeded("no more")
    async with served(model=model) as app, conversation_with(app) as conversation:
        assert await anext(conversation) == QueuePosition(1, 1)
        conversation.send_text("Hello")
        model.connect_error = None
        await told_of(conversation, Connected)
        connection = await app.connection()
        await until(lambda: connection.heard)


async def test_waits_in_line_and_begins_by_itself() -> None:
    """contract 8.6"""
    async with served(ServerLimits(places=1)) as app:
        async with conversation_with(app) as first:
            await anext(first)
            async with conversation_with(app, session_id="s2") as second:
                assert await anext(second) == QueuePosition(1, 1)
                first.close()
                assert await anext(second) == Connected(False, "speaker")


async def test_a_second_client_takes_over_and_gives_back() -> None:
    """protocol 6.4"""
    async with served() as app, conversation_with(app) as first:
        assert await anext(first) == Connected(False, "speaker")
        async with conversation_with(app) as second:
            assert await anext(second) == Connected(False, "speaker")
            assert await told_of(first, RoleChanged) == RoleChanged("watcher")
            n = first.send_text("Me too")
            refused = await told_of(first, Refused)
            assert (refused.code, refused.n) == ("not_speaker", n)
            first.take_floor()
            assert await told_of(first, RoleChanged) == RoleChanged("speaker")
            assert await told_of(second, RoleChanged) == RoleChanged("watcher")


async def test_a_server_that_ends_is_left_for_another() -> None:
    """contract 8.8; protocol 4.4: the session is the same, what was not taken is said again."""
    async with served(ServerLimits(drain_seconds=5)) as app, served() as next_one:
        async with conversation_with(app) as conversation:
            await anext(conversation)
            door = conversation._link._door
            draining = asyncio.create_task(app.rooms.drain())
            assert await told_of(conversation, Draining) == Draining(5)
            door.address = door.address.replace(str(app.port), str(next_one.port))
            gone = await told_of(conversation, Disconnected)
            assert "1001" in gone.reason
            conversation.send_text("Still there?")
            assert (await told_of(conversation, Connected)).resumed is False
            connection = await next_one.connection()
            await until(lambda: connection.heard)
            await draining
