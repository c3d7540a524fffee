"""A page with the client's modules, a WAV to be its microphone, and how loud a frequency is in what comes."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import wave
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from numpy.typing import NDArray

__all__ = ["decibels_at", "samples_of", "serving", "wav"]

FOLDERS = {"client": Path(__file__).parents[2] / "client" / "src", "stage": Path(__file__).parent}
PAGE = b"""<!doctype html><meta charset="utf-8"><title>client</title><link rel="icon" href="data:,">
<script type="module" src="/stage/stage.js"></script>"""


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """The address of a page that has the client's classes and `stage.js` as globals.

    End the browser first.
    """
    answering: set[asyncio.Task[None] | None] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.current_task())
        with contextlib.suppress(ConnectionError, IndexError):  # the browser was ended, or only tried the way
            await _answer(reader, writer)
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await asyncio.gather(*filter(None, answering))


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    path = (await reader.readline()).split()[1].decode()
    while (await reader.readline()).strip():
        pass
    found, kind, body = b"200 OK", b"text/javascript", b""
    match path.split("/"):
        case ["", ""]:
            kind, body = b"text/html", PAGE
        case ["", ("client" | "stage") as folder, name] if name.endswith(".js"):
            body = (FOLDERS[folder] / name).read_bytes()
        case _:
            found = b"404 Not Found"
    head = b"HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
    writer.write(head % (found, kind, len(body)) + body)
    await writer.drain()


def wav(path: Path, rate: int, seconds: float, *hertz: float) -> Path:
    """Tones of -20 dB each."""
    at = np.arange(round(rate * seconds)) / rate
    samples = sum((0.1 * np.sin(2 * np.pi * each * at) for each in hertz), np.zeros_like(at))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((samples * 32767).astype("<i2").tobytes())
    return path


def samples_of(base64_pcm: str) -> NDArray[np.float64]:
    return np.frombuffer(base64.b64decode(base64_pcm), dtype="<i2") / 32768


def decibels_at(hertz: float, samples: NDArray[np.float64], rate: int) -> float:
    """The loudest within 20 Hz of a frequency, against a sine of full scale."""
    spectrum = np.abs(np.fft.rfft(samples * np.blackman(len(samples)))) / (0.42 * len(samples) / 2)
    places = np.fft.rfftfreq(len(samples), 1 / rate)
    return float(20 * np.log10(spectrum[np.abs(places - hertz) <= 20].max() + 1e-12))
