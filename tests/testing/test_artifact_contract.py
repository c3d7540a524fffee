"""Every test of the contract fails for a service that does what it forbids."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.artifacts import InMemoryArtifactService
from antiphon.errors import UsageError
from antiphon.testing.artifact_contract import ArtifactServiceContract
from antiphon.types import Blob, Part

if TYPE_CHECKING:
    from pathlib import Path


class TextOnly(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        part = await super().load_artifact(**names)
        return part and Part(text=part.text or "")


class CountsFromOne(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        return await super().save_artifact(**names) + 1


class LoadsTheFirst(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        return await super().load_artifact(**{"version": 0} | names)


class WrapsAround(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        version = names.pop("version", None)
        return await super().load_artifact(**names, version=None if version == -1 else version)


class TakesNamesForPaths(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        return await super().save_artifact(**names | {"filename": names["filename"].replace("../", "")})


class KeepsAllBySession(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        prefixed = names["filename"].startswith("user:")
        return await super().save_artifact(
            **names | ({"filename": names["filename"][5:]} if prefixed else {})
        )


class MixesUsers(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        return await super().load_artifact(**names | {"user_id": "user"})


class DeletesNothing(InMemoryArtifactService):
    async def delete_artifact(self, **names: Any) -> None: ...


class TakesAnyName(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        try:
            return await super().load_artifact(**names)
        except UsageError:
            return None


class SavesNothing(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        try:
            return await super().save_artifact(**names)
        except UsageError:
            return 0


class TakesPartsOnly(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        assert isinstance(names["artifact"], Part)
        return await super().save_artifact(**names)


class SharesParts(InMemoryArtifactService):
    async def load_artifact(self, **names: Any) -> Part | None:
        part = await super().load_artifact(**names)
        for kept in self._scopes.values():
            for versions in kept.values():
                versions[:] = [part or Part(inline_data=Blob())]
        return part


class LosesRaces(InMemoryArtifactService):
    async def save_artifact(self, **names: Any) -> int:
        version = len(await self.list_versions(**{name: names[name] for name in names if name != "artifact"}))
        await asyncio.sleep(0)
        await super().save_artifact(**names)
        return version


class TakesFilesAway(InMemoryArtifactService):
    async def save_file(self, *, path: Path, **names: Any) -> int:
        version = await super().save_file(path=path, **names)
        await asyncio.to_thread(path.unlink)
        return version


class ClosesOnce(InMemoryArtifactService):
    async def close(self) -> None:
        del self._scopes


BROKEN: dict[str, list[type[InMemoryArtifactService]]] = {
    "what_was_saved_is_loaded": [TextOnly],
    "versions_count_from_zero_and_the_latest_is_loaded": [CountsFromOne, LoadsTheFirst],
    "what_is_not_there_is_none": [WrapsAround],
    "any_name_is_a_name": [TakesNamesForPaths],
    "artifacts_of_a_user_are_in_all_of_the_users_sessions": [KeepsAllBySession],
    "nobody_reaches_another_ones_artifacts": [MixesUsers],
    "deleted_artifact_is_gone_in_all_versions": [DeletesNothing],
    "session_files_need_a_session_and_a_name": [TakesAnyName],
    "nothing_to_save_is_refused": [SavesNothing],
    "mappings_are_taken": [TakesPartsOnly],
    "a_file_is_saved_like_any_artifact": [TakesFilesAway],
    "nothing_is_shared_with_the_store": [SharesParts],
    "concurrent_saves_get_versions_of_their_own": [LosesRaces],
    "closing_twice_is_fine": [ClosesOnce],
}


def contract(service: type[InMemoryArtifactService], name: str) -> Any:
    class Held(ArtifactServiceContract):
        async def make_service(self) -> InMemoryArtifactService:
            return service()

    return getattr(Held(), f"test_{name}")


@pytest.mark.parametrize(
    ("name", "service"),
    [(name, service) for name, services in BROKEN.items() for service in services],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
async def test_broken_service_fails(name: str, service: type[InMemoryArtifactService]) -> None:
    await contract(InMemoryArtifactService, name)()
    broken = contract(service, name)
    with pytest.raises((AssertionError, AttributeError, FileNotFoundError, UsageError)):
        await broken()


def test_every_clause_is_seen_to_fail() -> None:
    tests = [name for name, _ in inspect.getmembers(ArtifactServiceContract) if name.startswith("test_")]
    assert {f"test_{name}" for name in BROKEN} == set(tests)
