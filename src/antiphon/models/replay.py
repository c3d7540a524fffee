"""`ReplayModel`: the model's half of a tape, played to an application's real code (contract 9.4)."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final

from antiphon.core.signals import LinkLost, Received
from antiphon.errors import ConfigurationError, ReplayDiverged
from antiphon.models.base import Listener, LiveModel, ModelConnection, Setup
from antiphon.models.replay_script import script_of
from antiphon.models.replay_user import RecordedUser
from antiphon.models.retelling import Retelling
from antiphon.models.tape import Tape

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.capabilities import Capabilities
    from antiphon.config import RunConfig
    from antiphon.core.messages import Message
    from antiphon.errors import ModelConnectionError
    from antiphon.models.replay_script import RecordedLink
    from antiphon.queue import LiveRequestQueue

__all__ = ["ReplayModel"]

PATIENCE: Final = 30.0


class ReplayModel(LiveModel):
    """A model that says again what one said in a recorded conversation, to be given to the agents of a test.

    Tools run, instructions are rendered, sessions are stored: all is real but the model. It answers by order,
    not by the clock: what the model said comes once it has been told all that it had been told before.
    Every link on the tape is played in the order of dialling, losses, `goAway` and hand-overs too; give one
    instance to all agents, or each agent one with its name. It plays its tape once: make one for each test.

    Args:
        tape: The file, or a tape that was loaded.
        agent: Play only what was said to this agent.
        speed: Keep the pauses of the tape, divided by this; 1 is the time it took. Without it there are none,
            and what depends on time may come out differently: a limit, a turn the model forgot to end, a tool
            that tells the model nothing.
        strict: What it is told must be what the tape says, word for word, set-up included. Otherwise only
            kind, order and amount count, and what the tape does not have is not answered.
        patience: Seconds, beyond those it took by the tape, in which the application tells it nothing that it
            waits for, until the conversation is ended.

    Raises:
        TapeUnusable: There is no such tape, or it cannot be read.

    A conversation that goes otherwise is ended by `ReplayDiverged`, which says what was expected, what came
    instead, and the line of the tape.
    """

    def __init__(
        self,
        tape: str | Path | Tape,
        *,
        agent: str | None = None,
        speed: float | None = None,
        strict: bool = True,
        patience: float = PATIENCE,
    ) -> None:
        self.tape = tape if isinstance(tape, Tape) else Tape.load(tape)
        roles = self.tape.header.cast.roles
        if agent is not None and agent not in roles:
            raise ConfigurationError(f"{self.tape.name} has no agent {agent!r}, but {', '.join(roles)}.")
        if speed is not None and speed <= 0:
            raise ConfigurationError(f"speed={speed:g}: use a number above 0, or leave it out for no pauses.")
        self.name = f"replay of {self.tape.name}"
        self.speed = speed
        self.strict = strict
        self.patience = patience
        script = script_of(self.tape)
        self._links = deque(link for link in script.links if agent in (None, link.agent))
        self._agent = agent or self.tape.header.cast.first
        self.user = RecordedUser(script, speed)

    @property
    def capabilities(self) -> Capabilities:
        """Those of the model that was recorded."""
        return self.tape.header.cast.roles[self._agent].capabilities

    def check(self, config: RunConfig) -> None:
        super().check(config)
        recorded = self.tape.header.config.modality
        if config.modality != recorded:
            raise ConfigurationError(
                f"{self.tape.name} was recorded with response_modalities={[recorded]}: use the same here."
            )

    def play_user(self, queue: LiveRequestQueue) -> None:
        """Has the user's half of the tape played as well: what they said is sent to `queue`, in its time.

        To be called before `run_live()`. The queue is closed when the user closed theirs, or the application
        stopped reading.
        """
        self.user.queue = queue

    def pause(self, gap: float) -> float:
        """Seconds to wait for what came `gap` seconds later on the tape."""
        return 0.0 if self.speed is None else gap / self.speed

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        self.user.start()
        if not self._links:
            raise ReplayDiverged(f"{self.tape.name}: a connection is opened that is not on the tape.")
        link = self._links.popleft()
        if link.opened is None:
            await self._never_opened(link)
        else:
            place, gap = link.opened
            if wait := self.pause(gap):
                await asyncio.sleep(wait)
            self.user.passed(place)
        return _ReplayedConnection(self, link, listener)

    async def _never_opened(self, link: RecordedLink) -> None:
        """Raises as it was raised then, or waits to be cancelled."""
        if not link.cues:
            await asyncio.get_running_loop().create_future()
        cue = link.cues[0]
        if wait := self.pause(cue.gap):
            await asyncio.sleep(wait)
        self.user.passed(cue.place)
        error = cue.signal.error if isinstance(cue.signal, LinkLost) else None
        raise error or ReplayDiverged(f"{self.tape.name}, line {cue.line}: nothing was opened.")


class _ReplayedConnection(ModelConnection):
    """One link of the tape."""

    def __init__(self, model: ReplayModel, link: RecordedLink, listener: Listener) -> None:
        self._model = model
        self._link = link
        self._listener = listener
        self._cues = deque(link.cues)
        self._told = Retelling(link, model.tape.name, strict=model.strict)
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.Handle | None = None
        self._since = self._loop.time()
        """When something was last said, or told that was waited for."""
        self._lacks = "anything"
        """What the model waits for to be told."""
        self._over = False
        self._wait()

    @property
    def writable(self) -> bool:
        return True

    def begin(self, setup: Setup) -> None:
        self._heard(self._told.begin(setup))
        self._model.user.passed(self._link.begun_place)

    def send(self, message: Message) -> None:
        if self._over:
            return
        wrong, place = self._told.hear(message)
        self._heard(wrong)
        if place is not None:
            self._model.user.passed(place)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._over:
            return
        self._stop()
        closing = self._link.closing
        if closing is not None and (wait := self._model.pause(closing[0])):
            await asyncio.sleep(wait)
        self._listener.lost(None, self._told.unsent(), self._told.doubtful())

    def _heard(self, wrong: str) -> None:
        if wrong:
            self._lose(ReplayDiverged(wrong))
        elif not self._over and self._lacks:
            self._wait()

    def _wait(self) -> None:
        """Sets the timer to what comes next, or to the end of patience, which all progress renews."""
        cue = self._cues[0] if self._cues else None
        lacks = self._told.amount.missing(cue.needs) if cue else "the end"
        if lacks and lacks == self._lacks:
            return
        waited, self._lacks = bool(self._lacks), lacks
        if self._timer is not None:
            self._timer.cancel()
        now = self._loop.time()
        if lacks or cue is None:
            recorded = (cue.at if cue else self._link.latest) - self._link.at
            patience = self._model.patience + recorded / (self._model.speed or 1.0)
            self._timer = self._loop.call_later(patience, self._give_up)
            return
        if waited:
            self._since = now
        due = self._since + self._model.pause(cue.gap)
        self._timer = self._loop.call_at(due, self._say) if due > now else self._loop.call_soon(self._say)

    def _say(self) -> None:
        cue = self._cues.popleft()
        self._since = self._loop.time()
        signal = cue.signal
        if isinstance(signal, Received):
            self._listener.received(signal.said)
        else:
            self._lose(signal.error)
        self._model.user.passed(cue.place)
        if not self._over:
            self._wait()

    def _lose(self, error: ModelConnectionError | None) -> None:
        if not self._over:
            self._stop()
            if isinstance(error, ReplayDiverged):
                self._listener.lost(error, ())
            else:
                self._listener.lost(error, self._told.unsent(), self._told.doubtful())

    def _stop(self) -> None:
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        self._model.user.passed(*(cue.place for cue in self._cues))

    def _give_up(self) -> None:
        name, waited = self._model.tape.name, f"for {self._model.patience:g} s"
        if self._cues:
            cue = self._cues[0]
            wrong = (
                f"{name}, line {cue.line}: the model waits for {self._lacks}; {waited} nothing of it came."
            )
        else:
            wrong = f"{name}: the model has said all that is on the tape; {waited} nothing else happened."
        self._lose(ReplayDiverged(wrong))
