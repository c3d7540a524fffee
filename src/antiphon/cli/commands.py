"""The commands and their options. What one needs is imported when it runs, which keeps `--help` quick."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from antiphon.cli.db import db
from antiphon.cli.exits import Exit, ended, report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.cli.screen import Terminal
    from antiphon.runtime import Runner

__all__ = ["app", "run"]

_DEFAULT_MODEL: Final = "gemini-3.8-live"

_DEMO_INTRO: Final = "An imitated model, offline; voice and the browser page come in a later release. "

_CODES: Final = (
    "Exit codes: 0 done; 1 the conversation failed; 2 usage or configuration; 130 interrupted. "
    "ANTIPHON_DEBUG=1 shows tracebacks."
)

app = typer.Typer(
    name="antiphon",
    help="Full-duplex conversations between people and AI agents.",
    epilog=_CODES,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(db)


def _help(text: str) -> str:
    """One line for each paragraph: the terminal breaks them."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs a command (of `sys.argv` unless given); tells errors in one sentence; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        code = app(arguments, prog_name="antiphon", standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as refused:
        context = getattr(refused, "ctx", None)
        command = context.command_path if context else "antiphon"
        print(f"{command}: {ended(refused.format_message())} See {command} --help.", file=sys.stderr)
        return Exit.USAGE
    except BrokenPipeError:
        with contextlib.suppress(OSError):  # whoever read has left; nor can the rest be flushed at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FAILED
    except (Exception, KeyboardInterrupt) as error:
        return report(error)
    return code if isinstance(code, int) else Exit.OK


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"antiphon {version('antiphon')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Tell the version and leave.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    help=_help(
        """
        Chat with an agent in the terminal, on any live model.

        You may type while the model speaks: the next line cuts in. Ctrl-C cuts it off; twice at the prompt,
        or Ctrl-D, leaves. Piped input is taken line by line, each answered before the next.
        """
    ),
    epilog=(
        "[bold]Examples[/]\n\n"
        "antiphon talk --model gemini-3.8-live\n\n"
        "antiphon talk path/to/agent.py\n\n"
        "antiphon talk my_package.agents:waiter --usage\n\n"
        "printf 'What time is it in Lima?' | antiphon talk\n\n"
        "antiphon talk --wav question.wav --out conversation.wav\n\n" + _CODES
    ),
)
def talk(
    app: Annotated[
        str | None,
        typer.Argument(
            metavar="APP",
            help="A file or module with root_agent or app in it, or either with :NAME. Else a small agent.",
            show_default=False,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help=f"Model of all agents. Without APP: {_DEFAULT_MODEL}.", show_default=False),
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(help="Where Gemini models are, if not at Google.", metavar="URL", show_default=False),
    ] = None,
    text: Annotated[
        bool | None,
        typer.Option(
            "--text/--audio",
            help="What the model answers in; audio is read by its transcript. Else text, if the model can.",
            show_default=False,
        ),
    ] = None,
    user: Annotated[str, typer.Option(help="Whose session it is.", metavar="ID")] = "user",
    session: Annotated[
        str | None,
        typer.Option(
            help="Session to go on with, or to begin. Without it, a new one.",
            metavar="ID",
            show_default=False,
        ),
    ] = None,
    instruction: Annotated[
        str | None,
        typer.Option(help="Replaces the instruction of the agent that speaks first.", show_default=False),
    ] = None,
    usage: Annotated[bool, typer.Option("--usage", help="Show token counts after each turn.")] = False,
    tape: Annotated[
        str | None,
        typer.Option(
            help="Record the conversation, with all that is said, to this new file.",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
    wav: Annotated[
        str | None, typer.Option(help="Say what is in this WAV file (model: local).", metavar="FILE")
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="With --wav: write both voices here.", metavar="FILE")
    ] = None,
) -> int:
    """Chats with an agent in the terminal."""
    import asyncio

    from antiphon.cli.loading import load_app, runner_for
    from antiphon.cli.samples import friendly_agent

    if base_url is not None:
        os.environ["GOOGLE_GEMINI_BASE_URL"] = base_url  # before agents that name their model are made
    default = _DEFAULT_MODEL if wav is None else "local"
    chosen = model if model is not None or app is not None else default
    found = load_app(app) if app is not None else friendly_agent(chosen)
    runner = runner_for(found, model=chosen, instruction=instruction)
    if wav is not None:
        return asyncio.run(_spoken(runner, wav, out, user=user, session=session))
    return asyncio.run(_chat(runner, text=text, user=user, session=session, usage=usage, tape=tape))


@app.command(
    help=_help(
        """
        Try a conversation offline: no key, no network, nothing to set up.

        An agent with a few tools talks to the live server that comes with Antiphon for tests. It imitates a
        live model down to its wire and its timing, but has no wits: it calls the tools you name, counts, and
        echoes.
        """
    ),
    epilog=(
        "[bold]Examples[/]\n\nantiphon demo\n\nprintf 'weather in Paris\\ncount to 5\\n' | antiphon demo\n\n"
        + _CODES
    ),
)
def demo(
    usage: Annotated[bool, typer.Option("--usage", help="Show token counts after each turn.")] = False,
) -> int:
    """Chats with the bundled live server."""
    import asyncio

    return asyncio.run(_demo(usage=usage))


@app.command(
    help=_help(
        """
        Show a recorded conversation again, from its tape alone: no model, no key, no network.

        Record one by `antiphon talk --tape FILE`, `run_live(tape=FILE)` or `Runner(tapes=FOLDER)`.
        """
    ),
    epilog=(
        "[bold]Examples[/]\n\nantiphon replay call.jsonl\n\nantiphon replay call.jsonl --speed 4\n\n"
        "antiphon replay call.jsonl.gz --fast --json\n\nantiphon replay call.jsonl --fast --audio voices\n\n"
        + _CODES
    ),
)
def replay(
    tape: Annotated[str, typer.Argument(metavar="FILE", help="The tape.", show_default=False)],
    speed: Annotated[float, typer.Option(min=0.01, help="1 is the time it took.", metavar="TIMES")] = 1.0,
    fast: Annotated[bool, typer.Option("--fast", help="Do not wait at all.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write the events, one a line.")] = False,
    audio: Annotated[
        str | None,
        typer.Option(
            help="Write what each speaker said to a WAV file there.", metavar="DIR", show_default=False
        ),
    ] = None,
    usage: Annotated[bool, typer.Option("--usage", help="Show token counts after each turn.")] = False,
) -> int:
    """Shows a recorded conversation again."""
    from pathlib import Path

    from antiphon.cli.renderer import Renderer
    from antiphon.cli.replay import Voices, shown, steps_of
    from antiphon.cli.replay import as_json as lines_of
    from antiphon.cli.terminal import PlainTerminal
    from antiphon.models.tape import Tape

    _quiet()
    loaded = Tape.load(tape)
    voices = Voices(Path(audio)) if audio is not None else None
    steps = steps_of(loaded, None if fast else speed, voices)
    if as_json:
        for line in lines_of(steps):
            print(line, flush=True)
    else:
        terminal = PlainTerminal(0, _console())
        for pieces in shown(steps, Renderer(usage=usage), loaded):
            terminal.write(pieces)
    for path in voices.written if voices else ():
        print(f"wrote {path}", file=sys.stderr)
    return Exit.OK


@app.command(
    help=_help(
        """
        Check what works on this machine, and tell what to set.

        Holds a conversation of one turn with the bundled live server, on this machine, plain and over TLS.
        The exit code is 0 if that works, else 1.
        """
    ),
    epilog=f"[bold]Examples[/]\n\nantiphon doctor\n\nantiphon doctor --json\n\n{_CODES}",
)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Checks the machine."""
    import asyncio
    import json

    from antiphon.cli import doctor, selftest

    _quiet()
    checks = [*doctor.programs(), *doctor.extras(), *doctor.environment(os.environ)]
    held = [asyncio.run(selftest.hold(tls=False))]
    if _has("trustme"):
        held.append(asyncio.run(selftest.hold(tls=True)))
    ok = all(trial.ok for trial in held)
    checks += doctor.trials(held)
    if as_json:
        print(json.dumps(doctor.as_json(checks, held, ok=ok), indent=2))
    else:
        _console().print(doctor.table(checks))
    return Exit.OK if ok else Exit.FAILED


async def _demo(*, usage: bool) -> int:
    from antiphon.cli.samples import HINT, demo_agent, demo_reply
    from antiphon.errors import MissingExtra
    from antiphon.models.gemini import Gemini

    try:
        from antiphon.testing.live_server import LiveServer
    except ImportError as missing:
        raise MissingExtra(f"The demo needs {missing.name}: pip install 'antiphon[testing]'") from None
    _quiet()
    async with LiveServer(reply=demo_reply) as server:
        model = Gemini(_DEFAULT_MODEL, api_key="demo", base_url=server.base_url, vertexai=False)
        runner = _in_memory(demo_agent(model))
        return await _chat(runner, intro=_DEMO_INTRO + HINT, usage=usage)


def _in_memory(agent: Any) -> Runner:
    from antiphon.runtime import InMemoryRunner

    return InMemoryRunner(agent, app_name="demo")


async def _chat(
    runner: Runner,
    *,
    text: bool | None = None,
    user: str = "user",
    session: str | None = None,
    usage: bool = False,
    intro: str | None = None,
    tape: str | None = None,
) -> int:
    from antiphon.agents import assemble
    from antiphon.cli.chat import Chat, Ending
    from antiphon.cli.renderer import Renderer
    from antiphon.config import RunConfig
    from antiphon.types import Modality, SessionResumptionConfig

    _quiet()
    troupe = assemble(runner.agent)
    models = [speaker.model for speaker in troupe.speakers.values()]
    wanted = all(model.capabilities.text_output for model in models) if text is None else text
    config = RunConfig(
        response_modalities=[Modality.TEXT if wanted else Modality.AUDIO],
        session_resumption=SessionResumptionConfig(),
    )
    for model in models:
        model.check(config)
    name = await _session(runner, user, session)
    terminal, renderer = _terminal(), Renderer(usage=usage)
    if intro is not None:
        terminal.write(renderer.note(intro))
    if terminal.interactive:
        first = troupe.cast.first
        how = "Type to talk, also while it speaks. Ctrl-C cuts it off, Ctrl-D leaves."
        terminal.write(renderer.note(f"{first} on {troupe.speakers[first].model.name}. {how}"))
    ending = await Chat(runner, terminal, renderer, config, tape).run(user, name)
    return Exit.INTERRUPTED if ending is Ending.INTERRUPTED else Exit.OK


async def _spoken(runner: Runner, wav: str, out: str | None, *, user: str, session: str | None) -> int:
    from antiphon.cli.spoken import from_file

    _quiet()
    await from_file(runner, wav, out, user, await _session(runner, user, session))
    return Exit.OK


async def _session(runner: Runner, user: str, session: str | None) -> str:
    """The id of the session, which is there now."""
    service, app_name = runner.session_service, runner.app_name
    if session is not None:
        found = await service.get_session(app_name=app_name, user_id=user, session_id=session)
        if found is not None:
            return found.id
    created = await service.create_session(app_name=app_name, user_id=user, session_id=session)
    return created.id


def _terminal() -> Terminal:
    """The best that standard input and output allow."""
    if sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        from antiphon.cli.prompt import PromptTerminal

        return PromptTerminal()
    from antiphon.cli.terminal import PlainTerminal

    return PlainTerminal(sys.stdin.fileno(), _console())


def _console() -> Any:
    from rich.console import Console

    return Console(highlight=False)


def _quiet() -> None:
    """What the conversation shows, the log need not repeat; unless it is asked for."""
    import logging

    debug = bool(os.environ.get("ANTIPHON_DEBUG"))
    logging.basicConfig(level=logging.DEBUG if debug else logging.CRITICAL)


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None
