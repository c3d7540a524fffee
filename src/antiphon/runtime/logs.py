"""Which conversation a line of the log is about.

handler.addFilter(ConversationFilter())
handler.setFormatter(logging.Formatter("%(levelname)s %(conversation)s %(agent)s %(message)s"))
"""

from __future__ import annotations

import logging
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from antiphon.agents import InvocationContext

__all__ = ["ConversationFilter", "about", "within"]

_Place = tuple["InvocationContext", "Callable[[], str]"]
_PLACE: Final[ContextVar[_Place | None]] = ContextVar("antiphon_conversation", default=None)


class ConversationFilter(logging.Filter):
    """Gives every record `conversation` (the session's id), `invocation` and `agent`; lets all of them pass.

    To be added to handlers. It knows of what is logged on behalf of a conversation: by Antiphon, by tools,
    callbacks and instructions, sync ones too, and by the libraries these call. Elsewhere all three are `""`.
    Whatever `extra=` says already stays.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        place = _PLACE.get()
        known = {"conversation": "", "invocation": "", "agent": ""} if place is None else about(*place)
        for name, value in known.items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True


def about(invocation: InvocationContext, agent: Callable[[], str]) -> dict[str, str]:
    """The `extra` of a record about this conversation; `agent` names who speaks now."""
    return {
        "conversation": invocation.session.id,
        "invocation": invocation.invocation_id,
        "agent": agent(),
    }


@contextmanager
def within(invocation: InvocationContext, agent: Callable[[], str]) -> Iterator[None]:
    """What is logged inside, and by tasks whose context is copied inside, is about this conversation."""
    token = _PLACE.set((invocation, agent))
    try:
        yield
    finally:
        with suppress(ValueError):  # ended from elsewhere, by a loop that goes down
            _PLACE.reset(token)
