"""Names of artifacts as names of files: any name, on any file system, and back.

Rule 1  Only `a-z`, `0-9`, `-`, `_` and inner dots stand for themselves; any other byte of the name's UTF-8 is
        written `%xx`. Capitals too: there are file systems on which `A` and `a` are one name.
Rule 2  No name is special: neither `.` and `..`, nor what Windows keeps for devices.
Rule 3  A name too long for a file system is its beginning, `~`, and its SHA-256: what it was stands beside.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from urllib.parse import unquote_to_bytes

__all__ = ["LONGEST", "file_name", "name_of"]

LONGEST: Final = 160
"""Characters of a file name; file systems take 255 bytes at least, some less when they encrypt."""

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_.")
_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]
)


def file_name(name: str) -> str:
    """The one component of a path that stands for the name; different names have different ones."""
    written = [chr(byte) if byte in _PLAIN else f"%{byte:02x}" for byte in _bytes(name)]
    for end in (0, -1):
        if written[end] == ".":
            written[end] = "%2e"
    if "".join(written).partition(".")[0] in _DEVICES:
        written[0] = f"%{ord(written[0]):02x}"
    whole = "".join(written)
    if len(whole) <= LONGEST:
        return whole
    digest = sha256(_bytes(name)).hexdigest()
    return f"{whole[: LONGEST - 1 - len(digest)]}~{digest}"


def name_of(written: str) -> str | None:
    """The name that `file_name` made this of; `None` if it was too long to be told."""
    return None if "~" in written else unquote_to_bytes(written).decode("utf-8", "surrogatepass")


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
