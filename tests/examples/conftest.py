"""Runs what is in `examples/` as its reader does, against a `LiveServer` on this machine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PATIENCE = 20.0
CREDENTIALS = ("GOOGLE_", "GEMINI_", "AGENT_MODEL")


class Ran(NamedTuple):
    """What a script wrote, and how it ended."""

    out: str
    err: str
    code: int | None


RunScript = Callable[..., Awaitable[Ran]]


@pytest.fixture
def run_script() -> RunScript:
    """Runs a script with these arguments in a process of its own, without a key; it knows `base_url`."""

    async def run(script: Path | str, *arguments: str, base_url: str | None = None) -> Ran:
        env = {name: value for name, value in os.environ.items() if not name.startswith(CREDENTIALS)}
        if base_url is not None:
            env["GOOGLE_GEMINI_BASE_URL"] = base_url
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "error", ROOT / script, *arguments,
            env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                out, err = await process.communicate()
        except TimeoutError:
            process.kill()
            out, err = await process.communicate()
            pytest.fail(f"{script} did not end; it wrote:\n{out.decode()}\n{err.decode()}", pytrace=False)
        return Ran(out.decode(), err.decode(), process.returncode)

    return run


def in_order(text: str, *lines: str) -> bool:
    """Whether the lines occur in the text, each as a whole, in this order."""
    left = iter(text.splitlines())
    return all(line in left for line in lines)
