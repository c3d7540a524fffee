"""Asks toolsets for their tools, all at once and for a limited time (contract 5.11)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from antiphon.errors import ConfigurationError
from antiphon.events import Event, Lifecycle
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from antiphon.agents import InvocationContext, Troupe
    from antiphon.tools import BaseTool, BaseToolset

__all__ = ["Gathered", "close_all", "equipped", "gather"]

log = logging.getLogger(__name__)

LETTING_GO: Final = 1.0
"""Seconds in which a toolset that took too long may end what it does."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What toolsets gave, and why those that are missing gave nothing."""

    tools: dict[BaseToolset, Sequence[BaseTool]] = field(default_factory=dict)
    unavailable: dict[BaseToolset, str] = field(default_factory=dict)


async def equipped(troupe: Troupe, invocation: InvocationContext) -> tuple[Troupe, list[Event]]:
    """The cast with what its toolsets give now, and what to say of those that give nothing.

    Raises:
        ConfigurationError: a toolset raised it.
    """
    toolsets = troupe.toolsets()
    if not toolsets:
        return troupe, []
    config = invocation.run_config
    gathered = await gather(toolsets, config.toolset_timeout)
    missing = [
        Event(
            invocation_id=invocation.invocation_id,
            author=troupe.cast.first,
            lifecycle=Lifecycle(kind="toolset_unavailable", reason=f"{toolset!r}: {reason}"),
            custom_metadata=config.custom_metadata,
        )
        for toolset, reason in gathered.unavailable.items()
    ]
    return troupe.with_tools(gathered.tools), missing


async def gather(toolsets: Sequence[BaseToolset], within: float) -> Gathered:
    """The tools of those that give them `within` seconds; the others are named in the log.

    Raises:
        ConfigurationError: a toolset raised it.
    """
    gathered = Gathered()
    refused: list[ConfigurationError] = []

    async def ask(toolset: BaseToolset) -> None:
        try:
            gathered.tools[toolset] = await toolset.get_tools()
        except ConfigurationError as error:
            refused.append(error)
        except Exception as error:
            gathered.unavailable[toolset] = str(error) or type(error).__name__

    tasks = TaskOwner(lambda error: log.error("A toolset crashed.", exc_info=error))
    asking = [tasks.spawn(ask(toolset), f"antiphon-toolset {toolset!r}") for toolset in toolsets]
    try:
        if asking:
            await asyncio.wait(asking, timeout=within)
    finally:
        await tasks.cancel_all(LETTING_GO)
    if refused:
        raise refused[0]
    for toolset in toolsets:
        if toolset not in gathered.tools:
            reason = gathered.unavailable.setdefault(toolset, f"it gave no tools within {within:g} s")
            log.warning("The conversation starts without the tools of %r: %s.", toolset, reason)
    return gathered


async def close_all(toolsets: Iterable[BaseToolset]) -> None:
    """Closes them all at once; one that cannot be closed is named in the log, and holds up no other."""

    async def close(toolset: BaseToolset) -> None:
        try:
            await toolset.close()
        except Exception:
            log.exception("%r could not be closed.", toolset)

    tasks = TaskOwner(lambda error: log.error("A toolset crashed.", exc_info=error))
    if closing := [tasks.spawn(close(toolset), f"antiphon-close {toolset!r}") for toolset in toolsets]:
        await asyncio.wait(closing)
