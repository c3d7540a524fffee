"""What every bare client shares: the address it dials, and the ready-made JSON it sends."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from benchmarks.work import CHUNK, CHUNK_MIME_TYPE

if TYPE_CHECKING:
    from benchmarks.round import Round

__all__ = ["CHUNK_JSON", "SETUP_JSON", "is_audio", "url"]

SETUP_JSON = json.dumps({"setup": {"model": "models/gemini-3.8-live"}})
CHUNK_JSON = json.dumps(
    {"realtimeInput": {"audio": {"mimeType": CHUNK_MIME_TYPE, "data": base64.b64encode(CHUNK).decode()}}},
    separators=(",", ":"),
)


def url(round_: Round) -> str:
    return round_.address.replace("https://", "wss://", 1) + "/ws"


def is_audio(frame: bytes) -> bool:
    """By its size: a bare client does not look inside."""
    return len(frame) > 1_000
