"""What an application needs to test itself: a Gemini Live server, clocks, scripts and contracts."""

from __future__ import annotations

__all__: list[str] = []
