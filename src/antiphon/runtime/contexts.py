"""What the application's own code is given when it is called in a conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.agents import ReadonlyContext
from antiphon.tools import CallbackContext, ToolContext

if TYPE_CHECKING:
    from antiphon.agents import InvocationContext
    from antiphon.core.commands import RunTool
    from antiphon.events import EventActions
    from antiphon.tools import Artifacts

__all__ = ["Contexts"]


class Contexts:
    """Makes the contexts of one conversation. Its session holds what is still on its way there, too."""

    def __init__(self, invocation: InvocationContext, artifacts: Artifacts | None) -> None:
        self.invocation = invocation
        self._artifacts = artifacts

    def for_call(self, call: RunTool) -> ToolContext:
        """For one call of a tool."""
        return ToolContext(
            self.invocation.session,
            agent_name=call.agent,
            invocation_id=self.invocation.invocation_id,
            function_call_id=call.call_id,
            artifacts=self._artifacts,
        )

    def for_callback(self, agent: str, actions: EventActions | None = None) -> CallbackContext:
        """For one round of an agent's callbacks, which write to `actions`."""
        return CallbackContext(
            self.invocation.session,
            agent_name=agent,
            invocation_id=self.invocation.invocation_id,
            actions=actions,
            artifacts=self._artifacts,
        )

    def for_instruction(self, agent: str) -> ReadonlyContext:
        """For an instruction that is a callable."""
        return ReadonlyContext(self.invocation, agent)
