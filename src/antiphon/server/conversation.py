"""How a room's conversation is held: from its beginning to whatever ends it (contract 8.5)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from antiphon.errors import AntiphonError, QuotaExceeded

if TYPE_CHECKING:
    from antiphon.events import Event
    from antiphon.runtime import Runner
    from antiphon.server.room import Room

__all__ = ["BEGINNING", "hold"]

log = logging.getLogger(__name__)

BEGINNING: Final = 5.0
"""Seconds that clients wait for the model before they are let in all the same."""


async def hold(room: Room, runner: Runner) -> None:
    """Holds the room's conversation. Returns when nothing of it runs any more."""
    reason, failure = "ended", None
    patience = BEGINNING if room.config.lifecycle_events else 0.0
    waiting = asyncio.get_running_loop().call_later(patience, room.begin)

    def tell(event: Event) -> None:
        nonlocal reason
        if event.lifecycle is not None and event.lifecycle.kind == "closed":
            reason = event.lifecycle.reason or reason
        room.tell(event)

    try:
        await runner.tell_live(
            tell,
            speech=room.hear_agent,
            user_id=room.place.user_id,
            session_id=room.place.session_id,
            live_request_queue=room.queue,
            run_config=room.config,
        )
    except QuotaExceeded as error:
        reason, failure = type(error).__name__, str(error)
        room.begin(refused=error)
    except AntiphonError as error:
        log.warning("Conversation %s ended: %s: %s", room.id, type(error).__name__, error)
        reason, failure = type(error).__name__, str(error)
    except Exception:
        log.exception("Conversation %s failed.", room.id)
        reason, failure = "error", "The server made a mistake, which is in its log."
    finally:
        waiting.cancel()
        room.finish(reason, failure)
