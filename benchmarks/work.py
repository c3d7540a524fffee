"""What is measured: how many conversations, frames of audio in which direction, how fast.

The work is part of the address that a client dials, so that the peer knows what to do with the connection and
every client gets the same: `http://127.0.0.1:PORT/RUN/down/20/100/1/40000/0`, then the path of the wire.
"""

from __future__ import annotations

import base64
import json
import random
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

__all__ = ["CHUNK", "CHUNK_MIME_TYPE", "FRAME", "PCM", "TURN_COMPLETE", "Work", "tool_calls"]

_random = random.Random(40)

PCM = _random.randbytes(2 * 24 * 40)
"""Downstream: 40 ms of 16-bit mono at 24 kHz, 1,920 bytes."""
CHUNK = _random.randbytes(2 * 16 * 100)
"""Upstream: 100 ms of 16-bit mono at 16 kHz, 3,200 bytes."""
CHUNK_MIME_TYPE = "audio/pcm;rate=16000"


def _frame(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()


_blob = {"mimeType": "audio/pcm;rate=24000", "data": base64.b64encode(PCM).decode()}
FRAME = _frame({"serverContent": {"modelTurn": {"parts": [{"inlineData": _blob}]}}})
"""What the peer sends, again and again; in a binary frame, as the service does."""
TURN_COMPLETE = _frame({"serverContent": {"turnComplete": True}})


def tool_calls(count: int) -> bytes:
    """So many calls of a tool `wait`, in one message."""
    calls = [{"id": f"call-{number}", "name": "wait", "args": {}} for number in range(count)]
    return _frame({"toolCall": {"functionCalls": calls}})


@dataclass(frozen=True)
class Work:
    """Each of `conversations` has `burst` frames at once, every `gap` seconds, `bursts` times."""

    direction: Literal["down", "up"]
    conversations: int
    bursts: int
    burst: int
    gap: float
    as_json: bool = False
    """Downstream: each event is also written as JSON."""
    calls: int = 0
    """Of tools, all at once, before the first frame."""

    @property
    def frames(self) -> int:
        """Of one conversation."""
        return self.bursts * self.burst

    @property
    def total(self) -> int:
        """The frames of all conversations together."""
        return self.conversations * self.frames

    def due(self, conversation: int, burst: int) -> float:
        """When that burst is due, in seconds since the start: conversations take turns within a gap."""
        return self.gap * (burst + conversation / self.conversations)

    def path(self, run: str) -> str:
        gap = round(self.gap * 1_000_000)
        return f"/{run}/{self.direction}/{self.conversations}/{self.bursts}/{self.burst}/{gap}/{self.calls}"

    @classmethod
    def of_path(cls, path: str) -> tuple[str, Self]:
        """The run and the work in the address that was dialled."""
        found = re.match(r"/(\w+)/(down|up)/(\d+)/(\d+)/(\d+)/(\d+)/(\d+)/", path)
        if found is None:
            raise ValueError(f"no work in {path!r}")
        run, direction, *numbers = found.groups()
        conversations, bursts, burst, microseconds, calls = map(int, numbers)
        way: Literal["down", "up"] = "down" if direction == "down" else "up"
        return run, cls(way, conversations, bursts, burst, microseconds / 1_000_000, calls=calls)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
