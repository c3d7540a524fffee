"""ONNX Runtime keeps to itself."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from antiphon.models.local.onnx import OPT_OUT, keep_quiet

PROGRAM = """
import os
from antiphon.models.local.silero import Silero
Silero().detector()
held = (os.readlink(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd") if number.isdigit()
        and os.path.islink(f"/proc/self/fd/{number}"))
print([path for path in held if path.endswith(".db") or path.startswith("socket")])
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
def test_nothing_is_collected_or_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(OPT_OUT, raising=False)
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=50
    )
    assert ran.stdout.strip() == "[]"


def test_what_the_environment_says_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPT_OUT, "0")
    keep_quiet()
    assert os.environ[OPT_OUT] == "0"
