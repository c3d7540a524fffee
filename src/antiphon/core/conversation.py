"""The conversation: `handle(signal, now) -> commands`, and `deadline()`. This file routes; the rules are in

`from_model`, `from_user`, `from_tools`, `from_links`, `from_recorder`, by where a signal comes from, over the
parts in `state`: `turns` (the floor), `playhead`, `transcripts`, `calls`, `links`, `outbox`, `recording`,
`handover`, `budget`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from antiphon.core.deadlines import soonest
from antiphon.core.from_links import link_dialled, link_lost, links_due
from antiphon.core.from_model import model_said, settle
from antiphon.core.from_recorder import ended, ending, recorder_reported, write_by
from antiphon.core.from_tools import tool_reported
from antiphon.core.from_user import user_did
from antiphon.core.signals import (
    AppLeft,
    LinkDialled,
    LinkLost,
    Received,
    RecordingFailed,
    RecordingSaved,
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
        """The first commands: dial the first agent's model."""
        self._moved = True
        return self._state.links.dial(self._state.agent, now)

    def handle(self, signal: Signal, now: float) -> list[Command]:
        """What is to be done about `signal`, in this order."""
        state = self._state
        state.out = []
        if state.ending.over:
            ending(state, signal, now)
            return state.out
        self._moved = self._moved or not isinstance(signal, UserMedia)  # media moves no deadline
        match signal:
            case Received(link, said):
                for each in said:
                    if link == state.links.current and not state.ending.over:
                        model_said(state, link, each, now)
            case UserMedia() | UserTurn() | UserActivity() | UserStreamEnd() | UserPlayed() | UserState():
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
            case Tick():
                self._tick(now)
            case _:
                assert_never(signal)
        if state.ending.over:
            ended(state, now)
        return state.out

    def deadline(self) -> float | None:
        """When `Tick` is due at the latest, or `None` while only signals matter."""
        state = self._state
        if state.ending.over:
            return write_by(state)
        if self._moved:
            self._moved = False
            self._deadline = soonest(
                state.links.deadline(), state.turns.deadline(), state.budget.deadline(), state.ending.leave_by
            )
        return self._deadline

    @property
    def over(self) -> bool:
        """Whether it has ended, though it may still wait for its recordings."""
        return self._state.ending.over

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
        settle(state, now)
        leave_by = state.ending.leave_by
        limit = state.budget.expired(now)
        if state.ending.over:
            return
        if leave_by is not None and now >= leave_by:
            state.finish("the queue was closed; the model was out of reach", "user")
        elif limit is not None:
            state.finish(limit, "limit")
        else:
            links_due(state, now)
