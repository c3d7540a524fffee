"""Conversations that commands hold: typed ones, and those by voice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon.agents import assemble
from antiphon.cli.chat import Chat, Ending
from antiphon.cli.exits import Exit
from antiphon.cli.handset import Handset
from antiphon.cli.interrupts import interrupts
from antiphon.cli.renderer import Renderer
from antiphon.cli.screen import Look, Piece
from antiphon.cli.shell import terminal
from antiphon.cli.spoken import config_for, from_file, talk_through
from antiphon.cli.voices import Voices
from antiphon.config import RunConfig
from antiphon.models.local.voice import LocalVoice
from antiphon.types import Modality, SessionResumptionConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from antiphon.cli.audio_device import AudioDevice
    from antiphon.cli.screen import Terminal
    from antiphon.cli.timeline import Line, Timeline
    from antiphon.runtime import Runner

__all__ = ["Place", "by_file", "by_voice", "chat", "kept", "lines_to", "note", "prepared", "session"]


@dataclass(frozen=True, slots=True)
class Place:
    """Whose conversation it is, in which session, and where it is recorded."""

    user: str = "user"
    session: str | None = None
    tape: str | None = None


async def chat(
    runner: Runner, place: Place, *, text: bool | None = None, usage: bool = False, intro: str | None = None
) -> Exit:
    """By text, in the terminal."""
    troupe = assemble(runner.agent)
    models = [speaker.model for speaker in troupe.speakers.values()]
    wanted = all(model.capabilities.text_output for model in models) if text is None else text
    config = RunConfig(
        response_modalities=[Modality.TEXT if wanted else Modality.AUDIO],
        session_resumption=SessionResumptionConfig(),
    )
    for model in models:
        model.check(config)
    name = await session(runner, place)
    shown, renderer = terminal(), Renderer(usage=usage)
    if intro is not None:
        shown.write(renderer.note(intro))
    if shown.interactive:
        first = troupe.cast.first
        how = "Type to talk, also while it speaks. Ctrl-C cuts it off, Ctrl-D leaves."
        shown.write(renderer.note(f"{first} on {troupe.speakers[first].model.name}. {how}"))
    ending = await Chat(runner, shown, renderer, config, place.tape).run(place.user, name)
    return Exit.INTERRUPTED if ending is Ending.INTERRUPTED else Exit.OK


async def by_file(runner: Runner, place: Place, wav: str, out: str | None, shown: Terminal) -> Exit:
    """By voice, from a file."""
    if out is not None:
        Voices.check(Path(out))
    name = await session(runner, place)
    voices, timeline = await from_file(runner, wav, place.user, name, lines_to(shown), place.tape)
    await kept(voices, timeline, out, shown)
    return Exit.OK


async def by_voice(
    runner: Runner,
    place: Place,
    device: AudioDevice,
    shown: Terminal,
    *,
    half_duplex: bool = False,
    out: str | None = None,
) -> Exit:
    """By voice, at a microphone and a loudspeaker, until Ctrl-C. Raises what the device raises."""
    if out is not None:
        Voices.check(Path(out))
    microphone, loudspeaker = device.names()
    await prepared(runner, shown)
    handset = Handset(device, half_duplex=half_duplex)
    note(shown, f"Microphone: {microphone}. Loudspeaker: {loudspeaker}.")
    if half_duplex:
        note(shown, "Half duplex: while it speaks, it does not hear you. Speak; Ctrl-C ends the talk.")
    else:
        note(
            shown,
            "Speak, also while it speaks; Ctrl-C ends the talk. Wear headphones: from open loudspeakers it "
            "hears itself, and --half-duplex is better.",
        )
    name = await session(runner, place)
    with interrupts(handset.hang_up):
        voices, timeline = await talk_through(
            runner,
            config_for(runner),
            handset.user,
            place.user,
            name,
            lines_to(shown),
            loudspeaker=handset.loudspeaker,
            tape=place.tape,
        )
    await kept(voices, timeline, out, shown)
    return Exit.OK


async def prepared(runner: Runner, shown: Terminal) -> None:
    """Loads what a local voice needs, saying so: the conversation then begins at once."""
    for speaker in assemble(runner.agent).speakers.values():
        if isinstance(speaker.model, LocalVoice):
            began = asyncio.get_running_loop().time()
            await speaker.model.prepare()
            took = asyncio.get_running_loop().time() - began
            note(shown, f"Ears and voice are loaded ({took:.1f} s).")


async def kept(voices: Voices, timeline: Timeline, out: str | None, shown: Terminal) -> None:
    """The end of a conversation by voice: how long answers took, and both voices in a file."""
    note(shown, timeline.summary())
    if out is not None:
        await asyncio.to_thread(voices.write, Path(out))
        note(shown, f"Both voices are in {out}: the user left, the agent right.")


def lines_to(shown: Terminal) -> Callable[[Line], None]:
    """Shows a timeline as it happens."""
    return lambda line: shown.write([Piece(f"{line}\n", line.look)])


def note(shown: Terminal, text: str) -> None:
    """Something around the conversation."""
    shown.write([Piece(f"{text}\n", Look.NOTE)])


async def session(runner: Runner, place: Place) -> str:
    """The id of the session, which is there now."""
    service, app_name = runner.session_service, runner.app_name
    if place.session is not None:
        found = await service.get_session(app_name=app_name, user_id=place.user, session_id=place.session)
        if found is not None:
            return found.id
    created = await service.create_session(app_name=app_name, user_id=place.user, session_id=place.session)
    return created.id
