"""When something was said, by where in the audio it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from antiphon.requests import pcm_rate

if TYPE_CHECKING:
    from antiphon.types import Blob

__all__ = ["LONGEST", "Listened"]

LONGEST: Final = 10.0
"""Seconds for which a model may have thought about whether the user has finished; more is an error."""


class Listened:
    """How much of the user's audio went up each connection, as fast as it was spoken."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def sent(self, link: int, blob: Blob) -> None:
        """The model is given this chunk. Anything but PCM counts for nothing."""
        rate = pcm_rate(blob.mime_type or "")
        if rate and blob.data:
            self._seconds[link] = self._seconds.get(link, 0.0) + len(blob.data) / (2 * rate)

    def moment(self, link: int, offset: str | None, now: float) -> float | None:
        """When the audio at `offset` of the connection was spoken; a duration such as `"1.5s"`."""
        try:
            ago = self._seconds.get(link, 0.0) - float((offset or "").removesuffix("s"))
        except ValueError:
            return None
        return now - ago if 0 <= ago <= LONGEST else None

    def closed(self, link: int) -> None:
        """The connection is gone."""
        self._seconds.pop(link, None)
