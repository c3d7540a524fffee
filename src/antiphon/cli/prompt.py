"""A terminal where one types while the model speaks: an input line below, the conversation above it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout import BufferControl, FormattedTextControl, HSplit, Layout, Window
from prompt_toolkit.layout.processors import BeforeInput
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import Style

from antiphon.cli.folding import fold
from antiphon.cli.screen import Look, Piece
from antiphon.runtime.tasks import TaskOwner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from prompt_toolkit.input import Input
    from prompt_toolkit.key_binding import KeyPressEvent
    from prompt_toolkit.output import Output

__all__ = ["PromptTerminal"]

_STYLE: Final = Style.from_dict(
    {
        Look.NAME: "bold ansicyan",
        Look.USER: "bold",
        Look.WORDS: "",
        Look.THOUGHT: "italic ansibrightblack",
        Look.TOOL: "ansiyellow",
        Look.NOTE: "ansibrightblack",
        Look.ERROR: "ansired",
    }
)
_PROMPT: Final = "you> "
_WAITING_LINES: Final = 1000
"""Typed lines that may wait for the chat to take them; then further ones are refused with a bell."""


class PromptTerminal:
    """The line that is being written is part of the input's own display; complete lines scroll away above it.

    `source` and `output` are those of the process unless given.
    """

    interactive = True
    echoes = False

    def __init__(self, source: Input | None = None, output: Output | None = None) -> None:
        self._typed: deque[str | None] = deque()
        self._arrived = asyncio.Event()
        self._unwritten: list[Piece] = []
        self._writing = False
        self._buffer = Buffer(
            history=InMemoryHistory(), accept_handler=self._accept, multiline=False, name="input"
        )
        self._interrupted: Callable[[], None] = lambda: None
        self._app: Application[None] = Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=_STYLE,
            erase_when_done=True,
            input=source,
            output=output,
        )
        self._tasks = TaskOwner(lambda error: self._ended())

    def write(self, pieces: Iterable[Piece]) -> None:
        self._unwritten += pieces
        if not self._app.is_running:
            self._flush(everything=True)
            return
        self._app.invalidate()
        if self._complete()[0] and not self._writing:
            self._writing = True
            self._tasks.spawn(self._let_go(), "antiphon-screen")

    async def lines(self) -> AsyncIterator[str]:
        while True:
            while self._typed:
                line = self._typed.popleft()
                if line is None:
                    return
                yield line
            self._arrived.clear()
            await self._arrived.wait()

    @contextlib.asynccontextmanager
    async def opened(self, interrupted: Callable[[], None]) -> AsyncIterator[None]:
        self._interrupted = interrupted
        running = self._tasks.spawn(self._run(), "antiphon-prompt")
        try:
            yield
        finally:
            if self._app.is_running:
                self._app.exit()
            await asyncio.wait([running])
            await self._tasks.cancel_all(1.0)
            self._flush(everything=True)

    async def _run(self) -> None:
        with patch_stdout(raw=True), contextlib.suppress(EOFError):  # what tools print goes above the input
            await self._app.run_async(handle_sigint=False, set_exception_handler=False)
        self._ended()

    # What is shown.

    def _layout(self) -> Layout:
        open_line = Window(
            FormattedTextControl(lambda: _formatted(self._unwritten)),
            dont_extend_height=True,
            wrap_lines=True,
        )
        control = BufferControl(
            self._buffer, input_processors=[BeforeInput([(f"class:{Look.NAME}", _PROMPT)])]
        )
        return Layout(HSplit([open_line, Window(control, dont_extend_height=True, wrap_lines=True)]))

    def _complete(self) -> tuple[list[list[Piece]], list[Piece]]:
        return fold(self._unwritten, max(8, self._app.output.get_size().columns - 1))

    async def _let_go(self) -> None:
        """Moves complete lines above the input, until there are none."""
        try:
            while self._app.is_running and self._complete()[0]:
                await run_in_terminal(self._flush)
        finally:
            self._writing = False

    def _flush(self, *, everything: bool = False) -> None:
        done, rest = self._complete()
        if everything and rest:
            done, rest = [*done, rest], []
        for line in done:
            text = _formatted([*line, Piece("\n", Look.NOTE)])
            print_formatted_text(self._app.output, text, _STYLE)
        self._unwritten = rest

    # What is typed.

    def _accept(self, buffer: Buffer) -> bool:
        if len(self._typed) < _WAITING_LINES:
            self._put(buffer.text)
            return False
        self._app.output.bell()
        return True

    def _put(self, line: str | None) -> None:
        self._typed.append(line)
        self._arrived.set()

    def _ended(self) -> None:
        self._put(None)

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _(event: KeyPressEvent) -> None:
            self._buffer.reset()
            self._interrupted()

        @keys.add("c-d")
        def _(event: KeyPressEvent) -> Any:
            if self._buffer.text:
                self._buffer.delete()
            else:
                self._ended()

        return keys


def _formatted(pieces: Sequence[Piece]) -> FormattedText:
    return FormattedText([(f"class:{piece.look}", piece.text) for piece in pieces])
