"""The commands and their options. What one needs is imported when it runs, which keeps `--help` quick."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from antiphon.cli import demo_command, serve
from antiphon.cli.db import db
from antiphon.cli.exits import Exit, ended, report
from antiphon.cli.manual import CODES, Llm, paragraphs
from antiphon.cli.shell import console, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from antiphon.cli.conversations import Place
    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel
    from antiphon.runtime import Runner

__all__ = ["app", "run"]

app = typer.Typer(
    name="antiphon",
    help="Full-duplex conversations between people and AI agents.",
    epilog=CODES,
    rich_markup_mode="rich",
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(db)
app.command(help=demo_command.HELP, epilog=demo_command.EPILOG)(demo_command.demo)
app.command(help=serve.HELP, epilog=serve.EPILOG)(serve.serve)


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

        from antiphon.compilation import build

        print(f"antiphon {version('antiphon')} ({build()})")
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
    help=paragraphs(
        """
        Talk with an agent, on any live model: typed in the terminal, by voice, or from a WAV file.

        You may type or speak while the model speaks, which cuts it off. Typing: Ctrl-C cuts off, too; twice
        at the prompt, or Ctrl-D, leaves; piped input is taken line by line, each answered before the next.
        By voice: Ctrl-C ends the talk.

        Without APP and --model: Gemini if a key for it is set, else the local model, which needs none.
        """
    ),
    epilog=(
        "[bold]Examples[/]\n\n"
        "antiphon talk --model gemini-3.8-live\n\n"
        "antiphon talk path/to/agent.py\n\n"
        "antiphon talk --voice my_package.agents:waiter\n\n"
        "antiphon talk --voice --llm http://127.0.0.1:11434/v1\n\n"
        "printf 'What time is it in Lima?' | antiphon talk\n\n"
        "antiphon talk --wav question.wav --out conversation.wav\n\n" + CODES
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
        typer.Option(
            help="Model of all agents, such as local or gemini-3.8-live; with --llm, the name it has there.",
            metavar="NAME",
            show_default=False,
        ),
    ] = None,
    llm: Llm = None,
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
    voice: Annotated[
        bool, typer.Option("--voice", help="By microphone and loudspeaker (model: local, unless named).")
    ] = False,
    half_duplex: Annotated[
        bool,
        typer.Option("--half-duplex", help="With --voice, without headphones: deaf while it speaks."),
    ] = False,
    wav: Annotated[
        str | None,
        typer.Option(help="Say what is in this WAV file (model: local, unless named).", metavar="FILE"),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="With --voice or --wav: write both voices here.", metavar="FILE")
    ] = None,
) -> int:
    """Talks with an agent."""
    import asyncio

    from antiphon.cli.brains import GEMINI, local_model, reaches_gemini
    from antiphon.cli.conversations import Place
    from antiphon.cli.loading import load_app, runner_for
    from antiphon.cli.samples import friendly_agent
    from antiphon.errors import UsageError

    if base_url is not None:
        os.environ["GOOGLE_GEMINI_BASE_URL"] = base_url  # before agents that name their model are made
    if voice and wav is not None:
        raise UsageError("Choose one of --voice and --wav.")
    spoken = voice or wav is not None
    if out is not None and not spoken:
        raise UsageError("--out keeps a conversation by voice: add --voice or --wav FILE.")
    name = model if llm is None else "local"
    if name is None and app is None:
        name = GEMINI if not spoken and reaches_gemini(os.environ) else "local"
    intro = None
    chosen: str | LiveModel | ChatModel | None = name
    if name == "local":
        chosen, intro = local_model(llm, model if llm else None, aloud=spoken or text is False)
    found = load_app(app) if app is not None else friendly_agent(chosen)
    runner = runner_for(found, model=chosen, instruction=instruction)
    quiet()
    return asyncio.run(
        _talk(
            runner,
            Place(user, session, tape),
            wav=wav,
            voice=voice,
            half_duplex=half_duplex,
            out=out,
            text=text,
            usage=usage,
            intro=intro,
        )
    )


@app.command(
    help=paragraphs(
        """
        Show a recorded conversation again, from its tape alone: no model, no key, no network.

        Record one by `antiphon talk --tape FILE`, `run_live(tape=FILE)` or `Runner(tapes=FOLDER)`.
        """
    ),
    epilog=(
        "[bold]Examples[/]\n\nantiphon replay call.jsonl\n\nantiphon replay call.jsonl --speed 4\n\n"
        "antiphon replay call.jsonl.gz --fast --json\n\nantiphon replay call.jsonl --fast --audio voices\n\n"
        + CODES
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

    quiet()
    loaded = Tape.load(tape)
    voices = Voices(Path(audio)) if audio is not None else None
    steps = steps_of(loaded, None if fast else speed, voices)
    if as_json:
        for line in lines_of(steps):
            print(line, flush=True)
    else:
        terminal = PlainTerminal(0, console())
        for pieces in shown(steps, Renderer(usage=usage), loaded):
            terminal.write(pieces)
    for path in voices.written if voices else ():
        print(f"wrote {path}", file=sys.stderr)
    return Exit.OK


@app.command(
    help=paragraphs(
        """
        Check what works on this machine, and tell what to set.

        Holds a conversation of one turn with the bundled live server, on this machine, plain and over TLS.
        The exit code is 0 if that works, else 1.
        """
    ),
    epilog=f"[bold]Examples[/]\n\nantiphon doctor\n\nantiphon doctor --json\n\n{CODES}",
)
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> int:
    """Checks the machine."""
    import asyncio
    import json

    from antiphon.cli import doctor, parts, selftest
    from antiphon.cli.audio_device import SoundDevice

    quiet()
    checks = [
        *doctor.programs(),
        *doctor.extras(),
        *doctor.environment(os.environ),
        *parts.recogniser_and_voice(),
        parts.devices(SoundDevice()),
    ]
    held = [asyncio.run(selftest.hold(tls=False))]
    if _has("trustme"):
        held.append(asyncio.run(selftest.hold(tls=True)))
    ok = all(trial.ok for trial in held)
    checks += doctor.trials(held)
    if as_json:
        print(json.dumps(doctor.as_json(checks, held, ok=ok), indent=2))
    else:
        console().print(doctor.table(checks))
    return Exit.OK if ok else Exit.FAILED


async def _talk(
    runner: Runner,
    place: Place,
    *,
    wav: str | None,
    voice: bool,
    half_duplex: bool,
    out: str | None,
    text: bool | None,
    usage: bool,
    intro: str | None,
) -> int:
    from antiphon.cli import conversations
    from antiphon.cli.audio_device import SoundDevice
    from antiphon.cli.terminal import PlainTerminal

    if wav is None and not voice:
        return await conversations.chat(runner, place, text=text, usage=usage, intro=intro)
    shown = PlainTerminal(0, console())
    if intro is not None:
        conversations.note(shown, intro)
    if wav is not None:
        return await conversations.by_file(runner, place, wav, out, shown)
    return await conversations.by_voice(runner, place, SoundDevice(), shown, half_duplex=half_duplex, out=out)


def _has(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None
