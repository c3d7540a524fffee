"""Performs what the conversation asks to be recorded: to the disk as it comes, and from there to artifacts.

Rule 1  Nothing here holds back audio: it is gathered in memory, written in blocks by threads, in order, and
        saved by tasks of their own.
Rule 2  Memory is bounded: `BLOCK` bytes of each voice are gathered, and `HELD` wait for the disk in all. A
        disk that does not keep up, or fails, costs the recordings concerned, which are reported as failed.
Rule 3  An artifact service that fails is tried again; what it does not take stays in the spool, to be
        recovered. A name is given once, so what is there under it was saved, and is not saved again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, assert_never

from antiphon.artifacts import ArtifactAddress
from antiphon.core.commands import Cut, Place, Record, SaveConversation, SaveRecording
from antiphon.core.recording import Voice
from antiphon.core.signals import RecordingFailed, RecordingSaved
from antiphon.errors import UsageError
from antiphon.runtime.spool import CONVERSATION, Owner, Spool, artifact_name
from antiphon.runtime.stereo import Stereo

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.agents import InvocationContext
    from antiphon.artifacts import BaseArtifactService
    from antiphon.core.commands import Speaker
    from antiphon.runtime.tasks import TaskOwner

__all__ = ["BLOCK", "HELD", "PATIENCE", "RETRIES", "SAVES", "Recorder", "saved_as"]

log = logging.getLogger(__name__)

BLOCK: Final = 1 << 15
"""Bytes gathered before they are written, about a second of one voice: what a killed process loses."""
HELD: Final = 8 << 20
"""Bytes that may wait for the disk, of one conversation."""
SAVES: Final = 4
"""Recordings of one conversation that are given to the artifact service at the same time."""
RETRIES: Final = (0.1, 0.5, 2.0)
"""Seconds before each further try of a save that failed."""
PATIENCE: Final = 60.0
"""Seconds after which a save that neither returns nor raises counts as failed."""

RecorderCommand = Record | SaveRecording | Place | Cut | SaveConversation


@dataclass(slots=True)
class _Track:
    """What is written under one name."""

    stem: str
    voice: Voice
    trouble: str | None = None
    """Why it is not whole; nothing more is taken for it."""
    broken: bool = False
    """Whether a write has failed; nothing more is written to it."""


@dataclass(slots=True)
class _Gathered:
    """PCM that waits to be a block: of one rate, one piece."""

    rate: int
    at: float | None = None
    pcm: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class _Job:
    """Something a thread is to do for a track."""

    track: _Track
    work: Callable[[], None]
    size: int = 0
    then: Callable[[], None] | None = None
    """Called on the loop when the work is done, or has failed."""


class Recorder:
    """The recordings of one conversation. `report` takes `RecordingSaved` and `RecordingFailed`."""

    def __init__(
        self,
        invocation: InvocationContext,
        artifacts: BaseArtifactService | None,
        report: Callable[[RecordingSaved | RecordingFailed], None],
        tasks: TaskOwner,
    ) -> None:
        session = invocation.session
        owner = Owner(invocation.app_name, session.user_id, session.id, invocation.invocation_id)
        self._artifacts = artifacts
        self._report = report
        self._tasks = tasks
        self._spool = Spool(invocation.run_config.recording_spool, owner)
        self._takes: dict[int, tuple[_Track, _Gathered]] = {}
        self._stereo = Stereo(self._spool)
        self._whole = _Track(CONVERSATION, Voice("model", ""))
        self._placed: dict[Speaker, _Gathered] = {}
        self._disk = _Disk(tasks)
        self._saving = asyncio.Semaphore(SAVES)
        self._unsaved: dict[int, tuple[_Track, asyncio.Task[None]]] = {}

    def perform(self, command: RecorderCommand) -> None:
        """Takes the command over; returns at once."""
        match command:
            case Record(number, speaker, author, data, rate):
                if number not in self._takes:
                    track = _Track(f"{number:05}_{speaker}", Voice(speaker, author))
                    self._takes[number] = track, _Gathered(rate)
                track, gathered = self._takes[number]
                gathered.pcm += data
                if len(gathered.pcm) >= BLOCK:
                    self._write(track, gathered)
            case SaveRecording(number):
                track, gathered = self._takes.pop(number)
                self._write(track, gathered)
                self._disk.add(_Job(track, _nothing, then=partial(self._save, number, track)))
            case Place(speaker, data, rate, at):
                gathered = self._placed.get(speaker) or _Gathered(rate, at)
                if at is not None or gathered.rate != rate:
                    self._lay(speaker)
                    gathered = _Gathered(rate, at)
                gathered.pcm += data[: len(data) // 2 * 2]
                self._placed[speaker] = gathered
                if len(gathered.pcm) >= BLOCK:
                    self._lay(speaker)
            case Cut(at):
                self._lay("model")
                self._disk.add(_Job(self._whole, partial(self._stereo.cut, at)))
            case SaveConversation(number, author):
                for speaker in tuple(self._placed):
                    self._lay(speaker)
                self._whole.voice = Voice("model", author)
                save = partial(self._save, number, self._whole)
                self._disk.add(_Job(self._whole, self._stereo.write, then=save))
            case _:
                assert_never(command)

    def resume(self) -> None:
        """Goes on with what a loop that goes down has cancelled."""
        self._disk.resume()
        for number, (track, task) in tuple(self._unsaved.items()):
            if task.done():
                self._save(number, track)

    async def close(self) -> None:
        """Lets go of the spool. What is in it is to be recovered; there is nothing else of this any more."""
        if self._spool.is_open:
            await asyncio.to_thread(self._spool.close)

    def _write(self, track: _Track, gathered: _Gathered) -> None:
        pcm, gathered.pcm = bytes(gathered.pcm), bytearray()
        work = partial(self._spool.append, track.stem, track.voice, pcm, gathered.rate)
        if pcm:
            self._disk.add(_Job(track, work, len(pcm)))

    def _lay(self, speaker: Speaker) -> None:
        gathered = self._placed.pop(speaker, None)
        if gathered is not None:
            pcm = bytes(gathered.pcm)
            work = partial(self._stereo.place, speaker, pcm, gathered.rate, gathered.at)
            self._disk.add(_Job(self._whole, work, len(pcm)))

    def _save(self, number: int, track: _Track) -> None:
        task = self._tasks.spawn(self._make_artifact(number, track), f"antiphon-recording {number}")
        self._unsaved[number] = track, task

    async def _make_artifact(self, number: int, track: _Track) -> None:
        answer: RecordingSaved | RecordingFailed
        if track.trouble is None:
            async with self._saving:
                answer = await self._saved(number, track)
        else:
            what = f"A recording of {track.voice.author} could not be written: {track.trouble}."
            answer = RecordingFailed(number, what)
        if isinstance(answer, RecordingSaved):
            await asyncio.to_thread(self._spool.remove, track.stem)
        del self._unsaved[number]
        self._report(answer)

    async def _saved(self, number: int, track: _Track) -> RecordingSaved | RecordingFailed:
        assert self._artifacts is not None, "the runner has refused a RunConfig that records"
        waits, tried = iter(RETRIES), 0
        while True:
            tried += 1
            try:
                async with asyncio.timeout(PATIENCE):
                    return await saved_as(self._artifacts, self._spool, track.stem, number)
            except Exception as error:
                told, wait = f"{type(error).__name__}: {error}", next(waits, None)
                if wait is None or isinstance(error, UsageError):
                    return RecordingFailed(
                        number,
                        f"The artifact service did not take a recording of {track.voice.author}; tries: "
                        f"{tried}; {told}. It is kept as {self._spool.path(track.stem)}.wav: "
                        "Runner.recover_recordings() will try again.",
                    )
                log.warning("Saving a recording failed, trying again in %.1f s: %s", wait, told)
                await asyncio.sleep(wait)


async def saved_as(artifacts: BaseArtifactService, spool: Spool, stem: str, number: int) -> RecordingSaved:
    """Makes the file of that name in the spool an artifact of its owner, unless it is one already."""
    owner, name = spool.owner, artifact_name(spool.owner, stem)
    where: Any = {"app_name": owner.app_name, "user_id": owner.user_id, "session_id": owner.session_id}
    versions = await artifacts.list_versions(**where, filename=name)
    if versions:
        version = versions[-1]
    else:
        path = spool.path(f"{stem}.wav")
        version = await artifacts.save_file(**where, filename=name, path=path, mime_type="audio/wav")
    address = ArtifactAddress(owner.app_name, owner.user_id, owner.session_id, name, version)
    return RecordingSaved(number, address.uri, "audio/wav", name, version)


class _Disk:
    """Does jobs one after the other, in threads, and no more of them than memory allows."""

    def __init__(self, tasks: TaskOwner) -> None:
        self._tasks = tasks
        self._jobs: list[_Job] = []
        self._held = 0
        self._worker: asyncio.Task[None] | None = None
        self._running: asyncio.Future[None] | None = None

    def add(self, job: _Job) -> None:
        """Takes a job over. One that is too much spoils its track, and is left out."""
        if self._held + job.size > HELD and job.track.trouble is None:
            job.track.trouble = f"the disk does not keep up; {HELD >> 20} MiB wait for it"
        if job.track.trouble is not None and job.then is None:
            return
        self._held += job.size
        self._jobs.append(job)
        self.resume()

    def resume(self) -> None:
        """Sees to it that somebody works, if there is anything to do."""
        if self._jobs and (self._worker is None or self._worker.done()):
            self._worker = self._tasks.spawn(self._work(), "antiphon-spool")

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._jobs:
            job = self._jobs[0]
            if not job.track.broken and job.work is not _nothing:
                if self._running is None:
                    self._running = loop.run_in_executor(None, job.work)
                await asyncio.wait([self._running])  # a worker that is cancelled leaves it to the next
                error, self._running = self._running.exception(), None
                if error is not None:
                    job.track.broken, job.track.trouble = True, f"{type(error).__name__}: {error}"
                    log.warning("Recording failed: %s", job.track.trouble)
            self._jobs.pop(0)
            self._held -= job.size
            if job.then is not None:
                job.then()


def _nothing() -> None:
    """Only what comes `then`."""
