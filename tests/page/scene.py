"""The demo's agent behind its server, a browser at its page, and what is said into its microphone."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

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

__all__ = [
    "RATE",
    "READY",
    "Scene",
    "Site",
    "heard_by_page",
    "microphone",
    "received_by_page",
    "scene",
    "share_heard",
]

Sound: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"

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
# Keeps what comes from the server.
RECEIVE = """(() => {
  globalThis.came = [];
  antiphon.talk.conversation.on("audio", ({ pcm, rate }) => came.push({ pcm: pcm.slice(), rate }));
})()"""
RECEIVED = """(() => {
  const all = came.flatMap(({ pcm }) => [...pcm]);
  return { rate: came[0]?.rate ?? 0, samples: all };
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

    async def receive(self) -> None:
        """From now on, keeps the sound that comes from the server."""
        await self.page.run(RECEIVE)


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


async def heard_by_page(page: Page) -> Sound:
    """What the page sounded since `listen`: samples from -1 to 1, at `RATE`."""
    told = await page.run(HEARD)
    return _sound(np.frombuffer(base64.b64decode(told["pcm"]), np.int16), told["rate"])


async def received_by_page(page: Page) -> Sound:
    """What came from the server since `receive`, in the same way."""
    told = await page.run(RECEIVED)
    return _sound(np.array(told["samples"], np.int16), told["rate"])


def share_heard(received: Sound, heard: Sound) -> float:
    """How much of what was received was heard: of its stretches of 0.2 s, wherever a busy machine may have
    torn them apart."""
    size = RATE // 5
    stretches = [received[at : at + size] for at in range(0, len(received) - size, size)]
    loud = [each for each in stretches if (each**2).mean() > 0.01**2]
    return sum(_likeness(each, heard) > 0.8 for each in loud) / len(loud) if loud else 0.0


def _likeness(stretch: Sound, heard: Sound) -> float:
    """1 where the stretch is somewhere in what was heard, however loud."""
    length = len(heard) + len(stretch)
    products = np.fft.irfft(np.fft.rfft(heard, length) * np.conj(np.fft.rfft(stretch, length)), length)
    until = np.concatenate([[0.0], np.cumsum(heard**2), np.full(len(stretch), (heard**2).sum())])
    energies = until[len(stretch) :][: len(heard)] - until[: len(heard)]
    there = products[: len(heard)] / np.sqrt(np.maximum(energies, 1e-3) * (stretch**2).sum())
    return float(there.max(initial=0.0))


def _sound(samples: np.ndarray[Any, Any], rate: int) -> Sound:
    return soxr.resample(samples.astype(np.float64) / 32_768, rate, RATE) if len(samples) else np.zeros(0)
