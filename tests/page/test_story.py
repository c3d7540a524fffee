"""What the page makes of events, by Node's runner: no browser is needed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE.parents[1] / "src" / "antiphon" / "server" / "page" / "files" / "js"


def test_the_story_of_a_conversation(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("There is no node here: install Node.js 20 or newer.")
    for path in (*MODULES.glob("*.js"), HERE / "story.test.js"):
        shutil.copy(path, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    told = subprocess.run(
        [node, "--test", "--test-reporter=tap", "story.test.js"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert re.search(r"^# fail 0$", told.stdout, re.MULTILINE), told.stdout[-5000:]
