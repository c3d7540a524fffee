"""`FileArtifactService`: artifacts as files in a folder.

    root/apps/<app>/users/<user>/sessions/<session>/artifacts/<filename>/<version>/
    root/apps/<app>/users/<user>/artifacts/<filename>/<version>/        those of a user

A version is a folder with `about.json` (the name, the MIME type and all else that is said of the artifact)
and, if it has bytes, a file `content` with the name's ending, such as `content.wav`. The folder is made
elsewhere under the root, written through to the disk, and moved into place in one step that fails if the
place is taken: so a version is there whole or not at all, and no number is given twice, whoever else writes.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from antiphon.artifacts.names import file_name, name_of
from antiphon.artifacts.service import ArtifactScope, BaseArtifactService, artifact_part, artifact_scope
from antiphon.errors import AntiphonError, ConfigurationError
from antiphon.types import Blob, Part

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FileArtifactService"]

ABOUT: Final = "about.json"
UNFINISHED: Final = ".unfinished"
STALE: Final = 86_400.0
"""Seconds after which what somebody began to write, and never finished, is removed."""
_ENDING: Final = re.compile(r"\.[a-z0-9]{1,8}$")
_TAKEN: Final = frozenset({errno.EEXIST, errno.ENOTEMPTY, errno.EACCES, errno.EPERM})
"""How a move into a place that is taken fails; on Windows by a refusal."""


class FileArtifactService(BaseArtifactService):
    """Keeps artifacts below the folder `root`, which is made when it is needed.

    Any number of services, in any number of processes, may share a folder on one file system. Names may be
    anything (`antiphon.artifacts.names`). Files are read and written in threads. Errors of the file system
    are raised as they are (`OSError`); an artifact that cannot be read back is an `AntiphonError` with its
    path. Raises `ConfigurationError` for a `root` that is no folder.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = Path(root).absolute()
        if self.root.exists() and not self.root.is_dir():
            raise ConfigurationError(f"{self.root} is no folder: give FileArtifactService one of its own.")
        self._swept = False

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
        part = artifact_part(artifact)
        data = part.inline_data.data if part.inline_data else None

        def write(path: Path) -> None:
            path.write_bytes(data or b"")

        return await asyncio.to_thread(self._save, scope, filename, part, None if data is None else write)

    async def save_file(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        path: Path,
        mime_type: str,
        session_id: str | None = None,
    ) -> int:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        part = Part(inline_data=Blob(mime_type=mime_type))

        def write(content: Path) -> None:
            shutil.copyfile(path, content)

        return await asyncio.to_thread(self._save, scope, filename, part, write)

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
        return await asyncio.to_thread(self._load, self._place(scope, filename), version)

    async def list_artifact_keys(
        self, *, app_name: str, user_id: str, session_id: str | None = None
    ) -> list[str]:
        scopes = {ArtifactScope(app_name, user_id, owner) for owner in (None, session_id)}
        return await asyncio.to_thread(
            lambda: sorted(name for scope in scopes for name in self._names(scope))
        )

    async def delete_artifact(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> None:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        await asyncio.to_thread(self._delete, self._place(scope, filename))

    async def list_versions(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> list[int]:
        scope = artifact_scope(app_name=app_name, user_id=user_id, session_id=session_id, filename=filename)
        return await asyncio.to_thread(_versions, self._place(scope, filename))

    # In a thread.

    def _folder(self, scope: ArtifactScope) -> Path:
        folder = self.root / "apps" / file_name(scope.app_name) / "users" / file_name(scope.user_id)
        if scope.session_id is not None:
            folder = folder / "sessions" / file_name(scope.session_id)
        return folder / "artifacts"

    def _place(self, scope: ArtifactScope, filename: str) -> Path:
        return self._folder(scope) / file_name(filename)

    def _save(
        self, scope: ArtifactScope, filename: str, part: Part, write: Callable[[Path], None] | None
    ) -> int:
        self._sweep()
        made = self._unfinished()
        made.mkdir(parents=True)
        try:
            said = part.model_dump(mode="json", exclude_none=True, exclude={"inline_data": {"data"}})
            about: dict[str, Any] = {"filename": filename, "part": said}
            if write is not None:
                ending = _ENDING.search(filename.lower())
                about["content"] = f"content{ending[0] if ending else ''}"
                write(made / about["content"])
                _to_disk(made / about["content"])
            (made / ABOUT).write_text(json.dumps(about, indent=1), encoding="ascii")
            _to_disk(made / ABOUT)
            _to_disk(made)
            return _put(made, self._place(scope, filename))
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise

    def _load(self, place: Path, version: int | None) -> Part | None:
        if version is None:
            version = max(_versions(place), default=-1)
        folder = place / str(version)
        if version < 0 or not (folder / ABOUT).exists():
            return None
        try:
            about = json.loads((folder / ABOUT).read_bytes())
            if "content" in about:
                about["part"]["inline_data"]["data"] = (folder / about["content"]).read_bytes()
            return Part.model_validate(about["part"])
        except FileNotFoundError:
            if not folder.exists():  # deleted meanwhile
                return None
            raise
        except (ValueError, KeyError, TypeError) as error:
            raise AntiphonError(f"The artifact in {folder} is damaged: {error}") from error

    def _names(self, scope: ArtifactScope) -> list[str]:
        names: list[str] = []
        for place in _listed(self._folder(scope)):
            versions = _versions(place)
            if versions:
                name = name_of(place.name)
                if name is None:
                    name = json.loads((place / str(versions[0]) / ABOUT).read_bytes())["filename"]
                names.append(name)
        return names

    def _delete(self, place: Path) -> None:
        gone = self._unfinished()
        gone.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            os.rename(place, gone)
            shutil.rmtree(gone)

    def _unfinished(self) -> Path:
        return self.root / UNFINISHED / uuid4().hex

    def _sweep(self) -> None:
        """Removes what processes left that were killed while they wrote."""
        if self._swept:
            return
        self._swept = True
        for left in _listed(self.root / UNFINISHED):
            with suppress(FileNotFoundError):
                if left.stat().st_mtime < time.time() - STALE:
                    shutil.rmtree(left, ignore_errors=True)


def _put(made: Path, place: Path) -> int:
    """Moves a version to the first number that is free."""
    while True:
        place.mkdir(parents=True, exist_ok=True)
        number = max(_versions(place), default=-1) + 1
        try:
            os.rename(made, place / str(number))
        except FileNotFoundError:
            if not made.exists():
                raise
        except OSError as error:
            if error.errno not in _TAKEN or not (place / str(number)).exists():
                raise
        else:
            _to_disk(place)
            return number


def _versions(place: Path) -> list[int]:
    return sorted(int(each.name) for each in _listed(place) if each.name.isdecimal())


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []


def _to_disk(path: Path) -> None:
    """Has a file, or the names in a folder, written through to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # there folders cannot be opened, and their names need no writing through
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
