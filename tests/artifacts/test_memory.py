"""`InMemoryArtifactService` under its contract, and what is its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from antiphon.artifacts import InMemoryArtifactService
from antiphon.testing.contracts import ArtifactServiceContract
from antiphon.types import Part


class TestContract(ArtifactServiceContract):
    async def make_service(self) -> InMemoryArtifactService:
        return InMemoryArtifactService()


def test_threads_get_versions_of_their_own() -> None:  # contract 1.2
    service = InMemoryArtifactService()

    async def save() -> list[int]:
        part = Part(text="x")
        return [
            await service.save_artifact(app_name="a", user_id="u", filename="user:f", artifact=part)
            for _ in range(50)
        ]

    with ThreadPoolExecutor(8) as pool:
        versions = [number for saved in pool.map(asyncio.run, [save() for _ in range(8)]) for number in saved]

    assert sorted(versions) == list(range(400))


async def test_deleting_leaves_nothing_behind() -> None:
    service = InMemoryArtifactService()
    await service.save_artifact(app_name="a", user_id="u", filename="user:f", artifact=Part(text="x"))
    await service.delete_artifact(app_name="a", user_id="u", filename="user:f")
    assert service._scopes == {}
