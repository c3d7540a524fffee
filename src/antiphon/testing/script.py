"""Conversations as transcripts: what happens stands after `>>`, the commands it must cause after `<<`.

    assert (
        ready()
        >> ModelText("Hel")
        << emit(text="Hel", partial=True)
        >> user_turn("stop")
        << store(text="stop")
        << send(text="stop")
        >> ModelInterrupted()
        << emit(text="Hel", partial=False, interrupted=True, stored=True)
    )

Rule 1  Every command is asserted, in order; one that nobody asserted fails. A mismatch fails where it stands;
        the `assert` in front (or `done()`) checks that nothing is left over, and a script that is thrown away
        with commands left over warns (`ResourceWarning`).
Rule 2  A matcher compares the facets it names and no others. A command itself, such as `Dial(1, "agent")`,
        must be equal.
Rule 3  What the model says is heard on the link that was begun last; `on(link, …)` says another. A tuple is
        one frame's worth.
Rule 4  `at(t)` moves the clock to `t` seconds since the start, with a `Tick` at each deadline on the way.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from antiphon.config import RunConfig
from antiphon.core.commands import Begin, Command
from antiphon.core.conversation import Conversation
from antiphon.core.drafts import spelled_out
from antiphon.core.handover import Cast, Role
from antiphon.core.messages import Media
from antiphon.core.signals import (
    LinkDialled,
    ModelReady,
    ModelSignal,
    Received,
    Signal,
    Tick,
    UserMedia,
    UserTurn,
)
from antiphon.testing.facets import Expected, describe, emit, end, review, send, store
from antiphon.types import Blob, Content, Part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from antiphon.core.calls import ToolFacts

__all__ = [
    "ANYTHING",
    "NOTHING",
    "START",
    "Expected",
    "Script",
    "after",
    "at",
    "conversation",
    "emit",
    "end",
    "media",
    "on",
    "ready",
    "review",
    "script",
    "send",
    "store",
    "user_media",
    "user_turn",
]

AGENT: Final = "agent"
STEPS_SHOWN: Final = 24
MANY: Final = 1_000
"""Ticks in a row after which a conversation whose deadline does not move is taken for stuck."""


# What happens.


@dataclass(frozen=True)
class Mark:
    """A step or an expectation that is no signal and no command: `START`, `NOTHING`, `ANYTHING`."""

    name: str

    def __repr__(self) -> str:
        return self.name


@dataclass(frozen=True)
class at:
    """The clock stands at `seconds` since the start."""

    seconds: float


@dataclass(frozen=True)
class after:
    """`seconds` go by."""

    seconds: float


START: Final = Mark("START")
"""The conversation is started: the first link is dialled."""
NOTHING: Final = Mark("NOTHING")
"""No command is left to assert."""
ANYTHING: Final = Mark("ANYTHING")
"""Any commands, or none, up to the one asserted next, or up to the next signal."""

Step = Signal | ModelSignal | tuple[ModelSignal, ...] | at | after | Mark


def on(link: int, *said: ModelSignal) -> Received:
    """What was said on this link, as one frame."""
    return Received(link, said)


def user_turn(text: str, *, partial: bool = False, state_delta: dict[str, Any] | None = None) -> UserTurn:
    """The user writes this."""
    content = Content(role="user", parts=[Part.from_text(text=text)])
    return UserTurn(content, partial=partial, state_delta=state_delta)


def media(data: bytes, mime_type: str = "audio/pcm;rate=16000") -> Media:
    """A chunk of the user's audio, or an image, on its way to the model."""
    return Media(Blob(data=data, mime_type=mime_type))


def user_media(data: bytes, mime_type: str = "audio/pcm;rate=16000") -> UserMedia:
    """A chunk of the user's audio, or an image."""
    return UserMedia(media(data, mime_type).blob)


# The transcript.


class Script:
    """A conversation in a test, step by step; see the module's rules. `now` is its clock, from 0."""

    def __init__(self, conversation: Conversation, *, now: float = 0.0, link: int = 0) -> None:
        self.conversation = conversation
        self.now = now
        self.produced: list[Command] = []
        """Every command so far, asserted or not."""
        self._link = link
        self._left: list[Command] = []
        self._gap = False
        self._steps: list[str] = []

    def __rshift__(self, step: Step) -> Self:
        self.done()
        self._steps.append(f">> {step!r}")
        match step:
            case at(seconds):
                self._wait_until(seconds)
            case after(seconds):
                self._wait_until(self.now + seconds)
            case Mark():
                assert step is START, f"{step!r} is no step"
                self._take(self.conversation.start(self.now))
            case tuple():
                self._handle(Received(self._link, step))
            case _:
                self._handle(_signal(step, self._link))
        return self

    def __lshift__(self, expected: Expected | Command | Mark) -> Self:
        if expected is ANYTHING:
            self._gap = True
        elif expected is NOTHING:
            self.done()
        else:
            self._expect(expected)
        self._steps.append(f"   << {expected!r}")
        return self

    def __bool__(self) -> bool:
        self.done()
        return True

    def __del__(self) -> None:
        if getattr(self, "_left", None) and not self._gap:
            warnings.warn(f"a script ended with {len(self._left)} commands unasserted", ResourceWarning, 2)

    def done(self) -> None:
        """Checks that every command so far was asserted."""
        if self._left and not self._gap:
            self._fail("nothing", [])
        self._left, self._gap = [], False

    def _handle(self, signal: Signal) -> None:
        self._take(self.conversation.handle(signal, self.now))

    def _take(self, commands: Iterable[Command]) -> None:
        for command in map(spelled_out, commands):
            self.produced.append(command)
            self._left.append(command)
            if isinstance(command, Begin):
                self._link = command.link

    def _wait_until(self, then: float) -> None:
        assert then >= self.now, f"the clock stands at {self.now:g} s already"
        for _ in range(MANY):
            due = self.conversation.deadline()
            if due is None or due > then:
                self.now = then
                return
            self.now = max(self.now, due)
            self._handle(Tick())
        raise AssertionError(f"{MANY} ticks, and at {self.now:g} s the next is due at once: a busy loop")

    def _expect(self, expected: Expected | Command | Mark) -> None:
        while self._left:
            differences = _differences(expected, self._left[0])
            if differences and not self._gap:
                self._fail(repr(expected), differences)
            self._left.pop(0)
            if not differences:
                self._gap = False
                return
        self._fail(repr(expected), [])

    def _fail(self, expected: str, differences: list[str]) -> None:
        left, self._left, self._gap = self._left, [], False
        lines = ["", *self._steps[-STEPS_SHOWN:], f"expected   << {expected}"]
        lines.append("but got" if left else "but got    nothing more")
        for command in left:
            lines.append(f"           {describe(command)}")
            lines += [f"             {difference}" for difference in differences]
            differences = []  # those of the first
        raise AssertionError("\n".join(lines))


def _signal(step: Signal | ModelSignal, link: int) -> Signal:
    return Received(link, (step,)) if isinstance(step, ModelSignal) else step


def _differences(expected: Expected | Command | Mark, command: Command) -> list[str]:
    if isinstance(expected, Expected):
        return expected.differences(command)
    return [] if expected == command else [f"this is not equal to {expected!r}"]


# Where a transcript begins.


def conversation(
    *roles: Role,
    config: RunConfig | None = None,
    tools: Mapping[str, ToolFacts] | None = None,
    chance: Callable[[], float] = lambda: 0.0,
) -> Conversation:
    """A conversation of these agents, the first of them to speak; or of one, "agent", with these tools.

    Retries wait their whole time, unless `chance` says otherwise.
    """
    roles = roles or (Role(AGENT, tools or {}),)
    cast = Cast({role.name: role for role in roles}, roles[0].name)
    return Conversation(cast, config or RunConfig(), 0.0, chance)


def script(conversation: Conversation) -> Script:
    """A transcript of this conversation, from before its start."""
    return Script(conversation)


def ready(
    *roles: Role,
    config: RunConfig | None = None,
    tools: Mapping[str, ToolFacts] | None = None,
    chance: Callable[[], float] = lambda: 0.0,
) -> Script:
    """A transcript of a conversation like that, from where its first link, number 1, is ready."""
    started = script(conversation(*roles, config=config, tools=tools, chance=chance)) >> START << ANYTHING
    return started >> LinkDialled(1) << ANYTHING >> ModelReady() << ANYTHING
