"""`docs/guide.md`: its Python blocks, one after the other in one file, write what its text blocks say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing
from tests.examples.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.examples.conftest import RunScript


def blocks(language: str) -> list[str]:
    guide = (ROOT / "docs" / "guide.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", guide, re.MULTILINE | re.DOTALL)


async def test_the_guide_does_what_it_says(
    run_script: RunScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "crunching.py").write_text("def forecast(city: str) -> str:\n    return city\n")
    (tmp_path / "guide.py").write_text("\n".join(blocks("python")))
    async with LiveServer(timing=Timing.instant()) as server:
        ran = await run_script(tmp_path / "guide.py", base_url=server.base_url)
    assert (ran.err, ran.code) == ("", 0)
    assert ran.out == "".join(blocks("text"))
