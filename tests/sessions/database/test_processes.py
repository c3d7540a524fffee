"""What other processes see: of one that is killed, and of one that writes at the same time."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from antiphon.runtime.storage import WITHIN
from antiphon.sessions import DatabaseSessionService, Session

if TYPE_CHECKING:
    from collections.abc import Iterator

WHO: Any = {"app_name": "app", "user_id": "ann", "session_id": "s1"}
PROGRAMS = Path(__file__).with_name("programs.py")


@contextmanager
def program(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """One of `programs.py`, killed at the end if it has not ended."""
    root = str(PROGRAMS.parents[3])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([f"{root}/src", root])}
    command = [sys.executable, str(PROGRAMS), *arguments]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    told = process.stdout.readline()
    assert told, "the program ended by an error"
    return told.strip()


def say(process: subprocess.Popen[str], command: str) -> list[str]:
    """What the program answers, without the `ok` at the end."""
    assert process.stdin is not None
    process.stdin.write(f"{command}\n")
    told = []
    while (answer := line(process)) not in ("ok", "done"):
        told.append(answer)
    return told


async def stored(url: str) -> Session:
    async with DatabaseSessionService(url) as sessions:
        session = await sessions.get_session(**WHO)
        assert session is not None
        return session


def create(url: str) -> None:
    async def make() -> None:
        async with DatabaseSessionService(url) as sessions:
            await sessions.create_session(**WHO)

    asyncio.run(make())


def test_what_was_yielded_is_there_after_a_kill(database: str) -> None:
    """contract 4.1, 4.7: in mid-conversation, without any ending"""
    yielded: list[tuple[str, float]] = []
    with program("talk", database) as talking:
        while len(yielded) < 12 or yielded[-1][1] - yielded[10][1] < WITHIN + 0.3:
            event_id, moment = line(talking).split()
            yielded.append((event_id, float(moment)))
        killed_at = time.time()
        talking.send_signal(signal.SIGKILL)
        assert talking.wait() == -signal.SIGKILL

    ids = [event.id for event in asyncio.run(stored(database)).events if event.author != "user"]
    owed = [event_id for event_id, moment in yielded if moment < killed_at - WITHIN]
    assert len(owed) > 10, "the conversation was too short to tell"
    assert set(owed) <= set(ids), "an event that was yielded long before is not stored"
    known = [event_id for event_id, _ in yielded][: len(ids)]
    assert ids[: len(known)] == known, "the order is another, or there is a gap"


def test_two_processes_appending_to_one_session_lose_nothing(database: str) -> None:
    """contract 4.6"""
    count, names = 100, ("left", "right")
    create(database)
    with program("append", database, "left", str(count)) as left:
        with program("append", database, "right", str(count)) as right:
            for process in (left, right):
                assert line(process) == "ready"
            for process in (left, right):
                assert process.stdin is not None
                process.stdin.write("go\n")
            for process in (left, right):
                assert line(process) == "done"

    session = asyncio.run(stored(database))

    assert len(session.events) == 2 * count
    for name in names:
        own = [event.id for event in session.events if event.author == name]
        assert own == [f"{name}.{number}" for number in range(count)]
    last = session.events[-1].author
    expected = {f"{name}.{number}": number for name in names for number in range(count)}
    assert {key: session.state[key] for key in expected} == expected
    assert session.state["last"] == last


def test_conflicts_between_processes_are_named(database: str) -> None:
    """contract 4.6"""
    create(database)
    with program("write", database) as left, program("write", database) as right:
        for process in (left, right):
            assert say(process, "read") == []
        assert say(left, "set key event-1") == []

        assert say(right, "set other event-2") == [], "they wrote different keys"
        assert say(left, "set key event-3") == []
        [warning] = say(right, "set key event-4")
        assert "key (event event-3)" in warning
        assert "The later value stands" in warning

        [refusal] = say(left, "try key event-5")
        assert "key (event event-4)" in refusal
        assert "Nothing was stored" in refusal
        assert say(left, "read") == []
        assert say(left, "try key event-6") == []

    session = asyncio.run(stored(database))
    assert [event.id for event in session.events] == [f"event-{number}" for number in (1, 2, 3, 4, 6)]
    assert session.state == {"key": "event-6", "other": "event-2"}
