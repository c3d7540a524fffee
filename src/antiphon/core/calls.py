"""The ledger of tool calls: each is run once, and ends exactly once (contract 5.4).

Rule 1  An id that comes twice in a session is one call; sessions may use the same ids for different calls.
Rule 2  A result goes to the model once, or the call is on record as abandoned.
Rule 3  A session that did not hear the call is told its result in words, since the id means nothing to it. So
        is one that takes a single answer to a call and has had it, or has given the call up.
Rule 4  A call may join an open one of the same agent with the same name and arguments: one tool runs, and its
        answers are those of both, told to the model under each id that its present session knows.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, Literal

from antiphon.types import FunctionResponseScheduling

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from antiphon.types import FunctionCall

__all__ = ["REMEMBERED", "Call", "CallState", "Deed", "Ledger", "OnDuplicate", "ToolFacts"]

OnDuplicate = Literal["run", "join", "refuse"]
"""What becomes of a call while the same one is open."""

REMEMBERED: Final = 1_000
"""How many ended calls are kept, to recognise their ids should they come again."""


@dataclass(frozen=True, slots=True)
class ToolFacts:
    """What the conversation must know of a tool."""

    long_running: bool = False
    cancel_on_interruption: bool = False
    scheduling: FunctionResponseScheduling | None = None
    streaming: bool = False
    """Goes on telling results until it ends or is stopped (contract 5.7)."""
    blocking: bool | None = None
    """Declared so that the model waits, or goes on; `None` leaves it to the model."""
    on_duplicate: OnDuplicate = "run"


class CallState(Enum):
    RUNNING = auto()
    PENDING = auto()
    """Long-running: the tool has returned, the application answers later."""
    DONE = auto()
    FAILED = auto()
    CANCELLED = auto()

    @property
    def ended(self) -> bool:
        return self not in (CallState.RUNNING, CallState.PENDING)


class Deed(Enum):
    """What can befall a call."""

    RESULT = auto()
    ERROR = auto()
    NOT_YET = auto()
    ANSWER = auto()
    CANCEL = auto()


_TABLE: Final[dict[tuple[CallState, Deed], CallState]] = {
    (CallState.RUNNING, Deed.RESULT): CallState.DONE,
    (CallState.RUNNING, Deed.ERROR): CallState.FAILED,
    (CallState.RUNNING, Deed.NOT_YET): CallState.PENDING,
    (CallState.RUNNING, Deed.ANSWER): CallState.DONE,
    (CallState.RUNNING, Deed.CANCEL): CallState.CANCELLED,
    (CallState.PENDING, Deed.ANSWER): CallState.DONE,
    (CallState.PENDING, Deed.CANCEL): CallState.CANCELLED,
}
"""A pair that is not here changes nothing: what ended stays as it ended."""


@dataclass(slots=True)
class Call:
    """One call. `session` numbers the model session that made it, where its name is `model_id`."""

    id: str
    model_id: str | None
    name: str
    args: dict[str, Any]
    agent: str
    session: int
    facts: ToolFacts
    state: CallState = CallState.RUNNING
    joined: str | None = None
    """The call whose tool's answers are this one's too (rule 4)."""
    answered: bool = False
    """The model was told something under this call's id."""
    forgotten: bool = False
    """The model does not take this call's id any more."""

    @property
    def run(self) -> str:
        """The call whose tool runs for this one."""
        return self.joined or self.id


class Ledger:
    """All calls of one conversation."""

    def __init__(self) -> None:
        self._live: dict[str, Call] = {}
        self._ended: OrderedDict[str, CallState] = OrderedDict()
        self._ids: OrderedDict[tuple[int, str], str] = OrderedDict()
        self._unnamed = 0

    def __len__(self) -> int:
        return len(self._live)

    def news(self, calls: Iterable[FunctionCall], session: int) -> bool:
        """Whether any of the calls is new (rule 1)."""
        return any(not (asked.id and (session, asked.id) in self._ids) for asked in calls)

    def accept(
        self, calls: Iterable[FunctionCall], agent: str, session: int, facts: Mapping[str, ToolFacts]
    ) -> list[Call]:
        """Enters the calls that are new and returns them (rule 1). A call without an id is given one."""
        new = []
        for asked in calls:
            if asked.id and (session, asked.id) in self._ids:
                continue
            call_id = self._name(asked.id)
            if asked.id:
                self._ids[session, asked.id] = call_id
                while len(self._ids) > REMEMBERED + len(self._live):
                    self._ids.popitem(last=False)
            name, args = asked.name or "", asked.args or {}
            call = Call(call_id, asked.id or None, name, args, agent, session, facts.get(name, ToolFacts()))
            self._live[call_id] = call
            new.append(call)
        return new

    def id_of(self, session: int, model_id: str) -> str:
        """The id under which a call is on record that a session knows as `model_id`."""
        return self._ids.get((session, model_id), model_id)

    def get(self, call_id: str) -> Call | None:
        """The call, while it has not ended."""
        return self._live.get(call_id)

    def running(self) -> list[Call]:
        return [call for call in self._live.values() if call.state is CallState.RUNNING]

    def open(self) -> list[Call]:
        """Those that have not ended."""
        return list(self._live.values())

    def awaited(self) -> bool:
        """Whether a tool runs that the model waits to hear of; of a streaming one it may always hear more."""
        return any(not call.facts.streaming for call in self.running())

    def of_run(self, call_id: str) -> list[Call]:
        """The open calls that one tool's answers belong to (rule 4), oldest first."""
        return [call for call in self._live.values() if call.run == call_id]

    def forgotten(self, session: int, model_ids: Iterable[str]) -> None:
        """The session that made these calls knows nothing of them any more (rule 3)."""
        for model_id in model_ids:
            if call := self._live.get(self.id_of(session, model_id)):
                call.forgotten = True

    def unmade(self, session: int, model_ids: Collection[str]) -> None:
        """The session goes on from before it made these calls (rule 3), and may use their ids for others."""
        self.forgotten(session, model_ids)
        for model_id in model_ids:
            self._ids.pop((session, model_id), None)

    def twin(self, call: Call) -> Call | None:
        """The oldest open call that is the same as this newer one."""
        same = (
            other
            for other in self._live.values()
            if (other.agent, other.name, other.args) == (call.agent, call.name, call.args)
        )
        first = next(same)
        return None if first is call else first

    def move(self, call_id: str, deed: Deed) -> Call | None:
        """Does the deed; returns the call if that changed its state."""
        call = self._live.get(call_id)
        state = _TABLE.get((call.state, deed)) if call else None
        if call is None or state is None:
            return None
        call.state = state
        if state.ended:
            del self._live[call_id]
            self._ended[call_id] = state
            while len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)
        return call

    def how_ended(self, call_id: str) -> CallState | None:
        """How a call ended, as far as it is remembered."""
        return self._ended.get(call_id)

    def _name(self, model_id: str | None) -> str:
        """The model's own id, where it is free; else one like it."""
        call_id = model_id
        while not call_id or call_id in self._live or call_id in self._ended:
            self._unnamed += 1
            call_id = f"{model_id or 'call'}-{self._unnamed}"
        return call_id
