"""What a killed process has left of its recordings becomes artifacts after all (contract 4.3)."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from typing import TYPE_CHECKING

from antiphon.core.recording import Voice, recording_saved
from antiphon.events import new_id
from antiphon.runtime import wav
from antiphon.runtime.recorder import saved_as
from antiphon.runtime.spool import CONVERSATION, Spool, folders
from antiphon.runtime.stereo import put_together

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.artifacts import BaseArtifactService
    from antiphon.events import Event
    from antiphon.sessions import BaseSessionService

__all__ = ["recover"]

log = logging.getLogger(__name__)


async def recover(
    app_name: str,
    agent: str,
    artifacts: BaseArtifactService,
    sessions: BaseSessionService,
    root: Path | None,
) -> list[Event]:
    """Saves what is left in the spool of this application, and tells the sessions; the events that do.

    Conversations that live are left alone, whichever process has them. What cannot be saved is logged and
    stays for the next time; what has been saved already is not saved twice.
    """
    events: list[Event] = []
    for folder in await asyncio.to_thread(folders, root):
        spool = await asyncio.to_thread(Spool.take, folder)
        if spool is None:
            continue
        try:
            if spool.owner.app_name == app_name:
                events += await _recover(spool, agent, artifacts, sessions)
        finally:
            await asyncio.to_thread(spool.close)
    return events


async def _recover(
    spool: Spool, agent: str, artifacts: BaseArtifactService, sessions: BaseSessionService
) -> list[Event]:
    events: list[Event] = []
    for stem, voice in await asyncio.to_thread(_takes, spool, agent):
        try:
            event = recording_saved(voice, await saved_as(artifacts, spool, stem, 0))
            event.id, event.timestamp = new_id(), time.time()
            event.invocation_id = spool.owner.invocation_id
            await _tell(sessions, spool, event)
        except Exception:
            log.exception("Recovering %s failed; it stays where it is.", spool.path(f"{stem}.wav"))
            continue
        await asyncio.to_thread(spool.remove, stem)
        events.append(event)
    return events


def _takes(spool: Spool, agent: str) -> list[tuple[str, Voice]]:
    """The recordings that there are, made whole; what holds no audio is removed."""
    found: list[tuple[str, Voice]] = []
    for beside in sorted(spool.folder.glob("*_*.json")):
        path = beside.with_suffix(".wav")
        if path.exists() and wav.repair(path):
            found.append((beside.stem, Voice(**json.loads(beside.read_bytes()))))
        else:
            spool.remove(beside.stem)
    if any(spool.folder.glob(f"{CONVERSATION}_*.pcm")):
        put_together(spool)
        found.append((CONVERSATION, Voice("model", agent)))
    return found


async def _tell(sessions: BaseSessionService, spool: Spool, event: Event) -> None:
    """Puts the event into the session, unless the session is gone, or knows."""
    owner = spool.owner
    session = await sessions.get_session(
        app_name=owner.app_name, user_id=owner.user_id, session_id=owner.session_id
    )
    if session is None:
        return
    if not any(told.actions.artifact_delta == event.actions.artifact_delta for told in session.events):
        await sessions.append_event(session, event)
