"""What an artifact service is held to (contract 4.3, 8.7)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from antiphon.artifacts import BaseArtifactService
from antiphon.errors import UsageError
from antiphon.testing.service_contract import HERE, WHO, ServiceContract, refused
from antiphon.types import Blob, FileData, Part

__all__ = ["ArtifactServiceContract"]

WRITERS = 20
NAMES = ("a.txt", "user:a.txt", "a/b c.txt", "../a.txt", "ä?#%2F.txt", "user:../ü.txt")


def _text(part: Part | None) -> str | None:
    return part.text if part else None


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _read(path: Path) -> bytes:
    return path.read_bytes()


class ArtifactServiceContract(ServiceContract[BaseArtifactService]):
    """Inherit, and say how to make the service (see `antiphon.testing.contracts`)."""

    async def test_what_was_saved_is_loaded(self) -> None:  # contract 4.3
        async with self.service() as service:
            parts = [
                Part(inline_data=Blob(data=bytes(range(256)), mime_type="audio/wav", display_name="voice")),
                Part(inline_data=Blob(data=b"", mime_type="application/octet-stream")),
                Part(text="ä\r\n"),
                Part(text=""),
                Part(file_data=FileData(file_uri="gs://bucket/a.png", mime_type="image/png")),
            ]
            for version, part in enumerate(parts):
                assert await service.save_artifact(**HERE, filename="a", artifact=part) == version
            assert [await service.load_artifact(**HERE, filename="a", version=n) for n in range(5)] == parts

    async def test_versions_count_from_zero_and_the_latest_is_loaded(self) -> None:  # contract 4.3
        async with self.service() as service:
            assert await service.list_versions(**HERE, filename="a") == []
            for number in range(11):
                version = await service.save_artifact(**HERE, filename="a", artifact=Part(text=str(number)))
                assert version == number
            assert await service.save_artifact(**HERE, filename="b", artifact=Part(text="b")) == 0
            assert await service.list_versions(**HERE, filename="a") == list(range(11))
            assert _text(await service.load_artifact(**HERE, filename="a")) == "10"
            assert _text(await service.load_artifact(**HERE, filename="a", version=2)) == "2"

    async def test_what_is_not_there_is_none(self) -> None:  # contract 4.3
        async with self.service() as service:
            assert await service.load_artifact(**HERE, filename="a") is None
            await service.save_artifact(**HERE, filename="a", artifact=Part(text="x"))
            for version in (1, -1):
                assert await service.load_artifact(**HERE, filename="a", version=version) is None
            await service.delete_artifact(**HERE, filename="unknown")
            assert await service.list_artifact_keys(**HERE) == ["a"]

    async def test_any_name_is_a_name(self) -> None:  # contract 8.7
        async with self.service() as service:
            for name in NAMES:
                assert await service.save_artifact(**HERE, filename=name, artifact=Part(text=name)) == 0
            listed = await service.list_artifact_keys(**HERE)
            assert listed == sorted(NAMES)
            for name in listed:
                assert _text(await service.load_artifact(**HERE, filename=name)) == name

    async def test_artifacts_of_a_user_are_in_all_of_the_users_sessions(self) -> None:  # contract 4.3
        async with self.service() as service:
            await service.save_artifact(**WHO, filename="user:u", artifact=Part(text="0"))
            await service.save_artifact(**HERE, filename="s", artifact=Part(text="x"))
            other: Any = {**WHO, "session_id": "other"}
            assert await service.save_artifact(**other, filename="user:u", artifact=Part(text="1")) == 1
            for where in (WHO, HERE, other):
                assert _text(await service.load_artifact(**where, filename="user:u")) == "1"
                assert await service.list_versions(**where, filename="user:u") == [0, 1]
            assert await service.list_artifact_keys(**HERE) == ["s", "user:u"]
            assert await service.list_artifact_keys(**other) == ["user:u"]
            assert await service.list_artifact_keys(**WHO) == ["user:u"]
            assert await service.load_artifact(**other, filename="s") is None

    async def test_nobody_reaches_another_ones_artifacts(self) -> None:  # contract 8.7
        async with self.service() as service:
            for name in ("a", "user:a"):
                await service.save_artifact(**HERE, filename=name, artifact=Part(text="mine"))
            for whose in ("app_name", "user_id"):
                other = {**HERE, whose: "other"}
                assert await service.list_artifact_keys(**other) == []
                for name in ("a", "user:a"):
                    assert await service.load_artifact(**other, filename=name) is None
                    assert await service.list_versions(**other, filename=name) == []
                    await service.delete_artifact(**other, filename=name)
            assert await service.list_artifact_keys(**HERE) == ["a", "user:a"]

    async def test_deleted_artifact_is_gone_in_all_versions(self) -> None:  # contract 4.3
        async with self.service() as service:
            for name in ("a", "a", "b", "user:a"):
                await service.save_artifact(**HERE, filename=name, artifact=Part(text="x"))
            await service.delete_artifact(**HERE, filename="a")
            assert await service.load_artifact(**HERE, filename="a", version=0) is None
            assert await service.list_versions(**HERE, filename="a") == []
            assert await service.list_artifact_keys(**HERE) == ["b", "user:a"]
            assert await service.save_artifact(**HERE, filename="a", artifact=Part(text="y")) == 0
            assert _text(await service.load_artifact(**HERE, filename="a")) == "y"

    async def test_session_files_need_a_session_and_a_name(self) -> None:  # contract 4.3
        async with self.service() as service:
            for where in (
                {**WHO, "filename": "a"},
                {**HERE, "filename": " "},
                {**HERE, "filename": "user:"},
                {**HERE, "session_id": "", "filename": "a"},
                {**HERE, "user_id": "", "filename": "user:a"},
            ):
                with refused(UsageError):
                    await service.save_artifact(**where, artifact=Part(text="x"))
                for method in (service.load_artifact, service.delete_artifact, service.list_versions):
                    with refused(UsageError):
                        await method(**where)

    async def test_nothing_to_save_is_refused(self) -> None:  # contract 4.3
        async with self.service() as service:
            for empty in (Part(), Part.from_function_call(name="f", args={})):
                with refused(UsageError):
                    await service.save_artifact(**HERE, filename="a", artifact=empty)
            assert await service.list_artifact_keys(**HERE) == []

    async def test_mappings_are_taken(self) -> None:  # contract 2.5
        async with self.service() as service:
            given = {"inlineData": {"data": "AAE=", "mimeType": "image/png"}}
            await service.save_artifact(**HERE, filename="a", artifact=given)
            expected = Part.from_bytes(data=b"\0\1", mime_type="image/png")
            assert await service.load_artifact(**HERE, filename="a") == expected

    async def test_a_file_is_saved_like_any_artifact(self) -> None:  # contract 4.3
        async with self.service() as service:
            with TemporaryDirectory() as folder:
                path = Path(folder, "voice.wav")
                for version in range(2):
                    _write(path, bytes([version]) * 100_000)
                    saved = await service.save_file(**HERE, filename="a", path=path, mime_type="audio/wav")
                    assert (saved, len(_read(path))) == (version, 100_000), "the file stays the caller's"
            expected = Part.from_bytes(data=b"\0" * 100_000, mime_type="audio/wav")
            assert await service.load_artifact(**HERE, filename="a", version=0) == expected
            for where in ({**WHO, "filename": "a"}, {**HERE, "filename": " "}):
                with refused(UsageError):
                    await service.save_file(**where, path=Path(__file__), mime_type="text/plain")

    async def test_nothing_is_shared_with_the_store(self) -> None:  # contract 8.7
        async with self.service() as service:
            given = Part(inline_data=Blob(data=b"x", mime_type="image/png"))
            await service.save_artifact(**HERE, filename="a", artifact=given)
            for part in (given, await service.load_artifact(**HERE, filename="a")):
                assert part and part.inline_data
                part.inline_data.data = b"changed"
            loaded = await service.load_artifact(**HERE, filename="a")
            assert loaded and loaded.inline_data and loaded.inline_data.data == b"x"

    async def test_concurrent_saves_get_versions_of_their_own(self) -> None:  # contract 4.3
        async with self.service() as service:

            async def save(number: int) -> tuple[int, str]:
                part = Part(text=str(number))
                return await service.save_artifact(**HERE, filename="a", artifact=part), str(number)

            saved = dict(await asyncio.gather(*map(save, range(WRITERS))))
            assert sorted(saved) == list(range(WRITERS))
            for version, text in saved.items():
                assert _text(await service.load_artifact(**HERE, filename="a", version=version)) == text
