"""The plainest terminal: text out as it comes, lines in. For pipes, files, and simple terminals."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import threading
from typing import TYPE_CHECKING, Final

from rich.text import Text

from antiphon.cli.interrupts import interrupts
from antiphon.cli.screen import Look

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from rich.console import Console

    from antiphon.cli.screen import Piece

__all__ = ["STYLES", "PlainTerminal"]

STYLES: Final = {
    Look.NAME: "bold cyan",
    Look.USER: "bold",
    Look.WORDS: "none",
    Look.THOUGHT: "dim italic",
    Look.TOOL: "yellow",
    Look.NOTE: "dim",
    Look.ERROR: "red",
}
"""Rich's names of how each look is shown."""


class PlainTerminal:
    """Reads lines from a file descriptor, writes to a console.

    Lines are read in a thread, each when it is asked for; what was read and not used is lost.
    """

    def __init__(self, descriptor: int, console: Console) -> None:
        self.interactive = os.isatty(descriptor)
        self.echoes = self.interactive
        self._descriptor = descriptor
        self._console = console

    def write(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            text = Text(piece.text, style=STYLES[piece.look])
            self._console.print(text, end="", soft_wrap=True, highlight=False)
        self._console.file.flush()

    async def lines(self) -> AsyncIterator[str]:
        loop = asyncio.get_running_loop()
        reader = _LineReader(self._descriptor)
        while True:
            arrived: asyncio.Future[str | None] = loop.create_future()
            threading.Thread(
                target=_read_for, args=(reader, loop, arrived), name="antiphon-input", daemon=True
            ).start()
            line = await arrived
            if line is None:
                return
            yield line

    @contextlib.asynccontextmanager
    async def opened(self, interrupted: Callable[[], None]) -> AsyncIterator[None]:
        with interrupts(interrupted):
            yield


class _LineReader:
    """Lines of a descriptor; not by `sys.stdin`, whose lock a reading thread would hold at the end."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._text = ""
        self._ended = False

    def read(self) -> str | None:
        """The next line without its end, or `None` at the end of the input. Blocks."""
        while "\n" not in self._text and not self._ended:
            data = os.read(self._descriptor, 65_536)
            self._ended = not data
            self._text += self._decoder.decode(data, final=self._ended)
        if not self._text:
            return None
        line, _, self._text = self._text.partition("\n")
        return line.removesuffix("\r")


def _read_for(
    reader: _LineReader, loop: asyncio.AbstractEventLoop, arrived: asyncio.Future[str | None]
) -> None:
    try:
        line = reader.read()
    except OSError:
        line = None
    with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
        loop.call_soon_threadsafe(_resolve, arrived, line)


def _resolve(arrived: asyncio.Future[str | None], line: str | None) -> None:
    if not arrived.done():
        arrived.set_result(line)
