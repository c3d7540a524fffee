from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from antiphon.client.errors import BacklogFull
from antiphon.client.uplink import ACK_EVERY, MOST_MESSAGES, Uplink
from antiphon.server import messages
from antiphon.server.messages import JPEG, PCM, Media, Up
from antiphon.server.wire import decode_up

if TYPE_CHECKING:
    from collections.abc import Iterator

SECOND = bytes(2 * 16000)


def text(uplink: Uplink, words: str) -> int:
    return uplink.say(lambda n: messages.Text(n, words))


def sent(uplink: Uplink, idle: bool = False) -> list[Up]:
    def frames() -> Iterator[Up]:
        while (frame := uplink.next(idle)) is not None:
            yield decode_up(frame)

    return list(frames())


def texts(uplink: Uplink) -> list[tuple[int, str]]:
    return [(each.n, each.text) for each in sent(uplink) if isinstance(each, messages.Text)]


def test_keeps_the_order_of_messages_and_media() -> None:
    uplink = Uplink(5)
    uplink.say(messages.ActivityStart)
    uplink.add_media(PCM, b"\1\0", 16000, now=7.0)
    uplink.say(messages.ActivityEnd)
    uplink.add_media(PCM, b"\2\0", 16000, now=7.04)
    assert sent(uplink) == [
        messages.ActivityStart(1),
        Media(PCM, b"\1\0", 16000, number=0, at=0),
        messages.ActivityEnd(2),
        Media(PCM, b"\2\0", 16000, number=1, at=40),
    ]


def test_of_playback_only_the_newest_counts() -> None:
    uplink = Uplink(5)
    text(uplink, "Hi")
    uplink.report_playback(1, 250)
    uplink.report_playback(2, 10)
    uplink.report_playback(1, 500)
    assert sent(uplink)[:2] == [messages.Playback(1, 500), messages.Playback(2, 10)]


def test_what_was_not_received_is_sent_again_first() -> None:
    """protocol 3.1"""
    uplink = Uplink(5)
    for word in "abcd":
        text(uplink, word)
    sent(uplink)
    uplink.received(1)
    text(uplink, "e")
    uplink.come_back(2)
    assert texts(uplink) == [(3, "c"), (4, "d"), (5, "e")]
    uplink.received(5)
    uplink.come_back(5)
    assert sent(uplink) == []


def test_a_new_conversation_is_told_the_texts_that_the_old_one_did_not_confirm() -> None:
    uplink = Uplink(5)
    for word in "abc":
        text(uplink, word)
    sent(uplink)
    uplink.received(1)
    uplink.say(lambda n: messages.Stop(n, 1, 100))
    uplink.add_media(PCM, SECOND, 16000, now=0)
    uplink.report_playback(1, 100)
    uplink.acknowledge(50)
    uplink.begin_anew()
    assert not uplink.owes
    assert sent(uplink, idle=True) == [messages.Text(1, "b"), messages.Text(2, "c")]
    assert text(uplink, "d") == 3


def test_old_sound_is_shed_while_there_is_no_socket() -> None:
    uplink = Uplink(3)
    text(uplink, "Hi")
    for second in range(5):
        uplink.add_media(PCM, SECOND, 16000, now=second)
    assert uplink.shed == 2
    kept = sent(uplink)
    assert kept[0] == messages.Text(1, "Hi")
    assert [(each.number, each.at) for each in kept if isinstance(each, Media)] == [
        (0, 2000),
        (1, 3000),
        (2, 4000),
    ]
    uplink.add_media(PCM, 10 * SECOND, 16000, now=5)  # longer than what is kept, but the newest
    assert len(sent(uplink)) == 1


def test_of_images_the_newest_two_are_kept() -> None:
    uplink = Uplink(5)
    for image in (b"a", b"b", b"c"):
        uplink.add_media(JPEG, image, 0, now=0)
    assert [bytes(each.data) for each in sent(uplink) if isinstance(each, Media)] == [b"b", b"c"]
    assert uplink.shed == 1


def test_acknowledges_many_at_once_and_few_when_idle() -> None:
    uplink = Uplink(5)
    uplink.acknowledge(ACK_EVERY - 1)
    assert uplink.owes
    assert sent(uplink) == []
    assert sent(uplink, idle=True) == [messages.Ack(ACK_EVERY - 1)]
    assert not uplink.owes
    uplink.acknowledge(3 * ACK_EVERY)
    assert sent(uplink) == [messages.Ack(3 * ACK_EVERY)]
    uplink.acknowledge(3 * ACK_EVERY + 1)
    uplink.come_back(0)  # its hello acknowledged it
    assert not uplink.owes


def test_who_talks_to_nobody_is_told() -> None:
    uplink = Uplink(5)
    for _ in range(MOST_MESSAGES):
        text(uplink, "Hello?")
    with pytest.raises(BacklogFull, match="1000 messages wait"):
        text(uplink, "Hello?")
    sent(uplink)
    with pytest.raises(BacklogFull):
        text(uplink, "Hello?")
    uplink.received(1)
    assert text(uplink, "There you are") == MOST_MESSAGES + 1


def test_after_the_end_nothing_is_kept() -> None:
    uplink = Uplink(5)
    text(uplink, "Good bye")
    uplink.close()
    for _ in range(MOST_MESSAGES + 1):
        text(uplink, "Late")
    uplink.add_media(PCM, SECOND, 16000, now=0)
    assert sent(uplink) == []
