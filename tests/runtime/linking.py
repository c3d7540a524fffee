"""A board of links on a model that is near, and what it told."""

from __future__ import annotations

import asyncio

from antiphon import RunConfig
from antiphon.core.messages import Turn
from antiphon.core.signals import LinkDialled, LinkLost, ModelReady, Received, Signal
from antiphon.models import Setup
from antiphon.runtime.links import LinkBoard
from antiphon.runtime.tasks import TaskOwner
from antiphon.types import Content, Part
from tests.runtime.near_model import NearConnection, NearModel

CONFIG = RunConfig()


def turn(text: str) -> Turn:
    return Turn(Content(role="user", parts=[Part(text=text)]))


class Bench:
    """A board, and what it told."""

    def __init__(self) -> None:
        self.signals: list[Signal] = []
        self.crashes: list[BaseException] = []
        self.drained = 0
        self.model = NearModel()
        self.tasks = TaskOwner(self.crashes.append)
        self.board = LinkBoard(CONFIG, {"guide": self.model}, self.tasks, self.signals.append, self.drain)

    def drain(self) -> None:
        self.drained += 1

    async def dialled(self, number: int = 1) -> NearConnection:
        """A link that is open and begun."""
        self.board.dial(number, "guide")
        await turns()
        assert self.board.begin(number, Setup(CONFIG))
        assert self.told() == [LinkDialled(number), Received(number, [ModelReady()])]
        return self.model.connections[-1]

    def told(self) -> list[Signal]:
        """The signals since it was last asked."""
        told, self.signals[:] = self.signals.copy(), []
        return told

    def lost(self) -> LinkLost:
        [lost] = self.told()
        assert isinstance(lost, LinkLost)
        return lost


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)
