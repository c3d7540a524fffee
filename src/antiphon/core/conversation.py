"""The conversation: `handle(signal, now) -> commands`, and `deadline()`. This file routes; the rules are in

`from_model`, `from_user`, `from_tools`, `from_links`, `from_recorder`, `from_reviews`, by where a signal
comes from, over the parts in `state`: `turns` (the floor), `playhead`, `transcripts`, `calls`, `links`,
`outbox`, `recording`, `reviews`, `handover`, `budget`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from antiphon.core.deadlines import soonest
from antiphon.core.from_links import link_dialled, link_lost, links_due
from antiphon.core.from_model import model_said, settle
from antiphon.core.from_recorder import ended, ending, recorder_reported, write_by
from antiphon.core.from_reviews import acted, reviewed
from antiphon.core.from_tools import tool_reported
from antiphon.core.from_user import user_did
from antiphon.core.passages import set_out
from antiphon.core.signals import (
    Acted,
    AppLeft,
    LinkDialled,
    LinkLost,
    Received,
    RecordingFailed,
    RecordingSaved,
    Reviewed,
    Signal,
    Tick,
    ToolFinished,
    ToolYielded,
    UserActivity,
    UserLeaving,
    UserLeft,
    UserMedia,
    UserPlayed,
    UserState,
    UserStreamEnd,
    UserTurn,
)
from antiphon.core.state import ConversationState

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.config import RunConfig
    from antiphon.core.commands import Command
    from antiphon.core.handover import Cast

__all__ = ["Conversation"]


_TOO_LATE: Final = (UserMedia, UserTurn, UserActivity, UserStreamEnd, UserState, UserLeaving, UserLeft)
"""What the user may still do while the conversation ends: only what is still looked at counts."""


class Conversation:
    """One live conversation between a user and a cast of agents, as pure logic.

    The caller performs the commands in order, reports what comes of them as signals, and calls
    `handle(Tick(), now)` no later than `deadline()`. Times are seconds on any clock that only goes forward.
    `chance` returns numbers from 0 to 1. After `End` no command follows, whatever the signal.
    """

    def __init__(
        self, cast: Cast, config: RunConfig, now: float, chance: Callable[[], float] = lambda: 0.5
    ) -> None:
        self._state = ConversationState(cast, config, now, chance)
        self._moved = True
        self._deadline: float | None = None

    def start(self, now: float) -> list[Command]:
        """The first commands: dial the first agent's model, or have callbacks see that it begins."""
        self._moved = True
        state = self._state
        set_out(state, state.agent, now)
        state.links.known.stored = state.stored
        return state.out

    def handle(self, signal: Signal, now: float) -> list[Command]:
        """What is to be done about `signal`, in this order."""
        state = self._state
        state.out = []
        if state.ending.over:
            ending(state, signal, now)
            return state.out
        if state.ending.farewell is not None and isinstance(signal, _TOO_LATE):
            return state.out
        if self._flows(signal, now):
            return state.out
        match signal:
            case Received() | UserMedia():
                pass
            case UserTurn() | UserActivity() | UserStreamEnd() | UserPlayed() | UserState():
                user_did(state, signal, now)
            case UserLeaving() | UserLeft() | AppLeft():
                user_did(state, signal, now)
            case ToolFinished() | ToolYielded():
                tool_reported(state, signal, now)
            case LinkDialled(link):
                link_dialled(state, link, now)
            case LinkLost():
                link_lost(state, signal, now)
            case RecordingSaved() | RecordingFailed():
                recorder_reported(state, signal)
            case Reviewed():
                reviewed(state, signal, now)
            case Acted():
                acted(state, signal, now)
            case Tick():
                self._tick(now)
            case _:
                assert_never(signal)
        state.finish_if_served()
        if state.ending.farewell is not None and state.ending.leave_by is None:
            state.ending.since = now
            state.ending.leave_by = now + state.config.shutdown_timeout / 2
        if state.ending.over:
            ended(state, now)
        self._moved = True
        state.links.known.stored = state.stored
        return state.out

    def _flows(self, signal: Signal, now: float) -> bool:
        """Takes in what the user sends and the model says; whether it is media that goes on.

        That is nearly every signal: it moves no deadline, is not stored, and ends nothing.
        """
        state, flows = self._state, True
        if isinstance(signal, Received):
            for each in signal.said:
                if signal.link == state.links.current and not state.ending.over:
                    flows = model_said(state, signal.link, each, now) and flows
        elif isinstance(signal, UserMedia):
            user_did(state, signal, now)
        else:
            return False
        return flows

    def deadline(self) -> float | None:
        """When `Tick` is due at the latest, or `None` while only signals matter."""
        state = self._state
        if state.ending.over:
            return write_by(state)
        if self._moved:
            self._moved = False
            self._deadline = leave_by = state.ending.leave_by
            if state.ending.farewell is None:
                links, turns, budget = state.links, state.turns, state.budget
                self._deadline = soonest(links.deadline(), turns.deadline(), budget.deadline(), leave_by)
        return self._deadline

    @property
    def over(self) -> bool:
        """Whether it has ended, though it may still wait for callbacks and for its recordings."""
        return self._state.ending.farewell is not None

    @property
    def waited(self) -> float:
        """Seconds for which the end has waited for recordings: a part of `RunConfig.shutdown_timeout`."""
        return self._state.ending.waited

    @property
    def agent(self) -> str:
        """The name of the agent that speaks now."""
        return self._state.agent

    def _tick(self, now: float) -> None:
        state = self._state
        leave_by = state.ending.leave_by
        late = leave_by is not None and now >= leave_by
        if state.ending.farewell is None:
            settle(state, now)
        elif late:
            state.close()  # callbacks take too long
        limit = state.budget.expired(now)
        if state.ending.farewell is not None:
            return
        if late:
            state.finish("the queue was closed; the model was out of reach", "user")
        elif limit is not None:
            state.finish(limit, "limit")
        else:
            links_due(state, now)
