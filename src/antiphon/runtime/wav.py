"""WAV files that grow. After every write they are whole: what a killed process leaves can be played."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

__all__ = ["HEADER", "append", "header", "interleave", "open_private", "repair"]

HEADER: Final = 44
"""Bytes before the audio."""
BLOCK: Final = 1 << 20
"""Bytes of each voice that are held while two are put together."""
_LAYOUT: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")


def header(size: int, rate: int, channels: int = 1) -> bytes:
    """What stands before `size` bytes of 16-bit PCM."""
    frame = 2 * channels
    size -= size % frame  # half a sample waits for its other half
    of_format = (16, 1, channels, rate, rate * frame, frame, 16)
    return _LAYOUT.pack(b"RIFF", size + HEADER - 8, b"WAVE", b"fmt ", *of_format, b"data", size)


def open_private(path: Path) -> BinaryIO:
    """Opens a file to be read and written anywhere; it is made if it is not there, for this user alone."""
    return open(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600), "r+b")


def append(path: Path, pcm: bytes, rate: int) -> None:
    """Adds 16-bit mono PCM to the file, which is made if it is not there."""
    with open_private(path) as file:
        end = max(file.seek(0, os.SEEK_END), HEADER)
        file.write(pcm) if end > HEADER else file.write(header(len(pcm), rate) + pcm)
        file.seek(0)
        file.write(header(end - HEADER + len(pcm), rate))


def repair(path: Path) -> bool:
    """Has the header say how much audio there is; False if there is none."""
    with path.open("r+b") as file:
        told = file.read(HEADER)
        size = file.seek(0, os.SEEK_END) - HEADER
        if size < 2:
            return False
        fields = _LAYOUT.unpack(told)
        file.seek(0)
        file.write(header(size, rate=fields[7], channels=fields[6]))
    return True


def interleave(left: Path, right: Path, rate: int, into: Path) -> None:
    """Puts two files of bare 16-bit PCM together as the two sides of a WAV; the shorter ends in silence."""
    size = max(_size(left), _size(right))
    with into.open("wb") as file:
        file.write(header(2 * size, rate, channels=2))
        for start in range(0, size, BLOCK):
            length = min(BLOCK, size - start)
            both = bytearray(2 * length)
            for side, path in enumerate((left, right)):
                pcm = _read(path, start, length)
                both[2 * side :: 4], both[2 * side + 1 :: 4] = pcm[0::2], pcm[1::2]
            file.write(both)


def _size(path: Path) -> int:
    """Bytes of whole samples."""
    return path.stat().st_size // 2 * 2 if path.exists() else 0


def _read(path: Path, start: int, length: int) -> bytes:
    if not path.exists():
        return bytes(length)
    with path.open("rb") as file:
        file.seek(start)
        pcm = file.read(length)
    return pcm[: len(pcm) // 2 * 2].ljust(length, b"\0")
