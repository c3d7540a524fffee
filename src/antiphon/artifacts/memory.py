"""`InMemoryArtifactService`: artifacts that last as long as the process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from antiphon.artifacts.service import ArtifactScope, BaseArtifactService, artifact_part, artifact_scope

if TYPE_CHECKING:
    from antiphon.types import Part

__all__ = ["InMemoryArtifactService"]


class InMemoryArtifactService(BaseArtifactService):
    """Keeps artifacts in this process: for development, tests, and servers that may forget.

    Safe for any number of conversations in one event loop, and from several threads. Parts are copied on
    their way in and out; their bytes are not. What it keeps grows until artifacts are deleted.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scopes: dict[ArtifactScope, dict[str, list[Part]]] = {}

    async def save_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        artifact: Part | dict[str, Any],
        session_id: str | None = None,
    ) -> int:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        part = artifact_part(artifact).model_copy(deep=True)
        with self._lock:
            versions = self._scopes.setdefault(scope, {}).setdefault(filename, [])
            versions.append(part)
            return len(versions) - 1

    async def load_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        session_id: str | None = None,
        version: int | None = None,
    ) -> Part | None:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        with self._lock:
            versions = self._scopes.get(scope, {}).get(filename, [])
            index = len(versions) - 1 if version is None else version
            if not 0 <= index < len(versions):
                return None
            part = versions[index]
        return part.model_copy(deep=True)

    async def list_artifact_keys(
        self, *, app_name: str, user_id: str, session_id: str | None = None
    ) -> list[str]:
        scopes = {ArtifactScope(app_name, user_id, owner) for owner in (None, session_id)}
        with self._lock:
            return sorted(name for scope in scopes for name in self._scopes.get(scope, {}))

    async def delete_artifact(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> None:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        with self._lock:
            names = self._scopes.get(scope, {})
            names.pop(filename, None)
            if not names:
                self._scopes.pop(scope, None)

    async def list_versions(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> list[int]:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        with self._lock:
            return list(range(len(self._scopes.get(scope, {}).get(filename, []))))
