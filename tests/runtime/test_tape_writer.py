"""The writer: complete, out of the way, and without secrets (contract 9.1, 9.2)."""

from __future__ import annotations

import asyncio
import gzip
import os
import stat
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from antiphon import Agent, Gemini, InMemoryRunner, LiveRequestQueue, RunConfig, types
from antiphon.core.handover import Cast, Role
from antiphon.core.signals import AppLeft, Tick, ToolFinished, UserMedia
from antiphon.errors import QueueInUse, TapeUnusable
from antiphon.models import Setup
from antiphon.models.tape import Begun, Drawn, Fed, Finished, Tape
from antiphon.runtime import tape_writer as module
from antiphon.runtime.tape_writer import LATEST, TapeWriter
from antiphon.testing.live_server import Call, Close, Faults, LiveServer, Timing
from tests.runtime.near_model import NearModel, until
from tests.runtime.taped import SCENARIOS, hold, record

if TYPE_CHECKING:
    from pathlib import Path

CAST = Cast({"helper": Role("helper")}, "helper")


def begun(path: Path, **options: Any) -> TapeWriter:
    writer = TapeWriter(path, **options)
    writer.begin(CAST, RunConfig(), "e-1", 0.0)
    return writer


@pytest.mark.virtual_clock
@pytest.mark.parametrize("name", ["call.jsonl", "call.jsonl.gz"])
async def test_what_it_is_told_is_on_the_tape_in_order(name: str, tmp_path: Path) -> None:
    """contract 9.1"""
    writer = begun(tmp_path / name, note="a test")
    writer.started(0.0)
    writer.fed(Tick(), 0.5)
    assert writer.chance(lambda: 0.25)() == 0.25
    writer.dialled(1, "helper")
    writer.begun(1, Setup(RunConfig(), "Be kind.", tools=[], handle="h"))
    writer.hung_up(1)
    writer.finish()
    writer.fed(AppLeft(), 9.0)
    await writer.close()
    await writer.close()
    tape = Tape.load(tmp_path / name)
    assert (tape.header.note, tape.header.invocation, tape.header.cast) == ("a test", "e-1", CAST)
    names = ["Started", "Fed", "Drawn", "Dialled", "Begun", "HungUp", "Finished"]
    assert [type(record).__name__ for record in tape.records] == names
    assert tape.records[1:3] == [Fed(0.5, Tick()), Drawn(0.25)]
    assert tape.records[4] == Begun(0.0, 1, "Be kind.", handle="handle-1")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, "what was said is its owner's"
    assert (tmp_path / name).read_bytes()[:2] == (b"\x1f\x8b" if name.endswith("gz") else b'{"')


@pytest.mark.virtual_clock
@pytest.mark.parametrize("name", ["call.jsonl", "call.jsonl.gz"])
async def test_a_crash_loses_a_second_at_most(name: str, tmp_path: Path) -> None:
    """contract 9.1"""
    path = tmp_path / name
    writer = begun(path)
    writer.fed(Tick(), 0.0)
    assert path.read_bytes() == b"" or name.endswith("gz")
    await asyncio.sleep(LATEST + 0.01)
    assert len(Tape.read(path.read_bytes()).records) == 1, "it is on the disk before the end"
    writer.release()


@pytest.mark.virtual_clock
async def test_much_is_written_at_once(tmp_path: Path) -> None:
    path = tmp_path / "call.jsonl"
    writer = begun(path)
    chunk = UserMedia(types.Blob(data=bytes(60_000), mime_type="audio/pcm"))
    for _ in range(4):
        writer.fed(chunk, 0.0)
    writer.finish()
    await writer.close()
    assert len(Tape.load(path).records) == 5
    assert asyncio.get_running_loop().time() < LATEST


@pytest.mark.virtual_clock
async def test_a_disk_that_is_too_slow_ends_the_recording_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 9.1: the bound is kept, the tape is whole up to there"""
    monkeypatch.setattr(module, "BOUND", 3_000)
    path = tmp_path / "call.jsonl"
    writer = begun(path)
    for number in range(100):
        writer.fed(Tick(), float(number))
    await writer.close()
    tape = Tape.load(path)
    last = tape.records[-1]
    assert isinstance(last, Finished) and "the disk is too slow" in (last.error or "")
    assert not tape.complete and not tape.truncated
    assert [r.now for r in tape.records[:-1] if isinstance(r, Fed)] == [
        float(number) for number in range(len(tape.records) - 1)
    ]
    assert "ends before the conversation does" in caplog.text


@pytest.mark.virtual_clock
async def test_a_disk_that_takes_nothing_ends_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """contract 9.1"""

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_written", full)
    writer = begun(tmp_path / "call.jsonl")
    await asyncio.sleep(LATEST + 0.01)
    assert "No space left" in caplog.text
    writer.fed(Tick(), 0.0)
    writer.finish()
    await writer.close()
    assert caplog.text.count("Recording to") == 1


@pytest.mark.virtual_clock
async def test_what_is_no_json_ends_the_recording_and_not_the_conversation(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "call.jsonl"
    writer = begun(path)
    writer.fed(ToolFinished("1", {"result": object()}), 0.0)
    writer.fed(Tick(), 0.0)
    await writer.close()
    assert "Fed cannot be written as JSON" in caplog.text
    last = Tape.load(path).records[-1]
    assert isinstance(last, Finished) and last.error is not None


async def test_a_loop_without_threads_ends_the_recording(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await asyncio.get_running_loop().shutdown_default_executor()
    writer = begun(tmp_path / "call.jsonl")
    await writer.close()
    assert "shutdown" in caplog.text


async def test_a_write_under_way_is_not_waited_for_when_there_is_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 1.6"""
    from threading import Event

    going, go = Event(), Event()

    def slow(file: Any, data: bytes) -> None:
        going.set()
        go.wait(20)
        file.write(data)

    monkeypatch.setattr(module, "_written", slow)
    writer = begun(tmp_path / "call.jsonl")
    writer.finish()
    closing = asyncio.ensure_future(writer.close())
    await until(going.is_set)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    go.set()
    await until(lambda: writer.closed)
    assert Tape.load(tmp_path / "call.jsonl").complete


async def test_a_file_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    """contract 9.1"""
    path = tmp_path / "call.jsonl"
    path.write_text("mine")
    with pytest.raises(TapeUnusable, match="There is a file"):
        TapeWriter(path)
    with pytest.raises(TapeUnusable, match="No such file"):
        TapeWriter(tmp_path / "nowhere" / "call.jsonl")
    assert path.read_text() == "mine"


async def test_a_run_that_is_refused_leaves_no_tape(tmp_path: Path) -> None:
    """contract 9.1, 1.4"""
    runner = InMemoryRunner(Agent(name="helper", model=NearModel()), app_name="app")
    await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
    queue = LiveRequestQueue()
    first = runner.run_live(user_id="ann", session_id="s1", live_request_queue=queue)
    second = runner.run_live(
        user_id="ann", session_id="s1", live_request_queue=queue, tape=tmp_path / "call.jsonl"
    )
    async with aclosing(first):
        await anext(first)
        with pytest.raises(QueueInUse):
            await anext(second)
    assert os.listdir(tmp_path) == []


async def test_a_runner_records_each_conversation_to_a_file_of_its_own(tmp_path: Path) -> None:
    """contract 9.1"""
    folder = tmp_path / "all" / "tapes"
    runner = InMemoryRunner(Agent(name="helper", model=NearModel()), app_name="app", tapes=folder)
    ids = set()
    for _ in range(2):
        queue = LiveRequestQueue()
        queue.close()
        ids |= {event.invocation_id for event in await hold(runner, queue, RunConfig())}
    tapes = [Tape.load(path) for path in sorted(folder.iterdir())]
    assert {tape.header.invocation for tape in tapes} == ids
    assert len(tapes) == 2 and all(tape.complete for tape in tapes)
    (tmp_path / "file").write_text("")
    runner.tapes = tmp_path / "file" / "below"
    with pytest.raises(TapeUnusable, match="No tape can be written"):
        await anext(runner.run_live(user_id="ann", session_id="s1", live_request_queue=LiveRequestQueue()))


SECRET = "planted-Secret_0123456789"


async def parrot(call: Call) -> None:
    """Says what it was sent by headers and address, as a peer may."""
    await call.setup()
    await call.receive_text()
    sent = f"{call.connection.path} {call.connection.headers}"
    await call.text(sent)
    await call.handle(f"{SECRET} handle")
    await call.turn_complete()
    await call.close(1008, sent[-100:])


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    "place", ["api_key", "GOOGLE_API_KEY", "GEMINI_API_KEY", "query", "password", "header", "bearer", "token"]
)
async def test_no_secret_is_on_the_tape_wherever_it_was_given(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """contract 9.2"""
    for name in ("GOOGLE_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "call.jsonl"
    async with LiveServer(parrot, timing=Timing.instant()) as server:
        options: dict[str, Any] = {"api_key": "any", "base_url": server.base_url}
        match place:
            case "api_key":
                options["api_key"] = SECRET
            case "token":
                options["api_key"] = f"auth_tokens/{SECRET}"
            case "GOOGLE_API_KEY" | "GEMINI_API_KEY":
                monkeypatch.setenv(place, SECRET)
                del options["api_key"]
            case "query":
                options["base_url"] += f"?key={SECRET}"
            case "password":
                options["base_url"] = server.base_url.replace("://", f"://me:{SECRET}@")
            case "header":
                options["headers"] = {"X-My-Key": SECRET}
            case _:
                options["headers"] = {"Authorization": f"Bearer {SECRET}"}
        runner = InMemoryRunner(Agent(name="helper", model=Gemini("gemini-3.8-live", **options)))
        queue = LiveRequestQueue()
        queue.send_content(f"do you know {SECRET}?")
        await hold(runner, queue, RunConfig(session_resumption=types.SessionResumptionConfig()), tape=path)
    data = path.read_bytes()
    assert SECRET.encode() not in data
    assert Tape.read(data).complete
    assert b"handle-1" in data


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    "fault", [{"http_status": 403}, {"at": {"connect": Close(1008, f"bad key {SECRET}")}}]
)
async def test_no_secret_is_on_the_tape_of_a_refusal(fault: dict[str, Any], tmp_path: Path) -> None:
    """contract 9.2"""
    path = tmp_path / "call.jsonl.gz"
    async with LiveServer(timing=Timing.instant(), faults=Faults(**fault)) as server:
        model = Gemini("gemini-3.8-live", api_key=SECRET, base_url=server.base_url)
        runner = InMemoryRunner(Agent(name="helper", model=model))
        await hold(runner, LiveRequestQueue(), RunConfig(), tape=path)
    assert SECRET.encode() not in gzip.decompress(path.read_bytes())


@pytest.mark.virtual_clock
async def test_what_ends_after_the_application_has_left_is_on_the_tape_too(tmp_path: Path) -> None:
    """contract 9.1, 4.3: recordings are waited for, and the tape waits for them"""
    path = tmp_path / "call.jsonl"
    scenario = next(each for each in SCENARIOS if each.name == "voices kept")
    async with LiveServer(scenario.script, timing=Timing.instant()) as server:
        model = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        runner = InMemoryRunner(scenario.agent(model), app_name="app")
        await runner.session_service.create_session(app_name="app", user_id="ann", session_id="s1")
        queue = LiveRequestQueue()
        scenario.first(queue)
        running = runner.run_live(
            user_id="ann",
            session_id="s1",
            live_request_queue=queue,
            run_config=scenario.config,
            tape=path,
        )
        async with aclosing(running):
            async for event in running:
                if event.output_transcription:
                    break
    tape = Tape.load(path)
    assert tape.complete
    assert AppLeft() in [record.signal for record in tape.records if isinstance(record, Fed)]


@pytest.mark.virtual_clock
async def test_the_tape_does_not_change_the_conversation(tmp_path: Path) -> None:
    """contract 9.1: the same with and without"""
    scenario = SCENARIOS[0]
    seen = await record(scenario, tmp_path / "call.jsonl")
    async with LiveServer(scenario.script, timing=Timing.instant()) as server:
        model = Gemini("gemini-3.8-live", api_key="any", base_url=server.base_url)
        queue = LiveRequestQueue()
        scenario.first(queue)
        plain = await hold(InMemoryRunner(scenario.agent(model)), queue, scenario.config, scenario.act)
    assert len(plain) == len(seen)
