"""What the peer of a connection is known to have read (contract 7.6)."""

from __future__ import annotations

import asyncio

import pytest

from antiphon.core.messages import Message, Opening, Turn
from antiphon.models.receipts import RECEIPT_AFTER, Receipts
from antiphon.testing.script import media
from antiphon.types import Content, Part

pytestmark = pytest.mark.virtual_clock


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part(text=text)]))


class Peer:
    """Keeps the pings it is sent, and answers when told."""

    def __init__(self) -> None:
        self.pings: list[bytes] = []
        self.receipts = Receipts(self.pings.append)


async def test_what_was_said_is_in_doubt_until_a_later_ping_is_answered() -> None:
    peer, one = Peer(), turn("one")
    peer.receipts.said(Opening(), one)
    await asyncio.sleep(RECEIPT_AFTER * 0.9)
    assert peer.pings == [] and peer.receipts.doubtful == (Opening(), one)
    await asyncio.sleep(RECEIPT_AFTER)
    (ping,) = peer.pings
    peer.receipts.pong(ping)
    assert not peer.receipts.doubtful
    await asyncio.sleep(60.0)
    assert len(peer.pings) == 1, "nothing more to ask"


async def test_what_was_said_after_the_ping_ripened_is_asked_for_by_the_next() -> None:
    peer, one, two = Peer(), turn("one"), turn("two")
    peer.receipts.said(one)
    await asyncio.sleep(RECEIPT_AFTER / 2)
    peer.receipts.said(two)
    await asyncio.sleep(RECEIPT_AFTER * 0.6)
    peer.receipts.pong(peer.pings[0])
    assert peer.receipts.doubtful == (two,)
    await asyncio.sleep(RECEIPT_AFTER)
    peer.receipts.pong(peer.pings[1])
    assert not peer.receipts.doubtful


async def test_a_pong_that_only_says_that_the_peer_is_there_is_no_receipt() -> None:
    peer, one = Peer(), turn("one")
    peer.receipts.said(one)
    peer.receipts.pong(b"")
    assert peer.receipts.doubtful == (one,)
    peer.receipts.stop()
    await asyncio.sleep(60.0)
    assert peer.pings == []


@pytest.mark.parametrize(("leaving", "doubtful"), [(turn("one"), (turn("one"),)), (media(b"\0\0"), ())])
async def test_what_is_leaving_is_in_doubt_once_it_has_left(
    leaving: Message, doubtful: tuple[Message, ...]
) -> None:
    peer = Peer()
    peer.receipts.leaving = leaving
    assert not peer.receipts.doubtful, "it comes back as not sent"
    peer.receipts.left()
    assert peer.receipts.doubtful == doubtful
    peer.receipts.left()
    assert peer.receipts.doubtful == doubtful, "once"
    peer.receipts.stop()


async def test_an_answered_close_leaves_no_doubt() -> None:
    peer = Peer()
    peer.receipts.said(turn("one"))
    peer.receipts.all_read()
    assert peer.receipts.doubtful == ()
    peer.receipts.stop()
