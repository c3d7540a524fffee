"""`Line`: how an accepted WebSocket of a client is heard and sent to, on whatever server.

`DirectLine` takes the short way of `server.direct`: no task, no queue, no dictionary between socket and
conversation. `asgi_line.AsgiLine` does with what every ASGI server offers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from antiphon.runtime.tasks import TaskOwner
    from antiphon.server.attachments import Frame
    from antiphon.server.direct_socket import DirectSocket

__all__ = ["DirectLine", "Line", "NearEnd"]


class NearEnd(Protocol):
    """The server's end. All are called on the event loop, and return at once."""

    def heard(self, frame: str | bytes) -> None:
        """The client said this."""

    def gone(self, code: int) -> None:
        """The client has left."""

    def next(self) -> Frame | None:
        """What is to be sent next; asked again after `Line.rouse` when there was nothing."""

    def stalled(self, stalled: bool) -> None:
        """The client begins or ceases to keep what is sent waiting."""

    def failed(self, error: Exception) -> None:
        """One of these has raised."""


class Line(Protocol):
    """One socket, accepted."""

    def begin(self, end: NearEnd, tasks: TaskOwner) -> None:
        """Hears and sends from now on, until `tasks` are cancelled."""

    def rouse(self) -> None:
        """There is something to send."""

    def give(self, frame: Frame) -> bool:
        """Sends this before whatever there is; `False` when it cannot be sent at once."""

    def close(self, frames: list[Frame], code: int, reason: str) -> Awaitable[None]:
        """Sends the last frames, then closes. Raises `OSError`, or does nothing, when it is closed."""


class DirectLine:
    """Frames come and go in the callback that brings them."""

    def __init__(self, socket: DirectSocket) -> None:
        self._socket = socket
        self._end: NearEnd | None = None
        self._busy = False

    def begin(self, end: NearEnd, tasks: TaskOwner) -> None:
        self._end = end
        self._socket.begin(self)
        self.rouse()

    def rouse(self) -> None:
        end, socket = self._end, self._socket
        if end is None or self._busy:
            return  # whoever is busy looks for more when it is done
        self._busy = True
        try:
            while not socket.paused and (frame := end.next()) is not None:
                socket.send(frame)
        finally:
            self._busy = False
        if socket.paused:
            end.stalled(True)

    def give(self, frame: Frame) -> bool:
        end, socket = self._end, self._socket
        if end is None or self._busy or socket.paused:
            return False
        socket.send(frame)
        if socket.paused:
            end.stalled(True)
        return True

    def close(self, frames: list[Frame], code: int, reason: str) -> Awaitable[None]:
        self._end = None
        for frame in frames:
            self._socket.send(frame)
        return self._socket.close(code, reason)

    # What the socket calls.

    def heard(self, frame: str | bytes) -> None:
        end = self._end
        if end is None:
            return
        self._busy = True  # answers leave together, after it
        try:
            end.heard(frame)
        except Exception as error:
            end.failed(error)
        self._busy = False
        self.rouse()

    def writable(self) -> None:
        if self._end is not None:
            self._end.stalled(False)
            self.rouse()

    def gone(self, code: int) -> None:
        end, self._end = self._end, None
        if end is not None:
            end.gone(code)
