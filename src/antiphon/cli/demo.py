"""The demo in the terminal; `webpage.py` has the one in the browser.

Rule 1  Whoever sits at a terminal first sees, and hears if there is a loudspeaker, a visitor talk with the
        agent by voice and cut in; then it is their turn, by microphone if there is one, else by text.
Rule 2  What is piped in is answered, line by line. Where nobody can type, the visitor's conversation is all.
Rule 3  No key, no network: with the visitor the agent has no language model, whatever is set. One that was
        named, or answers on this machine, speaks when it is the user's turn.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from antiphon.cli import conversations
from antiphon.cli.brains import local_model
from antiphon.cli.conversations import Place, note
from antiphon.cli.demonstration import Visitor, mixed
from antiphon.cli.exits import Exit
from antiphon.cli.interrupts import interrupts
from antiphon.cli.loudspeaker import Loudspeaker
from antiphon.cli.samples import HINT, demo_agent
from antiphon.cli.shell import console
from antiphon.cli.spoken import config_for, talk_through
from antiphon.cli.terminal import PlainTerminal
from antiphon.errors import ConfigurationError, MissingExtra, UsageError
from antiphon.models.local.espeak import Espeak
from antiphon.models.local.voice import LocalVoice
from antiphon.runtime import InMemoryRunner

if TYPE_CHECKING:
    from antiphon.cli.audio_device import AudioDevice
    from antiphon.cli.screen import Terminal
    from antiphon.models import LiveModel
    from antiphon.models.chat import ChatModel
    from antiphon.runtime import Runner

__all__ = ["OUT", "Wishes", "show"]

OUT: Final = "antiphon-demo.wav"
"""Where the visitor's conversation is kept unless another file is named."""
_VISITOR: Final = "en-us+f3"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for. Raises `UsageError` for more than one of `listen`, `voice`, `text` and `wav`."""

    listen: bool = False
    voice: bool = False
    text: bool = False
    wav: str | None = None
    out: str | None = None
    half_duplex: bool = False
    llm: str | None = None
    model: str | None = None
    usage: bool = False

    def __post_init__(self) -> None:
        if sum((self.listen, self.voice, self.text, self.wav is not None)) > 1:
            raise UsageError("Choose one of --listen, --voice, --text and --wav.")

    @property
    def for_terminal(self) -> bool:
        """Whether something was asked for that only the terminal has."""
        return not self.listens or self.listen or self.half_duplex or self.usage or self.out is not None

    @property
    def listens(self) -> bool:
        """Whether the visitor comes first, where rule 1 holds."""
        return not (self.voice or self.text or self.wav is not None)


async def show(wishes: Wishes, device: AudioDevice, *, typed: bool, mute: bool) -> Exit:
    """The demo. `typed`: somebody sits at a terminal; `mute`: nothing can be read, either."""
    shown = PlainTerminal(0, console())
    if wishes.listens and (wishes.listen or typed or mute):
        try:
            code = await _visit(wishes, device, shown)
        except MissingExtra as missing:
            if wishes.listen or mute:
                raise
            note(shown, f"{missing} Until then by text.")
        else:
            if wishes.listen or mute:
                return code
        note(shown, "\nNow you.")
    return await _users_turn(wishes, device, shown, typed=typed)


async def _visit(wishes: Wishes, device: AudioDevice, shown: Terminal) -> Exit:
    """The visitor's conversation; Ctrl-C ends it."""
    runner = _runner(LocalVoice())
    note(shown, "A visitor talks with an agent on this machine; nobody touches the keys. Ctrl-C skips it.")
    await conversations.prepared(runner, shown)
    visitor = await asyncio.to_thread(Visitor, Espeak(_VISITOR, words_per_minute=160))
    loudspeaker = Loudspeaker()
    try:
        loudspeaker.latency = device.open(None, mixed(visitor.aloud, loudspeaker))
    except ConfigurationError:
        note(shown, f"There is no loudspeaker here: you will find the sound in {wishes.out or OUT}.")
    try:
        with interrupts(visitor.leave):
            voices, timeline = await talk_through(
                runner,
                config_for(runner),
                visitor.user,
                "visitor",
                await conversations.session(runner, Place("visitor")),
                conversations.lines_to(shown),
                loudspeaker=loudspeaker,
            )
    finally:
        device.close()
    try:
        await conversations.kept(voices, timeline, wishes.out or OUT, shown)
    except ConfigurationError as refused:
        if wishes.out is not None:
            raise
        note(shown, f"{refused} Name another file with --out.")
    return Exit.OK


async def _users_turn(wishes: Wishes, device: AudioDevice, shown: Terminal, *, typed: bool) -> Exit:
    aloud = wishes.voice or wishes.wav is not None
    if typed and wishes.listens:
        aloud = await _wants_to_speak(device, shown)
    model, intro = await asyncio.to_thread(local_model, wishes.llm, wishes.model, aloud=aloud)
    runner, intro = _runner(model), f"{intro}\n{HINT} The weather is made up."
    if not aloud:
        return await conversations.chat(runner, Place(), usage=wishes.usage, intro=intro)
    note(shown, intro)
    if wishes.wav is not None:
        return await conversations.by_file(runner, Place(), wishes.wav, wishes.out, shown)
    return await conversations.by_voice(
        runner, Place(), device, shown, half_duplex=wishes.half_duplex, out=wishes.out
    )


async def _wants_to_speak(device: AudioDevice, shown: Terminal) -> bool:
    """Asks, if there is a microphone."""
    try:
        microphone, _ = device.names()
    except ConfigurationError as missing:
        note(shown, f"By text: {missing}")
        return False
    note(
        shown, f"There is a microphone ({microphone}). Press Enter to talk by voice, or t and Enter to type."
    )
    async for line in shown.lines():
        return not line.strip()
    return False


def _runner(model: LiveModel | ChatModel) -> Runner:
    return InMemoryRunner(demo_agent(model), app_name="demo")
