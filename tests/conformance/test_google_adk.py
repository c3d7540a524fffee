"""google-adk, unmodified, in an environment of its own, talks to the bundled server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from antiphon.testing.live_server import LiveServer, Timing

HERE = Path(__file__).parent
ADK = Path(os.environ.get("ANTIPHON_ADK_PYTHON", HERE.parents[1] / ".venv-adk/bin/python"))


@pytest.fixture
def adk() -> Path:
    assert ADK.exists(), f"no google-adk at {ADK}: run `make adk-env`, or set ANTIPHON_ADK_PYTHON"
    return ADK


@pytest.mark.timeout(120)
async def test_google_adk_holds_a_conversation_with_a_tool(adk: Path) -> None:
    async with LiveServer(tls=True, timing=Timing.instant()) as server:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("GOOGLE_", "GEMINI_"))
        }
        client = await asyncio.create_subprocess_exec(
            adk,
            HERE / "adk_conversation.py",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=kept
            | {
                "GOOGLE_API_KEY": "any",
                "GOOGLE_GEMINI_BASE_URL": server.base_url,
                "SSL_CERT_FILE": str(server.ca_file),
                "NO_PROXY": "localhost,127.0.0.1",
            },
        )
        out, err = await client.communicate()
    assert client.returncode == 0, err.decode()[-4000:]
    seen = json.loads(out.decode().strip().splitlines()[-1])
    assert seen["calls"] == [["get_weather", {"city": "Paris"}]]
    assert seen["responses"] == [{"city": "Paris", "celsius": 21}]
    assert seen["audio"] > 0
    assert seen["transcript"]
