"""Records a conversation to a tape (contract, section 9), beside the conversation and never in its way.

A line is made when something happens, since what it is made of may change later. Lines are written in a
thread, when `BATCH` bytes wait or after `LATEST` seconds: a crash of the process loses no more than that.
When `BOUND` bytes wait for a slow disk, or the disk takes nothing, recording ends, as the log says, and the
last line of the tape if there is room for it; the conversation goes on.
"""

from __future__ import annotations

import asyncio
import gzip
import logging
import os
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from antiphon.errors import TapeUnusable
from antiphon.models.tape import (
    Begun,
    Dialled,
    Drawn,
    Fed,
    Finished,
    Header,
    HungUp,
    Record,
    Started,
    Told,
    blank,
)
from antiphon.runtime.redaction import Redaction

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from antiphon.config import RunConfig
    from antiphon.core.handover import Cast
    from antiphon.core.messages import Message
    from antiphon.core.signals import Signal
    from antiphon.models import Setup

__all__ = ["BATCH", "BOUND", "LATEST", "TapeWriter"]

log = logging.getLogger(__name__)

BATCH: Final = 64 * 1024
LATEST: Final = 1.0
BOUND: Final = 16 * 1024 * 1024


class TapeWriter:
    """One conversation's. To be made and used on its loop; nothing it is told of raises.

    `secrets` are replaced wherever they appear. Raises `TapeUnusable` when there is a file at `path`, or
    none can be made. The file is for its owner to read only.
    """

    def __init__(self, path: str | Path, secrets: Iterable[str] = (), note: str = "") -> None:
        self.path = Path(path)
        self._file: BinaryIO | None = _created(self.path)
        self._redaction = Redaction(secrets)
        self._note = note
        self._lines: list[bytes] = []
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[None] | None = None
        self._over = False
        self._blank = True
        self._loop = asyncio.get_running_loop()

    # What is recorded.

    def begin(self, roles: Cast, config: RunConfig, invocation: str, now: float) -> None:
        """The first line."""
        self._put(
            blank(
                roles,
                config,
                antiphon=version("antiphon"),
                recorded=time.time(),
                invocation=invocation,
                note=self._note,
                now=now,
            )
        )

    def started(self, now: float) -> None:
        self._put(Started(now))

    def fed(self, signal: Signal, now: float) -> None:
        """Before the conversation handles it."""
        self._put(Fed(now, signal))

    def chance(self, draw: Callable[[], float]) -> Callable[[], float]:
        """`draw`, with every number it gives recorded."""

        def drawn() -> float:
            number = draw()
            self._put(Drawn(number))
            return number

        return drawn

    def dialled(self, link: int, agent: str) -> None:
        self._put(Dialled(self._loop.time(), link, agent))

    def begun(self, link: int, setup: Setup) -> None:
        self._put(
            Begun(
                self._loop.time(),
                link,
                setup.instruction,
                tuple(setup.tools),
                setup.generation,
                setup.handle,
                tuple(setup.history),
                setup.pending,
            )
        )

    def told(self, link: int, message: Message) -> None:
        self._put(Told(self._loop.time(), link, message))

    def hung_up(self, link: int) -> None:
        self._put(HungUp(self._loop.time(), link))

    def finish(self, error: str | None = None) -> None:
        """The last line; what comes later is not recorded."""
        self._put(Finished(self._loop.time(), error))
        self._over = True

    # The file.

    @property
    def closed(self) -> bool:
        """Whether the file is closed."""
        return self._file is None

    async def close(self) -> None:
        """Returns when all is written, or cannot be."""
        try:
            while self._lines or self._writing is not None:
                self._write()
                if self._writing is not None:
                    await asyncio.wait([self._writing])
        finally:
            self.release()

    def release(self) -> None:
        """Closes the file, whatever waits. A tape without a line in it is taken away. Twice is fine."""
        self._over = True
        self._lines.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._writing is not None:  # in a thread that cannot be stopped
            self._writing.add_done_callback(lambda _: self.release())
        elif self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()
            if self._blank:
                with suppress(OSError):
                    self.path.unlink()

    def _put(self, line: Header | Record) -> None:
        if self._over:
            return
        try:
            data = self._redaction.written(line) + b"\n"
        except Exception as error:  # the application's own values, which JSON may have no word for
            self._stop(f"{type(line).__name__} cannot be written as JSON: {error}")
            return
        self._lines.append(data)
        self._waiting += len(data)
        if self._waiting >= BOUND:
            self._stop(f"the disk is too slow: {self._waiting >> 20} MiB wait")
        elif self._waiting >= BATCH:
            self._write()
        elif self._timer is None:
            self._timer = self._loop.call_later(LATEST, self._due)

    def _due(self) -> None:
        self._timer = None
        self._write()

    def _write(self) -> None:
        """Has a thread write what waits, unless one does already: it takes up the rest when it is done."""
        if self._file is None or self._writing is not None or not self._lines:
            return
        self._blank = False
        data, self._lines, self._waiting = b"".join(self._lines), [], 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        try:
            self._writing = self._loop.run_in_executor(None, _written, self._file, data)
        except RuntimeError as error:  # the loop's threads have been ended
            self._stop(str(error), unwritable=True)
        else:
            self._writing.add_done_callback(self._wrote)

    def _wrote(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        error = None if writing.cancelled() else writing.exception()
        if error is not None:
            self._lines.clear()
            self._stop(str(error), unwritable=True)
        elif self._waiting >= BATCH or self._over:
            self._write()

    def _stop(self, why: str, *, unwritable: bool = False) -> None:
        log.error("Recording to %s ends before the conversation does: %s", self.path, why)
        if not unwritable and not self._over:
            self._lines.append(self._redaction.written(Finished(self._loop.time(), why)) + b"\n")
            self._write()
        self._over = True


def _created(path: Path) -> BinaryIO:
    try:
        file = open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600))
    except FileExistsError:
        raise TapeUnusable(f"There is a file at {path} already: take it away, or name another.") from None
    except OSError as error:
        raise TapeUnusable(f"No tape can be written to {path}: {error.strerror or error}.") from error
    return cast("BinaryIO", _Zipped(file)) if path.suffix == ".gz" else file


class _Zipped(gzip.GzipFile):
    """Closes what it writes to."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__("", "wb", compresslevel=6, fileobj=file, mtime=0)
        self._below = file

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._below.close()


def _written(file: BinaryIO, data: bytes) -> None:
    file.write(data)
    file.flush()
