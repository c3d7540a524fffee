from __future__ import annotations

import pytest
from pydantic import ValidationError

from antiphon.client import items
from antiphon.client.downlink import Downlink, event_of, item_of
from antiphon.events import Event
from antiphon.server import messages
from antiphon.server.messages import PCM, Config, Media, Sequenced
from antiphon.types import Content, Part
from tests.client.peer import hello


def sound(stream: int, number: int) -> Media:
    return Media(PCM, memoryview(b"\1\0"), 24000, stream, number, at=7)


def a_downlink() -> Downlink:
    return Downlink(Config("TEXT"), watch=False)


def test_comes_back_to_where_it_was() -> None:
    """protocol 6.2"""
    downlink = a_downlink()
    assert downlink.hello() == messages.ClientHello(config=Config("TEXT"))
    downlink.welcome(hello())
    assert downlink.is_new(messages.Drain(1, 2))
    assert downlink.is_new(sound(3, 0))
    assert downlink.is_new(sound(3, 1))
    assert downlink.hello() == messages.ClientHello("token", 1, (3, 1))
    downlink.begin_anew()
    assert downlink.hello() == messages.ClientHello(config=Config("TEXT"))


def test_nothing_is_told_twice() -> None:
    downlink = a_downlink()
    told: list[Sequenced | Media] = [messages.Drain(1, 2), messages.Flush(2, 1), sound(2, 0), sound(2, 1)]
    assert [downlink.is_new(each) for each in told] == [True] * 4
    assert [downlink.is_new(each) for each in told] == [False] * 4
    later: list[Sequenced | Media] = [messages.Drain(3, 1), sound(2, 2), sound(3, 0)]
    assert [downlink.is_new(each) for each in later] == [True] * 3


def test_sound_of_a_flushed_answer_comes_too_late() -> None:
    """protocol 4.3"""
    downlink = a_downlink()
    downlink.is_new(messages.Flush(1, 4))
    downlink.is_new(messages.Flush(2, 3))
    assert not downlink.is_new(sound(4, 9))
    assert downlink.is_new(sound(5, 0))


def test_what_is_not_known_counts_by_its_seq() -> None:
    """protocol 1.4"""
    downlink = a_downlink()
    downlink.is_new(messages.Unknown("weather", 1))
    downlink.is_new(messages.Unknown("weather"))
    assert downlink.seq == 1


@pytest.mark.parametrize(
    ("message", "item"),
    [
        (messages.Flush(1, 2), items.Flush(2)),
        (messages.Drain(1, 2.5), items.Draining(2.5)),
        (messages.Role(1, "watcher"), items.RoleChanged("watcher")),
        (messages.Closed(1, "good bye"), items.Closed("good bye")),
        (messages.Shed(1, 2, 3, 4), items.Missing(2, 3, 4)),
        (sound(2, 3), items.Audio(2, 3, 7, 24000, b"\1\0")),
    ],
)
def test_messages_become_items(message: Sequenced | Media, item: items.Item) -> None:
    assert item_of(message) == item


def test_events_become_events() -> None:
    event = Event(
        author="clerk", content=Content(role="model", parts=[Part(text="Hello")]), turn_complete=True
    )
    written = event.model_dump_json(exclude_none=True, by_alias=True)
    assert item_of(messages.Event(1, written)) == event


def test_fields_of_a_later_server_are_left_aside() -> None:
    """protocol 1.4"""
    event = event_of('{"author":"clerk","mood":{"a":1},"content":{"parts":[{"text":"Hi","font":"serif"}]}}')
    assert event.author == "clerk"
    assert event.content is not None
    assert event.content.parts == [Part(text="Hi")]


def test_what_is_no_event_is_refused() -> None:
    with pytest.raises(ValidationError):
        event_of('{"author":[]}')
