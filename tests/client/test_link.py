"""The client against a scripted server: what breaks, and what comes of it."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from antiphon.client import (
    Audio,
    Closed,
    Connected,
    Conversation,
    ConversationLost,
    ConversationRefused,
    Disconnected,
    Draining,
    Event,
    Flush,
    Item,
    Missing,
    QueuePosition,
    Refused,
    RoleChanged,
    connect,
)
from antiphon.client.inbox import CAPACITY
from antiphon.config import Retry
from antiphon.server import messages
from antiphon.server.messages import PCM, Media
from tests.client.peer import Line, Peer, hello

pytestmark = pytest.mark.virtual_clock

RETRY = Retry(attempts=3, first_delay=1, max_delay=4, jitter=0)


def sound(stream: int, number: int) -> Media:
    return Media(PCM, b"\1\0", 24000, stream, number, at=20 * number)


def said(seq: int, text: str) -> messages.Event:
    return messages.Event(seq, '{"author":"clerk","content":{"parts":[{"text":"' + text + '"}]}}')


def text_of(item: Item) -> str | None:
    return (
        item.content.parts[0].text
        if isinstance(item, Event) and item.content and item.content.parts
        else None
    )


async def items_of(conversation: Conversation) -> list[Item]:
    return [item async for item in conversation]


async def over(line: Line, seq: int = 99) -> None:
    await line.say(messages.Closed(seq, "done"))
    await line.close(1000)


async def ended(line: Line) -> None:
    """The client leaves by itself, and says so."""
    await line.expect(messages.Close)
    assert await line.until_closed() == 1000


async def test_all_that_comes_becomes_an_item() -> None:
    async def script(line: Line) -> None:
        came = await line.welcome()
        assert came == messages.ClientHello(config=messages.Config("TEXT", manual_activity=True), watch=True)
        await line.say(
            messages.Received(1),
            sound(2, 0),
            said(1, "Hello"),
            messages.Flush(2, 1),
            messages.Shed(3, 2, 0, 4),
            messages.Role(4, "watcher"),
            messages.Drain(5, 2),
            messages.Error("not_speaker", "Take the floor.", 7),
            messages.Closed(6, "done"),
        )
        await line.socket.send('{"type":"weather","seq":7}')
        assert await line.expect(messages.Ack) == messages.Ack(7)
        await line.close(1000)

    async with (
        Peer(script) as peer,
        connect(peer.url, user_id="ada", modality="TEXT", manual_activity=True, watch=True) as conversation,
    ):
        assert conversation.hello == hello()
        first, heard, event, *rest = await items_of(conversation)
    assert (first, heard) == (Connected(False, "speaker"), Audio(2, 0, 0, 24000, b"\1\0"))
    assert text_of(event) == "Hello"
    assert rest == [
        Flush(1),
        Missing(2, 0, 4),
        RoleChanged("watcher"),
        Draining(2),
        Refused("not_speaker", "Take the floor.", 7),
        Closed("done"),
    ]


async def test_comes_back_and_nothing_is_lost_or_doubled() -> None:
    """protocol 3.1, 6.2; contract 8.4"""

    async def first(line: Line) -> None:
        await line.welcome()
        assert await line.heard() == messages.Text(1, "one")
        assert await line.heard() == messages.Text(2, "two")
        await line.say(messages.Received(1), said(1, "a"), sound(1, 0), said(2, "b"))
        await line.expect(messages.Ack)
        line.drop()

    async def second(line: Line) -> None:
        came = await line.welcome(resumed=True, received=1)
        assert came == messages.ClientHello("token", 2, (1, 0))
        assert [await line.heard() for _ in range(2)] == [messages.Text(2, "two"), messages.Text(3, "three")]
        await line.say(said(2, "b"), said(3, "c"), sound(1, 0), sound(1, 1))
        await over(line)

    async with Peer(first, second) as peer, connect(peer.url, user_id="ada", retry=RETRY) as conversation:
        conversation.send_text("one")
        conversation.send_text("two")
        seen: list[Item] = []
        async for item in conversation:
            seen.append(item)
            if isinstance(item, Disconnected):
                assert item.wait == 1
                conversation.send_text("three")
    assert [text for item in seen if (text := text_of(item))] == ["a", "b", "c"]
    assert [item.number for item in seen if isinstance(item, Audio)] == [0, 1]
    assert [item.resumed for item in seen if isinstance(item, Connected)] == [False, True]


async def test_a_server_that_ends_is_come_back_to() -> None:
    """protocol 4.4, 7.2"""

    async def first(line: Line) -> None:
        await line.welcome()
        await line.say(messages.Drain(1, 5))
        await line.close(1001, "the server ends")

    async def second(line: Line) -> None:
        assert (await line.welcome(resumed=True)).seq == 1
        await over(line)

    async with Peer(first, second) as peer, connect(peer.url, user_id="ada", retry=RETRY) as conversation:
        seen = await items_of(conversation)
    assert seen[1:4] == [Draining(5), Disconnected("the server ends (1001)", 1), Connected(True, "speaker")]


async def test_begins_anew_where_the_conversation_is_unknown() -> None:
    """protocol 6.3"""

    async def first(line: Line) -> None:
        await line.welcome()
        await line.expect(messages.Text)
        await line.say(said(5, "a"), sound(7, 3))
        await line.expect(messages.Ack)
        line.drop()

    async def second(line: Line) -> None:
        assert await line.heard() == messages.ClientHello("token", 5, (7, 3))
        await line.say(messages.Error("unknown_conversation", "Begin anew."))
        await line.close(4004)

    async def third(line: Line) -> None:
        assert await line.welcome() == messages.ClientHello()
        assert await line.heard() == messages.Text(1, "Hi")
        await line.say(said(1, "b"), sound(1, 0))
        await over(line)

    async with (
        Peer(first, second, third) as peer,
        connect(peer.url, user_id="ada", retry=RETRY) as conversation,
    ):
        conversation.send_text("Hi")
        seen = await items_of(conversation)
    assert [text for item in seen if (text := text_of(item))] == ["a", "b"]
    assert [item.stream for item in seen if isinstance(item, Audio)] == [7, 1]
    assert not any(isinstance(item, Refused) for item in seen)
    assert [item.reason for item in seen if isinstance(item, Disconnected)][1] == "Begin anew. (4004)"


async def test_waits_in_line() -> None:
    """protocol 1.2; contract 8.6"""

    async def script(line: Line) -> None:
        await line.heard()
        await line.say(messages.Queue(2, 2))
        await line.say(messages.Queue(1, 1))
        with pytest.raises(TimeoutError):  # nothing may come before hello
            async with asyncio.timeout(60):
                await line.heard()
        await line.say(hello())
        assert await line.heard() == messages.Text(1, "Hi")
        await over(line)

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        assert conversation.hello is None
        conversation.send_text("Hi")
        seen = await items_of(conversation)
    assert seen[:3] == [QueuePosition(2, 2), QueuePosition(1, 1), Connected(False, "speaker")]


async def test_a_full_line_is_an_error_at_once() -> None:
    async def script(line: Line) -> None:
        await line.heard()
        await line.say(messages.Error("queue_full", "Try again in a minute."))
        await line.close(1013)

    async with Peer(script) as peer:
        with pytest.raises(ConversationRefused, match="Try again in a minute") as refused:
            async with connect(peer.url, user_id="ada"):
                raise AssertionError
    assert refused.value.code == 1013


@pytest.mark.parametrize("code", [1008, 4001, 4008])
async def test_what_is_refused_for_good_is_not_tried_again(code: int) -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        await line.close(code, "no more")

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        assert await anext(conversation) == Connected(False, "speaker")
        for _ in range(2):
            with pytest.raises(ConversationRefused, match=f"no more.*{code}"):
                await anext(conversation)
        conversation.send_text("Late, and not wrong")


async def test_a_server_that_is_not_there_is_an_error_at_once() -> None:
    async with Peer() as peer:
        url = peer.url
    with pytest.raises(ConversationLost, match=r"no conversation: .* cannot be reached.*Look at `url`"):
        async with connect(url, user_id="ada"):
            raise AssertionError


async def test_gives_up_when_trying_again_does_not_help() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        line.drop()

    async def broken(line: Line) -> None:
        line.drop()

    async with (
        Peer(script, broken, broken, broken) as peer,
        connect(peer.url, user_id="ada", retry=RETRY) as conversation,
    ):
        seen: list[Item] = []
        with pytest.raises(ConversationLost, match="Trying again did not help"):
            async for item in conversation:
                seen.append(item)  # noqa: PERF401 - they count though it fails
    assert [item.wait for item in seen if isinstance(item, Disconnected)] == [1, 2, 4]


async def test_a_broken_network_is_noticed() -> None:
    async def silent(line: Line) -> None:
        await line.welcome()
        line.socket.transport.pause_reading()
        await asyncio.sleep(120)
        line.drop()

    async def second(line: Line) -> None:
        await line.welcome(resumed=True)
        await over(line)

    async with Peer(silent, second) as peer, connect(peer.url, user_id="ada") as conversation:
        async with asyncio.timeout(60):
            seen = await items_of(conversation)
    assert [type(item) for item in seen] == [Connected, Disconnected, Connected, Closed]


@pytest.mark.parametrize("frame", ["{}", '{"type":"event","seq":1,"event":{"author":[]}}', b"\0"])
async def test_a_server_that_breaks_the_protocol_ends_it(frame: str | bytes) -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        await line.socket.send(frame)
        await line.until_closed()

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        with pytest.raises(ConversationLost, match="The server broke the protocol"):
            await items_of(conversation)


async def test_what_crashes_is_told() -> None:
    async def no_token() -> str:
        raise RuntimeError("no token today")

    async with Peer() as peer:
        with pytest.raises(RuntimeError, match="no token today"):
            async with connect(peer.url, user_id="ada", token=no_token):
                raise AssertionError


async def test_a_conversation_that_is_closed_is_over_even_if_its_socket_breaks() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        await line.say(messages.Closed(1, "done"))
        await line.expect(messages.Ack)
        line.drop()

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        assert await items_of(conversation) == [Connected(False, "speaker"), Closed("done")]


async def test_leaving_says_what_waits_and_that_it_is_over() -> None:
    """protocol 6.1: without grace."""

    async def script(line: Line) -> None:
        await line.welcome()
        assert [await line.heard() for _ in range(2)] == [messages.Text(1, "Bye"), messages.Close(2)]
        assert await line.until_closed() == 1000

    async with Peer(script) as peer:
        async with connect(peer.url, user_id="ada") as conversation:
            conversation.send_text("Bye")
        assert await items_of(conversation) == [Connected(False, "speaker")]


async def test_leaving_a_server_that_hears_nothing_takes_a_moment() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        line.socket.transport.pause_reading()
        await asyncio.sleep(60)
        line.drop()

    async with Peer(script) as peer:
        async with asyncio.timeout(30), connect(peer.url, user_id="ada"):
            began = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - began < 10


async def test_leaving_the_line() -> None:
    async def script(line: Line) -> None:
        await line.heard()
        await line.say(messages.Queue(1, 1))
        assert await line.until_closed() == 1000

    async with Peer(script) as peer, connect(peer.url, user_id="ada"):
        pass


async def test_leaving_between_two_sockets() -> None:
    async def script(line: Line) -> None:
        await line.welcome()
        line.drop()

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        async for item in conversation:
            if isinstance(item, Disconnected):
                break


async def test_a_flush_overtakes_the_sound_that_waits() -> None:
    """contract 8.5"""
    flushed = asyncio.Event()

    async def script(line: Line) -> None:
        await line.welcome()
        await line.say(
            *(sound(1, number) for number in range(50)), messages.Flush(1, 1), sound(1, 50), sound(2, 0)
        )
        await line.expect(messages.Ack)
        flushed.set()
        await over(line)

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        await flushed.wait()
        seen = await items_of(conversation)
    assert seen[1:] == [Flush(1), Audio(2, 0, 0, 24000, b"\1\0"), Closed("done")]


async def test_what_nobody_reads_is_left_with_the_server() -> None:
    """protocol 5.3: it knows what to shed."""
    many = 3 * CAPACITY

    async def script(line: Line) -> None:
        await line.welcome()
        await line.say(*(sound(1, number) for number in range(many)))
        await over(line)

    async with Peer(script) as peer, connect(peer.url, user_id="ada") as conversation:
        await asyncio.sleep(5)
        assert len(conversation._link.inbox._line) <= CAPACITY
        seen = await items_of(conversation)
    assert [item.number for item in seen if isinstance(item, Audio)] == list(range(many))


class Books:
    """A server that knows what it has told and heard, and pulls out the cable wherever it likes."""

    def __init__(self, chance: Random, texts: int, events: int) -> None:
        self._chance = chance
        self._texts = texts
        self._events = events
        self._told = 0
        self.heard: list[str] = []

    async def script(self, line: Line) -> None:
        came = await line.expect(messages.ClientHello)
        await line.say(hello(resumed=came.resume is not None, received=len(self.heard)))
        await line.say(*(said(seq, str(seq)) for seq in range(came.seq + 1, self._told + 1)))
        for _ in range(self._chance.randint(0, 12)):
            if self._told < self._events:
                self._told += 1
                await line.say(said(self._told, str(self._told)))
            await self._listen(line)
            if self._told == self._events and len(self.heard) == self._texts:
                await over(line, self._events + 1)
                return
        line.drop()

    async def _listen(self, line: Line) -> None:
        try:
            async with asyncio.timeout(0.01):
                message = await line.heard()
        except TimeoutError:
            return
        if isinstance(message, messages.Text) and message.n > len(self.heard):
            assert message.n == len(self.heard) + 1
            self.heard.append(message.text)
        if self._chance.random() < 0.5:
            await line.say(messages.Received(len(self.heard)))


@pytest.mark.parametrize("seed", range(20))
async def test_random_breaks_lose_and_double_nothing(seed: int) -> None:
    """protocol 3.1, 6.2"""
    books = Books(Random(seed), texts=40, events=60)
    retry = Retry(attempts=1000, first_delay=0.1)
    async with (
        Peer(books.script, forever=True) as peer,
        connect(peer.url, user_id="ada", retry=retry) as conversation,
    ):
        for n in range(40):
            conversation.send_text(str(n))
        seen = await items_of(conversation)
    assert [text for item in seen if (text := text_of(item))] == [str(seq) for seq in range(1, 61)]
    assert books.heard == [str(n) for n in range(40)]
