"""Events that are appended together: what of them is stored, and how they reach the caller's session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from antiphon.sessions.service import catch_up, land, require_names
from antiphon.sessions.storable import stored_form

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from antiphon.events import Event
    from antiphon.sessions.service import Session

__all__ = ["Batch"]


class Batch:
    """Events in their order, beside their stored forms.

    Raises `UsageError` for an event that is to be stored and has no id.
    """

    def __init__(self, events: Sequence[Event]) -> None:
        self._forms = [(event, stored_form(event)) for event in events]
        self.stored: dict[str, Event] = {}
        """What is to be stored, by id: each once (contract 3.2)."""
        for _, stored in self._forms:
            if stored is not None:
                require_names(event_id=stored.id)
                self.stored.setdefault(stored.id, stored)

    def delta(self, new: Collection[str]) -> dict[str, Any]:
        """What the events of these ids change in the state."""
        changed: dict[str, Any] = {}
        for event_id, event in self.stored.items():
            if event_id in new:
                changed |= event.actions.state_delta
        return changed

    def all_new(self, new: Collection[str]) -> bool:
        """Whether no event was stored before, nor is here twice: then their deltas tell the state."""
        return len(new) == sum(stored is not None for _, stored in self._forms)

    def land(
        self, session: Session, new: Collection[str] = (), state: Mapping[str, Any] | None = None
    ) -> list[Event]:
        """Bring the caller's session up to date, after the events of the ids `new` were stored.

        `state`: what a reader would now be given, a copy; needed unless the session showed the latest before,
        and all events are new. Returns each event as stored, or itself when nothing of it is.
        """
        landing, appended = set(new), []
        for event, stored in self._forms:
            if stored is None:
                appended.append(land(session, event, None))
                continue
            known = stored.id not in landing and any(
                each.id == stored.id for each in reversed(session.events)
            )
            landing.discard(stored.id)
            land(session, event, None if known else stored)
            appended.append(stored)
        if state is not None:
            catch_up(session, state)
        return appended
