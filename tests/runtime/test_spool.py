"""Where audio waits on the disk."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from antiphon.core.recording import Voice
from antiphon.runtime.spool import Owner, Spool, artifact_name, default_root, folders

if TYPE_CHECKING:
    from pathlib import Path

OWNER = Owner("app", "änn/../x", "s1", "e-1")
VOICE = Voice("user", "user")


def test_nothing_is_made_before_there_is_audio(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", OWNER)
    assert not spool.is_open
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_nobody_elses(tmp_path: Path) -> None:
    # contract 4.3: in this process or another
    spool = Spool(tmp_path, OWNER)
    spool.append("00001_user", VOICE, b"\1\0", 16_000)
    assert folders(tmp_path) == [spool.folder]
    assert Spool.take(spool.folder) is None
    spool.close()
    left = Spool.take(spool.folder)
    assert left
    assert left.owner == OWNER
    left.remove("00001_user")
    left.close()
    left.close()
    assert folders(tmp_path) == []
    assert Spool.take(spool.folder) is None


def test_what_somebody_else_has_just_cleared_away_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "e-1"
    folder.mkdir()
    (folder / "lock").touch()
    assert Spool.take(folder) is None


def test_a_folder_that_is_only_being_made_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 4.3: whoever looks at each step finds nothing to recover, and the conversation has its folder
    spool = Spool(tmp_path, OWNER)
    touch, write = type(tmp_path).touch, type(tmp_path).write_text
    looked: list[Spool | None] = []

    def look(step: Any) -> Any:
        def stepped(path: Path, *rest: Any, **more: Any) -> None:
            looked.append(Spool.take(spool.folder))
            step(path, *rest, **more)
            if step is touch:
                looked.append(Spool.take(spool.folder))

        return stepped

    monkeypatch.setattr(type(tmp_path), "touch", look(touch))
    monkeypatch.setattr(type(tmp_path), "write_text", look(write))
    spool.open()
    assert looked == [None] * 3
    assert Spool.take(spool.folder) is None
    spool.close()
    assert folders(tmp_path) == folders(tmp_path / "none") == []


def test_a_folder_that_an_administrator_has_removed_is_let_go_of(tmp_path: Path) -> None:
    spool = Spool(tmp_path, OWNER)
    spool.append("00001_user", VOICE, b"\1\0", 16_000)
    shutil.rmtree(spool.folder)
    spool.close()


def test_removing_one_recording_leaves_the_others(tmp_path: Path) -> None:
    spool = Spool(tmp_path, OWNER)
    for stem in ("00001_user", "00002_model"):
        spool.append(stem, VOICE, b"\1\0", 16_000)
    spool.remove("00001_user")
    assert {path.name for path in spool.folder.iterdir()} == {
        "about.json",
        "lock",
        "00002_model.wav",
        "00002_model.json",
    }
    spool.close()
    assert spool.folder.exists(), "what is left is to be recovered"


def test_recordings_of_a_conversation_sort_as_they_began() -> None:
    # contract 4.3
    names = [artifact_name(OWNER, stem) for stem in ("00009_user", "00010_model", "conversation")]
    assert names == sorted(names)
    assert names[0] == "live/e-1/00009_user.wav"


def test_by_default_it_is_a_folder_of_this_user_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    spool = Spool(None, OWNER)
    spool.open()
    spool.open()
    assert spool.folder.parent == default_root()
    assert spool.folder.parent.parent == tmp_path
    for folder in (default_root(), spool.folder):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    spool.close()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="temporary folders are the user's own there")
def test_a_folder_that_somebody_else_has_put_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # contract 8.7: it would hear every conversation
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    default_root().mkdir()
    default_root().chmod(0o777)
    with pytest.raises(PermissionError, match=r"recording_spool=…"):
        Spool(None, OWNER).open()
    default_root().rmdir()
    (tmp_path / "theirs").mkdir()
    default_root().symlink_to(tmp_path / "theirs")
    with pytest.raises(PermissionError):
        Spool(None, OWNER).open()
