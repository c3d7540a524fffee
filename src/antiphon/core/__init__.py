"""The conversation, as pure logic.

A *signal* is something that happened; a *command* is something to be done; `Conversation.handle(signal,
now)` turns the one into the other. Nothing here knows asyncio, sockets, clocks, randomness, logging or
JSON: time is an argument, chance is handed in, and whatever is slow is a command now and a signal later.
"""

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon.core.calls import ToolFacts
    from antiphon.core.conversation import Conversation
    from antiphon.core.handover import Cast, Role

__all__ = ["Cast", "Conversation", "Role", "ToolFacts"]

__getattr__ = late(
    __name__, {"calls": ("ToolFacts",), "conversation": ("Conversation",), "handover": ("Cast", "Role")}
)
