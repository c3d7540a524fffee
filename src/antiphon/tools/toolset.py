"""`BaseToolset`: tools that are known only when somebody is asked for them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.tools.tool import BaseTool

__all__ = ["BaseToolset"]


class BaseToolset(ABC):
    """A source of tools, to stand in `Agent(tools=[…])` (contract 5.11).

    It belongs to the application: all conversations share it, and use it at the same time. Nothing is opened
    when it is made. The runner asks for its tools at the start of every conversation, and closes it when the
    runner is closed itself.
    """

    @abstractmethod
    async def get_tools(self) -> Sequence[BaseTool]:
        """The tools there are now. Quick when nothing has changed since the last time.

        It may be cancelled at any time, and raise anything: the conversation then starts without these tools,
        and the next one asks again. A `ConfigurationError` alone is raised out of `run_live()`.
        """

    async def close(self) -> None:
        """Ends what is open. Closing twice is fine; a later use opens it again."""
        return
