"""The clients of one conversation: what each is told, what is kept for it, and who has the floor (protocol
4 to 6).

A *seat* is a client, whatever sockets it has one after the other; whoever sends for it calls `take` until
it gives `None`. Nothing here waits or knows a socket: times are seconds since the conversation began.

Rule 1  Control messages get their number when they are first sent, and are kept until they are acknowledged.
Rule 2  A client without a socket is told all control later, and of the sound what still makes sense then.
Rule 3  One client speaks at most. Who comes anew takes the floor, unless it comes to watch; who comes back
        has the role it had. When the speaker leaves, nobody speaks until somebody takes the floor.
Rule 4  A client for which more than `control_messages` are kept has not read: it loses its seat.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, TypeAlias

from antiphon.events import Event
from antiphon.server import messages
from antiphon.server.answers import Answers, Sound, Told
from antiphon.server.outbox import Outbox
from antiphon.server.wire import encode

if TYPE_CHECKING:
    from antiphon.clocks import Stopwatch
    from antiphon.server.limits import ServerLimits
    from antiphon.server.messages import Sequenced

__all__ = ["ERRORS_KEPT", "Attachments", "Frame", "PlainSeat", "Seat", "Socket", "V1Seat"]

Frame: TypeAlias = str | bytes

ERRORS_KEPT: Final = 256
"""Answers to what was refused that wait for a client; of more the oldest are dropped."""


class Socket(Protocol):
    """What a client is reached by. All return at once."""

    def rouse(self) -> None:
        """There is something to `take`."""

    def give(self, frame: Frame) -> bool:
        """Sends a frame when nothing is in its way; whether it did."""

    def cut(self, code: int, reason: str) -> None:
        """Is to be closed now, whatever waits."""


class Seat(ABC):
    """One client, and the socket it has now, if any."""

    hears: ClassVar[bool] = False
    """Whether it takes sound that is no event, by `hear`."""

    def __init__(self, token: str, audio_buffer: float) -> None:
        self.token = token
        self.speaks = False
        self.socket: Socket | None = None
        self.ending: tuple[int, str] | None = None
        """Closing code and reason, once all was taken."""
        self.received = 0
        """The highest number among the client's messages (protocol 3.1)."""
        self.hushed = False
        """It was told that it may not speak now: once is enough."""
        self._outbox: Outbox[Sequenced | str] = Outbox(audio_buffer)

    @property
    @abstractmethod
    def kept(self) -> int:
        """Control messages that are kept for it."""

    @property
    def role(self) -> str:
        return "speaker" if self.speaks else "watcher"

    @property
    def shed(self) -> int:
        """Sounds that it will never get."""
        return self._outbox.shed

    @abstractmethod
    def tell(self, told: Told, now: float) -> None:
        """An event happened."""

    def hear(self, sound: Sound, now: float) -> None:
        """A chunk of the answer that is no event: nearly all there is to tell."""
        raise NotImplementedError

    @abstractmethod
    def note(self, message: Sequenced) -> None:
        """Something else did; the message's `seq` does not count."""

    @abstractmethod
    def flush(self, stream: int) -> None:
        """What was not played of this answer, and of all before it, is never to be played."""

    @abstractmethod
    def refuse(self, code: str, message: str, n: int | None = None) -> None:
        """Something that the client sent was refused."""

    @abstractmethod
    def take(self) -> Frame | None:
        """The next frame for the client; `None` when there is none now."""

    def sending(self, now: float | None) -> None:
        """The socket is being given a frame; `None` when it has taken it."""
        self._outbox.sending(now)

    def end(self, code: int, reason: str = "") -> None:
        """The socket is to be closed once all was taken."""
        if self.ending is None:
            self.ending = (code, reason)
        self._rouse()

    def _rouse(self) -> None:
        if self.socket is not None:
            self.socket.rouse()


class V1Seat(Seat):
    """A client that speaks `antiphon.v1`."""

    hears = True

    def __init__(self, token: str, audio_buffer: float) -> None:
        super().__init__(token, audio_buffer)
        self._seq = 0
        self._kept: list[Sequenced] = []
        self._again: list[Sequenced] = []
        self._aside: list[str] = []
        self._owes_receipt = False

    @property
    def kept(self) -> int:
        return len(self._kept) + self._outbox.controls

    def tell(self, told: Told, now: float) -> None:
        if self.socket is not None:  # whoever comes back is given what still makes sense then
            for sound in told.sounds:
                self._outbox.put_sound(sound, now)
        if (bare := told.bare) is not None:
            self._outbox.put(messages.Event(0, bare))
        self._rouse()

    def hear(self, sound: Sound, now: float) -> None:
        if self.socket is None:
            return  # whoever comes back is given what still makes sense then
        if self._again or not self._outbox.empty or not self.socket.give(sound.frame):
            self._outbox.put_sound(sound, now)
            self._rouse()

    def note(self, message: Sequenced) -> None:
        self._outbox.put(message)
        self._rouse()

    def flush(self, stream: int) -> None:
        self._outbox.flush(stream)
        self.note(messages.Flush(0, stream))

    def refuse(self, code: str, message: str, n: int | None = None) -> None:
        self.say(messages.Error(code, message, n))

    def say(self, message: messages.ServerHello | messages.Error) -> None:
        """Goes before all else, without a number; it is not kept."""
        frame = encode(message)
        assert isinstance(frame, str)
        self._aside.append(frame)
        del self._aside[:-ERRORS_KEPT]
        self._rouse()

    def take_in(self, n: int) -> bool:
        """Whether the client's message of this number is new; it is acknowledged in either case."""
        self._owes_receipt = True
        self._rouse()
        if n <= self.received:
            return False
        self.received = n
        return True

    def acknowledge(self, seq: int) -> None:
        """The client has processed everything up to here."""
        kept = self._kept
        done = next((at for at, each in enumerate(kept) if each.seq > seq), len(kept))
        del kept[:done]

    def leave(self) -> None:
        """The socket is gone; all that was said and not acknowledged is kept."""
        self.socket = None
        self.ending = None
        self._aside.clear()
        self._outbox.drop_sounds()

    def catch_up(self, answers: Answers) -> None:
        """The client has come: what is left of the current answer is for it too."""
        self._outbox.put_again(answers.left())

    def come_back(self, seq: int, audio: tuple[int, int] | None, answers: Answers) -> None:
        """By another socket, having processed control up to `seq`, and sound up to `audio` (protocol 6.2)."""
        self.leave()
        self._owes_receipt = False
        self.acknowledge(seq)
        self._again = list(self._kept)
        sounds = answers.left(*audio) if audio else answers.left()
        if audio and sounds and sounds[0].stream == audio[0] and (gap := sounds[0].number - audio[1] - 1):
            self._outbox.miss(audio[0], audio[1] + 1, gap)
        self._outbox.put_again(sounds)

    def take(self) -> Frame | None:
        if self._aside:
            return self._aside.pop(0)
        if self._owes_receipt:
            self._owes_receipt = False
            return encode(messages.Received(self.received))
        if self._again:
            return encode(self._again.pop(0))
        if missing := self._outbox.take_missing():
            return self._number(messages.Shed(0, *missing))
        match self._outbox.take():
            case None:
                return None
            case Sound(frame=frame) | (str() as frame):
                return frame
            case message:
                return self._number(message)

    def _number(self, message: Sequenced) -> Frame:
        self._seq += 1
        message = replace(message, seq=self._seq)
        self._kept.append(message)
        return encode(message)


class PlainSeat(Seat):
    """A client that gets every event as its JSON and nothing else (contract 8.1). It cannot come back."""

    @property
    def kept(self) -> int:
        return self._outbox.controls

    def tell(self, told: Told, now: float) -> None:
        if told.only_sound:
            first, seconds = told.sounds[0], sum(sound.seconds for sound in told.sounds)
            sound = Sound(first.stream, first.number, first.begins, seconds, told.whole)
            self._outbox.put_sound(sound, now)
        else:
            self._outbox.put(told.whole)
        self._rouse()

    def note(self, message: Sequenced) -> None:
        pass  # its protocol has no words for it

    def flush(self, stream: int) -> None:
        self._outbox.flush(stream)

    def refuse(self, code: str, message: str, n: int | None = None) -> None:
        if self._outbox.controls >= ERRORS_KEPT:
            return  # it does not read: this will not help it
        event = Event(author="server", error_code=code.upper(), error_message=message)
        self._outbox.put(event.model_dump_json(exclude_none=True, by_alias=True))
        self._rouse()

    def take(self) -> Frame | None:
        while self._outbox.take_missing():
            pass  # nor for that
        match self._outbox.take():
            case Sound(frame=frame) | (str() as frame):
                return frame
        return None


class Attachments:
    """All clients of one conversation, and how old it is."""

    def __init__(self, limits: ServerLimits, age: Stopwatch) -> None:
        self.age = age
        self.begun = False
        """Whether the agent can be heard: clients have been let in."""
        self.answers = Answers(limits.answer_seconds)
        self.seats: dict[str, Seat] = {}
        self._listening: tuple[Seat, ...] = ()
        self._limits = limits

    @property
    def speaker(self) -> Seat | None:
        return next((seat for seat in self.seats.values() if seat.speaks), None)

    @property
    def full(self) -> bool:
        return len(self.seats) >= self._limits.clients

    def join(self, seat: Seat, *, watch: bool = False) -> None:
        """A client that was not here before."""
        self.seats[seat.token] = seat
        self._listening = tuple(self.seats.values())
        if not watch:
            if (before := self.speaker) is not None:
                self.give_role(before, speaks=False)
            seat.speaks = True  # `hello` tells it

    def take_floor(self, seat: Seat) -> None:
        """This client speaks from now on; who spoke before watches, and both are told of the change."""
        if (before := self.speaker) is not None and before is not seat:
            self.give_role(before, speaks=False)
        self.give_role(seat, speaks=True)

    def give_role(self, seat: Seat, *, speaks: bool) -> None:
        """Tells a client its role when it is another than it was."""
        if seat.speaks != speaks:
            seat.speaks, seat.hushed = speaks, False
            seat.note(messages.Role(0, "speaker" if speaks else "watcher"))

    def remove(self, seat: Seat) -> None:
        """The client will not come back."""
        seat.speaks = False
        self.seats.pop(seat.token, None)
        self._listening = tuple(self.seats.values())

    def tell(self, event: Event, now: float) -> None:
        """An event happened: every client is told, after the flush that it may cause."""
        told = self.answers.tell(event, now)
        if told.flush is not None:
            self.flush(told.flush)
        for seat in self.seats.values():
            seat.tell(told, now)

    def speak(self, data: bytes, mime_type: str, now: float) -> bool:
        """The agent is heard, and there is no event of it yet. `False`: tell of it by an event."""
        if not self.begun:
            return False
        listening = self._listening
        for seat in listening:
            if not seat.hears:
                return False
        sound = self.answers.speak(data, mime_type, now)
        if sound is None:
            return False
        for seat in listening:
            seat.hear(sound, now)
        return True

    def flush(self, stream: int) -> None:
        for seat in self.seats.values():
            seat.flush(stream)

    def note(self, message: Sequenced) -> None:
        for seat in self.seats.values():
            seat.note(message)

    def unread(self) -> list[Seat]:
        """Clients for which too much is kept (rule 4)."""
        most = self._limits.control_messages
        return [seat for seat in self.seats.values() if seat.kept > most]
