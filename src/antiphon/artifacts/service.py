"""The interface of what keeps artifacts: named files with versions, of a session or of a user.

Rule 1  A filename that begins with `user:` belongs to the user and is the same in all of the user's sessions;
        any other belongs to one session. The prefix is part of the name wherever names are given or listed.
Rule 2  Every save makes a new version, numbered from 0 without gaps. What was saved is never changed.
Rule 3  Nobody reaches another user's or application's artifacts (contract 8.7).
"""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import quote, unquote

from antiphon import types
from antiphon.errors import UsageError
from antiphon.state import USER_PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from antiphon.types import Part

__all__ = ["ArtifactAddress", "ArtifactScope", "BaseArtifactService", "artifact_part", "artifact_scope"]

_ADDRESS = re.compile(
    r"artifact://apps/([^/]+)/users/([^/]+)(?:/sessions/([^/]+))?/artifacts/([^/]+)/versions/(\d+)"
)


class ArtifactScope(NamedTuple):
    """Whose an artifact is; `session_id` is `None` for those of a user."""

    app_name: str
    user_id: str
    session_id: str | None


class ArtifactAddress(NamedTuple):
    """One version of one artifact. Its `uri` is what an event's `file_data.file_uri` holds (contract 4.3)."""

    app_name: str
    user_id: str
    session_id: str | None
    """`None` for the artifacts of a user."""
    filename: str
    version: int

    @property
    def uri(self) -> str:
        """`artifact://apps/…/users/…[/sessions/…]/artifacts/…/versions/…`, each piece percent-encoded."""
        app, user, name = (quote(piece, safe=":") for piece in (self.app_name, self.user_id, self.filename))
        session = "" if self.session_id is None else f"/sessions/{quote(self.session_id, safe=':')}"
        return f"artifact://apps/{app}/users/{user}{session}/artifacts/{name}/versions/{self.version}"

    @classmethod
    def parse(cls, uri: str) -> Self | None:
        """Read a `uri` back; `None` if it is of another kind. It grants nothing: check whose it is."""
        if (found := _ADDRESS.fullmatch(uri)) is None:
            return None
        app, user, session, name, version = found.groups()
        session_id = None if session is None else unquote(session)
        return cls(unquote(app), unquote(user), session_id, unquote(name), int(version))


def artifact_scope(*, app_name: str, user_id: str, session_id: str | None, filename: str) -> ArtifactScope:
    """Where an artifact of this name is kept: rule 1.

    Raises:
        UsageError: a name is blank, or `session_id` is `None` and the filename does not begin with `user:`.
    """
    names = {"app_name": app_name, "user_id": user_id, "filename": filename.removeprefix(USER_PREFIX)}
    if session_id is not None:
        names["session_id"] = session_id
    for name, value in names.items():
        if not value.strip():
            raise UsageError(f"{name} is blank ({value!r}): pass a name that is not.")
    if filename.startswith(USER_PREFIX):
        return ArtifactScope(app_name, user_id, None)
    if session_id is None:
        raise UsageError(
            f"{filename!r} belongs to a session: pass session_id, or call it {USER_PREFIX + filename!r} "
            "to keep it for all sessions of the user."
        )
    return ArtifactScope(app_name, user_id, session_id)


def artifact_part(artifact: Part | Mapping[str, Any]) -> Part:
    """What is to be saved, as a `Part` of ours: also from a mapping or a `google.genai.types.Part`.

    Raises:
        UsageError: the part holds neither `text` nor `inline_data` nor `file_data`.
    """
    part = types.Part.model_validate(artifact)
    if part.text is None and part.inline_data is None and part.file_data is None:
        raise UsageError("An artifact holds text, inline_data or file_data: there is nothing else to save.")
    return part


class BaseArtifactService(ABC):
    """What keeps artifacts. One service is shared by all conversations of an application (contract 1.2).

    Wherever there is a `filename`, `session_id` may be left out if it begins with `user:`; otherwise that is
    a `UsageError`, and so is a blank name. Whoever writes a service runs
    `antiphon.testing.contracts.ArtifactServiceContract` over it.
    """

    @abstractmethod
    async def save_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        artifact: Part | dict[str, Any],
        session_id: str | None = None,
    ) -> int:
        """Save a new version and return its number, counted from 0.

        Saves at the same moment get different numbers. `artifact` may be a mapping or a
        `google.genai.types.Part` as well.

        Raises:
            UsageError: there is nothing in it to save.
        """

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
        """Save what is in the file at `path`, like `save_artifact`; the file stays the caller's.

        Here it is read whole into memory; a service that can do without should.
        """
        data = await asyncio.to_thread(path.read_bytes)
        part = types.Part.from_bytes(data=data, mime_type=mime_type)
        return await self.save_artifact(
            app_name=app_name, user_id=user_id, filename=filename, artifact=part, session_id=session_id
        )

    @abstractmethod
    async def load_artifact(
        self,
        *,
        app_name: str,
        user_id: str,
        filename: str,
        session_id: str | None = None,
        version: int | None = None,
    ) -> Part | None:
        """The artifact as it was saved, the latest version or the one asked for; `None` if there is none."""

    @abstractmethod
    async def list_artifact_keys(
        self, *, app_name: str, user_id: str, session_id: str | None = None
    ) -> list[str]:
        """The filenames of the session and of the user, sorted; without `session_id` those of the user.

        Each can be loaded by the name it is listed under.
        """

    @abstractmethod
    async def delete_artifact(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> None:
        """Delete all versions; the next one saved is 0 again. No such artifact is no error."""

    @abstractmethod
    async def list_versions(
        self, *, app_name: str, user_id: str, filename: str, session_id: str | None = None
    ) -> list[int]:
        """The numbers of the versions there are, in ascending order; none for an unknown name."""

    async def close(self) -> None:
        """Let go of connections and threads. The service is not used afterwards; twice is fine."""
        return None
