"""`docs/tutorial.md`: its Python blocks, one after the other in one file, write what its text blocks say."""

from __future__ import annotations

import re
import wave
from typing import TYPE_CHECKING

from antiphon.testing.live_server import LiveServer, Timing, tone
from tests.examples.conftest import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.examples.conftest import RunScript

TUTORIAL = ROOT / "docs" / "tutorial.md"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TUTORIAL.read_text(), re.MULTILINE | re.DOTALL)


async def test_the_tutorial_does_what_it_says(
    run_script: RunScript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with wave.open("question.wav", "wb") as recording:
        recording.setparams((1, 2, 16_000, 0, "NONE", ""))
        recording.writeframes(tone(1.0))
    (tmp_path / "tutorial.py").write_text("\n".join(blocks("python")))

    long_enough_to_cut_in = Timing.instant(playback=0.02)
    async with LiveServer(timing=long_enough_to_cut_in) as server:
        ran = await run_script(tmp_path / "tutorial.py", base_url=server.base_url)

    assert (ran.err, ran.code) == ("", 0)
    assert ran.out == "".join(blocks("text"))
    with wave.open("answer.wav") as answer:
        assert (answer.getframerate(), answer.getnframes() > 24_000) == (24_000, True)


def test_the_tutorial_has_seven_steps() -> None:
    assert re.findall(r"^## (\d)", TUTORIAL.read_text(), re.MULTILINE) == list("1234567")
