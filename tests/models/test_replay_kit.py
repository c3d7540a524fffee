"""A replay passes the tests of the model that was recorded: the contract kit, run once on each."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from antiphon import ReplayModel, RunConfig
from antiphon.core.handover import Cast, Role
from antiphon.core.signals import LinkDialled, LinkLost, Received
from antiphon.models import Listener, LiveModel, ModelConnection, Setup
from antiphon.models.tape import Begun, Dialled, Fed, HungUp, Record, Tape, Told, blank
from antiphon.testing import LiveModelContract
from tests.models.local import test_voice
from tests.testing import test_model_contract
from tests.testing.plain_model import Plain, Plains

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from antiphon.capabilities import Capabilities
    from antiphon.core.messages import Message, Opening
    from antiphon.core.signals import ModelSignal, Signal
    from antiphon.errors import ModelConnectionError

ABOUT_OTHER_MODALITIES = "test_what_is_not_declared_is_refused"
"""A replay has the one modality of its tape."""
TESTS = [
    name for name in dir(LiveModelContract) if name.startswith("test_") and name != ABOUT_OTHER_MODALITIES
]


class Taped(LiveModel):
    """A model whose connections are written to a tape."""

    def __init__(self, inner: LiveModel) -> None:
        self.name = inner.name
        self.inner = inner
        self.records: list[Record] = []
        self.config = RunConfig()
        self.links = 0
        self.loop = asyncio.get_running_loop()

    @property
    def capabilities(self) -> Capabilities:
        return self.inner.capabilities

    def feed(self, signal: Signal) -> None:
        self.records.append(Fed(self.loop.time(), signal))

    async def connect(self, config: RunConfig, listener: Listener) -> ModelConnection:
        self.config = config
        self.links += 1
        ears = TapedListener(self, self.links, listener)
        self.records.append(Dialled(self.loop.time(), ears.link, "helper"))
        connection = await self.inner.connect(config, ears)
        self.feed(LinkDialled(ears.link))
        return TapedConnection(ears, connection)

    def tape(self) -> Tape:
        cast = Cast({"helper": Role("helper", capabilities=self.capabilities)}, "helper")
        header = blank(
            cast, self.config, antiphon="0", recorded=0.0, invocation="e-1", note="", now=self.loop.time()
        )
        return Tape(header, self.records, range(2, len(self.records) + 2))


class TapedListener:
    def __init__(self, model: Taped, link: int, listener: Listener) -> None:
        self.model = model
        self.link = link
        self.listener = listener

    def received(self, said: Sequence[ModelSignal]) -> None:
        self.model.feed(Received(self.link, tuple(said)))
        self.listener.received(said)

    def writable(self) -> None:
        self.listener.writable()

    def lost(
        self,
        error: ModelConnectionError | None,
        unsent: tuple[Message, ...],
        doubtful: tuple[Message | Opening, ...] = (),
    ) -> None:
        self.model.feed(LinkLost(self.link, error, unsent, doubtful))
        self.listener.lost(error, unsent, doubtful)


class TapedConnection(ModelConnection):
    def __init__(self, ears: TapedListener, inner: ModelConnection) -> None:
        self.ears = ears
        self.inner = inner
        self.closing = False

    def begin(self, setup: Setup) -> None:
        self.ears.model.records.append(
            Begun(
                0.0,
                self.ears.link,
                setup.instruction,
                tuple(setup.tools),
                history=tuple(setup.history),
                pending=setup.pending,
            )
        )
        self.inner.begin(setup)

    def send(self, message: Message) -> None:
        if not self.closing:
            self.ears.model.records.append(Told(0.0, self.ears.link, message))
        self.inner.send(message)

    @property
    def writable(self) -> bool:
        return self.inner.writable

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if not self.closing:
            self.closing = True
            self.ears.model.records.append(HungUp(0.0, self.ears.link))
        await self.inner.close(code, reason)


class Recording(LiveModelContract):
    def __init__(self, original: LiveModelContract) -> None:
        self.original = original
        self.tapes: list[Tape] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        async with self.original.open() as inner:
            model = Taped(inner)
            yield model
        self.tapes.append(model.tape())


class Playing(LiveModelContract):
    def __init__(self, tapes: list[Tape]) -> None:
        self.tapes = tapes

    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        yield ReplayModel(self.tapes.pop(0))


class Plainly(LiveModelContract):
    @asynccontextmanager
    async def open(self) -> AsyncIterator[LiveModel]:
        yield Plains(Plain)


@pytest.mark.virtual_clock
@pytest.mark.parametrize("original", [Plainly, test_model_contract.TestGemini38, test_voice.TestLocalVoice])
@pytest.mark.parametrize("name", TESTS)
async def test_a_replay_passes_what_the_model_passed(name: str, original: type[LiveModelContract]) -> None:
    recording = Recording(original())
    await getattr(recording, name)()
    await getattr(Playing(recording.tapes), name)()
