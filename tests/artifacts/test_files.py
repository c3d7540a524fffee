"""`FileArtifactService` under its contract, and what is its own."""

from __future__ import annotations

import asyncio
import errno
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from antiphon.artifacts import FileArtifactService
from antiphon.artifacts.files import STALE, UNFINISHED
from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.testing.contracts import ArtifactServiceContract
from antiphon.types import Part

HERE: Any = {"app_name": "app", "user_id": "ann", "session_id": "s1"}


class TestContract(ArtifactServiceContract):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path) -> None:
        self.root = tmp_path

    async def make_service(self) -> FileArtifactService:
        return FileArtifactService(self.root)


@pytest.fixture
def service(tmp_path: Path) -> FileArtifactService:
    return FileArtifactService(tmp_path / "artifacts")


def files(service: FileArtifactService) -> list[str]:
    found = (path for path in service.root.rglob("*") if path.is_file())
    return sorted(path.relative_to(service.root).as_posix() for path in found)


async def test_another_service_finds_what_one_has_saved(service: FileArtifactService) -> None:  # contract 4.3
    part = Part.from_bytes(data=b"RIFF", mime_type="audio/wav")
    await service.save_artifact(**HERE, filename="live/1_user.WAV", artifact=part)
    again = FileArtifactService(service.root)
    assert await again.load_artifact(**HERE, filename="live/1_user.WAV") == part
    assert await again.list_artifact_keys(**HERE) == ["live/1_user.WAV"]
    folder = "apps/app/users/ann/sessions/s1/artifacts/live%2f1_user.%57%41%56/0"
    assert files(service) == [f"{folder}/about.json", f"{folder}/content.wav"], "a player opens it"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "..", "a\0b", "a\\b", "C:", "ü" * 500, "x" * 4_000, "nul"]
)
async def test_no_name_leaves_the_folder(service: FileArtifactService, name: str) -> None:  # contract 8.7
    where = {"app_name": name, "user_id": name, "session_id": name}
    assert await service.save_artifact(**where, filename=name, artifact=Part(text="x")) == 0
    assert await service.save_artifact(**where, filename=f"user:{name}", artifact=Part(text="x")) == 0
    assert await service.list_artifact_keys(**where) == sorted([name, f"user:{name}"])
    assert len(files(service)) == 2
    await service.delete_artifact(**where, filename=name)
    assert await service.list_artifact_keys(**where) == [f"user:{name}"]


async def test_names_that_differ_in_case_are_two_artifacts(service: FileArtifactService) -> None:
    for name in ("a", "A"):
        await service.save_artifact(**HERE, filename=name, artifact=Part(text=name))
    [upper, lower] = {path.lower() for path in files(service)}
    assert upper != lower


def test_processes_and_threads_get_versions_of_their_own(tmp_path: Path) -> None:  # contract 4.3
    program = """if True:
        import asyncio, sys
        from antiphon import FileArtifactService
        from antiphon.types import Part
        async def main():
            service = FileArtifactService(sys.argv[1])
            for number in range(25):
                print(await service.save_artifact(
                    app_name="app", user_id="ann", session_id="s1", filename="f", artifact=Part(text="x")))
        asyncio.run(main())
    """
    command = [sys.executable, "-c", program, str(tmp_path)]
    with ThreadPoolExecutor(3) as pool:
        ran = pool.map(
            lambda _: subprocess.run(command, capture_output=True, text=True, check=True), range(3)
        )
        given = [int(line) for each in ran for line in each.stdout.split()]
    assert sorted(given) == list(range(75))


async def test_a_version_is_there_whole_or_not_at_all(
    service: FileArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:  # contract 4.3
    await service.save_artifact(**HERE, filename="f", artifact=Part(text="0"))
    before = files(service)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            await service.save_artifact(**HERE, filename="f", artifact=Part(text="1"))
    assert files(service) == before
    assert await service.save_artifact(**HERE, filename="f", artifact=Part(text="1")) == 1


async def test_a_version_that_somebody_takes_meanwhile_is_not_overwritten(
    service: FileArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:  # contract 4.3
    other = FileArtifactService(service.root)
    rename = os.rename
    begun: list[object] = []

    def slow(source: Any, target: Any) -> None:
        if not begun:
            begun.append(target)
            asyncio.run(other.save_artifact(**HERE, filename="f", artifact=Part(text="first")))
        rename(source, target)

    monkeypatch.setattr(os, "rename", slow)
    assert await service.save_artifact(**HERE, filename="f", artifact=Part(text="second")) == 1
    loaded = await service.load_artifact(**HERE, filename="f", version=0)
    assert loaded
    assert loaded.text == "first"


async def test_an_artifact_deleted_while_another_version_is_saved_begins_anew(
    service: FileArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.save_artifact(**HERE, filename="f", artifact=Part(text="old"))
    rename = os.rename
    begun: list[object] = []

    def slow(source: Any, target: Any) -> None:
        if not begun:
            begun.append(target)
            asyncio.run(service.delete_artifact(**HERE, filename="f"))
        rename(source, target)

    monkeypatch.setattr(os, "rename", slow)
    assert await service.save_artifact(**HERE, filename="f", artifact=Part(text="new")) == 0
    assert await service.list_versions(**HERE, filename="f") == [0]


async def test_what_was_never_finished_is_not_listed_and_goes_in_time(service: FileArtifactService) -> None:
    await service.save_artifact(**HERE, filename="f", artifact=Part(text="x"))
    young, old = service.root / UNFINISHED / "young", service.root / UNFINISHED / "old"
    for left in (young, old):
        left.mkdir()
        (left / "content").write_bytes(b"half")
    long_ago = old.stat().st_mtime - STALE - 60
    os.utime(old, (long_ago, long_ago))
    again = FileArtifactService(service.root)
    assert await again.list_artifact_keys(**HERE) == ["f"]
    await again.save_artifact(**HERE, filename="f", artifact=Part(text="y"))
    assert (young.exists(), old.exists()) == (True, False)


async def test_a_damaged_artifact_says_where_it_is(service: FileArtifactService) -> None:
    await service.save_artifact(**HERE, filename="f", artifact=Part(text="x"))
    [about] = list(service.root.rglob("about.json"))
    about.write_text("{")
    with pytest.raises(AntiphonError, match=r"artifacts/f/0 is damaged"):
        await service.load_artifact(**HERE, filename="f")


async def test_what_is_deleted_while_it_is_read_is_none_and_what_is_lost_is_an_error(
    service: FileArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part.from_bytes(data=b"x", mime_type="image/png")
    for name in ("gone", "lost"):
        await service.save_artifact(**HERE, filename=name, artifact=part)
    read = Path.read_bytes

    def late(path: Path) -> bytes:
        if path.name == "about.json" and "gone" in path.parts:
            asyncio.run(service.delete_artifact(**HERE, filename="gone"))
        elif path.name == "content":
            path.unlink()
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", late)
    assert await service.load_artifact(**HERE, filename="gone") is None
    with pytest.raises(FileNotFoundError):
        await service.load_artifact(**HERE, filename="lost")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ConfigurationError, match="is no folder"):
        FileArtifactService(path)


async def test_the_loop_goes_on_while_files_are_written(
    service: FileArtifactService, monkeypatch: pytest.MonkeyPatch
) -> None:  # contract 5.3: nothing holds back audio
    where: set[str] = set()
    rename = os.rename

    def noted(source: Any, target: Any) -> None:
        where.add(threading.current_thread().name)
        rename(source, target)

    monkeypatch.setattr(os, "rename", noted)
    await service.save_artifact(**HERE, filename="f", artifact=Part(text="x"))
    assert where
    assert threading.main_thread().name not in where
