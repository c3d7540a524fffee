"""The demo's agent behind its server, a browser at its page, and what is said into its microphone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soxr
import uvicorn
from fastapi.responses import FileResponse

from antiphon import InMemoryRunner, RunConfig
from antiphon.cli.samples import SUGGESTIONS, demo_agent
from antiphon.models.local.voice import LocalVoice
from antiphon.server.app import create_app
from antiphon.server.direct import DirectWebSockets
from tests.chromium import Page, chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from antiphon.runtime import Runner
    from antiphon.server.access import Access
    from antiphon.server.limits import ServerLimits

__all__ = ["RATE", "READY", "Scene", "Site", "heard_by_page", "microphone", "scene"]

RATE = 16_000
EAR = Path(__file__).parent / "ear.js"
READY = "document.documentElement.dataset.ready"

# Keeps what leaves the page's player, with the audio clock's time in milliseconds for each block of samples.
LISTEN = """(async () => {
  const { player } = antiphon.talk;
  await player.start();
  const { context } = player;
  await context.audioWorklet.addModule("/ear.js");
  const node = new AudioWorkletNode(context, "ear");
  globalThis.ear = { node, rate: context.sampleRate, blocks: [], now: () => context.currentTime * 1000 };
  node.port.onmessage = ({ data }) => ear.blocks.push(data);
  player.output.connect(node).connect(context.destination);
})()"""
HEARD = """(() => {
  const { blocks, rate } = globalThis.ear;
  const all = new Int16Array(blocks.length * 128);
  blocks.forEach(({ samples }, index) => samples && all.set(samples.map((one) => one * 32767), index * 128));
  const bytes = new Uint8Array(all.buffer);
  let text = "";
  for (let index = 0; index < bytes.length; index += 32768) {
    text += String.fromCharCode(...bytes.subarray(index, index + 32768));
  }
  return { rate, pcm: btoa(text) };
})()"""


@dataclass
class Site:
    """The server, which can be stopped and started again at the same address."""

    runner: Runner
    limits: ServerLimits | None = None
    access: Access | None = None
    port: int = 0
    _server: uvicorn.Server | None = None
    _serving: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    async def start(self) -> None:
        listening = socket.create_server(("127.0.0.1", self.port))
        self.port = listening.getsockname()[1]
        config = RunConfig(record_conversation=True)
        app = create_app(
            self.runner,
            run_config=config,
            limits=self.limits,
            access=self.access,
            suggestions=SUGGESTIONS,
        )
        app.add_api_route("/ear.js", lambda: FileResponse(EAR, media_type="text/javascript"))
        wanted = uvicorn.Config(
            app,
            ws=DirectWebSockets,
            log_config=None,
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(wanted)
        self._server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
        self._serving = asyncio.create_task(self._serve(listening))

    async def _serve(self, listening: socket.socket) -> None:
        assert self._server is not None
        with listening:
            await self._server.serve(sockets=[listening])

    async def stop(self) -> None:
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
            self._server = None


@dataclass
class Scene:
    """A page that is open."""

    page: Page
    site: Site

    async def state(self, name: str, seconds: float = 15) -> None:
        await self.page.until(f"document.getElementById('state').dataset.state === '{name}'", seconds)

    async def said(self, who: str, text: str, seconds: float = 15) -> None:
        """Waits until the conversation shows that `user` or `agent` said it."""
        words = (
            f"[...document.querySelectorAll('.{who} .words')].some((one) => /{text}/i.test(one.textContent))"
        )
        await self.page.until(words, seconds)

    async def say(self, text: str) -> None:
        await self.page.write("#message", text)
        await self.page.key("Enter")

    async def connected(self) -> None:
        """The conversation is there before anything else happens."""
        await self.page.run("antiphon.talk.begin()")
        await self.page.until("antiphon.talk.conversation.state === 'listening'")

    async def listen(self) -> None:
        """From now on, keeps what the page sounds."""
        await self.page.run(LISTEN)


@contextlib.asynccontextmanager
async def scene(
    folder: Path,
    sound: Path | None = None,
    *flags: str,
    runner: Runner | None = None,
    limits: ServerLimits | None = None,
    access: Access | None = None,
    fragment: str = "",
) -> AsyncIterator[Scene]:
    """A server, a browser with that microphone, which is allowed, and the page, ready."""
    if runner is None:
        voice = LocalVoice()
        await voice.prepare()
        runner = InMemoryRunner(demo_agent(voice), app_name="demo")
    site = Site(runner, limits, access)
    await site.start()
    try:
        async with chromium(folder, sound, *flags) as page:
            if sound is not None:
                await page.permit("microphone", "granted", site.address)
            await page.open(site.address + fragment)
            await page.until(READY)
            yield Scene(page, site)
            assert not [error for error in page.errors if "ERR_CONNECTION" not in error], page.errors
    finally:
        await site.stop()


def microphone(folder: Path, *parts: bytes | float) -> Path:
    """A WAV of these: sound, or seconds of silence."""
    path = folder / "microphone.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for part in parts:
            file.writeframes(part if isinstance(part, bytes) else bytes(2 * int(RATE * part)))
    return path


async def heard_by_page(page: Page) -> tuple[np.ndarray[Any, Any], bytes]:
    """What the page sounded since `listen`: samples from -1 to 1, and 16 kHz PCM for a recogniser, with 0.3 s
    of silence around it."""
    told = await page.run(HEARD)
    samples = np.frombuffer(base64.b64decode(told["pcm"]), np.int16).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 300)
    sounding = samples[loud[0] : loud[-1]] if len(loud) else samples[:0]
    resampled = np.pad(soxr.resample(sounding, told["rate"], RATE), int(0.3 * RATE))
    return samples / 32_768, np.clip(resampled, -32_768, 32_767).astype(np.int16).tobytes()
