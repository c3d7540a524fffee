"""A conversation of one turn with the bundled live server on this machine, and how long it took."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Trial", "hold"]

_WITHIN = 20.0
"""Seconds that all of it may take."""


@dataclass(frozen=True, slots=True)
class Trial:
    """How one conversation went. Times are in milliseconds."""

    name: str
    ok: bool
    connected: float | None = None
    """From the start until the model was ready."""
    answered: float | None = None
    """From the question to the first word or sound of the answer."""
    error: str | None = None


async def hold(*, tls: bool) -> Trial:
    """Never raises: what goes wrong is in `error`."""
    name = "TLS" if tls else "plain"
    try:
        async with asyncio.timeout(_WITHIN):
            return await _conversation(name, tls)
    except TimeoutError:
        return Trial(name, False, error=f"no answer within {_WITHIN:g} s")
    except Exception as error:
        return Trial(name, False, error=f"{type(error).__name__}: {' '.join(str(error).split())}")


async def _conversation(name: str, tls: bool) -> Trial:
    from antiphon.agents import Agent
    from antiphon.models.gemini import Gemini
    from antiphon.queue import LiveRequestQueue
    from antiphon.runtime import InMemoryRunner
    from antiphon.testing.live_server import LiveServer, Timing

    async with LiveServer(tls=tls, timing=Timing.instant()) as server:
        model = Gemini("gemini-3.8-live", api_key="self-test", base_url=server.base_url, vertexai=False)
        runner = InMemoryRunner(Agent(name="doctor", model=model))
        session = await runner.session_service.create_session(app_name=runner.app_name, user_id="doctor")
        queue = LiveRequestQueue()
        times: dict[str, float] = {"begun": time.perf_counter()}
        with _trusting(server.ca_file):
            events = runner.run_live(user_id="doctor", session_id=session.id, live_request_queue=queue)
            async with contextlib.aclosing(events):
                async for event in events:
                    if event.lifecycle is not None and event.lifecycle.kind == "ready":
                        times["ready"] = time.perf_counter()
                        queue.send_content("Hello.")
                    elif event.content is not None or event.output_transcription is not None:
                        times.setdefault("answered", time.perf_counter())
                    if event.turn_complete:
                        queue.close()
    if "answered" not in times:
        return Trial(name, False, error="the conversation ended without an answer")
    connected = 1000 * (times["ready"] - times["begun"])
    return Trial(name, True, connected, 1000 * (times["answered"] - times["ready"]))


@contextlib.contextmanager
def _trusting(ca_file: str | None) -> Iterator[None]:
    """Within the block, `SSL_CERT_FILE` names the authority."""
    if ca_file is None:
        yield
        return
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = ca_file
    try:
        yield
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before
