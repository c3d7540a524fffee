"""Where audio waits on the disk until it is an artifact: one folder per conversation that records.

    <root>/<invocation id>/about.json          whose it is
    <root>/<invocation id>/lock                held while the conversation lives: the system lets go of it
                                               when the process is killed
    <root>/<invocation id>/00001_user.wav      a recording, and whose voice it is, in 00001_user.json
    <root>/<invocation id>/conversation_….pcm  the sides of the timeline

Folders and files are the user's own (mode 0700, 0600): they hold voices.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from antiphon.runtime import wav

if TYPE_CHECKING:
    from antiphon.core.recording import Voice

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["CONVERSATION", "Owner", "Spool", "artifact_name", "default_root", "folders"]

CONVERSATION: Final = "conversation"
"""The whole conversation's file, but for its ending."""
_ABOUT: Final = "about.json"
_LOCK: Final = "lock"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose audio it is."""

    app_name: str
    user_id: str
    session_id: str
    invocation_id: str


def artifact_name(owner: Owner, stem: str) -> str:
    """What the recording is called as an artifact: those of one conversation sort as they began."""
    return f"live/{owner.invocation_id}/{stem}.wav"


def default_root() -> Path:
    """A folder of this user's own among the system's temporary files, which may go when it restarts."""
    whose = "" if sys.platform == "win32" else f"-{os.getuid()}"
    return Path(tempfile.gettempdir(), f"antiphon-spool{whose}")


class Spool:
    """One conversation's folder. Made by the first write; its methods block, and raise `OSError`."""

    def __init__(self, root: Path | None, owner: Owner) -> None:
        self.owner = owner
        self._root = root or default_root()
        self.folder = self._root / owner.invocation_id
        self._lock: int | None = None

    @property
    def is_open(self) -> bool:
        return self._lock is not None

    def open(self) -> None:
        """Makes the folder, and keeps others from taking it for one that was left behind."""
        if self.is_open:
            return
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._root == default_root():
            _refuse_what_is_not_ours(self._root)
        self.folder.mkdir(mode=0o700)
        self.path(_LOCK).touch(mode=0o600)
        self._lock = _lock(self.path(_LOCK), wait=True)  # somebody may be looking whether it was left behind
        self.path(_ABOUT).write_text(json.dumps(asdict(self.owner)), encoding="ascii")

    @classmethod
    def take(cls, folder: Path) -> Spool | None:
        """Takes over a folder that was left behind; `None` if it is in use, or gone."""
        lock: int | None = None
        try:
            lock = _lock(folder / _LOCK)
            if lock is None:
                return None
            owner = Owner(**json.loads((folder / _ABOUT).read_bytes()))
        except FileNotFoundError:  # somebody else was faster, or it is only being made
            if lock is not None:
                os.close(lock)
            return None
        spool = cls(folder.parent, owner)
        spool._lock = lock
        return spool

    def path(self, name: str) -> Path:
        return self.folder / name

    def append(self, stem: str, voice: Voice, pcm: bytes, rate: int) -> None:
        """Adds to a recording."""
        self.open()
        beside = self.path(f"{stem}.json")
        if not beside.exists():
            beside.write_text(json.dumps(asdict(voice)), encoding="ascii")
        wav.append(self.path(f"{stem}.wav"), pcm, rate)

    def remove(self, stem: str) -> None:
        """Forgets all files of that name: they are an artifact now."""
        for path in self.folder.glob(f"{stem}*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the folder, which is removed if nothing is left in it. Twice is fine."""
        lock, self._lock = self._lock, None
        if lock is None:
            return
        names = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else set()
        if sys.platform == "win32":
            os.close(lock)  # there nobody can remove an open file
        if names <= {_ABOUT, _LOCK}:
            shutil.rmtree(self.folder, ignore_errors=True)
        if sys.platform != "win32":
            os.close(lock)


def folders(root: Path | None) -> list[Path]:
    """The folders of all conversations that record, or did and have left something behind."""
    root = root or default_root()
    return sorted(root.iterdir()) if root.is_dir() else []


def _refuse_what_is_not_ours(root: Path) -> None:
    """A folder with a known name, where anybody may make folders, must be this user's."""
    if sys.platform != "win32":
        found = root.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
            raise PermissionError(
                f"{root} is no folder of this user's own: give RunConfig(recording_spool=…) one that is."
            )


def _lock(path: Path, *, wait: bool = False) -> int | None:
    """Locks the file while its descriptor is open; `None` if somebody else has, and is not waited for."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
