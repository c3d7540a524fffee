from __future__ import annotations

import asyncio
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING

from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output.vt100 import Vt100_Output

from antiphon.cli.prompt import PromptTerminal
from antiphon.cli.screen import Look, Piece

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prompt_toolkit.input import PipeInput


@contextmanager
def prompt(columns: int = 40) -> Iterator[tuple[PromptTerminal, PipeInput, io.StringIO]]:
    screen = io.StringIO()
    output = Vt100_Output(screen, lambda: Size(rows=20, columns=columns), term="xterm", enable_cpr=False)
    with create_pipe_input() as keys:
        yield PromptTerminal(keys, output), keys, screen


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("waited in vain")


def said(text: str) -> list[Piece]:
    return [Piece(text, Look.WORDS)]


async def test_typed_lines_arrive() -> None:
    with prompt() as (terminal, keys, _):
        async with terminal.opened(lambda: None):
            lines = terminal.lines()
            keys.send_text("hello\r")
            assert await anext(lines) == "hello"
            keys.send_text("wörld\rthird\r")
            assert [await anext(lines), await anext(lines)] == ["wörld", "third"]


async def test_ctrl_d_ends_the_input_but_only_on_an_empty_line() -> None:
    with prompt() as (terminal, keys, _):
        async with terminal.opened(lambda: None):
            keys.send_text("ab\x01\x04\r\x04")  # Ctrl-A goes to the beginning of the line
            assert [line async for line in terminal.lines()] == ["b"]


async def test_ctrl_c_is_told_and_clears_the_line() -> None:
    pressed: list[int] = []
    with prompt() as (terminal, keys, _):
        async with terminal.opened(lambda: pressed.append(1)):
            keys.send_text("half a li\x03whole\r")
            assert await anext(terminal.lines()) == "whole"
    assert pressed == [1]


async def test_input_that_goes_away_has_ended() -> None:
    with prompt() as (terminal, keys, _):
        async with terminal.opened(lambda: None):
            keys.close()
            assert [line async for line in terminal.lines()] == []


async def test_complete_lines_scroll_away_and_the_rest_follows_at_the_end() -> None:
    with prompt() as (terminal, keys, screen):
        async with terminal.opened(lambda: None):
            keys.send_text("\r")
            await anext(terminal.lines())
            terminal.write(said("a first line\nand a be"))
            await until(lambda: not terminal._writing)
            assert terminal._unwritten == said("and a be")
            assert "a first line" in screen.getvalue()
            terminal.write(said("ginning"))
    assert "and a beginning" in screen.getvalue()


async def test_a_line_that_grows_too_long_is_let_go() -> None:
    with prompt(columns=12) as (terminal, keys, _):
        async with terminal.opened(lambda: None):
            keys.send_text("\r")
            await anext(terminal.lines())
            terminal.write(said("one two three"))
            await until(lambda: not terminal._writing)
            assert terminal._unwritten == said("three")


def test_before_it_is_open_it_writes_at_once() -> None:
    with prompt() as (terminal, _, screen):
        terminal.write(said("welcome\n"))
        assert "welcome" in screen.getvalue()


async def test_lines_nobody_takes_are_bounded() -> None:
    with prompt() as (terminal, keys, screen):
        async with terminal.opened(lambda: None):
            terminal._typed.extend(["x"] * 1000)
            keys.send_text("more\r")
            await until(lambda: "\a" in screen.getvalue())
            assert len(terminal._typed) == 1000 and terminal._buffer.text == "more"
