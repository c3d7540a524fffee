"""What one conversation keeps for its clients (protocol 4 to 6), as transcripts without sockets."""

from __future__ import annotations

from typing import Any

import pytest

from antiphon import Event
from antiphon.clocks import Stopwatch
from antiphon.core import drafts
from antiphon.server import messages
from antiphon.server.attachments import ERRORS_KEPT, Attachments, PlainSeat, Seat, V1Seat
from antiphon.server.limits import ServerLimits
from antiphon.server.outbox import STALLED
from antiphon.server.wire import decode_down

PCM = bytes(4_800)


class Line:
    """A socket that remembers what it was told to do."""

    def __init__(self) -> None:
        self.roused = 0
        self.free = False
        self.given: list[object] = []
        self.cuts: list[tuple[int, str]] = []

    def rouse(self) -> None:
        self.roused += 1

    def give(self, frame: object) -> bool:
        if self.free:
            self.given.append(frame)
        return self.free

    def cut(self, code: int, reason: str) -> None:
        self.cuts.append((code, reason))


def text(words: str) -> Event:
    return drafts.text("agent", words, thought=False, partial=False)


def chunk() -> Event:
    return drafts.audio("agent", PCM, "audio/pcm;rate=24000")


def cut() -> Event:
    return drafts.draft("agent", interrupted=True)


def room(**limits: Any) -> Attachments:
    clients = Attachments(ServerLimits(**limits), Stopwatch(lambda: 0.0))
    clients.begun = True
    return clients


def v1(clients: Attachments, token: str = "a", *, watch: bool = False) -> V1Seat:
    seat = V1Seat(token, 5.0)
    clients.join(seat, watch=watch)
    seat.socket = Line()
    return seat


def taken(seat: Seat) -> list[Any]:
    """What the client gets now, in words: `seq text`, `seq flush stream`, `sound stream.number` …"""
    words: list[str] = []
    while (frame := seat.take()) is not None:
        match decode_down(frame):
            case messages.Media(stream=stream, number=number):
                words.append(f"sound {stream}.{number}")
            case messages.Event(seq, event):
                found = Event.model_validate_json(event)
                said = found.content.parts[0].text if found.content and found.content.parts else None
                words.append(f"{seq} {said or ('cut' if found.interrupted else 'end')}")
            case messages.Flush(seq, stream):
                words.append(f"{seq} flush {stream}")
            case messages.Role(seq, role):
                words.append(f"{seq} {role}")
            case messages.Shed(seq, stream, number, frames):
                words.append(f"{seq} shed {stream}.{number}+{frames}")
            case messages.Received(n):
                words.append(f"received {n}")
            case messages.Error(code):
                words.append(f"error {code}")
            case other:
                words.append(type(other).__name__)
    return words


def test_events_are_numbered_and_sound_is_not() -> None:
    """protocol 4.1, 4.2"""
    clients = room()
    seat = v1(clients)
    for event in (text("one"), chunk(), text("two"), chunk()):
        clients.tell(event, 0)
    assert taken(seat) == ["1 one", "sound 1.0", "2 two", "sound 1.1"]
    assert seat.socket is not None and seat.socket.roused == 4  # type: ignore[attr-defined]


def test_speech_goes_out_at_once_when_nothing_is_in_its_way() -> None:
    """protocol 4.2: after what waits, and not by events"""
    clients = room()
    seat = v1(clients)
    line = seat.socket
    assert isinstance(line, Line)

    def speak() -> bool:
        return clients.speak(PCM, "audio/pcm;rate=24000", 0)

    assert speak() and not line.given
    line.free = True
    assert speak() and not line.given
    assert taken(seat) == ["sound 1.0", "sound 1.1"]
    assert speak() and len(line.given) == 1
    clients.tell(text("one"), 0)
    assert speak() and len(line.given) == 1
    assert taken(seat) == ["1 one", "sound 1.3"]
    seat.leave()
    assert speak() and taken(seat) == []
    assert not clients.speak(PCM, "audio/opus", 0)


def test_who_wants_events_is_told_of_speech_by_events() -> None:
    """contract 8.1"""
    clients = room()
    v1(clients)
    assert clients.speak(PCM, "audio/pcm;rate=24000", 0)
    clients.join(PlainSeat("b", 5.0))
    assert not clients.speak(PCM, "audio/pcm;rate=24000", 0)


def test_a_flush_goes_before_the_interruption_and_takes_what_waits() -> None:
    """protocol 4.3"""
    clients = room()
    seat = v1(clients)
    for event in (text("one"), chunk(), chunk(), cut(), text("two")):
        clients.tell(event, 0)
    assert taken(seat) == ["1 one", "2 flush 1", "3 cut", "4 two"]


def test_receipts_are_merged_and_errors_go_first() -> None:
    """protocol 3.1"""
    clients = room()
    seat = v1(clients)
    clients.tell(text("one"), 0)
    assert [seat.take_in(n) for n in (1, 2, 2, 1, 3)] == [True, True, False, False, True]
    seat.refuse("bad_message", "Send something else.", 3)
    assert taken(seat) == ["error bad_message", "received 3", "1 one"]
    assert not seat.take_in(2)
    assert taken(seat) == ["received 3"]


def test_who_comes_back_is_told_what_it_has_not_processed() -> None:
    """protocol 6.2: sent and lost, or never sent; in order, and the sound after it."""
    clients = room()
    seat = v1(clients)
    for event in (text("one"), chunk(), text("two"), text("three")):
        clients.tell(event, 0)
    assert taken(seat) == ["1 one", "sound 1.0", "2 two", "3 three"]
    seat.leave()
    for event in (chunk(), text("four"), chunk()):
        clients.tell(event, 0)
    assert seat.kept == 4
    seat.come_back(1, (1, 0), clients.answers)
    assert taken(seat) == ["2 two", "3 three", "4 four", "sound 1.1", "sound 1.2"]


def test_a_second_break_in_the_middle_of_coming_back() -> None:
    """protocol 6.2: nothing is lost, and nothing twice for a client that says what it has."""
    clients = room()
    seat = v1(clients)
    for words in "abcd":
        clients.tell(text(words), 0)
    taken(seat)
    seat.leave()
    clients.tell(text("e"), 0)
    seat.come_back(0, None, clients.answers)
    assert [decode_down(seat.take() or "").seq for _ in range(2)] == [1, 2]  # type: ignore[union-attr]
    seat.leave()
    clients.tell(text("f"), 0)
    seat.come_back(2, None, clients.answers)
    assert taken(seat) == ["3 c", "4 d", "5 e", "6 f"]


def test_what_was_flushed_meanwhile_is_not_heard_again() -> None:
    """protocol 6.2"""
    clients = room()
    seat = v1(clients)
    clients.tell(chunk(), 0)
    taken(seat)
    seat.leave()
    for event in (chunk(), cut(), chunk()):
        clients.tell(event, 0)
    seat.come_back(0, (1, 0), clients.answers)
    assert taken(seat) == ["1 flush 1", "2 cut", "sound 2.0"]


def test_what_is_not_kept_any_more_is_announced() -> None:
    """protocol 5.4, 6.2"""
    clients = room(answer_seconds=0.25)
    seat = v1(clients)
    clients.tell(chunk(), 0)
    taken(seat)
    seat.leave()
    for _ in range(5):
        clients.tell(chunk(), 0)
    seat.come_back(0, (1, 0), clients.answers)
    assert taken(seat) == ["1 shed 1.1+3", "sound 1.4", "sound 1.5"]


def test_what_was_played_need_not_be_told_to_a_page_that_was_reloaded() -> None:
    """protocol 6.2"""
    clients = room()
    seat = v1(clients)
    for _ in range(4):
        clients.tell(chunk(), 0)
    taken(seat)
    clients.answers.played(1, 0.2)
    seat.come_back(0, None, clients.answers)
    assert taken(seat) == ["sound 1.2", "sound 1.3"]


def test_acknowledged_messages_are_not_kept() -> None:
    """protocol 3.4"""
    clients = room()
    seat = v1(clients)
    for words in "abc":
        clients.tell(text(words), 0)
    taken(seat)
    seat.acknowledge(2)
    assert seat.kept == 1
    seat.acknowledge(1)
    seat.acknowledge(99)
    assert seat.kept == 0


def test_a_slow_client_is_told_what_it_missed() -> None:
    """protocol 5.3, 5.4"""
    clients = room()
    slow, quick = v1(clients, "slow"), v1(clients, "quick", watch=True)
    clients.tell(text("one"), 0)
    assert taken(slow) == taken(quick) == ["1 one"]
    slow.sending(0.0)
    for _ in range(60):
        clients.tell(chunk(), STALLED)
    clients.tell(text("two"), STALLED)
    slow.sending(None)
    assert taken(slow) == ["2 shed 1.0+10", *(f"sound 1.{number}" for number in range(10, 60)), "3 two"]
    assert taken(quick) == [*(f"sound 1.{number}" for number in range(60)), "2 two"]
    assert (slow.shed, quick.shed) == (10, 0)


def test_who_comes_speaks_and_who_spoke_watches() -> None:
    """protocol 4.5, 6.4"""
    clients = room()
    first = v1(clients, "first")
    assert clients.speaker is first and first.role == "speaker" and taken(first) == []
    second = v1(clients, "second")
    watcher = v1(clients, "watcher", watch=True)
    assert clients.speaker is second and watcher.role == "watcher"
    assert (taken(first), taken(second), taken(watcher)) == (["1 watcher"], [], [])
    clients.take_floor(first)
    clients.take_floor(first)
    assert (taken(first), taken(second)) == (["2 speaker"], ["1 watcher"])
    clients.remove(first)
    assert clients.speaker is None and not first.speaks
    clients.take_floor(watcher)
    assert taken(watcher) == ["1 speaker"] and taken(second) == []


def test_who_comes_in_mid_answer_hears_the_rest() -> None:
    """protocol 6.4"""
    clients = room()
    v1(clients)
    clients.tell(chunk(), 0)
    late = v1(clients, "late")
    late.catch_up(clients.answers)
    clients.tell(chunk(), 0)
    assert taken(late) == ["sound 1.0", "sound 1.1"]


def test_there_are_so_many_clients() -> None:
    clients = room(clients=2)
    v1(clients, "a")
    assert not clients.full
    v1(clients, "b")
    assert clients.full


def test_who_does_not_read_is_found_out() -> None:
    """protocol 5.1: what was sent and is not acknowledged counts, and what waits."""
    clients = room(control_messages=16)
    reads, silent, absent = v1(clients, "reads"), v1(clients, "silent"), v1(clients, "absent")
    absent.leave()
    taken(absent)
    for number in range(20):
        clients.tell(text("x"), 0)
        if clients.unread():
            break
        taken(reads)
        taken(silent)
        reads.acknowledge(number + 1)
    assert set(clients.unread()) <= {silent, absent} and clients.unread()


def test_a_plain_client_gets_whole_events() -> None:
    """contract 8.1: with their sound, and nothing else."""
    clients = room()
    seat = PlainSeat("p", 5.0)
    clients.join(seat)
    seat.socket = Line()
    clients.tell(chunk(), 0)
    clients.tell(text("one"), 0)
    clients.note(messages.Drain(0, 3))
    clients.take_floor(v1(clients))
    seat.refuse("not_speaker", "Another client has the floor.")
    events = [Event.model_validate_json(seat.take() or "") for _ in range(3)]
    assert seat.take() is None and seat.kept == 0
    assert events[0].content and events[0].content.parts and events[0].content.parts[0].inline_data
    assert events[0].content.parts[0].inline_data.data == PCM
    assert events[2].error_code == "NOT_SPEAKER" and events[2].author == "server"


def test_a_plain_client_that_is_slow_loses_sound_only() -> None:
    """protocol 5.3, contract 8.5"""
    clients = room()
    seat = PlainSeat("p", 0.25)
    clients.join(seat)
    seat.sending(0.0)
    for event in (chunk(), chunk(), chunk(), text("one")):
        clients.tell(event, STALLED)
    seat.sending(None)
    assert seat.shed == 1
    clients.tell(cut(), STALLED)
    events = []
    while (frame := seat.take()) is not None:
        events.append(Event.model_validate_json(frame))
    assert [bool(event.interrupted) for event in events] == [False, True]


@pytest.mark.parametrize("kind", [V1Seat, PlainSeat])
def test_errors_do_not_pile_up(kind: type[Seat]) -> None:
    """contract 8.3: for a client that sends nonsense and does not read."""
    seat = kind("a", 5.0)
    for _ in range(10_000):
        seat.refuse("bad_message", "No.")
    count = 0
    while seat.take() is not None:
        count += 1
    assert count == ERRORS_KEPT


@pytest.mark.parametrize("kind", [V1Seat, PlainSeat])
def test_the_first_ending_counts(kind: type[Seat]) -> None:
    seat = kind("a", 5.0)
    line = Line()
    seat.socket = line
    seat.end(1000, "over")
    seat.end(1011)
    assert seat.ending == (1000, "over") and line.roused == 2
