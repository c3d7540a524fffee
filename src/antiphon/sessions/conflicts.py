"""Two writers of one session: what is overwritten is named (contract 4.6)."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from antiphon.errors import StaleSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from antiphon.sessions.service import Session

__all__ = ["Conflict", "Written", "conflicts", "settle"]

log = logging.getLogger("antiphon.sessions")


class Written(NamedTuple):
    """When a key of a scope was last written, and by which event; by none when the session was created."""

    revision: int
    event_id: str | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """A key that is written although another writer has changed it since the session object was read."""

    key: str
    """With the prefix of its scope."""
    event_id: str | None
    """The other writer's event; `None` when it deleted the key, or set it at the creation of a session."""


def conflicts(
    session: Session, prefix: str, delta: Mapping[str, Any], seen: int, written: Mapping[str, Written]
) -> Iterator[Conflict]:
    """What in one scope's `delta` others have changed since `session` showed revision `seen` of it.

    `written` has the delta's keys that are stored now.
    """
    for key, value in delta.items():
        if (last := written.get(key)) is not None:
            if last.revision > seen:
                yield Conflict(prefix + key, last.event_id)
        elif value is not None and prefix + key in session.state:
            yield Conflict(prefix + key, None)


def settle(session: Session, found: Sequence[Conflict] | None, *, unless_stale: bool) -> None:
    """Names the conflicts: in the log, or, when the writer has asked for that, by refusing.

    `found` is `None` when it cannot be told, since the service has not made this session object.

    Raises:
        StaleSession: there are some or it cannot be told, and `unless_stale` is set.
    """
    if found is None and unless_stale:
        raise StaleSession(
            f"This object of session {session.id!r} is a copy that does not tell what it has seen, so "
            "nothing was stored. Append to what create_session() or get_session() of this service returned."
        )
    if not found:
        return
    named = ", ".join(
        f"{conflict.key} ({f'event {conflict.event_id}' if conflict.event_id else 'no event'})"
        for conflict in found
    )
    whose = f"session {session.id!r} of user {session.user_id!r} in {session.app_name!r}"
    if unless_stale:
        raise StaleSession(
            f"Another writer has changed what is to be written in {whose} since it was read: {named}. "
            "Nothing was stored. Read it again with get_session(), and decide anew."
        )
    log.warning(
        "Overwritten in %s, since it was read by its writer: %s. The later value stands.", whose, named
    )
