"""A whole conversation by voice, with a timeline of who speaks when.

Rule 1  A user is a coroutine that sends sound as fast as it is spoken; when it returns, the conversation
        ends.
Rule 2  A line of the timeline begins with the seconds since the user's first sound.
Rule 3  Both voices may be kept, each where it was heard.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from antiphon.agents import assemble
from antiphon.cli.timeline import Line, Timeline
from antiphon.cli.voices import LOUDSPEAKER, MICROPHONE, Voices, read_wav
from antiphon.config import RunConfig
from antiphon.errors import ConfigurationError, QueueClosed
from antiphon.queue import LiveRequestQueue
from antiphon.requests import pcm_rate
from antiphon.runtime.tasks import TaskOwner
from antiphon.types import Blob, SessionResumptionConfig

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from antiphon.cli.loudspeaker import Loudspeaker
    from antiphon.events import Event
    from antiphon.runtime import Runner

__all__ = ["CHUNK_SECONDS", "LEAD_IN", "PATIENCE", "Call", "config_for", "from_file", "says", "talk_through"]

CHUNK_SECONDS: Final = 0.04
LEAD_IN: Final = 0.4
"""Seconds of silence before a file, as a microphone hears before anybody speaks: a detector of speech that
meets a voice at once takes it for a moment's noise."""
PATIENCE: Final = 3.0
"""Seconds without sound or event after which nothing more is waited for, once a file is over."""


class Call:
    """A conversation as its user has it. `hear` may be called from any thread, the rest on the loop."""

    def __init__(self, *, loudspeaker: Loudspeaker | None = None) -> None:
        self.queue = LiveRequestQueue()
        self.voices = Voices()
        self.turns = 0
        """Turns that are complete."""
        self.speaking_since: float | None = None
        """When the agent began what it says now, in seconds since the user's first sound."""
        self._loudspeaker = loudspeaker
        self._loop = asyncio.get_running_loop()
        self._began: float | None = None
        self._last = self._loop.time()

    @property
    def now(self) -> float:
        """Seconds since the user's first sound; 0 before."""
        return 0.0 if self._began is None else self._loop.time() - self._began

    def hear(self, pcm: bytes) -> None:
        """The microphone's next chunk, 16 kHz. What comes after the end is not heard."""
        if self._began is None:
            self._began = self._loop.time()
        with contextlib.suppress(QueueClosed):
            self.queue.send_realtime(Blob(data=pcm, mime_type=f"audio/pcm;rate={MICROPHONE}"))
            self.voices.hears(pcm)

    def event(self, event: Event) -> None:
        """What the agent does."""
        self._last, at = self._loop.time(), self.now
        if event.interrupted:
            self.voices.cut(at)
            if self._loudspeaker is not None:
                self._loudspeaker.flush()
        for part in (event.content.parts or []) if event.content else []:
            if (sound := part.inline_data) is not None and pcm_rate(sound.mime_type or "") == LOUDSPEAKER:
                if self.speaking_since is None:
                    self.speaking_since = at
                self.voices.speaks(sound.data or b"", at)
                if self._loudspeaker is not None:
                    self._loudspeaker.speaks(self.turns, sound.data or b"")
        if event.turn_complete:
            self.turns += 1
            self.speaking_since = None

    async def quiet(self) -> None:
        """Returns `PATIENCE` seconds after the last event, and after the agent's last sound."""
        began = self._loop.time() - self.now
        left = PATIENCE
        while left > 0:
            await asyncio.sleep(left)
            left = max(self._last, began + self.voices.seconds) + PATIENCE - self._loop.time()


def config_for(runner: Runner) -> RunConfig:
    """For a conversation by voice with these agents.

    Raises `ConfigurationError` when a model does not speak as the loudspeaker does.
    """
    models = [speaker.model for speaker in assemble(runner.agent).speakers.values()]
    for model in models:
        if (rate := model.capabilities.output_rate) != LOUDSPEAKER:
            raise ConfigurationError(f"{model.name} speaks at {rate} Hz; here {LOUDSPEAKER} is understood.")
    resumes = all(model.capabilities.session_resumption for model in models)
    return RunConfig(session_resumption=SessionResumptionConfig() if resumes else None)


def says(pcm: bytes) -> Callable[[Call], Awaitable[None]]:
    """A user who says this, 16 kHz, and listens until nothing more comes."""

    async def user(call: Call) -> None:
        step = int(MICROPHONE * CHUNK_SECONDS) * 2
        for number, at in enumerate(range(0, len(pcm), step)):
            await asyncio.sleep(max(number * CHUNK_SECONDS - call.now, 0))
            call.hear(pcm[at : at + step])
        with contextlib.suppress(QueueClosed):
            call.queue.send_audio_stream_end()
        await call.quiet()

    return user


async def from_file(
    runner: Runner,
    wav: str,
    user_id: str,
    session_id: str,
    write: Callable[[Line], None],
    tape: str | None = None,
) -> tuple[Voices, Timeline]:
    """Says what is in `wav`, `LEAD_IN` later. Raises like `read_wav` and `talk_through`."""
    silence = bytes(int(MICROPHONE * LEAD_IN) * 2)
    user = says(silence + await asyncio.to_thread(read_wav, Path(wav)))
    return await talk_through(runner, config_for(runner), user, user_id, session_id, write, tape=tape)


async def talk_through(
    runner: Runner,
    config: RunConfig,
    user: Callable[[Call], Awaitable[None]],
    user_id: str,
    session_id: str,
    write: Callable[[Line], None],
    *,
    loudspeaker: Loudspeaker | None = None,
    tape: str | None = None,
) -> tuple[Voices, Timeline]:
    """Holds the conversation; the timeline goes to `write` as it happens, and what is said to `loudspeaker`.

    Raises what `run_live` and the user raise.
    """
    call, timeline = Call(loudspeaker=loudspeaker), Timeline()
    failed: list[BaseException] = []

    async def talk() -> None:
        await user(call)
        call.queue.close()

    def fail(error: BaseException) -> None:
        failed.append(error)
        call.queue.close()

    tasks = TaskOwner(fail)
    events = runner.run_live(
        user_id=user_id,
        session_id=session_id,
        live_request_queue=call.queue,
        run_config=config,
        tape=tape,
    )
    started = False
    try:
        async with contextlib.aclosing(events):
            async for event in events:
                if not started:  # the model is there
                    started = True
                    tasks.spawn(talk(), "antiphon-talk-user")
                for line in timeline.event(event, call.now):
                    write(line)
                call.event(event)
    finally:
        await tasks.cancel_all(1.0)
    if failed:
        raise failed[0]
    return call.voices, timeline
