"""A day of conversation; the model goes away every ten minutes: nothing is lost, nothing piles up."""

from __future__ import annotations

import asyncio
import gc
import re
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.runtime.storage import SessionWriter
from antiphon.sessions import InMemorySessionService
from antiphon.testing.live_server import LiveServer, Prompt, Say, Timing, ToolCall
from tests.faults.talk import Talk, World, in_virtual_time, kinds, numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from antiphon.events import Event
    from antiphon.sessions import Session
    from antiphon.testing.live_reply import Item

HOUR = 3600.0
HOURS = 24
GO_AWAY = 600.0
A_TURN = 60.0
GROWTH = 500
"""Objects by which the runtime may grow in 21 hours and 1,260 turns; it remembers 126 calls of them."""


class Forgetful(InMemorySessionService):
    """Keeps of each event what it was, so that what piles up elsewhere can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[str] = []

    async def append_event(self, session: Session, event: Event) -> Event:
        if event.content and event.author == "user" and event.content.role == "user":
            self.kept += [part.text for part in event.content.parts or [] if part.text]
        return event


def reply(prompt: Prompt) -> Iterable[Item]:
    wishes = re.findall(r"u(\d+)-(\w+);", prompt.text or "")
    for number, wish in wishes:
        yield ToolCall("look", {"what": f"call{number}x"}) if wish == "look" else Say(f"a{number}, yes. ")
    if not wishes:
        yield Say("seen. ")


def of_the_runtime() -> int:
    """Objects that are neither the history of the conversation nor the server's, which forgets nothing."""
    gc.collect()
    everything = gc.get_objects()
    apart: list[Any] = []
    for each in everything:
        if isinstance(each, SessionWriter):
            apart.append(each.session.events)
        elif isinstance(each, LiveServer):
            apart.append(each)
        elif isinstance(each, Talk):
            apart += [each.seen, each.sent_audio, each.calls]
    return len(everything) - len(reachable(apart))


def reachable(roots: list[Any]) -> set[int]:
    found = {id(root) for root in roots}
    waiting = list(roots)
    while waiting:
        for each in gc.get_referents(waiting.pop()):
            if id(each) not in found and gc.is_tracked(each) and not is_shared(each):
                found.add(id(each))
                waiting.append(each)
    return found


def is_shared(each: Any) -> bool:
    """What everything refers to: classes, functions, modules, the loop, tasks and the runtime itself."""
    if isinstance(each, type | FunctionType | ModuleType | asyncio.AbstractEventLoop | asyncio.Future):
        return True
    return type(each).__module__.startswith(
        ("antiphon.runtime", "antiphon.core", "antiphon.models", "picows")
    )


@pytest.mark.virtual_clock
@pytest.mark.timeout(120)
def test_a_day_with_a_model_that_goes_away_every_ten_minutes() -> None:  # contract 2.2, 7.2, 7.3
    counts: dict[int, int] = {}

    async def work() -> None:
        loop = asyncio.get_running_loop()
        sessions, leaving = Forgetful(), 0
        async with Talk(World(timing=Timing.instant(setup=0.3)), sessions=sessions, reply=reply) as talk:
            for turn in range(int(HOURS * HOUR / A_TURN)):
                await asyncio.sleep(turn * A_TURN - loop.time())
                if turn * A_TURN >= (leaving + 1) * GO_AWAY:
                    leaving += 1
                    await max(talk.server.calls.items())[1].go_away(50.0)
                for number in range(1, 6):
                    talk.speak(number + 5 * (turn % 1000))
                talk.say(turn, "look" if turn % 10 == 3 else "say")
                await asyncio.sleep(30.0)
                if turn * A_TURN % HOUR == 0:
                    counts[int(turn * A_TURN / HOUR)] = of_the_runtime()
                talk.seen[:] = [event for event in talk.seen if event.lifecycle]
            await talk.until(lambda: not talk.open_calls(), "the tools end")
            turns = range(int(HOURS * HOUR / A_TURN))
            texts = [f"u{turn}-{'look' if turn % 10 == 3 else 'say'};" for turn in turns]
            told = [text for connection in talk.server.connections for text in connection.texts]
            assert [text for text in told if text.startswith("u")] == texts, "each question once, in order"
            assert sessions.kept == texts, "and stored"
            sent = [number + 5 * (turn % 1000) for turn in turns for number in range(1, 6)]
            assert [n for c in talk.server.connections for n in numbers_of(c.audio)] == sent, "each chunk too"
            assert sum(talk.calls.values()) == len(talk.calls) == sum("look" in text for text in texts)
            assert kinds(talk).count("going_away") == kinds(talk).count("reconnected") == leaving == 143
            assert "reconnecting" not in kinds(talk)

    in_virtual_time(work)
    assert counts[23] - counts[2] < GROWTH, f"objects by the hour: {counts}"
