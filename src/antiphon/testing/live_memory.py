"""What outlives a connection: a session's memory, and the handles by which it is resumed (wire 1.8). Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count
from typing import TYPE_CHECKING, Any

from antiphon.testing.live_setup import NOT_FOUND, Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from antiphon.testing.live_reply import Prompt
    from antiphon.testing.live_turn import Turn

__all__ = ["Memory", "PendingCall", "Store"]

_BUSY = Refusal(1011, "Internal error encountered.")
_UNKNOWN = Refusal(1008, NOT_FOUND)


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A tool call that was not answered yet."""

    id: str
    name: str
    args: Mapping[str, Any]
    blocking: bool


@dataclass(slots=True)
class Memory:
    """What a session knows. Its connections take turns in holding it."""

    history: list[Mapping[str, Any]] = field(default_factory=list)
    calls: dict[str, PendingCall] = field(default_factory=dict)
    heard: float = 0.0
    """Seconds of audio received; audio offsets go on from here after a resume."""
    unspoken: str = ""
    """The end of a sentence that a lost connection cut off."""
    unanswered: list[Prompt] = field(default_factory=list)
    """What the model was asked, and had said nothing of when the connection was lost."""
    busy: bool = False
    """Whether the model was speaking, or the user, when the last connection ended."""
    owner: int | None = None
    """The number of the connection that holds it, or held it last."""
    left: float | None = None
    """When that connection ended; None while it is open."""
    abandoned: list[PendingCall] = field(default_factory=list)
    """Blocking calls that an interruption cut off: their answers are ignored (wire 1.6)."""

    def take_up(self) -> tuple[str, list[Prompt]]:
        """What is to be spoken and answered yet; it is for the caller from now on."""
        left = self.unspoken, self.unanswered
        self.unspoken, self.unanswered = "", []
        return left

    def remember(self, turn: Turn) -> None:
        """What was said in the turn. Calls that never left were never made."""
        for made in turn.unsent:
            self.history = [content for content in self.history if content is not made]
            for part in made["parts"]:
                self.calls.pop(part["functionCall"]["id"], None)
        if turn.words:
            self.history.append({"role": "model", "parts": [{"text": turn.words}]})

    def leave(self, turn: Turn | None, waiting: Iterable[Prompt]) -> None:
        """The connection is gone in the middle of this turn, with these prompts behind it."""
        self.unspoken = turn.cut_off if turn else ""
        self.unanswered = [turn.prompt] if turn and turn.unbegun else []
        self.unanswered += waiting
        if turn:
            self.remember(turn)

    def snapshot(self) -> Memory:
        """As it is now, for a handle that denotes a moment instead of the session."""
        return replace(self, history=[*self.history], calls={**self.calls})


@dataclass(slots=True)
class _Issued:
    session: Memory
    moment: Memory | None
    """What a handle that denotes a moment remembers; None: whatever the session knows by then."""


class Store:
    """The handles of one server. `now` is in seconds, of any one clock."""

    def __init__(self, *, lifetime: float = 7200.0) -> None:
        self.lifetime = lifetime
        self._issued: dict[str, _Issued] = {}
        self._numbers = count(1)

    def number(self) -> int:
        """A number never given before, for what needs an identity."""
        return next(self._numbers)

    def issue(self, memory: Memory, *, moment: bool = False) -> str:
        """A new handle, 36 characters: for the session, or for this `moment` of it."""
        handle = f"handle-{self.number():029d}"
        self._issued[handle] = _Issued(memory, memory.snapshot() if moment else None)
        return handle

    def resume(
        self,
        handle: str,
        now: float,
        *,
        open_connections: Collection[int],
        settle: float = 0.0,
        hold: float = 0.0,
        keep_calls: bool = True,
    ) -> Memory | Refusal:
        """The memory behind a handle, or why it is refused.

        Unknown or expired (`lifetime` seconds after the last connection): 1008. Still held by an open
        connection, or for `hold` seconds after its end, or for `settle` seconds when it was idle: 1011.
        """
        issued = self._issued.get(handle)
        if issued is None:
            return _UNKNOWN
        session = issued.session
        if session.owner in open_connections:
            return _BUSY
        since = 0.0 if session.left is None else now - session.left
        if since > self.lifetime:
            del self._issued[handle]
            return _UNKNOWN
        if since < hold or (since < settle and not session.busy):
            return _BUSY
        if issued.moment is not None:
            session.history, session.calls = [*issued.moment.history], {**issued.moment.calls}
            session.unspoken, session.unanswered, session.abandoned = "", [], []
        if not keep_calls:
            session.calls = {}
        return session

    def enter(self, memory: Memory, connection: int) -> None:
        """This connection holds the session from now on."""
        memory.owner, memory.left = connection, None

    def leave(self, memory: Memory, connection: int, now: float) -> None:
        """The connection that held the session ended."""
        if memory.owner == connection:
            memory.left = now
