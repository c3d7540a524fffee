from __future__ import annotations

import asyncio
import io
import os
import signal
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from antiphon.cli.screen import Look, Piece
from antiphon.cli.terminal import PlainTerminal

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    os.close(read)


def terminal(descriptor: int, *, colour: bool = False) -> tuple[PlainTerminal, io.StringIO]:
    out = io.StringIO()
    console = Console(file=out, force_terminal=colour, color_system="standard" if colour else None, width=20)
    return PlainTerminal(descriptor, console), out


async def test_piped_lines_come_one_by_one_to_the_last_without_end(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.write(write, "weather in Zürich\r\n\ncount".encode())
    os.close(write)
    plain, _ = terminal(read)
    assert not plain.interactive
    assert [line async for line in plain.lines()] == ["weather in Zürich", "", "count"]


async def test_a_line_is_taken_as_soon_as_it_is_there(pipe: tuple[int, int]) -> None:
    read, write = pipe
    lines = terminal(read)[0].lines()
    os.write(write, b"one\n")
    assert await anext(lines) == "one"
    os.write(write, b"tw")
    os.write(write, b"o\nthree")
    assert await anext(lines) == "two"
    os.close(write)
    assert [line async for line in lines] == ["three"]


async def test_bytes_that_are_no_utf8_are_replaced(pipe: tuple[int, int]) -> None:
    read, write = pipe
    os.write(write, b"caf\xe9\n")
    os.close(write)
    assert [line async for line in terminal(read)[0].lines()] == ["caf\ufffd"]


async def test_input_that_cannot_be_read_has_ended() -> None:
    read, write = os.pipe()
    os.close(write)
    os.close(read)
    lines = PlainTerminal.__new__(PlainTerminal)
    lines._descriptor = read
    assert [line async for line in lines.lines()] == []


def test_pieces_are_written_as_they_are_and_never_broken(pipe: tuple[int, int]) -> None:
    plain, out = terminal(pipe[0])
    os.close(pipe[1])
    plain.write([Piece("helper> ", Look.NAME), Piece("[bold]one two three four five 1 2 3", Look.WORDS)])
    plain.write([Piece("\n", Look.NOTE)])
    assert out.getvalue() == "helper> [bold]one two three four five 1 2 3\n"


def test_a_terminal_gets_colours(pipe: tuple[int, int]) -> None:
    plain, out = terminal(pipe[0], colour=True)
    os.close(pipe[1])
    plain.write([Piece("no", Look.ERROR)])
    assert out.getvalue() == "\x1b[31mno\x1b[0m"


async def test_ctrl_c_is_told_while_the_terminal_is_open(pipe: tuple[int, int]) -> None:
    os.close(pipe[1])
    pressed = asyncio.Event()
    before = signal.getsignal(signal.SIGINT)
    async with terminal(pipe[0])[0].opened(pressed.set):
        signal.raise_signal(signal.SIGINT)
        await pressed.wait()
    assert signal.getsignal(signal.SIGINT) in (before, signal.default_int_handler)


async def test_a_platform_without_signal_handlers_keeps_its_own(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    os.close(pipe[1])
    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", refuse)
    async with terminal(pipe[0])[0].opened(lambda: None):
        pass
