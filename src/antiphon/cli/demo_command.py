"""`antiphon demo`: its options, and whether the browser or the terminal shows it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Annotated, Final

import typer

from antiphon.cli.manual import CODES, Llm, paragraphs
from antiphon.cli.shell import console, nobody_types, quiet

__all__ = ["EPILOG", "HELP", "demo"]

HELP: Final = paragraphs(
    """
    Talk with an agent in the browser: no key, no network, nothing to set up.

    Starts a server on this machine and tells its address. On its page you talk with an agent that has a few
    tools, cut in, and see who speaks when, what is called and how fast answers come. With a key for Gemini
    that is set, Gemini answers; with --llm, a language model of yours.

    With --terminal all is there instead: a visitor talks with the agent and cuts in, then it is your turn, by
    microphone or by text. What is piped in is answered line by line. --listen, --voice, --text and --wav are
    parts of that.
    """
)
EPILOG: Final = (
    "[bold]Examples[/]\n\nantiphon demo\n\nantiphon demo --port 9000 --no-open\n\n"
    "antiphon demo --llm http://127.0.0.1:11434/v1\n\nantiphon demo --listen --out talk.wav\n\n"
    "antiphon demo --voice\n\nantiphon demo --wav question.wav --out answer.wav\n\n"
    "printf 'weather in Paris\\ncount to 5\\n' | antiphon demo --text\n\n" + CODES
)


def demo(
    host: Annotated[
        str, typer.Option(help="Address that the page is served at.", metavar="HOST")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="Its port; where it is taken, a free one.", min=0, max=65_535)
    ] = 8000,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
    llm: Llm = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="A Gemini model, or local; with --llm, the language model's name there.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    terminal: Annotated[bool, typer.Option("--terminal", help="In the terminal, without a page.")] = False,
    listen: Annotated[
        bool, typer.Option("--listen", help="In the terminal: the visitor's conversation; no devices needed.")
    ] = False,
    voice: Annotated[
        bool, typer.Option("--voice", help="In the terminal: talk by microphone and loudspeaker.")
    ] = False,
    text: Annotated[bool, typer.Option("--text", help="In the terminal: chat by text.")] = False,
    wav: Annotated[
        str | None, typer.Option(help="In the terminal: say what is in this WAV file.", metavar="FILE")
    ] = None,
    out: Annotated[
        str | None,
        typer.Option(
            help="In the terminal: write both voices here. The visitor's conversation: antiphon-demo.wav.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    half_duplex: Annotated[
        bool, typer.Option("--half-duplex", help="With --voice, without headphones: deaf while it speaks.")
    ] = False,
    usage: Annotated[
        bool, typer.Option("--usage", help="With --text: show token counts after each turn.")
    ] = False,
) -> int:
    """Serves the page with the demo's agent, or shows the demo in the terminal."""
    import asyncio

    from antiphon.cli.audio_device import SoundDevice
    from antiphon.cli.demo import Wishes, show
    from antiphon.cli.terminal import PlainTerminal
    from antiphon.errors import MissingExtra

    wishes = Wishes(listen, voice, text, wav, out, half_duplex, llm, model, usage)
    quiet()
    if terminal or wishes.for_terminal:
        return asyncio.run(show(wishes, SoundDevice(), typed=sys.stdin.isatty(), mute=nobody_types()))
    if not (find_spec("fastapi") and find_spec("uvicorn")):
        raise MissingExtra(
            "The page needs a web server: pip install 'antiphon[server]'. Or: antiphon demo --terminal"
        )
    from antiphon.cli.webpage import Visit, serve_page

    visit = Visit(host, port, not no_open, llm, model)
    return serve_page(visit, PlainTerminal(0, console()))
