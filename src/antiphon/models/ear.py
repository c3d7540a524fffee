"""What picows calls, handed on to whoever hears the socket, without a call of Python's in between.

A compiled class cannot be a listener itself: one of the engine's own has a place in memory that a compiled
subclass would write over. So its bound methods take the place of the listener's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from picows import WSListener

if TYPE_CHECKING:
    from picows import WSFrame, WSTransport

__all__ = ["Ear", "Hearing"]


class Hearing(Protocol):
    """Who hears a socket; `picows.WSListener` says when each is called."""

    def on_ws_connected(self, transport: WSTransport) -> None: ...

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None: ...

    def on_ws_disconnected(self, transport: WSTransport) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...


class Ear(WSListener):
    """The listener of one socket, which `hearing` hears."""

    __slots__ = (
        "on_ws_connected",
        "on_ws_disconnected",
        "on_ws_frame",
        "pause_writing",
        "resume_writing",
    )

    def __init__(self, hearing: Hearing) -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(hearing, name))
