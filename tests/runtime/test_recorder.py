"""Recordings, from what is sent and received to artifacts and events."""

from __future__ import annotations

import asyncio
import errno
import struct
import threading
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import ErrorCode, Event, FileArtifactService, InMemorySessionService, Session
from antiphon.core import Conversation
from antiphon.core.recording import ROLL_OVER
from antiphon.core.signals import (
    GenerationComplete,
    ModelInterrupted,
    ToolCalls,
    TurnComplete,
)
from antiphon.errors import ConnectionLost, StoreFailed, UsageError
from antiphon.runtime import driver
from antiphon.runtime import recorder as module
from antiphon.runtime.recorder import BLOCK, RETRIES
from antiphon.runtime.spool import Spool
from antiphon.runtime.stereo import RATE, Stereo
from antiphon.testing.clock import VirtualClockLoop
from antiphon.types import FunctionCall
from tests.runtime.near_model import until
from tests.runtime.recording import HERE, Studio, now, read_wav, uri_of

if TYPE_CHECKING:
    from pathlib import Path

    from antiphon.core.commands import Command


pytestmark = pytest.mark.virtual_clock


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path)


def noise(seconds: float, rate: int, seed: int = 1) -> bytes:
    """Audio in which nothing can be doubled, lost or moved unseen."""
    count = round(seconds * rate)
    return struct.pack(f"<{count}H", *((seed * 7_919 + n) % 65_536 for n in range(count)))


class SlowFiles(FileArtifactService):
    """The real one; a save takes `takes` seconds, or fails as often as `fails` says."""

    takes = 0.0
    fails = 0
    tries = 0

    async def save_file(self, **names: Any) -> int:
        self.tries += 1
        await asyncio.sleep(self.takes)
        if self.tries <= self.fails:
            raise OSError(errno.ENOSPC, "No space left on device")
        return await super().save_file(**names)


# What is in the files.


async def test_what_was_sent_and_received_is_in_the_files_to_the_byte(studio: Studio) -> None:
    # contract 4.3, 1.6: over many blocks and chunks of uneven size; yielded and stored alike
    user, model = noise(3.0, 16_000), noise(5.0, 24_000, 2)

    def speak() -> None:
        for start in range(0, len(user), 3_001):
            studio.hears(user[start : start + 3_001])
        for start in range(0, len(model), 7_003):
            studio.speaks(model[start : start + 7_003])

    await studio.act(speak, lambda: studio.says(TurnComplete()))
    expected = [("user", "00001_user.wav", 16_000, user), ("helper", "00002_model.wav", 24_000, model)]
    assert await studio.heard(studio.yielded()) == expected
    assert await studio.heard(await studio.stored()) == expected
    roles = {event.author: event.content.role for event in studio.yielded() if event.content}
    assert roles == {"user": "user", "helper": "model"}
    assert studio.left_in_spool() == []


async def test_each_voice_and_turn_is_a_file(studio: Studio) -> None:
    # contract 4.3: turn complete, interruption, generation complete, close
    def turns() -> None:
        studio.hears(b"\1\0")
        studio.speaks(b"\2\0")
        studio.says(TurnComplete())
        studio.hears(b"\3\0")
        studio.speaks(b"\4\0")
        studio.says(ModelInterrupted())
        studio.speaks(b"\5\0")
        studio.hears(b"\6\0")
        studio.says(TurnComplete())
        studio.speaks(b"\7\0")
        studio.says(GenerationComplete())
        studio.speaks(b"\10\0")
        studio.hears(b"\11\0")

    await studio.act(turns)
    assert [(name, pcm) for _, name, _, pcm in await studio.heard(studio.yielded())] == [
        ("00001_user.wav", b"\1\0"),
        ("00002_model.wav", b"\2\0"),
        ("00003_user.wav", b"\3\0\6\0"),
        ("00004_model.wav", b"\4\0"),
        ("00005_model.wav", b"\7\0"),
        ("00006_model.wav", b"\10\0"),
        ("00007_user.wav", b"\11\0"),
    ]
    session = await studio.sessions.get_session(**HERE)
    assert session
    last = [event.lifecycle and event.lifecycle.kind for event in studio.seen][-1]
    assert last == "closed", "nothing comes after the last word"


async def test_a_lost_link_writes_both_voices(studio: Studio) -> None:
    # contract 4.3
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                studio.hears(b"\1\0")
                studio.speaks(b"\2\0")
                studio.model.connections[-1].drop(ConnectionLost("the cable"))
            if len(studio.yielded()) == 2:
                break
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [b"\1\0", b"\2\0"]


async def test_a_change_of_rate_begins_another_file(studio: Studio) -> None:
    # contract 4.3
    await studio.act(lambda: studio.hears(b"\1\0"), lambda: studio.hears(b"\2\0", 48_000))
    assert await studio.heard(studio.yielded()) == [
        ("user", "00001_user.wav", 16_000, b"\1\0"),
        ("user", "00002_user.wav", 48_000, b"\2\0"),
    ]


async def test_a_long_turn_is_written_while_it_goes_on(studio: Studio) -> None:
    # contract 4.3
    second = noise(1.0, 24_000)
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                for _ in range(int(ROLL_OVER) + 1):
                    studio.speaks(second)
            if uri_of(event):
                break
    assert [len(pcm) for *_, pcm in await studio.heard(await studio.stored())] == [
        int(ROLL_OVER) * len(second),
        len(second),
    ]


async def test_the_agent_that_spoke_is_the_author(tmp_path: Path) -> None:
    # contract 3.3, 4.3, 5.8
    studio = Studio(tmp_path, agents=("other",))
    async with aclosing(studio.events()) as events:
        async for event in events:
            kind = event.lifecycle and event.lifecycle.kind
            if kind == "ready" and len(studio.model.connections) == 1:
                studio.speaks(b"\1\0")
                call = FunctionCall(id="t", name="transfer_to_agent", args={"agent_name": "other"})
                studio.says(ToolCalls((call,)))
            elif kind == "ready":
                studio.speaks(b"\2\0")
                studio.queue.close()
    assert [(author, pcm) for author, _, _, pcm in await studio.heard(studio.yielded())] == [
        ("helper", b"\1\0"),
        ("other", b"\2\0"),
    ]


async def test_what_the_user_said_and_the_queue_shed_is_recorded(studio: Studio) -> None:
    # contract 4.3, 2.2: what the model never heard, the user said all the same
    chunks = [noise(0.5, 16_000, seed) for seed in range(8)]

    def speak() -> None:
        connection = studio.model.connections[-1]
        connection.is_writable = False
        for chunk in chunks:
            studio.hears(chunk)
        assert studio.queue.dropped == 6
        connection.is_writable = True
        connection.listener.writable()
        assert len(connection.heard) == 2

    await studio.act(speak)
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [b"".join(chunks)]


async def test_images_are_no_voice(studio: Studio) -> None:
    # contract 4.3
    jpeg = {"data": b"\xff\xd8\xff", "mime_type": "image/jpeg"}
    await studio.act(lambda: studio.queue.send_realtime(jpeg))
    assert studio.yielded() == []
    assert not studio.spool.exists()


# Slow and failing services.


async def test_a_slow_artifact_service_holds_nothing_back(tmp_path: Path, studio: Studio) -> None:
    # contract 4.3, 5.3
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 5.0
    times: list[float] = []
    saved_at = 0.0
    async with aclosing(studio.events()) as events:
        async for event in events:
            times.append(now())
            if event.lifecycle and event.lifecycle.kind == "ready":
                for _ in range(10):
                    studio.hears(b"\1\0")
                    studio.speaks(b"\2\0" * 240)
                    studio.says(TurnComplete())
            saved_at = now() if uri_of(event) else saved_at
            if len(studio.yielded()) == 20:
                break
    assert sum(moment == 0.0 for moment in times) >= 21, "audio and turns came at once"
    assert saved_at == pytest.approx(25.0), "four at a time"


async def test_a_save_that_fails_is_tried_again(tmp_path: Path, studio: Studio) -> None:
    # contract 4.3
    files = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    files.fails = 2
    await studio.act(lambda: studio.speaks(b"\1\0"))
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [b"\1\0"]
    assert files.tries == 3
    assert now() == pytest.approx(sum(RETRIES[:2]))


async def test_a_service_that_keeps_failing_is_an_error_and_the_conversation_goes_on(
    tmp_path: Path, studio: Studio
) -> None:
    # contract 3.10, 4.3: and what it did not take is recovered later
    files = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    files.fails = 4
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                studio.speaks(b"\1\0")
                studio.says(TurnComplete())
            if event.error_code:
                assert event.error_code == ErrorCode.RECORDING_FAILED
                assert "No space left" in (event.error_message or "")
                studio.speaks(b"\2\0")
                studio.says(TurnComplete())
            if uri_of(event):
                break
    assert [pcm for *_, pcm in await studio.heard(await studio.stored())] == [b"\2\0"]
    assert studio.left_in_spool() == ["00001_model.json", "00001_model.wav", "about.json", "lock"]
    [recovered] = await studio.runner.recover_recordings(studio.spool)
    assert [pcm for *_, pcm in await studio.heard([recovered])] == [b"\1\0"]
    assert studio.left_in_spool() == []


async def test_what_is_refused_is_not_tried_again(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(**names: Any) -> int:
        raise UsageError("no")

    monkeypatch.setattr(studio.artifacts, "save_file", refuse)
    await studio.act(lambda: studio.speaks(b"\1\0"))
    assert [event.error_code for event in studio.seen if event.error_code] == ["RECORDING_FAILED"]
    assert now() == 0.0


async def test_a_disk_that_fails_costs_the_recording_and_nothing_else(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 3.10, 4.3
    tries: list[object] = []

    def full(spool: Spool, *rest: Any) -> None:
        tries.append(rest)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Spool, "append", full)
    blocks = [lambda: studio.speaks(b"\1\0" * BLOCK)] * 3
    await studio.act(*blocks, lambda: studio.says(TurnComplete()))
    assert len(tries) == 1, "what comes after a hole would be out of place"
    [error] = [event for event in studio.seen if event.error_code]
    assert error.error_code == ErrorCode.RECORDING_FAILED
    assert "could not be written: OSError: [Errno 28] No space left" in (error.error_message or "")
    assert [event.turn_complete for event in studio.seen if event.turn_complete] == [True]


async def test_memory_is_bounded_when_the_disk_does_not_keep_up(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 4.3: the one that is too much fails by name; what has been taken over is written
    held = 4 * BLOCK + 1_000
    monkeypatch.setattr(module, "HELD", held)
    go_on = threading.Event()
    append = Spool.append

    def stuck(spool: Spool, *rest: Any) -> None:
        assert go_on.wait(20)
        append(spool, *rest)

    monkeypatch.setattr(Spool, "append", stuck)

    def speak() -> None:
        studio.hears(b"\1\0" * 100)
        for _ in range(12):
            studio.speaks(b"\2\0" * (BLOCK // 2))
        studio.says(TurnComplete())
        studio.speaks(b"\3\0")
        go_on.set()

    await studio.act(speak)
    [error] = [event for event in studio.seen if event.error_code]
    assert "the disk does not keep up" in (error.error_message or "")
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [b"\1\0" * 100, b"\3\0"]
    assert "00002_model.wav" in studio.left_in_spool()


async def test_what_is_written_makes_room_for_more(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    # contract 4.3: the bound is on what waits, not on what was said
    monkeypatch.setattr(module, "HELD", 2 * BLOCK)
    block = b"\2\0" * (BLOCK // 2)
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                for _ in range(8):
                    studio.speaks(block)
                    await asyncio.sleep(0.01)
                studio.queue.close()
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [block * 8]


async def test_a_write_whose_task_is_cancelled_is_waited_for_and_not_done_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 4.3: as a loop does that goes down; a thread cannot be stopped
    go_on = threading.Event()
    append = Spool.append

    def slow(spool: Spool, *rest: Any) -> None:
        assert go_on.wait(20)
        append(spool, *rest)

    monkeypatch.setattr(Spool, "append", slow)
    one, two = b"\1\0" * (BLOCK // 2), b"\2\0" * (BLOCK // 2)
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                studio.speaks(one)
                for _ in range(3):
                    await asyncio.sleep(0)
                [worker] = [task for task in asyncio.all_tasks() if task.get_name() == "antiphon-spool"]
                worker.cancel()
                await asyncio.wait([worker])
                go_on.set()
                await until(lambda: sum(path.stat().st_size for path in studio.spool.glob("*/*.wav")) > BLOCK)
                studio.speaks(two)
                studio.queue.close()
    assert [pcm for *_, pcm in await studio.heard(studio.yielded())] == [one + two]


async def test_writes_are_few_and_off_the_loop(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    # contract 5.3
    append, threads = Spool.append, []

    def noted(spool: Spool, *rest: Any) -> None:
        threads.append(threading.current_thread())
        append(spool, *rest)

    monkeypatch.setattr(Spool, "append", noted)
    chunk = b"\1\0" * 320  # 20 ms

    def speak() -> None:
        for _ in range(500):
            studio.hears(chunk)

    await studio.act(speak)
    assert threading.main_thread() not in threads
    assert len(threads) <= 500 * len(chunk) // BLOCK + 1


# Endings: contract 1.5, 1.6.


async def test_an_application_that_leaves_has_its_recordings_stored(studio: Studio) -> None:
    # contract 1.6
    async with aclosing(studio.events()) as events:
        async for _ in events:
            studio.hears(b"\1\0")
            studio.speaks(b"\2\0")
            break
    assert [pcm for *_, pcm in await studio.heard(await studio.stored())] == [b"\1\0", b"\2\0"]
    assert studio.left_in_spool() == []


@pytest.mark.parametrize("how", ["cancelled", "crashed"])
async def test_a_task_that_is_cancelled_or_crashes_has_its_recordings_stored(
    tmp_path: Path, studio: Studio, how: str
) -> None:
    # contract 1.6, 4.3
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 1.0

    async def consume() -> None:
        async with aclosing(studio.events()) as events:
            async for event in events:
                if event.lifecycle:
                    studio.speaks(b"\2\0")
                if how == "crashed":
                    raise LookupError("a bug")

    task = asyncio.create_task(consume())
    await until(lambda: studio.model.connections and studio.seen)
    if how == "cancelled":
        task.cancel()
    with suppress(LookupError, asyncio.CancelledError):
        await task
    assert [pcm for *_, pcm in await studio.heard(await studio.stored())] == [b"\2\0"]
    assert now() == pytest.approx(1.0)


def test_a_loop_that_goes_down_still_has_its_recordings_stored(tmp_path: Path, studio: Studio) -> None:
    # contract 1.6: `asyncio.run` cancels every task, those of the recorder too; nothing is saved twice
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 0.01
    model = noise(3.0, 24_000)

    async def main() -> None:
        running = studio.events()
        kept.append(running)
        await anext(running)
        for start in range(0, len(model), 7_003):
            studio.speaks(model[start : start + 7_003])
        studio.says(TurnComplete())
        studio.hears(b"\1\0")
        await asyncio.sleep(0.005)

    kept: list[Any] = []
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        runner.run(main())
    with asyncio.Runner(loop_factory=VirtualClockLoop) as runner:
        heard = runner.run(studio.heard(runner.run(studio.stored())))
    assert [pcm for *_, pcm in heard] == [model, b"\1\0"]


async def test_the_end_waits_for_recordings_but_not_for_ever(tmp_path: Path) -> None:
    # contract 1.6: and the link is not kept for it; what is left is recovered
    studio = Studio(tmp_path, shutdown_timeout=4.0)
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 1e6
    closed_after: list[float] = []

    async def closing() -> None:
        closed_after.append(now())

    studio.model.closing = closing
    await studio.act(lambda: studio.speaks(b"\1\0"))
    assert closed_after[0] == 0.0
    assert now() <= 4.0
    kinds = [event.error_code or (event.lifecycle and event.lifecycle.kind) for event in studio.seen]
    assert kinds[-2:] == ["RECORDING_FAILED", "closed"]
    slow.takes = 0.0
    [recovered] = await studio.runner.recover_recordings(studio.spool)
    assert [pcm for *_, pcm in await studio.heard([recovered])] == [b"\1\0"]


async def test_all_of_an_end_takes_no_longer_than_the_shutdown_timeout(tmp_path: Path) -> None:
    # contract 1.6: waiting for recordings, then for a store that is stuck
    studio = Studio(tmp_path, shutdown_timeout=4.0)
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 1e6

    async def stuck(*_: Any) -> Any:
        await asyncio.Event().wait()

    def speak() -> None:
        studio.sessions.append_event = stuck  # type: ignore[method-assign, assignment]
        studio.speaks(b"\1\0")
        studio.says(TurnComplete())

    with pytest.raises(StoreFailed):
        await studio.act(speak)
    assert 2.0 < now() <= 4.0


async def test_what_was_said_is_stored_though_the_conversation_cannot_say_its_last_words(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 1.6, 4.1: a bug in it loses nothing, and is waited for only so long
    class Breakable:
        broken = False

        def __init__(self, *made: Any) -> None:
            self._conversation = Conversation(*made)

        def handle(self, *told: Any) -> list[Command]:
            if self.broken:
                raise LookupError("a bug")
            return self._conversation.handle(*told)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._conversation, name)

    class SlowStore(InMemorySessionService):
        async def append_event(self, session: Session, event: Event) -> Event:
            await asyncio.sleep(0.5)
            return await super().append_event(session, event)

    def break_it() -> None:
        studio.queue.send_content("Hello")
        studio.queue.send_content("Goodbye")
        Breakable.broken = True

    monkeypatch.setattr(driver, "Conversation", Breakable)
    studio.sessions = SlowStore()
    with pytest.raises(LookupError):
        await studio.act(break_it)
    session = await studio.sessions.get_session(**HERE)
    assert session
    assert [event.author for event in session.events] == ["user", "user"]
    assert now() <= 5.0


async def test_what_is_sent_while_the_end_waits_stays_in_the_queue(tmp_path: Path, studio: Studio) -> None:
    # contract 1.5: it is given back
    slow = studio.artifacts = SlowFiles(tmp_path / "artifacts")
    slow.takes = 1.0
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                studio.speaks(b"\1\0")
                studio.model.connections[-1].listener.lost(None, ())
                asyncio.get_running_loop().call_later(0.5, studio.queue.send_content, "Hello?")
    assert len(studio.yielded()) == 1
    assert studio.queue.depth == 1


# Whole conversations.


async def test_a_whole_conversation_is_one_stereo_file_on_one_timeline(tmp_path: Path) -> None:
    # contract 4.3: to the sample, on a clock that can be trusted
    studio = Studio(tmp_path, save_live_blob=False, record_conversation=True)
    loud = b"\1\0" * RATE
    async with aclosing(studio.events()) as events:
        async for event in events:
            if event.lifecycle and event.lifecycle.kind == "ready":
                await asyncio.sleep(1.0)
                for _ in range(10):  # the user speaks from 1 to 2 s, in time
                    studio.hears(b"\1\0" * 2_400, RATE)
                    await asyncio.sleep(0.1)
                await asyncio.sleep(0.5)
                for _ in range(4):  # 4 s of answer at once, at 2.5 s
                    studio.speaks(loud)
                await asyncio.sleep(1.5)
                studio.hears(b"\2\0" * RATE, RATE)  # barge-in, at 4 s
                studio.says(ModelInterrupted())
                await asyncio.sleep(2.0)
                studio.speaks(b"\3\0" * RATE)  # at 6 s
                studio.queue.close()
    [event] = studio.yielded()
    name, data = await studio.file(event)
    assert (event.author, name) == ("helper", "conversation.wav")
    channels, rate, pcm = read_wav(data)
    assert (channels, rate) == (2, RATE)
    samples = struct.unpack(f"<{len(pcm) // 2}h", pcm)
    assert runs(samples[0::2]) == [(0, 1.0), (1, 1.0), (0, 2.0), (2, 1.0), (0, 2.0)]
    assert runs(samples[1::2]) == [(0, 2.5), (1, 1.5), (0, 2.0), (3, 1.0)]
    assert studio.left_in_spool() == []


def runs(samples: tuple[int, ...]) -> list[tuple[int, float]]:
    """Values in a row, with the seconds that they last."""
    found: list[list[int]] = []
    for sample in samples:
        if not found or found[-1][0] != sample:
            found.append([sample, 0])
        found[-1][1] += 1
    return [(value, count / RATE) for value, count in found]


async def test_both_kinds_of_recording_can_be_had_and_the_users_rate_is_brought_to_the_timelines(
    tmp_path: Path,
) -> None:
    # contract 4.3
    studio = Studio(tmp_path, record_conversation=True)
    user = noise(2.0, 16_000)

    def speak() -> None:
        for start in range(0, len(user), 640):
            studio.hears(user[start : start + 640])

    await studio.act(speak)
    files = dict([await studio.file(event) for event in studio.yielded()])
    assert sorted(files) == ["00001_user.wav", "conversation.wav"]
    assert read_wav(files["00001_user.wav"]) == (1, 16_000, user)
    assert len(read_wav(files["conversation.wav"])[2]) == 4 * 2 * RATE


async def test_a_timeline_that_cannot_be_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 3.10, 4.3
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Stereo, "place", full)
    studio = Studio(tmp_path, record_conversation=True)
    await studio.act(lambda: studio.hears(b"\1\0" * BLOCK), lambda: studio.hears(b"\1\0"))
    assert [event.error_code for event in studio.seen if event.error_code] == ["RECORDING_FAILED"]
    assert len(studio.yielded()) == 1
