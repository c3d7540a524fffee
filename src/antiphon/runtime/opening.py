"""How a session with a model begins: what it is told of its agent, its tools and the conversation so far."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from antiphon.agents.instructions import fill_in, render
from antiphon.core.commands import Ask
from antiphon.core.handover import Seed, seed
from antiphon.errors import ConfigurationError
from antiphon.models import Setup

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.agents import Agent, Troupe
    from antiphon.core.commands import Begin
    from antiphon.models import ModelHooks
    from antiphon.runtime.contexts import Contexts
    from antiphon.runtime.links import LinkBoard
    from antiphon.runtime.tasks import TaskOwner
    from antiphon.tools import ToolContext

__all__ = ["Opening"]

log = logging.getLogger(__name__)

SLOW: Final = 1.0
"""Seconds from which an instruction callable may be why a connection was given up."""


class Opening:
    """Sets sessions up on dialled links. `fail` takes what the application's own code raises meanwhile.

    `hooks` makes the hooks of an agent whose model asks them around each call.
    """

    def __init__(
        self,
        contexts: Contexts,
        troupe: Troupe,
        links: LinkBoard,
        tasks: TaskOwner,
        fail: Callable[[BaseException], None],
        hooks: Callable[[Agent], ModelHooks],
    ) -> None:
        self._contexts = contexts
        self._troupe = troupe
        self._links = links
        self._tasks = tasks
        self._fail = fail
        self._hooks = hooks
        self._stored_before = len(contexts.invocation.session.events)

    def begin(self, begin: Begin) -> None:
        """Sets the session up, without waiting for an instruction that takes its time."""
        told = self._seed(begin)
        self._tasks.spawn(self._begin(begin, told), f"antiphon-begin {begin.link}")

    def obstacle(self, context: ToolContext) -> str | None:
        """Why the agent that a call hands over to could not begin, by what the state will then be, if so.

        Found before anything is closed (contract 5.8): the agent that called goes on instead. Where a
        before_agent callback is called on the way it may set what is missing.
        """
        target = context.actions.transfer_to_agent
        if target is None and context.task_completed:
            target = self._troupe.speakers[context.agent_name].successor
        speaker = self._troupe.speakers.get(target) if target else None
        if speaker is None or not isinstance(speaker.agent.instruction, str):
            return None
        inside = self._troupe.speakers[context.agent_name].circles
        if any(circle.before and circle not in inside for circle in speaker.circles):
            return None
        try:
            fill_in(speaker.agent.instruction, context.state, speaker.agent.name)
        except ConfigurationError as error:
            return str(error)
        return None

    def _seed(self, begin: Begin) -> Seed:
        """Taken at once: what is stored from now on waits in the outbox instead."""
        if not begin.seed and begin.since is None:
            return Seed((), None)
        can = self._troupe.speakers[begin.agent].model.capabilities
        events = self._contexts.invocation.session.events
        return seed(
            events if begin.since is None else events[self._stored_before + begin.since :],
            begin.agent,
            ask=Ask.NOTHING if can.turn_based else begin.ask,
            held=begin.held,
            answers=begin.answers,
            function_parts=can.function_parts_in_history,
            app_answers=can.turn_based,
        )

    async def _begin(self, begin: Begin, told: Seed) -> None:
        speaker = self._troupe.speakers[begin.agent]
        loop = asyncio.get_running_loop()
        asked_at = loop.time()
        try:
            instruction = await render(speaker.agent.instruction, self._contexts.for_instruction(begin.agent))
        except Exception as error:
            self._fail(error)
            return
        setup = Setup(
            config=self._contexts.invocation.run_config,
            instruction=instruction,
            tools=speaker.declarations(),
            generation=speaker.agent.generate_content_config,
            handle=begin.handle,
            history=told.history,
            pending=told.pending,
            hooks=self._hooks(speaker.agent) if speaker.model.capabilities.calls_hooks else None,
            asks=speaker.model.capabilities.turn_based and begin.ask is not Ask.NOTHING,
        )
        took = loop.time() - asked_at
        if not self._links.begin(begin.link, setup) and took > SLOW:
            log.warning(
                "The instruction of %s took %.1f s, and the connection was given up meanwhile. Make it "
                "faster, or raise RunConfig.connect_timeout.",
                begin.agent,
                took,
            )
